//! Functions of values alone, and what happens once per process.

use napi::Result;
use napi::bindgen_prelude::Env;
use napi_derive::napi;
use serde::Serialize;

use super::environment::Environment;
use crate::api::Activity;
use crate::driver::Driver;
use crate::local_time;
use crate::provider::genesys;
use crate::time_zone::TimeZone;

/// What the facade compares with its own version: it works with this one only.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A panic is reported as an error or an event; its text must not appear on the user's terminal.
#[napi_derive::module_init]
fn silence_panics() {
    std::panic::set_hook(Box::new(|_| ()));
}

/// An instant in a time zone, as RFC 9557 writes it; none when the zone is unknown.
#[napi(catch_unwind)]
pub fn format_local(epoch_millis: i64, time_zone: String) -> Option<String> {
    local_time::format(epoch_millis, &time_zone)
}

/// Whether the IANA time zone database knows this name.
#[napi(catch_unwind)]
pub fn is_time_zone(name: String) -> bool {
    TimeZone::find(&name).is_some()
}

#[derive(Serialize)]
#[serde(untagged)]
enum GenesysHost {
    Found { host: String, corrected: bool },
    Unknown { error: String },
}

/// Genesys Cloud's login host for a region or host: `{"host", "corrected"}` or `{"error"}`.
#[napi(catch_unwind)]
pub fn genesys_host(region_or_host: String) -> String {
    to_json(&match genesys::login_host(&region_or_host) {
        Ok(found) => GenesysHost::Found { host: found.host, corrected: found.corrected },
        Err(error) => GenesysHost::Unknown { error: error.to_string() },
    })
}

/// A clock that a test turns by hand; it shows so many milliseconds since 1970.
#[napi(catch_unwind)]
pub fn make_clock(env: Env, utc_millis: i64) -> Result<i64> {
    let environment = Environment::of(env)?;
    let clock = Driver::global().make_clock(utc_millis);
    environment.made_clock(clock);
    Ok(i64::try_from(clock).unwrap_or_default())
}

/// The test's clock is no longer needed.
#[napi(catch_unwind)]
pub fn drop_clock(env: Env, clock: i64) -> Result<()> {
    let environment = Environment::of(env)?;
    if let Some(clock) = environment.clock(clock) {
        environment.drop_clock(clock);
    }
    Ok(())
}

/// Moves a clock on to so many milliseconds since 1970.
#[napi(catch_unwind)]
pub fn advance_clock(env: Env, clock: i64, utc_millis: i64) -> Result<()> {
    if let Some(clock) = Environment::of(env)?.clock(clock) {
        Driver::global().advance_clock(clock, utc_millis);
    }
    Ok(())
}

/// What goes on at a clock, as JSON.
#[napi(catch_unwind)]
pub fn clock_activity(env: Env, clock: i64) -> Result<String> {
    let clock = Environment::of(env)?.clock(clock);
    let activity = clock.map_or_else(Activity::default, |clock| Driver::global().activity(clock));
    Ok(to_json(&activity))
}

/// Our own types serialize; if one ever does not, the facade meets `null` and says so.
pub(super) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// JavaScript's numbers are whole here, and far from the largest.
#[expect(clippy::cast_possible_truncation, reason = "what does not fit is cut")]
pub(super) fn whole(number: f64) -> i64 {
    number as i64
}
