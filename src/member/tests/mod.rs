//! One member in virtual time.

mod asking;
mod choice;
mod custody;
mod failing;
mod faults;
mod fleet;
mod invalidation;
mod lost_writes;
mod outages;
mod pair;
mod peripherals;
mod persisting;
mod reporting;
mod retries;
mod rotating;
mod search;
mod simulation;
mod starting;
mod tokens;
mod waiters;
mod world;
