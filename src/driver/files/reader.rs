//! Reads what sources need from files.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::fault::before;
use super::location::{Location, PathTrouble};
use crate::persist::dotenv;
use crate::secret::Secret;
use crate::source::{FileReading, Place};

/// No client id or secret is longer; a wrong path may name a log or a disk.
const LARGEST: u64 = 64 * 1024;

/// A file of variables may hold others, too. A larger one is not written by hand, nor read by
/// dotenv.
pub(in crate::driver) const LARGEST_ENV_FILE: u64 = 1024 * 1024;

/// How often a directory is read again because it was swapped in between.
const ATTEMPTS: usize = 20;

/// Reads a file, variables of one, or two files of a directory.
pub(in crate::driver) fn read(place: &Place) -> FileReading {
    match place {
        Place::File(path) => match read_value(path) {
            Ok(text) => FileReading::Text(text),
            Err(error) => FileReading::Failed(describe(path, &error, LARGEST)),
        },
        Place::EnvFile { path, variables } => read_variables(path, variables),
        Place::Directory { directory, client_id, client_secret } => {
            read_pair(directory, client_id, client_secret)
        }
    }
}

/// Reads two files of one version of a directory.
///
/// Kubernetes mounts a secret as links through `..data`, which it points elsewhere in one rename.
/// Resolving that link once gives both files of one version; a version that vanished while it was
/// read, or was replaced meanwhile, is read again.
pub(super) fn read_pair(directory: &Path, client_id: &str, client_secret: &str) -> FileReading {
    let mut failure = None;
    for _ in 0..ATTEMPTS {
        let version = version(directory);
        let base = version.as_deref().unwrap_or(directory);
        let (id_path, secret_path) = (base.join(client_id), base.join(client_secret));
        let pair = read_value(&id_path)
            .map_err(|error| (directory.join(client_id), error))
            .and_then(|id| match read_value(&secret_path) {
                Ok(secret) => Ok((id, secret)),
                Err(error) => Err((directory.join(client_secret), error)),
            });
        match pair {
            Ok((id, secret)) => return FileReading::Pair(id, secret),
            Err((path, error)) => {
                let gone =
                    matches!(&error, PathTrouble::Io(error) if error.kind() == ErrorKind::NotFound);
                failure = Some(describe(&path, &error, LARGEST));
                if !gone || version.is_none() || version == self::version(directory) {
                    break;
                }
            }
        }
    }
    FileReading::Failed(failure.unwrap_or_else(|| {
        format!("could not be read: the directory {} changes too often", directory.display())
    }))
}

/// Where `..data` points to at the moment.
fn version(directory: &Path) -> Option<PathBuf> {
    fs::read_link(directory.join("..data")).ok().map(|target| directory.join(target))
}

/// Reads variables of a dotenv file. Others of that file are not kept.
fn read_variables(path: &Path, variables: &BTreeSet<String>) -> FileReading {
    match open(path).and_then(|mut file| Ok(read_text(&mut file, LARGEST_ENV_FILE)?)) {
        Ok(text) => FileReading::Variables(dotenv::read(text.expose(), variables)),
        Err(error) => FileReading::Failed(describe(path, &error, LARGEST_ENV_FILE)),
    }
}

/// Opens the file that a path leads to, and nothing else.
fn open(path: &Path) -> Result<File, PathTrouble> {
    Ok(Location::of(path)?.open()?.ok_or(ErrorKind::NotFound).map_err(io::Error::from)?)
}

/// The text of a file that holds one value.
fn read_value(path: &Path) -> Result<Secret, PathTrouble> {
    let text = read_text(&mut open(path)?, LARGEST)?;
    // Windows editors begin a file with a byte order mark.
    let text = text.expose().strip_prefix('\u{feff}').unwrap_or(text.expose());
    // Editors and `echo` end a file with a line break that is not part of the secret.
    let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Secret::new(line.unwrap_or(text)))
}

/// The text of a file, unless it is larger than that or no text.
pub(in crate::driver) fn read_text(file: &mut File, largest: u64) -> io::Result<Secret> {
    before("fstat")?;
    // There is room for all of it: a buffer that grew would leave copies behind.
    let size = file.metadata()?.len().min(largest) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0)));
    before("read")?;
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(ErrorKind::FileTooLarge.into());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| ErrorKind::InvalidData)?;
    Ok(Secret::new(text))
}

fn describe(path: &Path, trouble: &PathTrouble, largest: u64) -> String {
    let path = path.display();
    let error = match trouble {
        PathTrouble::Io(error) => error,
        PathTrouble::IsSpecial(_) => {
            return format!(
                "could not be read: {path} {trouble}; it is read again and again, as only a file can be"
            );
        }
        _ => return format!("could not be read: {path} {trouble}"),
    };
    match error.kind() {
        ErrorKind::NotFound => format!("could not be read: there is no file {path}"),
        ErrorKind::PermissionDenied => {
            format!("could not be read: this process may not read {path}")
        }
        ErrorKind::FileTooLarge => {
            format!("could not be read: {path}: it is larger than {} KiB", largest / 1024)
        }
        // PowerShell 5 writes what `>` redirects as UTF-16.
        ErrorKind::InvalidData => {
            format!("could not be read: {path}: it is not UTF-8 text (save it as UTF-8)")
        }
        kind => format!("could not be read: {path}: {kind}"),
    }
}
