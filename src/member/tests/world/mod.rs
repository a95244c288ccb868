//! What scenarios are written with: a process, a script for what surrounds it, and the time.

mod asks;
mod endpoint;
mod script;
mod stage;

pub(super) use asks::{rotate, verified};
pub(super) use endpoint::{
    accepts, ambiguous, granted, misconfigured, refused, rejected, script, throttled, transient,
    with_scope,
};
pub(super) use script::Script;
pub(super) use stage::{START, World, id_of, with_token};

pub(super) use super::peripherals::{StoreFate, TokenRequest};

use std::time::Duration;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
pub(super) const HOUR: Duration = Duration::from_hours(1);
