//! What JavaScript sees: each shape together with the function that makes it.
//!
//! Everything here becomes JSON that the facade reads, or is read from JSON that the facade writes.
//! Pure: the present and the calendar are parameters ([`Calendar`]). The `sentences` for people
//! are here as well, and nowhere else.

mod activity;
mod change;
mod credential;
mod denial;
mod error;
mod event;
mod handle;
mod health;
mod instant;
mod message;
mod metrics;
mod requests;
mod rotation;
mod sentences;
#[cfg(feature = "io")]
mod settings;
mod signer;
mod status;

#[cfg(test)]
mod tests;

pub use activity::Activity;
pub use change::{ChangeMessage, MissingMessage};
pub use credential::{CredentialMessage, CredentialName};
pub use error::{ErrorMessage, RotationDetails};
pub use event::{ApiEvent, EventMessage, SourceChanged, UntoldEvent, persist_outcome};
pub use handle::{ClockId, HandleId};
pub use health::Health;
pub use instant::{Calendar, UtcMillis};
pub use message::Message;
pub use metrics::Metrics;
pub use requests::RequestForm;
pub use rotation::{PreparationMessage, RotationMessage, WaitingMessage};
#[cfg(feature = "io")]
pub use settings::{
    Agreed, RedisAddress, RedisLogin, RedisSettings, RedisTopology, Settings, StoreSettings,
};
pub use signer::{KEY_PATIENCE, KeysForm, SignerSettings, SignerStatus};
pub use status::Status;
