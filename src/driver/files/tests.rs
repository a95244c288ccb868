//! Reading real files.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::reader::read_pair;
use super::*;
use crate::driver::tests::Folder;
use crate::persist::dotenv;
use crate::secret::Secret;
use crate::source::{FileReading, Place};

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
fn a_byte_order_mark_at_the_beginning_is_not_part_of_the_secret_and_one_elsewhere_is() {
    let folder = Folder::new("mark");
    let path = folder.0.join("secret");
    for (written, meant) in [
        ("\u{feff}s3cret\r\n", "s3cret"),
        ("s3\u{feff}cret", "s3\u{feff}cret"),
        ("\u{feff}\u{feff}s3cret", "\u{feff}s3cret"),
    ] {
        fs::write(&path, written).unwrap();
        assert_eq!(read(&Place::File(path.clone())), FileReading::Text(Secret::new(meant)));
    }
}

#[test]
fn variables_are_read_at_once_and_no_others() {
    let folder = Folder::new("variables");
    let path = folder.0.join(".env");
    let names = ["ID", "SECRET"].map(str::to_owned);
    let place = Place::EnvFile { path: path.clone(), variables: names.into() };
    let why = || match read(&place) {
        FileReading::Failed(reason) => reason,
        other => panic!("{other:?}"),
    };
    assert!(why().contains("there is no file"));
    fs::write(&path, "\u{feff}ID=app\r\nexport SECRET='s3cret' # ours\r\nOTHER=x\r\n").unwrap();
    let value = |text: &str| dotenv::Variable::Value(Secret::new(text));
    let expected = [("ID".to_owned(), value("app")), ("SECRET".to_owned(), value("s3cret"))];
    assert_eq!(read(&place), FileReading::Variables(expected.into()));
    fs::write(&path, "#".repeat(1024 * 1024 + 1)).unwrap();
    assert!(why().contains("larger than 1024 KiB"));
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

/// A pipe without another end, which a reader would wait for.
pub(in crate::driver) fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo is installed").success());
}

#[test]
fn what_is_no_regular_file_is_told_by_its_kind_and_never_waited_for() {
    let folder = Folder::new("special");
    let at = |name: &str| folder.0.join(name);
    make_pipe(&at("pipe"));
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    symlink("/dev/null", at("device")).unwrap();
    symlink("pipe", at("link")).unwrap();
    symlink("loop", at("loop")).unwrap();
    for (path, reason) in [
        (at("pipe"), "is not a regular file but a pipe; it is read again and again"),
        (at("link"), "is not a regular file but a pipe"),
        (at("socket"), "is not a regular file but a socket"),
        (at("device"), "is not a regular file but a device"),
        (folder.0.clone(), "is a directory"),
        (PathBuf::from("/"), "is a directory"),
        (at("loop"), "leads through too many links"),
        (at("pipe/secret"), "not a directory"),
    ] {
        let names = ["SECRET".to_owned()].into();
        let env_file = Place::EnvFile { path: path.clone(), variables: names };
        for place in [Place::File(path.clone()), env_file] {
            let FileReading::Failed(told) = read(&place) else { panic!("{place:?}") };
            assert!(told.contains(reason) && told.contains(path.to_str().unwrap()), "{told}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_descriptor_is_read_where_it_is_of_a_file() {
    use std::os::fd::AsRawFd;

    let folder = Folder::new("descriptor");
    fs::write(folder.0.join("secret"), "s3cret\n").unwrap();
    let file = File::open(folder.0.join("secret")).unwrap();
    let (pipe, _other_end) = io::pipe().unwrap();
    let read_at = |number: i32| read(&Place::File(format!("/proc/self/fd/{number}").into()));
    assert_eq!(read_at(file.as_raw_fd()), FileReading::Text(Secret::new("s3cret")));
    let FileReading::Failed(told) = read_at(pipe.as_raw_fd()) else { panic!("it is a pipe") };
    assert!(told.contains("is not a regular file but a pipe"), "{told}");
    // A link of the kernel's to a directory is no text either.
    let directory = File::open(&folder.0).unwrap();
    let path = format!("/proc/self/fd/{}/secret", directory.as_raw_fd());
    assert_eq!(read(&Place::File(path.into())), FileReading::Text(Secret::new("s3cret")));
}

#[test]
fn a_file_that_becomes_a_pipe_before_any_call_is_never_waited_for() {
    let folder = Folder::new("becomes-pipe");
    let path = folder.0.join("secret");
    fs::write(&path, "s3cret").unwrap();
    let place = Place::File(path.clone());
    let (_, calls) = Plan::run(usize::MAX, |_| Ok(()), || read(&place));
    assert!(calls.contains(&"openat") && calls.contains(&"read"), "{calls:?}");
    for at in 0..calls.len() {
        let pipe = path.clone();
        let swap = move |_| {
            fs::remove_file(&pipe)?;
            make_pipe(&pipe);
            Ok(())
        };
        match Plan::run(at, swap, || read(&place)).0 {
            FileReading::Text(text) => assert_eq!(text.expose(), "s3cret"),
            FileReading::Failed(told) => assert!(told.contains("but a pipe"), "{told}"),
            other => panic!("{other:?}"),
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, "s3cret").unwrap();
    }
}

#[test]
fn a_relative_path_and_one_with_dots_and_links_lead_where_the_kernel_leads_them() {
    let folder = Folder::new("paths");
    let at = |name: &str| folder.0.join(name);
    fs::create_dir_all(at("a/b")).unwrap();
    fs::write(at("a/secret"), "s3cret").unwrap();
    symlink(at("a/b"), at("absolute")).unwrap();
    symlink("../a/./b", at("a/relative")).unwrap();
    let odd = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
    symlink("absolute", folder.0.join::<&std::ffi::OsStr>(odd)).unwrap();
    for path in [
        at("a/secret"),
        at("a/b/../secret"),
        at("absolute/../secret"),
        at("a/relative/.././secret"),
        folder.0.join::<&std::ffi::OsStr>(odd).join("../secret"),
    ] {
        assert_eq!(fs::read_to_string(&path).unwrap(), "s3cret", "{path:?}");
        assert_eq!(read(&Place::File(path)), FileReading::Text(Secret::new("s3cret")));
    }
    assert!(matches!(read(&Place::File("Cargo.toml".into())), FileReading::Text(_)));
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
    let folder =
        if memory.is_dir() { Folder::within(memory, "swapped") } else { Folder::new("swapped") };
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
