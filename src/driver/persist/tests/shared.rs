//! Directories that others may write to.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};

use super::*;
use crate::driver::files::{Plan, read, tests::make_pipe, user};
use crate::source::{FileReading, Place};

/// Nobody has these.
const STRANGER: u32 = 61_234;

/// A directory as `/tmp` is one. None: only root can put something of another user there.
fn shared(name: &str) -> Option<Folder> {
    let folder = Folder::new(name);
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o1777)).expect("it is ours");
    (user() == 0).then_some(folder)
}

#[test]
fn a_link_of_another_user_in_a_directory_that_anybody_may_write_to_is_not_followed() {
    let Some(folder) = shared("foreign-link") else { return };
    let victim = folder.0.join("victim");
    fs::write(&victim, "not ours").unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(folder.0.join("inner")).unwrap();
    fs::write(folder.0.join("inner/victim"), "not ours").unwrap();
    for (target, rest) in [("victim", ""), ("inner", "victim")] {
        let link = folder.0.join("link");
        symlink(target, &link).unwrap();
        let path = if rest.is_empty() { link.clone() } else { link.join(rest) };
        for (owner, is_followed) in [(STRANGER, false), (user(), true)] {
            lchown(&link, Some(owner), None).unwrap();
            let text = match read(&Place::File(path.clone())) {
                FileReading::Text(text) => text.expose().to_owned(),
                FileReading::Failed(reason) => reason,
                other => panic!("{other:?}"),
            };
            let report = write(&secret_file(&path), &credential("id", "new"));
            if is_followed {
                assert_eq!((text.as_str(), report), ("not ours", DONE));
            } else {
                let reason = "leads through the link link, which belongs to another user";
                assert!(text.contains(reason), "{text}");
                assert_not_written(&report, PersistOutcome::Impossible, reason);
            }
        }
        fs::remove_file(&link).unwrap();
    }
    // Nobody else may put a link there.
    let link = folder.0.join("link");
    symlink("victim", &link).unwrap();
    lchown(&link, Some(STRANGER), None).unwrap();
    for mode in [0o1755, 0o755] {
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(write(&secret_file(&link), &credential("id", "newer")), DONE);
    }
    // Nor in a directory of that user's own, which root may write to.
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o1777)).unwrap();
    chown(&folder.0, Some(STRANGER), None).unwrap();
    assert_eq!(write(&secret_file(&link), &credential("id", "newest")), DONE);
}

#[test]
fn a_file_of_another_user_in_a_directory_that_anybody_may_write_to_gets_no_secret() {
    let Some(folder) = shared("foreign-file") else { return };
    let path = folder.0.join(".env");
    fs::write(&path, "SECRET=old\n").unwrap();
    chown(&path, Some(STRANGER), None).unwrap();
    let report = write(&env_file(&path), &credential("id", "new"));
    assert_not_written(
        &report,
        PersistOutcome::Impossible,
        "belongs to another user, in a directory",
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "SECRET=old\n");
}

#[test]
fn something_else_under_the_name_of_the_lock_keeps_nobody_from_writing() {
    let folder = Folder::new("no-lock");
    let (path, lock) = (folder.0.join("secret"), lock_of(&folder.0));
    let elsewhere = folder.0.join("elsewhere");
    fs::write(&elsewhere, "not ours").unwrap();
    let mut number = 0;
    let mut assert_written = |what: &str| {
        number += 1;
        let secret = format!("secret-{number}");
        assert_eq!(write(&secret_file(&path), &credential("id", &secret)), DONE, "{what}");
        assert_eq!(fs::read_to_string(&path).unwrap(), secret);
        assert!(fs::symlink_metadata(&lock).is_ok(), "{what}: it is not ours to remove");
    };
    make_pipe(&lock);
    assert_written("a pipe");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    assert_written("a directory");
    fs::remove_dir(&lock).unwrap();
    symlink(&elsewhere, &lock).unwrap();
    assert_written("a link");
    fs::remove_file(&lock).unwrap();
    if user() == 0 {
        let held = File::create(&lock).unwrap();
        held.lock().unwrap();
        chown(&lock, Some(STRANGER), None).unwrap();
        assert_written("another user's lock");
    }
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "not ours");
}

/// Root and the owner of a file take turns: the lock belongs to the owner.
#[test]
fn root_takes_turns_with_the_owner_of_a_file() {
    let folder = Folder::new("lock-of-owner");
    let path = folder.0.join("secret");
    fs::write(&path, "old").unwrap();
    let owner = if user() == 0 { STRANGER } else { user() };
    chown(&path, Some(owner), None).unwrap();
    let lock = folder.0.join(format!("{PREFIX}{owner}.lock"));
    let seen = Cell::new(None);
    replace(&path, |text| {
        seen.set(fs::metadata(&lock).ok().map(|lock| lock.uid()).or(seen.get()));
        Ok((text != "new").then(|| Secret::new("new")))
    })
    .unwrap();
    assert_eq!(seen.get(), Some(owner));
    assert_eq!(fs::metadata(&path).unwrap().uid(), owner);
    let other = File::create(&lock).unwrap();
    chown(&lock, Some(owner), None).unwrap();
    other.lock().unwrap();
    let report = write(&secret_file(&path), &credential("id", "newer"));
    assert_not_written(&report, PersistOutcome::Failed, "another process has locked");
}

/// So does a server of NFS with root's files, and a mount of SMB with everybody's.
#[test]
fn where_a_new_file_belongs_to_somebody_else_no_lock_is_left_behind() {
    let folder = Folder::new("foreign-files");
    if user() != 0 {
        return;
    }
    let path = folder.0.join("secret");
    let lock = lock_of(&folder.0);
    let give_away = {
        let lock = lock.clone();
        move |_| chown(&lock, Some(STRANGER), None)
    };
    let write = || write(&secret_file(&path), &credential("id", "new"));
    let (_, calls) = Plan::run(usize::MAX, |_| Ok(()), write);
    fs::remove_file(&path).unwrap();
    let flock = calls.iter().position(|call| *call == "flock").expect("it is locked");
    // What was just made is looked at last before that.
    let at = calls[..flock].iter().rposition(|call| *call == "fstat").expect("it is looked at");
    let (report, _) = Plan::run(at, give_away, write);
    assert_eq!(report, DONE);
    assert!(!lock.exists());
}
