//! Files that are persisted to, for real.

mod access;
mod child;
mod crash;
mod faults;
#[cfg(target_os = "linux")]
mod lists;
mod shared;
mod shells;

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::access::Access;
use super::draft::{Draft, NEW, PREFIX, STALE_SECONDS, SUFFIX, clear};
use super::failure::{WriteFailure, WriteStep, outcome};
use super::writer::replace;
use super::*;
use crate::clock::SystemClock;
use crate::credential::Credential;
use crate::driver::files::{Location, Plan, tests::make_pipe, user};
use crate::driver::tests::Folder;
use crate::driver::workers::Workers;
use crate::persist::{PersistTarget, dotenv};
use crate::rotation::PersistOutcome;
use crate::secret::Secret;

fn credential(client_id: &str, secret: &str) -> Credential {
    Credential::new(None, client_id.into(), Secret::new(secret))
}

fn env_file(path: &Path) -> PersistTarget {
    let path = path.to_owned();
    let (client_id, client_secret) = (Some("ID".into()), "SECRET".into());
    PersistTarget::EnvFile { path, client_id, client_secret, of_client: None }
}

fn secret_file(path: &Path) -> PersistTarget {
    PersistTarget::SecretFile { path: path.to_owned(), of_client: None }
}

const DONE: Report = Report { outcome: PersistOutcome::Done, message: None };

/// That a write came to nothing, and why.
fn assert_not_written(report: &Report, outcome: PersistOutcome, reason: &str) {
    assert_eq!(report.outcome, outcome, "{report:?}");
    assert!(
        report.message.as_deref().is_some_and(|message| message.contains(reason)),
        "{report:?}"
    );
}

/// The names of a directory's files that wait to take another one's place.
fn drafts(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("it can be listed").map_while(Result::ok);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX)).collect()
}

#[test]
fn nothing_but_the_pair_changes_in_a_file() {
    let folder = Folder::new("env-file");
    let path = folder.0.join(".env");
    fs::write(&path, "# ours\r\nexport ID=old # id\r\n\r\nOTHER='a\nb'\r\nSECRET=\"s\"").unwrap();
    assert_eq!(write(&env_file(&path), &credential("new", "it's")), DONE);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "# ours\r\nexport ID=new # id\r\n\r\nOTHER='a\nb'\r\nSECRET=\"it's\"");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[test]
fn a_file_that_holds_the_pair_is_left_alone() {
    let folder = Folder::new("unchanged");
    let (env, secret) = (folder.0.join(".env"), folder.0.join("secret"));
    let new = credential("id", "s3cret");
    for (target, path) in [(env_file(&env), &env), (secret_file(&secret), &secret)] {
        assert_eq!(write(&target, &new), DONE);
        let before = fs::metadata(path).unwrap();
        assert_eq!(write(&target, &new), DONE);
        let after = fs::metadata(path).unwrap();
        assert_eq!((after.ino(), after.ctime_nsec()), (before.ino(), before.ctime_nsec()));
    }
}

#[tokio::test]
async fn workers_write_too() {
    let folder = Folder::new("worker");
    let path = folder.0.join("secret");
    fs::write(&path, "old\n").unwrap();
    let new = Arc::new(credential("id", "new"));
    let workers = Workers::new(Arc::new(SystemClock::new()));
    assert_eq!(workers.write(1, secret_file(&path), new).await, DONE);
    assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
}

#[test]
fn links_stay_and_what_they_point_to_is_replaced() {
    let folder = Folder::new("links");
    fs::create_dir(folder.0.join("shared")).unwrap();
    let path = folder.0.join("shared/secret");
    symlink("shared/secret", folder.0.join("inner")).unwrap();
    symlink(folder.0.join("inner"), folder.0.join("outer")).unwrap();
    // The first write finds that the links lead to no file yet.
    for secret in ["one", "two"] {
        assert_eq!(write(&secret_file(&folder.0.join("outer")), &credential("id", secret)), DONE);
        assert_eq!(fs::read_to_string(&path).unwrap(), secret);
    }
    assert!(folder.0.join("outer").is_symlink() && folder.0.join("inner").is_symlink());
    assert!(!path.is_symlink());
}

#[test]
fn what_would_make_a_file_too_large_is_not_written() {
    let folder = Folder::new("full");
    let path = folder.0.join("env");
    let text = "#".repeat(1024 * 1024 - 10) + "\n";
    fs::write(&path, &text).unwrap();
    let report = write(&env_file(&path), &credential("id", "secret"));
    assert_not_written(&report, PersistOutcome::Impossible, "would become larger than 1 MiB");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn what_is_no_file_to_be_replaced_is_told_for_good() {
    let folder = Folder::new("no-file");
    let at = |name: &str| folder.0.join(name);
    fs::create_dir(at("directory")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    make_pipe(&at("pipe"));
    symlink("/dev/null", at("device")).unwrap();
    symlink("loop", at("loop")).unwrap();
    fs::write(at("binary"), [0xff, 0xfe]).unwrap();
    fs::write(at("large"), vec![b'#'; 1024 * 1024 + 1]).unwrap();
    for (name, reason) in [
        ("directory", "is a directory"),
        ("socket", "is not a regular file but a socket"),
        ("pipe", "is not a regular file but a pipe"),
        ("device", "is not a regular file but a device"),
        ("loop", "too many links"),
        ("binary", "is not UTF-8 text"),
        ("large", "is larger than 1 MiB"),
    ] {
        for target in [env_file(&at(name)), secret_file(&at(name))] {
            let report = write(&target, &credential("id", "secret"));
            assert_not_written(&report, PersistOutcome::Impossible, reason);
        }
    }
    let report = write(&PersistTarget::Js { index: 0 }, &credential("id", "secret"));
    assert_not_written(&report, PersistOutcome::Impossible, "is a function");
}

#[test]
fn a_value_that_cannot_be_written_leaves_the_file_as_it_is() {
    let folder = Folder::new("refused");
    let path = folder.0.join(".env");
    fs::write(&path, "SECRET=old\n").unwrap();
    let report = write(&env_file(&path), &credential("id", "hunter2\nPATH=/tmp"));
    assert_not_written(&report, PersistOutcome::Impossible, "control character");
    assert!(!format!("{report:?}").contains("hunter2"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "SECRET=old\n");
}

#[test]
fn a_directory_that_is_not_there_may_come() {
    let folder = Folder::new("no-directory");
    let report = write(&env_file(&folder.0.join("later/.env")), &credential("id", "secret"));
    assert_not_written(&report, PersistOutcome::Failed, "later/.env does not exist");
}

#[test]
fn errors_that_only_a_person_can_mend_are_for_good() {
    let of = |number| outcome(io::Error::from_raw_os_error(number).kind());
    // EPERM, EACCES, EBUSY, EISDIR, EROFS
    assert!([1, 13, 16, 21, 30].into_iter().all(|number| of(number) == PersistOutcome::Impossible));
    // ENOENT, EIO, ENOMEM, EFBIG, ENOSPC
    assert!([2, 5, 12, 27, 28].into_iter().all(|number| of(number) == PersistOutcome::Failed));
    let busy = WriteFailure::Io(WriteStep::Replace, io::Error::from_raw_os_error(16));
    let report = busy.report(Path::new("/run/.env"));
    assert_not_written(&report, PersistOutcome::Impossible, "mount its directory instead");
}

#[test]
fn a_change_that_somebody_else_makes_meanwhile_is_kept() {
    let folder = Folder::new("meanwhile");
    let (path, link) = (folder.0.join(".env"), folder.0.join("link"));
    fs::write(&path, "SECRET=old\n").unwrap();
    symlink(".env", &link).unwrap();
    let (id, secret) = (Secret::new("id"), Secret::new("secret"));
    let edits = Cell::new(0);
    let edit = |text: &str| {
        edits.set(edits.get() + 1);
        let new = dotenv::edit(text, &[("ID", &id), ("SECRET", &secret)]);
        match edits.get() {
            // The first look is before our turn.
            2 => fs::write(&path, "OTHER=1\nSECRET=old\n").unwrap(),
            4 => {
                fs::write(folder.0.join("other"), "MORE=1\n").unwrap();
                fs::remove_file(&link).unwrap();
                symlink("other", &link).unwrap();
            }
            _ => (),
        }
        new
    };
    replace(&link, edit).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "OTHER=1\nSECRET=old\n");
    assert_eq!(fs::read_to_string(&link).unwrap(), "MORE=1\nID=id\nSECRET=secret\n");
    assert_eq!(drafts(&folder.0), [""; 0]);
}

#[test]
fn a_file_that_never_stays_the_same_is_given_up_for_now() {
    let folder = Folder::new("restless");
    let path = folder.0.join("secret");
    fs::write(&path, "").unwrap();
    let edit = |text: &str| {
        fs::write(&path, format!("{text}x")).unwrap();
        Ok(Some(Secret::new("secret")))
    };
    let report = replace(&path, edit).unwrap_err().report(&path);
    assert_not_written(&report, PersistOutcome::Failed, "changes too often");
    assert_eq!(drafts(&folder.0), [""; 0]);
}

/// The lock that writers of this user's files take turns by.
fn lock_of(directory: &Path) -> PathBuf {
    directory.join(format!("{PREFIX}{}.lock", user()))
}

#[test]
fn a_lock_that_another_process_keeps_is_tried_again_later() {
    let folder = Folder::new("locked");
    let path = folder.0.join("secret");
    let other = File::create(lock_of(&folder.0)).unwrap();
    other.lock().unwrap();
    let report = write(&secret_file(&path), &credential("id", "secret"));
    assert_not_written(&report, PersistOutcome::Failed, "another process has locked");
    assert!(!path.exists());
    drop(other);
    assert_eq!(write(&secret_file(&path), &credential("id", "secret")), DONE);
    assert!(!lock_of(&folder.0).exists());
}

#[test]
fn who_may_only_read_a_directory_keeps_nobody_from_writing_to_it() {
    let folder = Folder::new("locked-by-anybody");
    let path = folder.0.join("secret");
    let other = File::open(&folder.0).unwrap();
    other.lock().unwrap();
    assert_eq!(write(&secret_file(&path), &credential("id", "secret")), DONE);
}

/// Others could hold it if they could open it.
#[test]
fn the_lock_is_for_this_user_alone_and_goes_after_the_write() {
    let folder = Folder::new("own-lock");
    let path = folder.0.join("secret");
    let lock = lock_of(&folder.0);
    for left_behind in [false, true] {
        if left_behind {
            fs::write(&lock, "").unwrap();
            fs::set_permissions(&lock, fs::Permissions::from_mode(0o666)).unwrap();
        }
        let seen = Cell::new(None);
        replace(&path, |_| {
            seen.set(fs::metadata(&lock).ok().map(|lock| lock.mode() & 0o7777).or(seen.get()));
            let new = if left_behind { "new" } else { "old" };
            Ok((fs::read_to_string(&path).ok().as_deref() != Some(new)).then(|| Secret::new(new)))
        })
        .unwrap();
        assert_eq!(seen.get(), Some(0o600), "{left_behind}");
        assert!(!lock.exists());
    }
}

#[test]
fn what_killed_writers_left_behind_is_removed_and_nothing_else() {
    let folder = Folder::new("left-over");
    let at = |name: &str| folder.0.join(name);
    // The first is a file, as earlier versions left one behind.
    let [file, old, empty, young] = ["0123456789abcdef", "ffffffffffffffff", "1", "2"]
        .map(|number| at(&format!("{PREFIX}{number:0>16}{SUFFIX}")));
    let others = [
        ".oauth-rotor-notes.tmp",
        ".oauth-rotor-0123456789abcdef",
        "0123456789abcdef.tmp",
        ".oauth-rotor-notes.lock",
    ]
    .map(at);
    for path in others.iter().chain([&file]) {
        fs::write(path, "").unwrap();
    }
    for path in [&old, &empty, &young] {
        fs::create_dir(path).unwrap();
    }
    for path in [&old, &young] {
        fs::write(path.join(NEW), "").unwrap();
    }
    // Others may be writing where there is no lock: then only age tells.
    let directory = Location::of(&file).unwrap().directory;
    let draft = Draft::write(&directory, &Secret::new(""), None).unwrap();
    let made = draft.file.metadata().unwrap().modified().unwrap();
    let too_old = made - Duration::from_secs(2 * STALE_SECONDS.unsigned_abs());
    File::options().write(true).open(old.join(NEW)).unwrap().set_modified(too_old).unwrap();
    clear(&directory, |other| draft.is_after(other));
    assert!(file.exists() && empty.exists() && young.exists() && !old.exists());
    drop(draft);
    assert_eq!(write(&secret_file(&at("secret")), &credential("id", "new")), DONE);
    assert!(![file, old, empty, young].iter().any(|left| left.exists()));
    assert!(others.iter().all(|other| other.exists()));
}

#[test]
fn a_trial_is_no_left_over_to_another_writer() {
    let folder = Folder::new("trial-meanwhile");
    let path = folder.0.join("secret");
    let target = secret_file(&path);
    let (is_possible, calls) = Plan::run(usize::MAX, |_| Ok(()), || is_writable(&target));
    assert!(is_possible && calls.contains(&"mkdirat"), "{calls:?}");
    for (at, call) in calls.iter().enumerate() {
        let (directory, lock) = (Location::of(&path).unwrap().directory, lock_of(&folder.0));
        let clear_in_turn = move |_| {
            let lock = File::options().write(true).create(true).truncate(false).open(&lock)?;
            if lock.try_lock().is_ok() {
                clear(&directory, |draft| draft.owner() == user());
            }
            Ok(())
        };
        let (is_possible, _) = Plan::run(at, clear_in_turn, || is_writable(&target));
        assert!(is_possible, "another writer before {call} ({at})");
        assert_eq!(drafts(&folder.0), [""; 0]);
    }
}
