//! Writes credentials back to files. It blocks: call it off the driver's thread.
//!
//! A file is never changed in place. Its new text is written to a draft beside it, made durable,
//! read again and compared, and then takes the place of the old one in one rename: whoever opens
//! the file finds the old text or the new one, also after a crash, a signal or a loss of power.
//! Links stay; what they point to is replaced. All is done in one directory that is held open:
//! where links on the way to it lead meanwhile does not matter.
//!
//! The new file has the owner, the group, the mode (without set-uid, set-gid and sticky bits) and,
//! on Linux, the POSIX access control list of the old one (`access`). Where this process may not
//! give the file away, nothing is written; only a group that may do no more than everybody else may
//! is let go. Until it takes its place nobody else may read it (`draft`). A new file is for its
//! owner alone, whatever default list its directory has. Lists of other systems (macOS, NFS version
//! 4), extended attributes and further hard links are not carried over.
//!
//! What is no regular file is not replaced, and never opened. In a directory that anybody may write
//! to, such as `/tmp`, neither a link nor a file of another user is: that user could be anybody.
//!
//! Writers of one user's files in a directory take turns by a lock (`turn`): so none undoes what
//! another one has just written, and what a killed one has left behind is known for what it is.
//! Other programs do not know the lock: the file is read once more right before it is replaced, and
//! a change made meanwhile is kept. Some network file systems have no such lock; two writers there
//! may lose the change of one of them, but never mix them.

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
