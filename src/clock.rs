//! Time as a value.
//!
//! The core never reads a clock: it gets a [`Timestamp`], or a [`StoreTime`] of what is shared. This module has the one place that reads
//! the real clocks ([`SystemClock`]), and the clock that tests move by hand ([`ManualClock`]).

#[cfg(feature = "io")]
mod alarm;
mod interface;
mod manual;
mod store_time;
#[cfg(any(feature = "io", test))]
mod system;
mod timestamp;

pub use interface::{Clock, Sleep};
pub use manual::ManualClock;
pub use store_time::StoreTime;
#[cfg(feature = "io")]
pub use system::SystemClock;
pub use timestamp::Timestamp;
