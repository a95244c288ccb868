//! Every call of a write fails, comes after somebody else's, or is the last one of its process.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::io::Errno;

use super::child::Part;
use super::*;
use crate::driver::files::Plan;

/// Puts something else where a file was.
type Take = Rc<dyn Fn(&Path) -> io::Result<()>>;

const OLD: &str = "# ours\nID=id\nOTHER='1'\nSECRET=old\n";
const WRITTEN: &str = "# ours\nID=id\nOTHER='1'\nSECRET=new\n";

/// A file that is reached through a link, and a directory of somebody who would have the secret.
struct World {
    folder: Folder,
    real: PathBuf,
    other: PathBuf,
    link: PathBuf,
    /// As it is configured.
    path: PathBuf,
}

impl World {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let [real, other, link] = ["real", "other", "current"].map(|name| folder.0.join(name));
        fs::create_dir(&real).expect("the test's own");
        fs::create_dir(&other).expect("the test's own");
        let path = link.join(".env");
        let world = Self { folder, real, other, link, path };
        fs::write(world.other.join(".env"), OLD).expect("the test's own");
        world.reset();
        world
    }

    fn file(&self) -> PathBuf {
        self.real.join(".env")
    }

    /// As it was before.
    fn reset(&self) {
        let _ = fs::remove_file(&self.link);
        symlink("real", &self.link).expect("the test's own");
        fs::write(self.folder.0.join("draft"), OLD).expect("the test's own");
        fs::set_permissions(self.folder.0.join("draft"), fs::Permissions::from_mode(0o640))
            .expect("the test's own");
        let _ = fs::remove_dir(self.file());
        fs::rename(self.folder.0.join("draft"), self.file()).expect("the test's own");
        #[cfg(target_os = "linux")]
        lists::give(&self.file());
    }

    /// That those may read and write the file who might before.
    fn assert_accessible(&self, about: &str) {
        let mode = fs::metadata(self.file()).expect("it is there").mode() & 0o7777;
        assert_eq!(mode, 0o640, "{about}");
        #[cfg(target_os = "linux")]
        assert!(lists::is_as_given(&self.file()), "{about}");
    }

    fn write(&self) -> Report {
        write(&env_file(&self.path), &credential("id", "new"))
    }

    /// The calls of a write in which nothing happens.
    fn calls(&self) -> Vec<&'static str> {
        let (report, calls) = Plan::run(usize::MAX, |_| Ok(()), || self.write());
        assert_eq!(report, DONE);
        self.reset();
        calls
    }

    /// What is in the directories beside the file that is written.
    fn left_behind(&self) -> Vec<PathBuf> {
        let entries = [&self.real, &self.other].into_iter().flat_map(|directory| {
            fs::read_dir(directory)
                .expect("the test's own")
                .map(|entry| entry.expect("the test's own").path())
        });
        entries.filter(|path| path.file_name() != Some(".env".as_ref())).collect()
    }

    /// That nobody else can read what a write has left behind; how much of it there is.
    fn assert_private(&self, about: &str) -> usize {
        let left = self.left_behind();
        for path in &left {
            let mode = fs::symlink_metadata(path).expect("the test's own").mode() & 0o7777;
            assert!(
                mode == 0o600 || (path.is_dir() && mode == 0o700),
                "{about}: {mode:o} {left:?}"
            );
        }
        left.len()
    }

    /// That the file is the old one or the new one, and is for those that it was for.
    fn assert_whole(&self, about: &str) -> String {
        let text = fs::read_to_string(self.file()).expect("the test's own");
        assert!(text == OLD || text == WRITTEN, "{about}: {text:?}");
        self.assert_accessible(about);
        text
    }

    /// That the next write succeeds, and leaves nothing of this one.
    fn assert_mendable(&self, about: &str) {
        assert_eq!(self.write(), DONE, "{about}");
        assert_eq!(self.assert_whole(about), WRITTEN, "{about}");
        assert_eq!(self.left_behind(), [""; 0].map(PathBuf::from), "{about}");
    }
}

#[test]
fn whichever_call_fails_the_file_is_whole_and_the_next_write_succeeds() {
    let world = World::new("failing");
    let calls = world.calls();
    assert!(calls.len() > 40, "{calls:?}");
    for name in ["mkdirat", "openat", "write", "fsync", "renameat", "unlinkat", "flock", "fchmod"] {
        assert!(calls.contains(&name), "{name} of {calls:?}");
    }
    let mut failed = 0;
    for error in [Errno::IO, Errno::NOSPC, Errno::ACCESS, Errno::ROFS, Errno::NOENT, Errno::INTR] {
        for (at, call) in calls.iter().enumerate() {
            let about = format!("{call} ({at}) fails with {error:?}");
            let (report, _) = Plan::run(at, move |_| Err(error.into()), || world.write());
            let text = world.assert_whole(&about);
            world.assert_private(&about);
            // Only what could not be removed is left, and the lock where it could not be seen to be
            // ours to remove.
            let left = world.left_behind();
            let is_lock = |path: &PathBuf| path.extension() == Some("lock".as_ref());
            let expected = match *call {
                "unlinkat" => left.len() <= 1,
                "fstat" | "fstatat" | "flock" => left.iter().all(is_lock),
                _ => left.is_empty(),
            };
            assert!(expected, "{about}: {left:?}");
            if report == DONE {
                assert_eq!(text, WRITTEN, "{about}");
            } else {
                failed += 1;
                let message = report.message.expect("it says why");
                assert!(message.contains(".env"), "{about}: {message}");
            }
            world.assert_mendable(&about);
            world.reset();
        }
    }
    assert!(failed > 100, "{failed}");
}

#[test]
#[expect(clippy::print_stderr, reason = "its figures, for those who ask for them")]
fn a_process_that_is_killed_before_any_call_leaves_a_whole_file_and_nothing_that_others_may_read() {
    let world = World::new("killed-at-calls");
    let calls = world.calls();
    let (mut drafts, mut written) = (0, 0);
    for (at, call) in calls.iter().enumerate() {
        let about = format!("killed before {call} ({at})");
        let said = Part::Killed { path: world.path.clone(), at }.start().said();
        assert_eq!(said, None, "{about}: it lived");
        written += usize::from(world.assert_whole(&about) == WRITTEN);
        drafts += usize::from(world.assert_private(&about) > 1);
        world.assert_mendable(&about);
        world.reset();
    }
    let said = Part::Killed { path: world.path.clone(), at: calls.len() }.start().said();
    assert_eq!(said, Some(format!("{DONE:?}")));
    eprintln!(
        "killed before {} calls, {drafts} with a draft, {written} with the new file",
        calls.len()
    );
    assert!(drafts > 5 && written > 2, "{drafts}, {written}");
}

#[test]
fn a_link_on_the_way_that_is_swapped_before_any_call_gets_no_draft_and_no_damage() {
    let world = World::new("swapped-links");
    let calls = world.calls();
    let other = world.other.join(".env");
    for (at, call) in calls.iter().enumerate() {
        let about = format!("swapped before {call} ({at})");
        let link = world.link.clone();
        let swap = move |_| {
            fs::remove_file(&link)?;
            symlink("other", &link)
        };
        let (report, _) = Plan::run(at, swap, || world.write());
        assert_eq!(report, DONE, "{about}");
        let (here, there) = (world.assert_whole(&about), fs::read_to_string(&other).unwrap());
        // One of the two was where the path led when it was written.
        assert!([here.as_str(), there.as_str()].contains(&WRITTEN), "{about}");
        assert!(there == OLD || there == WRITTEN, "{about}: {there:?}");
        assert_eq!(world.left_behind(), [""; 0].map(PathBuf::from), "{about}");
        fs::write(&other, OLD).unwrap();
        world.reset();
    }
}

#[test]
fn what_takes_the_files_place_before_any_call_neither_holds_the_write_up_nor_is_damaged() {
    let world = World::new("swapped-files");
    let calls = world.calls();
    let victim = world.folder.0.join("victim");
    fs::write(&victim, "not ours").unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
    let aim = victim.clone();
    let takes: [(&str, Take); 3] = [
        (
            "a pipe",
            Rc::new(|path| {
                make_pipe(path);
                Ok(())
            }),
        ),
        ("a directory", Rc::new(|path| fs::create_dir(path))),
        ("a link", Rc::new(move |path| symlink(&aim, path))),
    ];
    for (what, take) in takes {
        for (at, call) in calls.iter().enumerate() {
            let about = format!("{what} before {call} ({at})");
            let (take, file) = (Rc::clone(&take), world.file());
            let swap = move |_| {
                fs::remove_file(&file)?;
                take(&file)
            };
            let (report, _) = Plan::run(at, swap, || world.write());
            assert!(report == DONE || report.message.is_some(), "{about}");
            // A link of this user's own leads there, and is followed where it is seen.
            let text = fs::read_to_string(&victim).unwrap();
            let is_whole = text == "not ours"
                || text
                    == "not ours
ID=id
SECRET=new";
            assert!(is_whole && (what == "a link" || text == "not ours"), "{about}: {text:?}");
            assert_eq!(fs::metadata(&victim).unwrap().mode() & 0o7777, 0o600, "{about}");
            assert_eq!(world.left_behind(), [""; 0].map(PathBuf::from), "{about}");
            fs::write(&victim, "not ours").unwrap();
            world.reset();
        }
    }
}

#[test]
fn a_change_before_any_call_but_the_last_ones_is_kept() {
    let world = World::new("changed-before");
    let calls = world.calls();
    let last_look = calls.iter().rposition(|call| *call == "read").unwrap();
    for (at, call) in calls.iter().enumerate() {
        let about = format!("changed before {call} ({at})");
        let (file, draft) = (world.file(), world.folder.0.join("draft"));
        let change = move |_| {
            fs::write(&draft, format!("MORE=1\n{OLD}"))?;
            fs::rename(&draft, &file)
        };
        let (report, _) = Plan::run(at, change, || world.write());
        assert_eq!(report, DONE, "{about}");
        let text = fs::read_to_string(world.file()).unwrap();
        let is_kept = text == format!("MORE=1\n{WRITTEN}");
        assert!(
            is_kept
                || (at > last_look - 6 && (text == WRITTEN || text == format!("MORE=1\n{OLD}"))),
            "{about}: {text:?}"
        );
        world.reset();
    }
}
