//! Access control lists, as Linux has them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{XattrFlags, getxattr, removexattr, setxattr};
use rustix::io::Errno;

use super::*;

/// Nobody has this number.
const STRANGER: u32 = 61_234;

const ACCESS: &str = "system.posix_acl_access";
const DEFAULT: &str = "system.posix_acl_default";

/// A list as the kernel takes it: a stranger may do this, as far as the mask, which shows as the
/// group's mode, lets it.
fn list(stranger: u16, mask: u16) -> Vec<u8> {
    let entries: [(u16, u16, u32); 5] = [
        (0x01, 6, u32::MAX),
        (0x02, stranger, STRANGER),
        (0x04, 4, u32::MAX),
        (0x10, mask, u32::MAX),
        (0x20, 0, u32::MAX),
    ];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, user) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(rights.to_le_bytes());
        list.extend(user.to_le_bytes());
    }
    list
}

/// The list of a file; none: it has none, or can have none.
fn list_of(path: &Path) -> Option<Vec<u8>> {
    let mut list = vec![0; 1024];
    match getxattr(path, ACCESS, &mut list) {
        Ok(length) => Some(list[..length].to_vec()),
        Err(Errno::NODATA | Errno::NOTSUP) => None,
        Err(error) => panic!("{error}"),
    }
}

/// A file with the mode 0640 gets a list, and its directory one for new files, where the file
/// system has them.
pub(super) fn give(file: &Path) {
    let directory = file.parent().expect("it is in one");
    if setxattr(directory, DEFAULT, &list(7, 7), XattrFlags::empty()).is_ok() {
        setxattr(file, ACCESS, &list(4, 4), XattrFlags::empty()).expect("it has them");
    }
}

/// Whether a file has the list that it was given.
pub(super) fn is_as_given(file: &Path) -> bool {
    let directory = file.parent().expect("it is in one");
    getxattr(directory, DEFAULT, &mut vec![0; 1024]).is_err() || list_of(file) == Some(list(4, 4))
}

/// A directory in a file system that has such lists; temporary ones usually do.
fn with_lists(name: &str) -> Folder {
    let folders = [std::env::temp_dir(), "/dev/shm".into(), "/var/tmp".into()];
    let mut folders = folders.iter().map(|directory| Folder::within(directory, name));
    let found = folders
        .find(|folder| setxattr(&folder.0, DEFAULT, &list(7, 7), XattrFlags::empty()).is_ok());
    found.expect("a file system with access control lists at /tmp, /dev/shm or /var/tmp")
}

#[test]
fn the_access_control_list_of_a_file_stays() {
    let folder = with_lists("list");
    let path = folder.0.join(".env");
    fs::write(&path, "SECRET=old\n").unwrap();
    for mask in [4, 7, 0] {
        setxattr(&path, ACCESS, &list(4, mask), XattrFlags::empty()).unwrap();
        let (before, mode) = (list_of(&path), fs::metadata(&path).unwrap().mode());
        assert!(before.is_some());
        let secret = format!("new-{mask}");
        assert_eq!(write(&env_file(&path), &credential("id", &secret)), DONE);
        assert!(fs::read_to_string(&path).unwrap().contains(&secret));
        assert_eq!((list_of(&path), fs::metadata(&path).unwrap().mode()), (before, mode));
    }
}

/// Its mask is what `chmod` sets: with the list a mode of 0640 would let the stranger in.
#[test]
fn the_default_list_of_a_directory_lets_nobody_in_to_a_file_that_had_none() {
    let folder = with_lists("default-list");
    let path = folder.0.join(".env");
    assert_eq!(write(&env_file(&path), &credential("id", "old")), DONE);
    assert_eq!(list_of(&path), None);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o660)).unwrap();
    let _ = removexattr(&path, ACCESS);
    assert_eq!(write(&env_file(&path), &credential("id", "new")), DONE);
    assert_eq!(list_of(&path), None);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o660);
}
