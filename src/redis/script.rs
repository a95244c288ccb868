//! The script that performs operations.

use std::sync::LazyLock;

use redis::{Script, ScriptInvocation};

use super::keys::Keys;
use crate::clock::StoreTime;
use crate::policy::Policy;
use crate::rotation::MemberTable;
use crate::store::{LEASE_TTL, REJECTIONS_TTL};

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("script.lua")));

/// A run of the script that performs the operation of that name. Its own arguments follow.
///
/// `at` is the time to go by in place of the server's, which only a test sets.
pub(super) fn run(
    operation: &str,
    keys: &Keys,
    at: Option<StoreTime>,
) -> ScriptInvocation<'static> {
    prepared(operation, keys.all(), keys, at)
}

/// A run of the script that returns the names of the commands that may not be run.
pub(super) fn probe(keys: &Keys) -> ScriptInvocation<'static> {
    prepared("probe", [keys.probe()], keys, Some(StoreTime::default()))
}

fn prepared(
    operation: &str,
    given: impl IntoIterator<Item = String>,
    keys: &Keys,
    at: Option<StoreTime>,
) -> ScriptInvocation<'static> {
    let mut run = SCRIPT.prepare_invoke();
    given.into_iter().for_each(|key| {
        run.key(key);
    });
    run.arg(operation).arg(keys.channel());
    run.arg(at.map_or_else(String::new, |at| at.millis().to_string()));
    for ttl in [MemberTable::TTL, LEASE_TTL, REJECTIONS_TTL, Policy::LONGEST_RETRY_AFTER] {
        run.arg(ttl.as_millis().to_string());
    }
    run
}
