//! One interpreter of effects, and what it performs them on.
//!
//! A [`Process`] runs one member. What the process cannot decide by itself, its [`Surroundings`]
//! do: a scenario scripts them by hand, the simulation draws them from a seed. Nothing here is
//! static, and a process knows only its own clock: several of them, each with its own surroundings
//! and its own idea of the time, run side by side over clones of one store.

mod agenda;
mod hands;
mod interpreter;
mod operations;
mod process;
mod surroundings;

pub(crate) use agenda::Agenda;
pub(crate) use hands::{HOUR, Hands, MINUTE, SECOND, START};
pub(crate) use interpreter::Died;
pub(crate) use process::{Process, TokenRequest};
pub(crate) use surroundings::{
    Clientele, Delay, Delivery, Machine, Passage, PersistPlaces, PlaceWrite, SourceReader,
    StepTaken, StoreAccess, StoreFate, Surroundings, TokenEndpoint, Witness, WriteEnd,
};
