//! Tests of what is written, and of what is refused.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::dotenv::{Variable, edit, read};
use super::{PersistRefusal, PersistTarget, secret_file};
use crate::credential::Credential;
use crate::secret::Secret;

fn set(text: &str, id: &str, secret: &str) -> Result<Option<String>, PersistRefusal> {
    let new = edit(text, &[("ID", &Secret::new(id)), ("SECRET", &Secret::new(secret))])?;
    Ok(new.map(|new| new.expose().to_owned()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    about: String,
    text: String,
    client_id: String,
    client_secret: String,
    edited: String,
}

/// `__test__/dotenv-readers.test.js` holds the real readers to the same cases.
#[test]
fn files_are_changed_as_the_cases_say_and_then_not_again() {
    let cases = include_str!("cases.json");
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    for Case { about, text, client_id, client_secret, edited } in cases {
        assert_eq!(set(&text, &client_id, &client_secret), Ok(Some(edited.clone())), "{about}");
        assert_eq!(set(&edited, &client_id, &client_secret), Ok(None), "{about}");
    }
}

#[derive(Deserialize)]
struct Reading {
    about: String,
    text: String,
    secret: Option<String>,
    #[serde(default)]
    is_ambiguous: bool,
}

/// `__test__/dotenv-readers.test.js` holds the real readers to the same cases.
#[test]
fn a_variable_is_what_both_readers_read() {
    let readings = include_str!("readings.json");
    let readings: Vec<Reading> = serde_json::from_str(readings).unwrap();
    for Reading { about, text, secret, is_ambiguous } in readings {
        let secret = secret.map(|secret| Variable::Value(Secret::new(secret)));
        let expected = if is_ambiguous { Some(Variable::Ambiguous) } else { secret };
        let names = ["SECRET".to_owned(), "ABSENT".to_owned()].into();
        assert_eq!(read(&text, &names).remove("SECRET"), expected, "{about}");
    }
}

#[test]
fn one_variable_is_changed_alone() {
    let new = edit("ID=old\nSECRET=old\n", &[("SECRET", &Secret::new("new"))]).unwrap();
    assert_eq!(new.unwrap().expose(), "ID=old\nSECRET=new\n");
}

#[test]
fn a_value_that_would_break_its_line_is_refused() {
    for value in ["a\nb", "a\rb", "\0", "\t", "\u{1b}[2J", "\u{7f}", "\u{85}", "\u{2028}"] {
        assert_eq!(set("", "id", value), Err(PersistRefusal::ControlCharacter("SECRET".into())));
        assert_eq!(set("", value, "secret"), Err(PersistRefusal::ControlCharacter("ID".into())));
        let refused = secret_file("", &Secret::new(value));
        assert_eq!(refused, Err(PersistRefusal::ControlCharacter("the secret".into())));
    }
}

#[test]
fn a_value_that_a_shell_would_change_or_run_in_any_quotes_is_refused() {
    let refused = PersistRefusal::Unquotable("SECRET".into());
    for value in ["it's $5", "'`id`", "'$(id)'", "'\"", "'\\", "a'b\"c", "it's\\", "a'\"` "] {
        for text in
            ["", "SECRET=old\n", "export SECRET=old\n", "SECRET=\"old\"\n", "SECRET=`old`\n"]
        {
            assert_eq!(set(text, "id", value), Err(refused.clone()), "{text:?} with {value:?}");
        }
    }
    let told = refused.to_string();
    assert!(told.contains("secretFile(path)"), "{told}");
}

#[test]
fn nothing_that_a_shell_expands_stands_between_double_quotes_or_bare() {
    let anywhere = ["ID=id\nSECRET=x\n", "ID=id\nSECRET=`x`\n"];
    for value in ["$HOME", "$(id)", "`id`", "a\\nb", "~", "a:~", "a=~", "=ls", "a;b", "a&b"] {
        let written = format!("ID=id\nSECRET='{value}'\n");
        for text in anywhere {
            assert_eq!(set(text, "id", value), Ok(Some(written.clone())), "{text:?}");
        }
        if value.contains(['$', '`', '\\']) {
            assert_eq!(set("ID=id\nSECRET=\"x\"\n", "id", value), Ok(Some(written)));
        }
    }
}

#[test]
fn a_value_that_a_shell_would_find_outside_of_its_quotes_is_refused() {
    for above in [
        "A=it's\n",
        "A=5\" wide\n",
        "A=x`y\n",
        "A=\"$(echo 'x')\"\n",
        "A=\"${B:-'x'}\"\n",
        "A=$'it\\'s'\n",
        "A=<<END\n",
        "A='it'\\''s\n",
    ] {
        let (text, exposed) =
            (format!("{above}ID=id\nSECRET=old\n"), Err(PersistRefusal::Exposed("SECRET".into())));
        assert_eq!(set(&text, "id", "$(id)"), exposed, "{above:?}");
        // A shell runs no part of this value, wherever it stands.
        let plain = format!("{above}ID=id\nSECRET=n3w-secret\n");
        assert_eq!(set(&text, "id", "n3w-secret"), Ok(Some(plain)));
    }
    for above in
        ["# it's\n", "A=\"it's\"\n", "A='5\"'\n", "A=\"$B ${C}\"\n", "A=$B\\'\n", "A=a#b # it's\n"]
    {
        let text = format!("{above}ID=id\nSECRET=old\n");
        assert!(matches!(set(&text, "id", "$(id)"), Ok(Some(_))), "{above:?}");
    }
}

#[test]
fn a_shell_does_not_find_a_value_apart_from_its_name() {
    let new = set("ID= old\nexport SECRET=\t 'old' # x\n", "reboot", "$(id)").unwrap();
    assert_eq!(new.as_deref(), Some("ID=reboot\nexport SECRET='$(id)' # x\n"));
}

#[test]
fn a_file_that_readers_read_differently_is_not_changed() {
    let ambiguous = |name: &str| Err(PersistRefusal::Ambiguous(name.into()));
    // Node.js takes everything up to the next quote for the value of OTHER; dotenv takes one line.
    assert_eq!(set("OTHER='x\nID=1\nMORE='y'\n", "id", "secret"), ambiguous("ID"));
    // For Node.js these variables have no value.
    assert_eq!(set("ID=1\nSECRET=\n'x'\n", "id", "secret"), ambiguous("SECRET"));
    assert_eq!(set("# a\u{2028}ID=1\n", "id", "secret"), ambiguous("ID"));
}

#[test]
fn a_quote_that_is_left_open_is_no_reason_to_swallow_what_is_appended() {
    assert_eq!(set("OTHER='x\n", "id", "it"), Ok(Some("OTHER='x\nID=id\nSECRET=it\n".into())));
    assert_eq!(
        set("OTHER='x\n", "id", "a b"),
        Ok(Some("OTHER='x\nID=id\nSECRET=\"a b\"\n".into()))
    );
}

#[test]
fn variables_must_be_two_that_dotenv_reads() {
    let value = Secret::new("x");
    for name in ["", "A B", "A=", "#A", "Ä", "A\n"] {
        let refused = edit("", &[(name, &value), ("SECRET", &value)]);
        assert_eq!(refused, Err(PersistRefusal::Name(name.into())));
    }
    let refused = edit("", &[("A", &value), ("A", &value)]);
    assert_eq!(refused, Err(PersistRefusal::SameName("A".into())));
}

#[test]
fn no_refusal_tells_a_value() {
    let value = "hunter2'\"`#\n";
    for text in ["", "export SECRET=hunter2\n", "OTHER='hunter2\nSECRET=hunter2\nMORE='hunter2'\n"]
    {
        for value in [value, &value[..value.len() - 1]] {
            let refusal = set(text, "hunter2", value).unwrap_err();
            assert!(!format!("{refusal} {refusal:?}").contains("hunter2"));
        }
    }
}

#[test]
fn a_secret_file_keeps_its_line_break_at_the_end() {
    let write = |text: &str| {
        let new = secret_file(text, &Secret::new("new")).unwrap();
        new.map(|new| new.expose().to_owned())
    };
    for (text, new) in [("old\n", "new\n"), ("old\r\n", "new\r\n"), ("old", "new"), ("", "new")] {
        assert_eq!(write(text).as_deref(), Some(new));
        assert_eq!(write(new), None);
    }
}

#[test]
fn targets_are_read_as_the_facade_writes_them() {
    let read = |value| serde_json::from_value::<PersistTarget>(value);
    let env_file = |client_id: Option<&str>| PersistTarget::EnvFile {
        path: "/a".into(),
        client_id: client_id.map(str::to_owned),
        client_secret: "B".into(),
        of_client: None,
    };
    let pair = json!({ "kind": "envFile", "path": "/a", "clientId": "A", "clientSecret": "B" });
    assert_eq!(read(pair).unwrap(), env_file(Some("A")));
    let secret = json!({ "kind": "envFile", "path": "/a", "clientSecret": "B" });
    assert_eq!(read(secret).unwrap(), env_file(None));
    let secret_file = json!({ "kind": "secretFile", "path": "/a" });
    let expected = PersistTarget::SecretFile { path: "/a".into(), of_client: None };
    assert_eq!(read(secret_file).unwrap(), expected);
    assert_eq!(read(json!({ "kind": "js", "index": 1 })).unwrap(), PersistTarget::Js { index: 1 });
    assert!(read(json!({ "kind": "secretFile", "path": "/a", "clientId": "A" })).is_err());
}

#[test]
fn a_place_that_holds_only_a_secret_takes_those_of_its_client() {
    let credential = |client: &str| Credential::new(None, client.into(), Secret::new("hunter2"));
    let env_file = |client_id: Option<&str>| PersistTarget::EnvFile {
        path: "/a".into(),
        client_id: client_id.map(str::to_owned),
        client_secret: "B".into(),
        of_client: None,
    };
    let secret_file = || PersistTarget::SecretFile { path: "/a".into(), of_client: None };
    for target in [env_file(None), secret_file()] {
        let target = target.of_client(Some("blue"));
        assert_eq!(target.admit(&credential("blue")), Ok(()));
        let refusal = target.admit(&credential("green")).unwrap_err();
        let (expected, new) = ("blue".to_owned(), "green".to_owned());
        assert_eq!(refusal, PersistRefusal::OtherClient { expected, new });
        assert!(refusal.to_string().contains("\"green\" instead of \"blue\""), "{refusal}");
        assert!(!refusal.to_string().contains("hunter2"));
    }
    for target in [env_file(Some("A")), PersistTarget::Js { index: 0 }] {
        assert_eq!(target.of_client(Some("blue")).admit(&credential("green")), Ok(()));
    }
}

/// A part of a file. A value may be one that is to be changed.
#[derive(Debug, Clone)]
enum Part {
    Kept(String),
    Id(String),
    Secret(String),
}

/// The ways to write a value, by a plain rule and without the code under test.
fn writings(value: &str) -> Vec<String> {
    let is_bare = value.trim_matches(char::is_whitespace) == value
        && !value.contains('#')
        && !value.starts_with(['\'', '"', '`'])
        && !value.is_empty();
    let quoted = ['\'', '"', '`'].into_iter().filter(|quote| {
        let expands = *quote == '"' && (value.contains("\\n") || value.contains("\\r"));
        !value.contains(*quote) && !expands
    });
    quoted
        .map(|quote| format!("{quote}{value}{quote}"))
        .chain(is_bare.then(|| value.to_owned()))
        .collect()
}

fn written() -> impl Strategy<Value = String> {
    "[ -~é€]{0,12}".prop_filter_map("no quoting", |value| {
        // Readers disagree on a backslash before a quote; the cases cover it.
        let writings = if value.ends_with('\\') { Vec::new() } else { writings(&value) };
        (!writings.is_empty()).then(|| writings[value.len() % writings.len()].clone())
    })
}

fn part() -> impl Strategy<Value = Vec<Part>> {
    let line = |text: String| vec![Part::Kept(text)];
    let around = ("(export |  |)", "(=| = |=  )", written(), "( # it's \"`|   |#|)");
    prop_oneof![
        "(# [ -~]{0,12}||  )".prop_map(line),
        ("[A-H]_[0-9]", written(), "( # don't|)")
            .prop_map(move |(name, value, comment)| line(format!("{name}={value}{comment}"))),
        ("[a-h]", "('[^'\\\\]{0,9}'|\"[^\"\\\\]{0,9}\")")
            .prop_map(move |(name, value)| line(format!("{name}={}", value.replace('\r', "\n")))),
        (around, any::<bool>()).prop_map(|((export, sign, value, comment), is_id)| {
            let (name, value) =
                if is_id { ("ID", Part::Id(value)) } else { ("SECRET", Part::Secret(value)) };
            vec![Part::Kept(format!("{export}{name}{sign}")), value, Part::Kept(comment)]
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_the_values_change(
        lines in proptest::collection::vec(part(), 0..8),
        line_break in "(\n|\r\n)",
        is_ended: bool,
        id in "[ -~é€]{1,12}",
        secret in "[ -~é€]{1,12}",
    ) {
        let mut parts = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                parts.push(Part::Kept(line_break.clone()));
            }
            parts.extend(line.iter().cloned());
        }
        if is_ended && !parts.is_empty() {
            parts.push(Part::Kept(line_break.clone()));
        }
        let text: String = parts
            .iter()
            .map(|part| match part {
                Part::Kept(text) | Part::Id(text) | Part::Secret(text) => text.as_str(),
            })
            .collect();
        match set(&text, &id, &secret) {
            Ok(new) => {
                let new = new.unwrap_or_else(|| text.clone());
                let expected = ends(&parts, &new, &id, &secret);
                prop_assert!(expected.iter().any(|rest| is_appendix(rest, &parts, &id, &secret)),
                    "{text:?} became {new:?}");
                prop_assert_eq!(set(&new, &id, &secret), Ok(None));
            }
            Err(refusal) => {
                let is_hard = |value: &str| value.contains(['\'', '\\']);
                let is_plain = |value: &str| value.chars().all(|c| c.is_ascii_alphanumeric());
                prop_assert!(
                    matches!(refusal, PersistRefusal::Unquotable(_))
                        || matches!(&refusal, PersistRefusal::Exposed(name)
                            if !is_plain(if name == "ID" { &id } else { &secret }))
                        || [&id, &secret].into_iter().any(|value| is_hard(value)),
                    "{text:?}: {refusal}"
                );
            }
        }
    }
}

/// What is left of the new text after the parts, for each way to match them.
fn ends<'a>(parts: &[Part], new: &'a str, id: &str, secret: &str) -> Vec<&'a str> {
    let mut rests = vec![new];
    for part in parts {
        let candidates = match part {
            // Blanks after which a shell would run the value are removed with the old value.
            Part::Kept(text) if text.ends_with("=  ") => {
                vec![text.clone(), text.trim_end().to_owned()]
            }
            Part::Kept(text) => vec![text.clone()],
            Part::Id(old) => values(old, latest(parts, |part| matches!(part, Part::Id(_))), id),
            Part::Secret(old) => {
                values(old, latest(parts, |part| matches!(part, Part::Secret(_))), secret)
            }
        };
        rests = rests
            .into_iter()
            .flat_map(|rest| {
                candidates.iter().filter_map(|candidate| rest.strip_prefix(candidate.as_str()))
            })
            .collect();
    }
    rests
}

/// What may stand for a value: the new value. If the last value of the same name, which counts, is
/// the new one already, the old value stays.
fn values(old: &str, latest: Option<&Part>, new: &str) -> Vec<String> {
    let writings = writings(new);
    match latest {
        Some(Part::Id(latest) | Part::Secret(latest)) if writings.contains(latest) => {
            vec![old.to_owned()]
        }
        _ => writings,
    }
}

fn latest(parts: &[Part], is_wanted: impl Fn(&Part) -> bool) -> Option<&Part> {
    parts.iter().rev().find(|part| is_wanted(part))
}

/// Whether the rest is one line for each variable that the parts lack.
fn is_appendix(rest: &str, parts: &[Part], id: &str, secret: &str) -> bool {
    let lacks_id = !parts.iter().any(|part| matches!(part, Part::Id(_)));
    let lacks_secret = !parts.iter().any(|part| matches!(part, Part::Secret(_)));
    let mut rests = vec![rest];
    for (name, value, is_lacking) in [("ID", id, lacks_id), ("SECRET", secret, lacks_secret)] {
        if is_lacking {
            let lines: Vec<_> =
                writings(value).iter().map(|value| format!("{name}={value}")).collect();
            rests = rests
                .into_iter()
                .map(|rest| rest.trim_start_matches(['\r', '\n']))
                .flat_map(|rest| {
                    lines.iter().filter_map(move |line| rest.strip_prefix(line.as_str()))
                })
                .collect();
        }
    }
    rests.iter().any(|rest| rest.trim_matches(['\r', '\n']).is_empty())
}
