//! Reads files that hold client ids and secrets. It blocks: call it off the driver's thread.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::source::{FileReading, Place};

/// No client id or secret is longer; a wrong path may name a log or a disk.
const LARGEST: u64 = 64 * 1024;

/// How often a directory is read again because it was swapped in between.
const ATTEMPTS: usize = 20;

/// Reads a file, or two files of a directory.
pub(super) fn read(place: &Place) -> FileReading {
    match place {
        Place::File(path) => match read_value(path) {
            Ok(text) => FileReading::Text(text),
            Err(error) => FileReading::Failed(describe(path, &error)),
        },
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
fn read_pair(directory: &Path, client_id: &str, client_secret: &str) -> FileReading {
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
                let gone = error.kind() == ErrorKind::NotFound;
                failure = Some(describe(&path, &error));
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

/// The text of a file that holds one value.
fn read_value(path: &Path) -> io::Result<Secret> {
    let text = read_text(&mut File::open(path)?, LARGEST)?;
    // Editors and `echo` end a file with a line break that is not part of the secret.
    let text = text.expose();
    let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Secret::new(line.unwrap_or(text)))
}

/// The text of a file, unless it is larger than that or no text.
pub(super) fn read_text(file: &mut File, largest: u64) -> io::Result<Secret> {
    // Room for all of it, so that no copy is left behind where it grew.
    let size = file.metadata()?.len().min(largest) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0)));
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(ErrorKind::FileTooLarge.into());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| ErrorKind::InvalidData)?;
    Ok(Secret::new(text))
}

fn describe(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        ErrorKind::NotFound => format!("could not be read: there is no file {path}"),
        ErrorKind::PermissionDenied => {
            format!("could not be read: this process may not read {path}")
        }
        ErrorKind::FileTooLarge => {
            format!("could not be read: {path}: it is larger than 64 KiB")
        }
        ErrorKind::InvalidData => format!("could not be read: {path}: it is not UTF-8 text"),
        kind => format!("could not be read: {path}: {kind}"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::driver::tests::Folder;

    #[test]
    fn one_trailing_line_break_is_not_part_of_the_secret() {
        let folder = Folder::new("line-break");
        let path = folder.0.join("secret");
        for (written, meant) in
            [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), (" s3cret\n\n", " s3cret\n")]
        {
            fs::write(&path, written).unwrap();
            let read = read(&Place::File(path.clone()));
            assert_eq!(read, FileReading::Text(Secret::new(meant)));
        }
    }

    #[test]
    fn a_file_that_cannot_be_a_secret_says_why() {
        let folder = Folder::new("unfit");
        let path = folder.0.join("secret");
        let why = || match read(&Place::File(path.clone())) {
            FileReading::Failed(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert!(why().contains("there is no file"));
        fs::write(&path, vec![b'x'; 64 * 1024 + 1]).unwrap();
        assert!(why().contains("larger than 64 KiB"));
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(why().contains("not UTF-8"));
    }

    /// Ends the swaps, also where an assertion fails.
    struct End<'a>(&'a AtomicBool);

    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// So many readings while the directory is swapped about every millisecond.
    const READINGS: usize = 100_000;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the pace of the swaps, which nothing waits for")]
    #[expect(clippy::print_stderr, reason = "its figures, for those who ask for them")]
    fn a_pair_is_never_torn_while_its_directory_is_swapped() {
        // Kubernetes keeps secrets in memory, too, where a swap takes less than a millisecond.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            Folder::within(memory, "swapped")
        } else {
            Folder::new("swapped")
        };
        let publish = |round: usize| {
            let version = folder.0.join(format!("..v{round}"));
            fs::create_dir(&version).unwrap();
            fs::write(version.join("id"), format!("id-{round}")).unwrap();
            fs::write(version.join("secret"), format!("secret-{round}\n")).unwrap();
            let link = folder.0.join("..data_tmp");
            symlink(version.file_name().unwrap(), &link).unwrap();
            fs::rename(&link, folder.0.join("..data")).unwrap();
            if let Some(old) = round.checked_sub(1) {
                fs::remove_dir_all(folder.0.join(format!("..v{old}"))).unwrap();
            }
        };
        publish(0);
        symlink("..data/id", folder.0.join("id")).unwrap();
        symlink("..data/secret", folder.0.join("secret")).unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let swaps = scope.spawn(|| {
                let mut round = 0;
                while !done.load(Ordering::Relaxed) {
                    round += 1;
                    publish(round);
                    thread::sleep(Duration::from_millis(1));
                }
                round
            });
            let end = End(&done);
            let mut versions = 0;
            let mut latest = String::new();
            for _ in 0..READINGS {
                let FileReading::Pair(id, secret) = read_pair(&folder.0, "id", "secret") else {
                    panic!("it is always there");
                };
                let number = id.expose().strip_prefix("id-").expect("a whole id");
                assert_eq!(secret.expose().strip_prefix("secret-"), Some(number));
                if number != latest {
                    number.clone_into(&mut latest);
                    versions += 1;
                }
            }
            drop(end);
            let swaps = swaps.join().unwrap();
            eprintln!("{READINGS} readings during {swaps} swaps, of {versions} versions");
            assert!(versions > 100, "{versions} versions were seen");
        });
    }
}
