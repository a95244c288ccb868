//! Shells that source what was written.

use std::fs;
use std::process::{Command, Output};

use super::*;

const FILES: usize = 300;

/// What a value may be made of; some of it leaves a file behind where a shell runs it.
const PIECES: [&str; 26] = [
    "$(>ran)", "`>ran`", ";>ran;", "&>ran&", "|>ran|", ">ran", "<(>ran)", "./hit", "${A:=x}", "$A",
    "'", "\"", "`", "\\", "$", "!", "~", ":~", "=", "#", " ", "{a,b}", "*", "é", "s3cret",
    "$((ran))",
];

/// What may stand above and below, with quotes that shells pair differently than `dotenv` does.
const LINES: [&str; 16] = [
    "A=it's",
    "B='x'",
    "C=\"x\"",
    "D=5\"",
    "# it's",
    "E=\"it's\"",
    "F='5\"'",
    "G=a\\'b",
    "H=\"$B${C}\"",
    "I=x\\",
    "",
    "J=a#b'c",
    "K=\"a\\\"b\"",
    "L=\"`echo 'x'`\"",
    "M=$'x'",
    "N='it'\\''s'",
];

const OURS: [&str; 8] = [
    "SECRET=old",
    "SECRET='old'",
    "SECRET=\"old\"",
    "SECRET=`old`",
    "export SECRET=old",
    "SECRET= 'old'",
    "SECRET=",
    "SECRET=old # it's",
];

/// A shell with nothing around it, in that directory.
fn shell(name: &str, directory: &Path, script: &str) -> Output {
    let mut command = Command::new(name);
    command.env_clear().current_dir(directory).args(["-c", script]);
    command.output().expect("there is such a shell")
}

#[test]
#[expect(clippy::print_stderr, reason = "its figures, for those who ask for them")]
fn a_shell_that_sources_a_file_runs_nothing_of_the_new_secret() {
    let folder = Folder::new("sourced");
    let (path, hit, ran) = (folder.0.join(".env"), folder.0.join("hit"), folder.0.join("ran"));
    fs::write(&hit, "#!/bin/sh\n>ran\n").unwrap();
    fs::set_permissions(&hit, fs::Permissions::from_mode(0o755)).unwrap();
    // It would show.
    shell("sh", &folder.0, "./hit");
    assert!(ran.exists());
    fs::remove_file(&ran).unwrap();

    let shells: Vec<_> = ["sh", "dash", "bash"]
        .into_iter()
        .filter(|name| Command::new(name).args(["-c", ":"]).status().is_ok_and(|it| it.success()))
        .collect();
    assert!(shells.contains(&"sh"));
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut written, mut read_whole) = (0, 0);
    for number in 0..FILES {
        let value: String =
            (0..random.usize(1..5)).map(|_| PIECES[random.usize(..PIECES.len())]).collect();
        let lines = |random: &mut fastrand::Rng| -> Vec<&str> {
            (0..random.usize(0..3)).map(|_| LINES[random.usize(..LINES.len())]).collect()
        };
        let mut text = lines(&mut random);
        text.push(OURS[random.usize(..OURS.len())]);
        text.extend(lines(&mut random));
        fs::write(&path, text.join("\n") + "\n").unwrap();
        let target = PersistTarget::EnvFile {
            path: path.clone(),
            client_id: None,
            client_secret: "SECRET".into(),
            of_client: None,
        };
        if write(&target, &credential("id", &value)).outcome != PersistOutcome::Done {
            continue;
        }
        written += 1;
        let now = fs::read_to_string(&path).unwrap();
        for name in &shells {
            let output = shell(name, &folder.0, ". ./.env\nprintf %s \"$SECRET\"");
            assert!(
                !ran.exists(),
                "seed {seed}, {number}: {name} ran a part of {value:?}: {now:?}"
            );
            read_whole += usize::from(output.stdout == value.as_bytes());
        }
    }
    eprintln!("{written} of {FILES} were written, and read {read_whole} times as they are");
    // Else hardly any would have been tried.
    assert!(written > FILES / 4, "{written}");
    assert!(read_whole * 2 > written * shells.len(), "{read_whole} of {written}");
}
