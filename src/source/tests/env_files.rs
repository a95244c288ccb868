//! Dotenv files: as sources, and in front of environment variables.

use super::*;
use crate::persist::PersistTarget;
use crate::persist::dotenv::Variable;

fn variable(name: &str) -> Field {
    Field::EnvFile { path: "/app/.env".into(), variable: name.into() }
}

/// Both fields from one file.
fn pair() -> SourceSpec {
    SourceSpec::Fields { client_id: variable("ID"), client_secret: variable("SECRET") }
}

/// Reports the same reading for every requested place.
fn say(sources: &mut Sources, requests: Option<Requests>, reading: &FileReading) {
    let places = requests.expect("nothing else is under way").places;
    sources.files_read(places.into_iter().map(|place| (place, reading.clone())).collect());
}

fn variables(id: &str, secret: &str) -> FileReading {
    let value = |text: &str| Variable::Value(Secret::new(text));
    let set = [("ID", id), ("SECRET", secret)].into_iter().filter(|(_, text)| !text.is_empty());
    FileReading::Variables(set.map(|(name, text)| (name.to_owned(), value(text))).collect())
}

fn problem(configured: Configured) -> String {
    configured.unreadable.expect("something is wrong").message
}

#[test]
fn one_reading_gives_both_variables() {
    let mut sources = sources(vec![entry(pair())]);
    let requests = sources.begin(Timestamp::default()).unwrap();
    let names = ["ID".to_owned(), "SECRET".to_owned()].into();
    let place = Place::EnvFile { path: "/app/.env".into(), variables: names };
    assert_eq!(requests.places, [place].into());
    say(&mut sources, Some(requests), &variables("app", "one"));
    let (configured, _) = sources.finish(NOW);
    assert_eq!(configured.credentials[0].client_id, "app");
    assert_eq!(configured.credentials[0].client_secret.expose(), "one");

    let requests = sources.begin(Timestamp::default());
    say(&mut sources, requests, &variables("app", "two"));
    assert_eq!(edges(&mut sources), ["one>two"]);
}

#[test]
fn variables_that_are_missing_empty_or_ambiguous_are_named() {
    let mut sources = sources(vec![entry(pair())]);
    let requests = sources.begin(Timestamp::default());
    say(&mut sources, requests, &variables("app", ""));
    let nothing = "yields nothing (the variable SECRET of the file /app/.env is empty or not set).";
    let told = problem(sources.finish(NOW).0);
    assert!(told.ends_with(nothing), "{told}");

    let requests = sources.begin(Timestamp::default());
    let ambiguous = [("ID".to_owned(), Variable::Ambiguous)].into();
    say(&mut sources, requests, &FileReading::Variables(ambiguous));
    let told = problem(sources.finish(NOW).0);
    let why = "dotenv and Node.js read the variable ID of the file /app/.env differently";
    assert!(told.contains(why), "{told}");

    let requests = sources.begin(Timestamp::default());
    say(&mut sources, requests, &variables("app", "hunter2\u{200b}"));
    let told = problem(sources.finish(NOW).0);
    assert!(told.contains("the variable SECRET of the file /app/.env"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

/// An entry that reads one variable of the process, with a file in front of it.
fn fronted() -> SourceSpec {
    let own = entry(SourceSpec::Fields {
        client_id: Field::Value { value: Secret::new("app") },
        client_secret: Field::Js { index: 0 },
    });
    SourceSpec::Fronted { front: Box::new(pair()), source: Box::new(own.source) }
}

/// Sources with these values at the start.
fn started(variable: &str, file: &FileReading) -> Sources {
    let mut sources = Sources::new(PATIENCE, POLL);
    sources.add(1, vec![entry(fronted())], process(variable));
    let requests = sources.begin_with_unread(Timestamp::default());
    say(&mut sources, requests, file);
    sources
}

fn process(variable: &str) -> Vec<Option<Reading>> {
    vec![Some(Reading::Text { value: Secret::new(variable) })]
}

/// Reads everything again, with this value in the variable.
fn change(sources: &mut Sources, variable: &str) -> Requests {
    let requests = sources.begin(Timestamp::default()).unwrap();
    sources.javascript_read(1, process(variable));
    requests
}

fn accepts(sources: &mut Sources, secret: &str) -> bool {
    let credential = Credential::new(None, "app".into(), Secret::new(secret));
    !sources.take_stale(&credential).is_empty()
}

#[test]
fn a_file_stands_in_front_of_the_variables_and_is_read_once() {
    let mut sources = started("variable", &variables("app", "file"));
    assert_eq!(edges(&mut sources), ["!>file", "!>variable"]);
    let requests = change(&mut sources, "variable");
    assert_eq!(requests.places, [].into(), "the file is not followed");
    assert_eq!(read(&mut sources), (vec!["file".into(), "variable".into()], vec![]));
}

#[test]
fn later_edges_come_from_the_variables_alone() {
    let mut sources = started("variable", &variables("app", "file"));
    edges(&mut sources);
    change(&mut sources, "next");
    assert_eq!(edges(&mut sources), ["variable>next"]);
    change(&mut sources, "file");
    assert_eq!(edges(&mut sources), ["next>file"], "although the file holds it");
    assert_eq!(read(&mut sources).0, ["file"]);
}

#[test]
fn a_file_that_agrees_with_the_variables_is_nothing_new() {
    let mut sources = started("same", &variables("app", "same"));
    assert_eq!(edges(&mut sources), ["!>same"]);
    assert!(!accepts(&mut sources, "same"));
}

#[test]
fn a_file_that_is_missing_incomplete_or_unreadable_counts_as_absent() {
    let gone = FileReading::Failed("is gone".into());
    let ambiguous = [("ID", Variable::Ambiguous), ("SECRET", Variable::Ambiguous)];
    let ambiguous = ambiguous.map(|(name, value)| (name.to_owned(), value)).into();
    let half = [variables("app", ""), variables("", "file"), variables("app", "fi\u{7}le")];
    for file in half.into_iter().chain([gone, FileReading::Variables(ambiguous)]) {
        let mut sources = started("variable", &file);
        let (configured, notices) = sources.finish(NOW);
        assert_eq!(configured.credentials.len(), 1);
        assert!(configured.unreadable.is_none() && notices.is_empty());
    }
}

#[test]
fn a_file_that_hangs_is_left_out_after_the_usual_patience() {
    let mut sources = Sources::new(PATIENCE, POLL);
    sources.add(1, vec![entry(fronted())], process("variable"));
    let start = Timestamp::from_millis(1000);
    let requests = sources.begin_with_unread(start);
    assert!(!sources.is_complete(start), "the variables alone are not enough");
    assert!(sources.is_complete(start + PATIENCE));
    assert_eq!(read(&mut sources).0, ["variable"]);
    say(&mut sources, requests, &variables("app", "file"));
    assert_eq!(read(&mut sources).0, ["variable"], "what comes too late is not taken up");
}

#[test]
fn stale_variables_are_told_of_once_the_file_was_accepted_and_only_once() {
    let mut sources = started("variable", &variables("app", "file"));
    edges(&mut sources);
    assert!(!accepts(&mut sources, "variable"));
    assert!(accepts(&mut sources, "file"));
    assert!(!accepts(&mut sources, "file"));
}

#[test]
fn a_handle_that_joins_reads_the_file_anew() {
    let mut sources = started("variable", &variables("app", "file"));
    edges(&mut sources);
    sources.add(2, vec![entry(fronted())], process("variable"));
    let requests = sources.begin_with_unread(Timestamp::default()).unwrap();
    assert_eq!(requests.places.len(), 1);
    say(&mut sources, Some(requests), &variables("app", "written meanwhile"));
    assert_eq!(edges(&mut sources), ["!>written meanwhile", "!>variable"]);
}

#[test]
fn a_handle_that_joins_during_a_reading_waits_for_its_file() {
    let mut sources = sources(vec![callback()]);
    sources.begin(Timestamp::default());
    sources.add(2, vec![entry(fronted())], process("variable"));
    sources.javascript_read(1, credentials("one"));
    assert_eq!(edges(&mut sources), ["!>one"]);
    let requests = sources.begin(Timestamp::default());
    say(&mut sources, requests, &variables("app", "file"));
    assert_eq!(edges(&mut sources), ["!>file", "!>variable"]);
}

#[test]
fn a_place_for_the_secret_alone_is_told_whose_it_is() {
    let target = || PersistTarget::SecretFile { path: "/secret".into(), of_client: None };
    let with = |source| EntrySpec { persist: Some(target()), ..entry(source) };
    let mut sources = sources(vec![with(pair()), with(literal("one").source)]);
    let targets = |sources: &mut Sources| {
        let entries = sources.finish(NOW).0.entries;
        entries.into_iter().map(|entry| entry.persist.unwrap()).collect::<Vec<_>>()
    };
    // It is not known yet whose secret the first entry's file will hold.
    let of = |client| target().of_client(Some(client));
    assert_eq!(targets(&mut sources), [target(), of("app")]);
    let requests = sources.begin(Timestamp::default());
    say(&mut sources, requests, &variables("blue", "one"));
    assert_eq!(targets(&mut sources), [of("blue"), of("app")]);
}
