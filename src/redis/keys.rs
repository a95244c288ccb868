//! The keys of one logical client.

/// Where the data of one logical client lie.
///
/// All keys share the hash tag `{<prefix>:<name>}`, so that a cluster keeps them in one slot.
#[derive(Debug, Clone)]
pub struct Keys {
    tag: String,
}

impl Keys {
    /// What the script is given, in its order: the record with what lies beside it, the token, the
    /// live members, what they have read, what they hold, their rows, and rejections.
    const NAMES: [&str; 7] = ["fleet", "token", "live", "acks", "holds", "rows", "rejected"];

    /// The keys of the logical client of that name; neither text has braces.
    pub fn new(prefix: &str, name: &str) -> Self {
        Self { tag: format!("{{{prefix}:{name}}}") }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = String> {
        Self::NAMES.iter().map(|name| format!("{}:{name}", self.tag))
    }

    /// Where it is tried which commands may be run.
    pub(super) fn probe(&self) -> String {
        format!("{}:probe", self.tag)
    }

    /// The channel on which changes are announced.
    pub(super) fn channel(&self) -> String {
        format!("{}:events", self.tag)
    }
}
