//! The name of our threads.

/// What every thread of this library is named.
pub(super) const NAME: &str = "oauth-rotor";
