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
pub(super) use script::{Script, StoreState};
pub(super) use stage::{World, entry, id_of, with_token};

pub(super) use super::peripherals::{HOUR, MINUTE, SECOND, START, StoreFate, TokenRequest};
