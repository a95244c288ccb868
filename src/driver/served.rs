//! What the driver's thread serves.

use std::sync::Arc;

use super::key_set::KeySet;
use super::manager::Manager;

/// What has a task on the thread: a manager, or the keys of a signer.
pub(super) enum Served {
    Manager(Arc<Manager>),
    Keys(Arc<KeySet>),
}

/// Where the keys of a signer come from.
pub(super) enum SignerHome {
    /// They are configured.
    Keys(Arc<KeySet>),
    /// They are the credentials of a manager.
    Lent(Arc<Manager>),
}
