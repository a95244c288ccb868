//! Files that are written back to, for real.

mod access;
mod child;
mod crash;
mod shells;

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;

use super::draft::{PREFIX, STALE, SUFFIX};
use super::*;
use crate::driver::tests::Folder;
use crate::driver::workers::Workers;

fn credential(client_id: &str, secret: &str) -> Credential {
    Credential::new(None, client_id.into(), Secret::new(secret))
}

fn env_file(path: &Path) -> Target {
    let path = path.to_owned();
    let (client_id, client_secret) = (Some("ID".into()), "SECRET".into());
    Target::EnvFile { path, client_id, client_secret, of_client: None }
}

fn secret_file(path: &Path) -> Target {
    Target::SecretFile { path: path.to_owned(), of_client: None }
}

const DONE: Report = Report { outcome: SinkOutcome::Done, message: None };

/// That a write came to nothing, and why.
fn assert_not_written(report: &Report, outcome: SinkOutcome, reason: &str) {
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
    assert_eq!(Workers::default().write(secret_file(&path), new).await, DONE);
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
    assert_not_written(&report, SinkOutcome::Impossible, "would become larger than 1 MiB");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn what_is_no_file_to_be_replaced_is_told_for_good() {
    let folder = Folder::new("no-file");
    let at = |name: &str| folder.0.join(name);
    fs::create_dir(at("directory")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    symlink("loop", at("loop")).unwrap();
    fs::write(at("binary"), [0xff, 0xfe]).unwrap();
    fs::write(at("large"), vec![b'#'; 1024 * 1024 + 1]).unwrap();
    for (name, reason) in [
        ("directory", "is a directory"),
        ("socket", "is not a regular file"),
        ("loop", "too many links"),
        ("binary", "is not UTF-8 text"),
        ("large", "is larger than 1 MiB"),
    ] {
        for target in [env_file(&at(name)), secret_file(&at(name))] {
            let report = write(&target, &credential("id", "secret"));
            assert_not_written(&report, SinkOutcome::Impossible, reason);
        }
    }
    let report = write(&Target::Js { index: 0 }, &credential("id", "secret"));
    assert_not_written(&report, SinkOutcome::Impossible, "is a function");
}

#[test]
fn a_value_that_cannot_be_written_leaves_the_file_as_it_is() {
    let folder = Folder::new("refused");
    let path = folder.0.join(".env");
    fs::write(&path, "SECRET=old\n").unwrap();
    let report = write(&env_file(&path), &credential("id", "hunter2\nPATH=/tmp"));
    assert_not_written(&report, SinkOutcome::Impossible, "control character");
    assert!(!format!("{report:?}").contains("hunter2"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "SECRET=old\n");
}

#[test]
fn a_directory_that_is_not_there_may_come() {
    let folder = Folder::new("no-directory");
    let report = write(&env_file(&folder.0.join("later/.env")), &credential("id", "secret"));
    assert_not_written(&report, SinkOutcome::Failed, "later/.env does not exist");
}

#[test]
fn errors_that_only_a_person_can_mend_are_for_good() {
    let of = |number| outcome(io::Error::from_raw_os_error(number).kind());
    // EPERM, EACCES, EBUSY, EISDIR, EROFS
    assert!([1, 13, 16, 21, 30].into_iter().all(|number| of(number) == SinkOutcome::Impossible));
    // ENOENT, EIO, ENOMEM, EFBIG, ENOSPC
    assert!([2, 5, 12, 27, 28].into_iter().all(|number| of(number) == SinkOutcome::Failed));
    let busy = Failure::Io(Step::Replace, io::Error::from_raw_os_error(16));
    let report = busy.report(Path::new("/run/.env"));
    assert_not_written(&report, SinkOutcome::Impossible, "mount its directory instead");
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
    assert_not_written(&report, SinkOutcome::Failed, "changes too often");
    assert_eq!(drafts(&folder.0), [""; 0]);
}

#[test]
fn a_directory_that_another_process_keeps_locked_is_tried_again_later() {
    let folder = Folder::new("locked");
    let path = folder.0.join("secret");
    let other = File::open(&folder.0).unwrap();
    other.lock().unwrap();
    let report = write(&secret_file(&path), &credential("id", "secret"));
    assert_not_written(&report, SinkOutcome::Failed, "another process has locked");
    assert!(!path.exists());
    drop(other);
    assert_eq!(write(&secret_file(&path), &credential("id", "secret")), DONE);
}

#[test]
fn what_killed_writers_left_behind_is_removed_and_nothing_else() {
    let folder = Folder::new("left-over");
    let left = [".oauth-rotor-0123456789abcdef.tmp", ".oauth-rotor-ffffffffffffffff.tmp"];
    let others =
        [".oauth-rotor-notes.tmp", ".oauth-rotor-0123456789abcdef", "0123456789abcdef.tmp"];
    for name in left.iter().chain(&others) {
        fs::write(folder.0.join(name), "").unwrap();
    }
    // Others may be writing where there is no lock: then only age tells.
    let draft = Draft::write(&folder.0, &Secret::new(""), None).unwrap();
    let made = fs::metadata(folder.0.join(left[0])).unwrap().modified().unwrap();
    let old = File::options().write(true).open(folder.0.join(left[0])).unwrap();
    old.set_modified(made - 2 * STALE).unwrap();
    clear(&folder.0, |path| draft.is_after(path));
    assert!(draft.path.exists() && folder.0.join(left[1]).exists());
    assert!(!folder.0.join(left[0]).exists());
    drop(draft);
    assert_eq!(write(&secret_file(&folder.0.join("secret")), &credential("id", "new")), DONE);
    assert!(!folder.0.join(left[1]).exists());
    assert!(others.iter().all(|name| folder.0.join(name).exists()));
}
