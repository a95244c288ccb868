//! Scenarios of sources that change.

mod env_files;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::secret::Secret;

const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_secs(10);
const NOW: Timestamp = Timestamp::from_millis(7_000);

const NOTHING: Requests =
    Requests { extent: Extent::All, places: BTreeSet::new(), owners: Vec::new() };

fn literal(secret: &str) -> EntrySpec {
    let value = |text: &str| Field::Value { value: Secret::new(text) };
    entry(SourceSpec::Fields { client_id: value("app"), client_secret: value(secret) })
}

fn file(path: &str) -> EntrySpec {
    entry(SourceSpec::Fields {
        client_id: Field::Value { value: Secret::new("app") },
        client_secret: Field::File { path: path.into() },
    })
}

fn callback() -> EntrySpec {
    entry(SourceSpec::Js { index: 0 })
}

fn entry(source: SourceSpec) -> EntrySpec {
    EntrySpec {
        label: None,
        optional: false,
        expires_at: None,
        has_variables: false,
        persist: None,
        source,
    }
}

fn sources(entries: Vec<EntrySpec>) -> Sources {
    let mut sources = Sources::new(PATIENCE, POLL);
    sources.add(1, entries, vec![None]);
    sources
}

fn text(path: &str, text: &str) -> HashMap<Place, FileReading> {
    HashMap::from([(Place::File(path.into()), FileReading::Text(Secret::new(text)))])
}

fn credentials(secret: &str) -> Vec<Option<Reading>> {
    let client_secret = Secret::new(secret);
    let credential =
        CredentialText { label: None, client_id: "app".into(), client_secret, expires_at: None };
    vec![Some(Reading::Credentials { list: vec![credential] })]
}

fn read(sources: &mut Sources) -> (Vec<String>, Vec<SourceChange>) {
    let (configured, notices) = sources.finish(NOW);
    let secrets = configured.credentials.iter();
    (
        secrets.map(|credential| credential.client_secret.expose().to_owned()).collect(),
        notices.into_iter().map(|(_, notice)| notice.change).collect(),
    )
}

#[test]
fn literals_need_no_reading() {
    let mut sources = sources(vec![literal("one"), literal("two"), literal("one")]);
    assert!(!sources.can_change());
    assert_eq!(sources.begin(Timestamp::default()), Some(NOTHING));
    assert!(sources.is_complete(Timestamp::default()));
    assert_eq!(read(&mut sources).0, ["one", "two"]);
}

/// What changed, as `from>to`, with a `!` before it if the entry was read for the first time.
fn edges(sources: &mut Sources) -> Vec<String> {
    let name = |one: &Arc<Credential>| one.client_secret.expose().to_owned();
    let (configured, _) = sources.finish(NOW);
    let edges = configured.edges.iter().map(|edge| {
        let from = edge.from.as_ref().map(name).unwrap_or_default();
        format!("{}{from}>{}", if edge.is_start { "!" } else { "" }, name(&edge.to))
    });
    edges.collect()
}

#[test]
fn a_changed_file_takes_the_place_of_its_old_value() {
    let mut sources = sources(vec![file("/s"), literal("standby")]);
    sources.files_read(text("/s", "one"));
    assert_eq!(read(&mut sources), (vec!["one".into(), "standby".into()], vec![]));
    sources.files_read(text("/s", "two"));
    let (secrets, changes) = read(&mut sources);
    assert_eq!(secrets, ["two", "standby"]);
    assert_eq!(changes, [SourceChange::Changed]);
}

#[test]
fn only_what_an_entry_did_not_yield_before_is_an_edge() {
    let mut sources = sources(vec![callback(), literal("standby")]);
    let list = |secrets: &[&str]| {
        let each = secrets.iter().flat_map(|secret| credentials(secret));
        let lists = each.map(|one| match one {
            Some(Reading::Credentials { list }) => list,
            other => panic!("{other:?}"),
        });
        vec![Some(Reading::Credentials { list: lists.flatten().collect() })]
    };
    let mut yields = |secrets: &[&str]| {
        sources.begin(Timestamp::default());
        sources.javascript_read(1, list(secrets));
        edges(&mut sources)
    };
    assert_eq!(yields(&["a"]), ["!>a", "!>standby"]);
    assert_eq!(yields(&["a"]), [""; 0]);
    assert_eq!(yields(&["a", "b"]), [">b"], "one more takes nobody's place");
    assert_eq!(yields(&["b", "a"]), [""; 0], "an order is no credential");
    assert_eq!(yields(&["c", "a"]), ["b>c"]);
    assert_eq!(yields(&["a"]), ["c>a"], "the first one was taken out");
    assert_eq!(yields(&["b"]), ["a>b"], "back again");
}

#[test]
fn a_source_that_becomes_empty_or_unreadable_keeps_its_last_value_and_says_so_once() {
    let mut sources = sources(vec![file("/s")]);
    sources.files_read(text("/s", "one"));
    read(&mut sources);
    sources.files_read(text("/s", ""));
    assert_eq!(read(&mut sources), (vec!["one".into()], vec![SourceChange::Emptied]));
    assert_eq!(read(&mut sources), (vec!["one".into()], vec![]));
    let gone = FileReading::Failed("is gone".into());
    sources.files_read(HashMap::from([(Place::File("/s".into()), gone)]));
    let (secrets, changes) = read(&mut sources);
    assert_eq!(secrets, ["one"]);
    assert_eq!(changes, [SourceChange::Unreadable("is gone".into())]);
}

#[test]
fn a_required_source_without_a_value_is_a_problem_and_an_optional_one_is_none() {
    for (optional, is_problem) in [(false, true), (true, false)] {
        let mut sources = sources(vec![EntrySpec { optional, ..file("/s") }]);
        let gone = FileReading::Failed("is gone".into());
        sources.files_read(HashMap::from([(Place::File("/s".into()), gone)]));
        let (configured, notices) = sources.finish(NOW);
        assert_eq!(configured.unreadable.is_some(), is_problem);
        assert_eq!(notices.is_empty(), optional);
    }
}

#[test]
fn a_reading_waits_for_files_and_callbacks_but_not_for_ever() {
    let mut sources = sources(vec![file("/s"), callback()]);
    let start = Timestamp::from_millis(1000);
    let requests = sources.begin(start).unwrap();
    assert_eq!(requests.owners, [1]);
    assert_eq!(requests.places.len(), 1);
    assert_eq!(sources.begin(start), None, "one reading at a time");
    sources.files_read(text("/s", "one"));
    assert!(!sources.is_complete(start));
    assert!(sources.is_complete(start + PATIENCE));
    sources.javascript_read(1, credentials("two"));
    assert!(sources.is_complete(start));
    assert_eq!(read(&mut sources).0, ["one", "two"]);
    assert!(sources.take_again());
}

#[test]
fn a_file_that_has_not_been_read_in_time_is_named() {
    let mut sources = sources(vec![file("/run/secret")]);
    sources.begin(NOW);
    let (configured, notices) = sources.finish(NOW + PATIENCE);
    let problem = configured.unreadable.unwrap().message;
    assert!(problem.ends_with("(the file /run/secret is still being read)."), "{problem}");
    assert!(
        matches!(&notices[0].1.change, SourceChange::Unreadable(reason) if reason.contains("/run/secret"))
    );
}

#[test]
fn a_callback_that_does_not_answer_keeps_what_it_said_before() {
    let mut sources = sources(vec![callback()]);
    sources.javascript_read(1, credentials("one"));
    assert_eq!(read(&mut sources).0, ["one"]);
    sources.begin(Timestamp::default());
    sources.javascript_read(1, vec![None]);
    assert_eq!(read(&mut sources), (vec!["one".into()], vec![]));
}

#[test]
fn a_callback_that_does_not_answer_holds_up_no_other() {
    let second = entry(SourceSpec::Js { index: 1 });
    let mut sources = Sources::new(PATIENCE, POLL);
    sources.add(1, vec![callback(), second], vec![None, None]);
    let start = Timestamp::default();
    sources.begin(start);
    sources.javascript_read(1, [vec![None], credentials("two")].concat());
    assert!(!sources.is_complete(start), "the first one may still answer");
    assert!(sources.is_complete(start + PATIENCE));
    assert_eq!(read(&mut sources).0, ["two"]);

    sources.begin(start);
    sources.javascript_read(1, [credentials("one"), credentials("two")].concat());
    assert!(sources.is_complete(start));
    assert_eq!(read(&mut sources).0, ["one", "two"]);
}

#[test]
fn a_problem_names_the_entry_that_has_it() {
    let mut labelled = callback();
    labelled.label = Some("next".into());
    let mut sources = Sources::new(PATIENCE, POLL);
    sources.add(1, vec![literal("one"), labelled], vec![Some(Reading::Empty)]);
    let problem = sources.finish(NOW).0.unreadable.unwrap().message;
    assert_eq!(
        problem,
        "The source of credentials[1] (\"next\") yields nothing (is it empty or not set?)."
    );
}

#[test]
fn the_handles_of_a_name_are_known_together_and_leave_alone() {
    let mut sources = sources(vec![literal("one")]);
    sources.add(2, vec![literal("two"), literal("one")], vec![]);
    assert_eq!(read(&mut sources).0, ["one", "two"]);
    sources.remove(1);
    assert_eq!(read(&mut sources).0, ["two", "one"]);
}

#[test]
fn a_handle_that_joins_during_a_reading_is_not_held_to_be_silent() {
    let mut sources = sources(vec![callback()]);
    let start = Timestamp::from_millis(1000);
    assert_eq!(sources.begin_with_unread(start).unwrap().owners, [1]);
    sources.add(2, vec![callback(), literal("literal")], vec![None]);
    assert_eq!(sources.begin_with_unread(start), None);

    sources.javascript_read(1, vec![Some(Reading::Empty)]);
    let (configured, notices) = sources.finish(NOW);
    let unreadable = configured.unreadable.unwrap().message;
    assert!(unreadable.contains("yields nothing"), "{unreadable}");
    assert_eq!(notices.len(), 1);
    assert_eq!(configured.credentials.len(), 1, "what needs no asking is used at once");

    assert!(sources.take_again());
    assert_eq!(sources.begin(start).unwrap().owners, [1, 2]);
    sources.javascript_read(1, credentials("one"));
    sources.javascript_read(2, credentials("two"));
    assert_eq!(read(&mut sources).0, ["one", "two", "literal"]);
}

#[test]
fn callers_of_a_handle_that_joins_during_a_reading_wait_for_its_sources() {
    let mut sources = sources(vec![callback()]);
    sources.begin(Timestamp::default());
    sources.add(2, vec![callback()], vec![None]);
    sources.javascript_read(1, vec![Some(Reading::Empty)]);
    assert!(sources.finish(NOW).0.pending);
    sources.begin(Timestamp::default());
    sources.javascript_read(2, vec![None]);
    assert!(!sources.finish(NOW).0.pending);
}

#[test]
fn control_characters_are_refused_without_being_repeated() {
    let mut sources = sources(vec![file("/s")]);
    sources.files_read(text("/s", "hunter2\u{7}"));
    let (configured, _) = sources.finish(NOW);
    let problem = configured.unreadable.unwrap().message;
    assert!(problem.contains("control characters") && !problem.contains("hunter2"));
}

#[test]
fn what_nobody_sees_in_a_secret_is_refused_with_its_file_and_its_field() {
    let mut sources = sources(vec![file("/run/secret")]);
    for flaw in ["hunter2\u{200b}", "hun\u{feff}ter2", "hunter2\u{a0}", " hunter2", "hunter2 "] {
        sources.files_read(text("/run/secret", flaw));
        let problem = sources.finish(NOW).0.unreadable.unwrap().message;
        assert!(problem.contains("client secret") && problem.contains("/run/secret"), "{problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
    let directory = SourceSpec::Directory {
        directory: "/run/app".into(),
        client_id: "id".into(),
        client_secret: "secret".into(),
    };
    let mut sources = self::sources(vec![entry(directory)]);
    let place = sources.begin(Timestamp::default()).unwrap().places.pop_first().unwrap();
    let pair = FileReading::Pair(Secret::new("\u{a0}app"), Secret::new("hunter2"));
    sources.files_read(HashMap::from([(place, pair)]));
    let problem = sources.finish(NOW).0.unreadable.unwrap().message;
    assert!(problem.contains("client id") && problem.contains("/run/app/id"), "{problem}");
}

#[test]
fn a_file_that_is_empty_is_named() {
    let mut sources = sources(vec![file("/run/secret")]);
    sources.files_read(text("/run/secret", ""));
    let problem = sources.finish(NOW).0.unreadable.unwrap().message;
    assert!(problem.ends_with("yields nothing (the file /run/secret is empty)."), "{problem}");
}

#[test]
fn what_the_facade_read_already_is_not_asked_for_again() {
    let mut sources = Sources::new(PATIENCE, POLL);
    sources.add(1, vec![callback()], credentials("one"));
    assert_eq!(sources.begin_with_unread(Timestamp::default()), Some(NOTHING));
    assert_eq!(read(&mut sources).0, ["one"]);

    sources.add(2, vec![callback(), file("/secret")], vec![None]);
    let requests = sources.begin_with_unread(Timestamp::default()).unwrap();
    assert_eq!(requests.owners, [2], "the first handle is left alone");
    assert_eq!(requests.places.len(), 1);
}

#[test]
fn a_file_that_nobody_followed_for_a_while_is_read_anew() {
    let mut sources = sources(vec![literal("one")]);
    sources.add(2, vec![file("/s")], vec![]);
    sources.begin_with_unread(Timestamp::default());
    sources.files_read(text("/s", "stale"));
    assert_eq!(read(&mut sources).0, ["one", "stale"]);
    sources.remove(2);
    sources.add(3, vec![file("/s")], vec![]);
    let requests = sources.begin_with_unread(Timestamp::default()).unwrap();
    assert_eq!(requests.places.len(), 1);
}

#[test]
fn what_was_read_before_something_was_written_there_counts_for_nothing() {
    let mut sources = sources(vec![callback()]);
    sources.begin(Timestamp::default());
    sources.javascript_read(1, credentials("old"));
    assert_eq!(edges(&mut sources), ["!>old"]);

    sources.begin(Timestamp::default());
    sources.javascript_read(1, credentials("new"));
    // The change is rolled back before it is reported.
    sources.written();
    assert_eq!(edges(&mut sources), [""; 0]);
    assert!(sources.take_again(), "it is read again");
    sources.begin(Timestamp::default());
    sources.javascript_read(1, credentials("old"));
    assert_eq!(edges(&mut sources), [""; 0]);

    sources.written();
    sources.begin(Timestamp::default());
    sources.javascript_read(1, credentials("new"));
    assert_eq!(edges(&mut sources), ["old>new"], "a reading that begins later counts");
}

#[test]
fn without_a_token_variables_are_asked_for_alone_and_functions_are_left_in_peace() {
    let function = entry(SourceSpec::Js { index: 0 });
    let variables = EntrySpec { has_variables: true, ..entry(SourceSpec::Js { index: 0 }) };
    let mut sources = Sources::new(PATIENCE, POLL);
    sources.add(1, vec![function], vec![None]);
    sources.add(
        2,
        vec![variables, EntrySpec { optional: true, ..entry(SourceSpec::Js { index: 1 }) }],
        vec![None, None],
    );
    sources.add(3, vec![file("/secret")], vec![]);
    sources.begin(NOW);
    sources.javascript_read(1, credentials("function"));
    sources.javascript_read(2, [credentials("variables"), credentials("other")].concat());
    sources.files_read(text("/secret", "file"));
    read(&mut sources);
    assert_eq!(sources.next_reading(true), Some((Extent::All, NOW.next_of_every(POLL))));
    assert_eq!(sources.begin_if_due(false, NOW), None);
    let later = NOW + Duration::from_secs(1);
    let requests = sources.begin_if_due(false, later).unwrap();
    assert_eq!(
        (requests.extent, &requests.owners[..], requests.places.len()),
        (Extent::Cheap, &[2][..], 1)
    );
    sources.files_read(text("/secret", "file"));
    sources.javascript_read(2, [credentials("changed"), vec![None]].concat());
    assert!(sources.is_complete(later), "the function is not waited for");
    let (secrets, changes) = read(&mut sources);
    assert_eq!(secrets, ["function", "changed", "other", "file"]);
    assert_eq!(changes, [SourceChange::Changed]);
}

#[test]
fn how_a_source_is_and_since_when_is_known_as_long_as_it_is_so() {
    let mut sources = sources(vec![EntrySpec { label: Some("q4".into()), ..file("/secret") }]);
    let state = |sources: &Sources| sources.states().remove(0);
    assert!(state(&sources).is_pending);
    let read_at = |sources: &mut Sources, seconds: u64, reading: FileReading| {
        let now = Timestamp::from_millis(seconds * 1000);
        sources.begin(now);
        sources.files_read(HashMap::from([(Place::File("/secret".into()), reading)]));
        sources.finish(now);
    };
    read_at(&mut sources, 1, FileReading::Text(Secret::new("s1")));
    assert_eq!((state(&sources).is_pending, state(&sources).problem), (false, None));
    for seconds in [2, 3] {
        read_at(&mut sources, seconds, FileReading::Failed("is gone".into()));
    }
    let problem = state(&sources).problem.unwrap();
    assert_eq!((problem.since, problem.is_empty), (Timestamp::from_millis(2000), false));
    assert!(
        problem.message.contains("credentials[0] (\"q4\")") && problem.message.contains("is gone")
    );
    assert!(state(&sources).is_covered, "its last value is in use");
    read_at(&mut sources, 4, FileReading::Text(Secret::new("s1")));
    assert_eq!(state(&sources).problem, None);
    assert_eq!(sources.label(EntryPlace { owner: 1, index: 0 }), Some("q4"));
}

/// Reads every 10 ms, finding what `finds` yields. Returns the number of edges, the changes and the
/// time at the end.
fn every_ten_ms(
    sources: &mut Sources,
    from: Timestamp,
    finds: impl Iterator<Item = HashMap<Place, FileReading>>,
) -> (usize, Vec<SourceChange>, Timestamp) {
    let (mut edges, mut changes, mut now) = (0, Vec::new(), from);
    for found in finds {
        now = now + Duration::from_millis(10);
        sources.begin(now);
        sources.files_read(found);
        let (configured, notices) = sources.finish(now);
        edges += configured.edges.len();
        changes.extend(notices.into_iter().map(|(_, notice)| notice.change));
    }
    (edges, changes, now)
}

fn is_throttled(change: &SourceChange) -> bool {
    matches!(change, SourceChange::Throttled(_))
}

#[test]
fn a_source_that_flips_a_hundred_times_a_second_is_followed_once_a_second_and_told_of_once() {
    let mut sources = sources(vec![file("/s"), file("/other")]);
    sources.files_read(text("/other", "other"));
    let flips = |count: usize| (0..count).map(|it| text("/s", ["a", "b"][it % 2]));
    let (edges, changes, now) = every_ten_ms(&mut sources, NOW, flips(1000));
    // Both files are read for the first time, 10 changes in a row are free, and 10 s pass.
    assert!((20..=23).contains(&edges), "{edges} edges");
    assert_eq!(changes.iter().filter(|it| is_throttled(it)).count(), 1);
    assert_eq!(changes.len(), edges - 2 + 1);
    let throttled = |sources: &Sources| sources.states().remove(0).throttled;
    let state = throttled(&sources).unwrap();
    assert!(state.message.starts_with("The source of credentials[0] changes so often"));
    assert!(state.since > NOW && state.since < NOW + Duration::from_secs(1));
    assert!(sources.states()[1].throttled.is_none(), "the other one has not changed");

    let quiet = std::iter::repeat_n(text("/s", "b"), 2000);
    let (edges, _, now) = every_ten_ms(&mut sources, now, quiet);
    assert!(edges <= 1);
    assert_eq!(read(&mut sources).0, ["b", "other"]);
    assert_eq!(throttled(&sources), None, "it is over");
    let (edges, changes, _) = every_ten_ms(&mut sources, now, flips(100));
    assert!((10..=11).contains(&edges), "{edges} edges");
    assert_eq!(changes.iter().filter(|it| is_throttled(it)).count(), 1, "it has begun anew");
}

#[test]
fn the_latest_value_of_a_source_that_flipped_is_taken_up_within_a_second_however_rarely_it_is_read()
{
    let mut sources = Sources::new(PATIENCE, Duration::from_hours(1));
    sources.add(1, vec![file("/s")], vec![]);
    let finds = (0..50).map(|it| text("/s", &format!("secret-{it}")));
    let (_, _, now) = every_ten_ms(&mut sources, NOW, finds);
    assert_ne!(read(&mut sources).0, ["secret-49"]);
    let (extent, at) = sources.next_reading(true).unwrap();
    assert!(extent == Extent::All && at > now && at <= now + Duration::from_secs(1));
    let requests = sources.begin_if_due(true, at).unwrap();
    assert_eq!(requests.places.len(), 1);
    sources.files_read(text("/s", "secret-49"));
    let (configured, _) = sources.finish(at);
    assert_eq!(configured.edges.len(), 1);
    assert_eq!(configured.credentials[0].client_secret.expose(), "secret-49");
    let hour = Duration::from_hours(1);
    assert_eq!(sources.next_reading(true).unwrap().1, at.next_of_every(hour));
}

#[test]
fn a_file_that_comes_and_goes_is_told_of_once_a_second_and_is_told_as_it_is_in_the_end() {
    let mut sources = sources(vec![file("/s")]);
    let gone =
        || HashMap::from([(Place::File("/s".into()), FileReading::Failed("is gone".into()))]);
    let finds = (0..1000).map(|it| if it % 2 == 0 { text("/s", "a") } else { gone() });
    let (edges, changes, now) = every_ten_ms(&mut sources, NOW, finds);
    assert_eq!(edges, 1, "it is the same credential");
    assert!((20..=23).contains(&changes.len()), "{} notices", changes.len());
    assert!(sources.states()[0].problem.is_some(), "it is known at once how it is");
    let (_, changes, _) = every_ten_ms(&mut sources, now, std::iter::repeat_with(gone).take(200));
    assert_eq!(changes, [SourceChange::Unreadable("is gone".into())]);
}
