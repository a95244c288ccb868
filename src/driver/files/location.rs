//! Where a path leads: the directory that it ends in, held open, and a name there.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::directory::{Directory, Kind};

/// How many links a path may lead through, as on Linux.
const LINKS: usize = 40;

/// Why nothing can be read or written where a path leads.
#[derive(Debug, thiserror::Error)]
pub(in crate::driver) enum PathTrouble {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("is a directory")]
    IsDirectory,
    /// It is not read: a pipe would wait for its other end, and a device may do anything.
    #[error("is not a regular file but {0}")]
    IsSpecial(&'static str),
    #[error("leads through too many links")]
    Links,
    #[error(
        "leads through the link {}, which belongs to another user, in a directory that anybody may write to",
        _0.display()
    )]
    ForeignLink(PathBuf),
}

/// A name in a directory that is held open: links that change afterwards lead nowhere else.
#[derive(Debug)]
pub(in crate::driver) struct Location {
    pub(in crate::driver) directory: Directory,
    pub(in crate::driver) name: OsString,
    /// None: there is no such file.
    kind: Option<Kind>,
}

impl Location {
    /// Follows the path link by link, whether or not there is a file in the end.
    ///
    /// In a directory such as `/tmp`, where anybody may make files and only their owners may remove
    /// them, a link leads where its owner wants. It is followed only if that is this process's user
    /// or the directory's owner, as Linux does where `fs.protected_symlinks` is set.
    pub(in crate::driver) fn of(path: &Path) -> Result<Self, PathTrouble> {
        let mut steps = Vec::new();
        push(&mut steps, path);
        let start = match steps.pop_if(|step| matches!(step, PathStep::Start(_))) {
            Some(PathStep::Start(start)) => start,
            _ => PathBuf::from("."),
        };
        let mut directory = Directory::start(&start)?;
        let mut links = 0;
        while let Some(step) = steps.pop() {
            let name = match step {
                PathStep::Start(start) => {
                    directory = Directory::start(&start)?;
                    continue;
                }
                PathStep::Up => {
                    directory = directory.enter("..".as_ref())?;
                    continue;
                }
                PathStep::Name(name) => name,
            };
            let is_last = steps.is_empty();
            if !is_last && let Some(next) = directory.enter_unless_link(&name)? {
                directory = next;
                continue;
            }
            let found = match directory.look(&name) {
                Err(error) if is_last && error.kind() == ErrorKind::NotFound => {
                    return Ok(Self { directory, name, kind: None });
                }
                found => found?,
            };
            match found.kind() {
                Kind::Link => (),
                kind if is_last => return Ok(Self { directory, name, kind: Some(kind) }),
                _ => return Err(io::Error::from(ErrorKind::NotADirectory).into()),
            }
            links += 1;
            if links > LINKS {
                return Err(PathTrouble::Links);
            }
            if directory.is_shared()? && !directory.trusts(found.owner())? {
                return Err(PathTrouble::ForeignLink(PathBuf::from(name)));
            }
            if directory.is_kernels() {
                // Its links are not texts: `/dev/stdin` may lead to a pipe, and `/proc/1/root` out
                // of a container.
                if !is_last {
                    directory = directory.follow(&name)?;
                    continue;
                }
                match directory.look_behind(&name)?.kind() {
                    Kind::File => (),
                    kind => return Ok(Self { directory, name, kind: Some(kind) }),
                }
            }
            push(&mut steps, &directory.read_link(&name)?);
        }
        Err(PathTrouble::IsDirectory)
    }

    /// Opens the file for reading, if there is one.
    pub(in crate::driver) fn open(&self) -> Result<Option<File>, PathTrouble> {
        match self.kind {
            None => Ok(None),
            Some(Kind::Directory) => Err(PathTrouble::IsDirectory),
            Some(Kind::Special(what)) => Err(PathTrouble::IsSpecial(what)),
            Some(Kind::File | Kind::Link) => match self.directory.open(&self.name) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error.into()),
                // It may have become something else meanwhile.
                Ok(file) => match Kind::of(&file)? {
                    Kind::Directory => Err(PathTrouble::IsDirectory),
                    Kind::Special(what) => Err(PathTrouble::IsSpecial(what)),
                    Kind::File | Kind::Link => Ok(Some(file)),
                },
            },
        }
    }

    /// Whether another path led to the same place.
    pub(in crate::driver) fn is_at(&self, other: &Self) -> io::Result<bool> {
        Ok(self.name == other.name && self.directory.is_same(&other.directory)?)
    }
}

/// One part of a path.
enum PathStep {
    /// The root, or a volume's.
    Start(PathBuf),
    Up,
    Name(OsString),
}

/// Puts the parts of a path before all others, of which the last is taken first.
fn push(steps: &mut Vec<PathStep>, path: &Path) {
    let mut start = PathBuf::new();
    let mut new = Vec::new();
    for part in path.components() {
        match part {
            Component::Prefix(_) | Component::RootDir => start.push(part),
            Component::CurDir => (),
            Component::ParentDir => new.push(PathStep::Up),
            Component::Normal(name) => new.push(PathStep::Name(name.to_owned())),
        }
    }
    steps.extend(new.into_iter().rev());
    if !start.as_os_str().is_empty() {
        steps.push(PathStep::Start(start));
    }
}
