//! Writers that are killed, and writers that meet.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::thread;
use std::time::Duration;

use super::child::Part;
use super::*;

const KILLS: usize = 200;

/// Longer than one piece of a pipe or page.
fn text(id: &str, secret: &str) -> String {
    let filler = "# what others have written here\n".repeat(40);
    format!("{filler}ID={id}\nOTHER='1'\n{filler}SECRET={secret}\n")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a kill at a random moment")]
#[expect(clippy::print_stderr, reason = "its figures, for those who ask for them")]
fn a_writer_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let folder = Folder::new("killed");
    let path = folder.0.join(".env");
    let pairs = vec![
        ("client-1".to_owned(), "first-secret".to_owned()),
        ("client-22".to_owned(), "another-secret-that-is-longer".to_owned()),
    ];
    let texts: Vec<_> = pairs.iter().map(|(id, secret)| text(id, secret)).collect();
    fs::write(&path, &texts[1]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut left_over, mut found) = (0, [0, 0]);
    for kill in 0..KILLS {
        let mut child = Part::Alternate { path: path.clone(), pairs: pairs.clone() }.start();
        for _ in 0..random.usize(1..4) {
            assert_eq!(child.said(), Some(format!("{DONE:?}")), "seed {seed}, kill {kill}");
        }
        if kill % 2 == 0 {
            // A busy machine hardly ever runs the child when a sleep ends.
            while drafts(&folder.0).is_empty() {
                assert!(child.is_at_work(), "seed {seed}, kill {kill}");
            }
        } else {
            thread::sleep(Duration::from_micros(random.u64(0..15_000)));
        }
        child.kill();
        let now = fs::read_to_string(&path).unwrap();
        let which = texts.iter().position(|text| *text == now);
        found[which.unwrap_or_else(|| panic!("seed {seed}, kill {kill}: damaged"))] += 1;
        let mode = fs::metadata(&path).unwrap().mode() & 0o7777;
        let drafts = drafts(&folder.0).len();
        assert!(mode == 0o640 && drafts <= 1, "seed {seed}, kill {kill}: {mode:o}, {drafts}");
        left_over += drafts;
    }
    // Else it was never killed while it wrote.
    assert!(
        left_over > 0 && found[0] > 0 && found[1] > 0,
        "{left_over} left over, {found:?} found"
    );
    eprintln!("{KILLS} kills: {left_over} while a draft was written, {found:?} found of each");
    assert_eq!(write(&env_file(&path), &credential("client-3", "third")), DONE);
    assert_eq!(drafts(&folder.0), [""; 0]);
    assert_eq!(fs::read_to_string(&path).unwrap(), text("client-3", "third"));
}

/// Each process has a pair of variables of its own in one file.
#[test]
fn processes_that_write_one_file_lose_nothing_of_each_other() {
    const TO: usize = 100;
    let folder = Folder::new("together");
    let path = folder.0.join(".env");
    fs::write(&path, "# begin\n").unwrap();
    let names = |writer: usize| (format!("ID_{writer}"), format!("SECRET_{writer}"));
    let mut children: Vec<_> = (0..3)
        .map(|writer| Part::Count { path: path.clone(), variables: names(writer), to: TO }.start())
        .collect();
    thread::scope(|scope| {
        let ends: Vec<_> = children.iter_mut().map(|child| scope.spawn(|| child.said())).collect();
        let mut readings = 0;
        while readings == 0 || ends.iter().any(|end| !end.is_finished()) {
            assert_whole(&fs::read_to_string(&path).unwrap());
            readings += 1;
        }
        for end in ends {
            assert_eq!(end.join().unwrap().as_deref(), Some("done"));
        }
    });
    let text = fs::read_to_string(&path).unwrap();
    for (id, secret) in (0..3).map(names) {
        assert!(text.contains(&format!("{id}=id-{TO}\n{secret}='secret {TO}'\n")), "{text}");
    }
    assert_eq!(drafts(&folder.0), [""; 0]);
}

/// Every pair is of one number, and none is cut.
fn assert_whole(text: &str) {
    let lines: Vec<_> = text.strip_prefix("# begin\n").expect("its beginning").lines().collect();
    assert!(text.ends_with('\n'), "{text}");
    for pair in lines.chunks(2) {
        let [id, secret] = pair else { panic!("half a pair: {text}") };
        let (_, id) = id.split_once("=id-").expect("an id");
        assert!(secret.ends_with(&format!("='secret {id}'")), "{text}");
    }
}
