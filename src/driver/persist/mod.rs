//! Writes credentials back to files. It blocks: call it off the driver's thread.
//!
//! A file is never changed in place. Its new text is written to a draft beside it, made durable,
//! read again and compared. Then it takes the place of the old one in one rename: whoever opens the
//! file finds the old text or the new one, even after a crash, a signal or a loss of power. Links
//! stay, and what they point to is replaced. All of it happens in one directory that is held open,
//! so it does not matter where links on the way lead meanwhile.
//!
//! The new file has the owner, the group, the mode (without set-uid, set-gid and sticky bits) and,
//! on Linux, the POSIX access control list of the old one (`access`). If this process may not give
//! the file away, nothing is written; the group is dropped only if it may do no more than everybody
//! else. Nobody else may read the new file until it takes its place (`draft`). A file that did not
//! exist before is for its owner alone, whatever default list its directory has. Lists of other
//! systems (macOS, NFS version 4), extended attributes and further hard links are not carried over.
//!
//! Only a regular file is opened and replaced. In a directory that anybody may write to, such as
//! `/tmp`, neither a link nor a file of another user is replaced: that user could be anybody.
//!
//! Writers of one user's files in a directory take turns by a lock (`turn`): none undoes what
//! another one has just written, and what a killed writer has left behind is recognised. Other
//! programs do not know the lock, so the file is read once more right before it is replaced, and a
//! change made meanwhile is kept. Some network file systems have no such lock: there, of two
//! writers one may lose its change, but their changes never mix.

mod access;
mod draft;
mod failure;
mod original;
mod turn;
mod writer;

#[cfg(all(test, unix))]
mod tests;

pub(super) use failure::Report;
pub(super) use writer::{is_writable, write};
