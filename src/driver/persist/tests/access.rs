//! Modes, owners and directories that may not be written. Where the tests run as root, a child that
//! is somebody else shows what root may.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use super::child::{Part, Playing};
use super::*;

/// Nobody has these.
const STRANGER: u32 = 61_234;

fn is_root(folder: &Folder) -> bool {
    fs::metadata(&folder.0).expect("it is there").uid() == 0
}

/// Plays it as a user who is not root, to whom everything in the folder belongs.
fn start_unprivileged(part: &Part, folder: &Folder) -> Playing {
    if !is_root(folder) {
        return part.start();
    }
    // The program may be in a directory that is root's alone.
    let program = std::env::current_exe().expect("the program is known");
    let copy = folder.0.join("program");
    let made = fs::hard_link(&program, &copy).or_else(|_| fs::copy(&program, &copy).map(drop));
    made.expect("the folder can be written");
    for entry in fs::read_dir(&folder.0).expect("it can be listed").map_while(Result::ok) {
        if entry.path() != copy {
            let given = chown(entry.path(), Some(STRANGER), Some(STRANGER));
            given.expect("root may");
        }
    }
    part.start_as(&copy, Some(STRANGER))
}

#[test]
fn a_new_file_is_for_its_owner_only() {
    let folder = Folder::new("new");
    let path = folder.0.join(".env");
    assert_eq!(write(&env_file(&path), &credential("id", "secret")), DONE);
    assert_eq!(fs::read_to_string(&path).unwrap(), "ID=id\nSECRET=secret\n");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn mode_owner_and_group_stay() {
    let folder = Folder::new("access");
    let path = folder.0.join(".env");
    for mode in [0o600, 0o640, 0o644, 0o664, 0o400] {
        fs::write(&path, "SECRET=old\n").unwrap();
        if is_root(&folder) {
            chown(&path, Some(STRANGER), Some(STRANGER + 1)).unwrap();
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let access = || Access::of(&File::open(&path).unwrap()).unwrap();
        let before = access();
        assert_eq!(write(&env_file(&path), &credential("id", "new")), DONE);
        assert!(fs::read_to_string(&path).unwrap().contains("SECRET=new"));
        assert_eq!(access(), before, "{mode:o}");
        assert_eq!(before.mode, mode);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_file_is_not_written_as_a_program_of_its_owner() {
    let folder = Folder::new("set-uid");
    let path = folder.0.join(".env");
    for mode in [0o4755, 0o2640, 0o1644, 0o7777] {
        fs::write(&path, "SECRET=old\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
        assert_eq!(write(&env_file(&path), &credential("id", "new")), DONE);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode & 0o777);
    }
}

#[test]
fn a_directory_that_may_not_be_written_is_told_for_good() {
    let folder = Folder::new("read-only");
    let directory = folder.0.join("fixed");
    fs::create_dir(&directory).unwrap();
    let path = directory.join(".env");
    fs::write(&path, "SECRET=old\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o555)).unwrap();
    let said = start_unprivileged(&Part::Write { path: path.clone() }, &folder).said().unwrap();
    assert!(said.contains("Impossible") && said.contains("no new file can be made"), "{said}");
    assert!(said.contains("permission denied"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "SECRET=old\n");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_file_that_may_not_be_read_is_told_for_good() {
    let folder = Folder::new("unreadable");
    let directory = folder.0.join("own");
    fs::create_dir(&directory).unwrap();
    let path = directory.join(".env");
    fs::write(&path, "SECRET=old\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let said = start_unprivileged(&Part::Write { path: path.clone() }, &folder).said().unwrap();
    assert!(said.contains("Impossible") && said.contains("cannot be read"), "{said}");
    assert_eq!(fs::metadata(&path).unwrap().len(), "SECRET=old\n".len() as u64);
}

/// What a process may not give away is refused, unless nobody loses by it.
#[test]
fn nobody_loses_access_to_a_file_that_is_replaced() {
    let folder = Folder::new("owners");
    let directory = folder.0.join("own");
    fs::create_dir(&directory).unwrap();
    let mut child = start_unprivileged(&Part::Access { directory }, &folder);
    let said: Vec<_> = std::iter::from_fn(|| child.said()).collect();
    assert_eq!(
        said,
        [
            "another owner, 666: belongs to another user",
            "another owner, 600: belongs to another user",
            "another group, 640: belongs to a group",
            "another group, 660: belongs to a group",
            "another group, 600: given, 600",
            "another group, 644: given, 644",
            "the same, 640: given, 640",
        ]
    );
}

/// Run by a child.
pub(super) fn say_what_can_be_given(directory: &Path, say: impl Fn(&str)) {
    let own = fs::metadata(directory).expect("it is there");
    let directory = Location::of(&directory.join("file")).expect("it is a directory").directory;
    let (owner, group) = (own.uid(), own.gid());
    for (what, owner, group, mode) in [
        ("another owner", owner + 7, group, 0o666),
        ("another owner", owner + 7, group, 0o600),
        ("another group", owner, group + 7, 0o640),
        ("another group", owner, group + 7, 0o660),
        ("another group", owner, group + 7, 0o600),
        ("another group", owner, group + 7, 0o644),
        ("the same", owner, group, 0o640),
    ] {
        let access = Access { owner, group, mode, list: None };
        let draft = Draft::write(&directory, &Secret::new(""), Some(&access));
        let came_of_it = match draft.and_then(|draft| draft.open_up().map(|()| draft)) {
            Ok(draft) => {
                let metadata = draft.file.metadata().expect("it was made");
                format!("given, {:o}", metadata.mode() & 0o7777)
            }
            Err(WriteFailure::Unfit(reason)) => {
                reason.split([',']).next().unwrap_or("").replace(" that this process is not in", "")
            }
            Err(other) => format!("{other:?}"),
        };
        say(&format!("{what}, {mode:o}: {came_of_it}"));
    }
}
