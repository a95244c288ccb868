//! Properties that hold for every answer.

use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use std::time::Duration;

use super::headers::NAMES as HEADERS;
use super::judge::LONGEST_LIFE;
use super::members::NAMES;
use super::tests::{endpoint, headers, nothing, sent};
use super::*;
use crate::credential::Credential;
use crate::redaction::LONGEST;
use crate::secret::Secret;
use crate::verdict::Verdict;

const WORDS: [&str; 12] = [
    "invalid_client",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "access_denied",
    "temporarily_unavailable",
    "rate limit exceeded",
    "Bearer",
    "mac",
    "60",
    "-1",
    "1e400",
];

fn credential(secret: &str) -> Credential {
    Credential::new(None, "app".into(), Secret::new(secret))
}

/// A secret so long that none of our texts contains it by chance.
fn secret() -> impl Strategy<Value = String> {
    "[!-~]{5}[!-~é ]{4,16}[!-~]"
}

/// A token that has no blank at its ends and needs no escape in JSON.
fn token() -> impl Strategy<Value = String> {
    "[!#-\\[\\]-~][ !#-\\[\\]-~]{10,40}[!#-\\[\\]-~]"
}

/// A member's value. `fill` replaces `<0>` to `<9>` in a text with what must not be shown.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (1_i64..100_000).prop_map(Value::from),
        token().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(&WORDS[..]).prop_map(Value::from),
        "\\PC{0,3}<[0-9]>(\\PC{0,250})?<[0-9]>\\PC{0,3}".prop_map(Value::from),
        Just(serde_json::json!([1])),
        Just(serde_json::json!({ "access_token": "nested" })),
        (select(&NAMES[..]), "\\PC{0,3}<[0-9]>\\PC{0,3}", any::<bool>()).prop_map(
            |(name, text, listed)| {
                let nested = serde_json::json!({ name: text });
                if listed { Value::from(vec![nested]) } else { nested }
            }
        ),
    ]
}

fn members() -> impl Strategy<Value = Vec<(String, Value)>> {
    let name = select(&NAMES[..]).prop_map(str::to_owned);
    hash_map(name, value(), 0..8).prop_map(|members| members.into_iter().collect())
}

/// Members that we do not use.
fn others() -> impl Strategy<Value = Vec<(String, Value)>> {
    let name = "[a-zA-Z_]{1,12}".prop_filter("known", |name| !NAMES.contains(&name.as_str()));
    hash_map(name, value(), 0..4).prop_map(|members| members.into_iter().collect())
}

fn text_of(members: &[(String, Value)]) -> String {
    let member = |(name, value): &(String, Value)| format!("{}:{value}", Value::from(name.clone()));
    format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
}

fn filled(mut members: Vec<(String, Value)>, hidden: &[Secret]) -> Vec<(String, Value)> {
    for (_, value) in &mut members {
        fill(value, hidden);
    }
    members
}

fn fill(value: &mut Value, hidden: &[Secret]) {
    match value {
        Value::String(text) => {
            for (index, hidden) in hidden.iter().cycle().take(10).enumerate() {
                *text = text.replace(&format!("<{index}>"), hidden.expose());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, hidden)),
        Value::Object(members) => members.values_mut().for_each(|value| fill(value, hidden)),
        _ => {}
    }
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> TokenResponse {
    TokenResponse { status, body: Body(body.into()), ..TokenResponse::default() }
}

proptest! {
    #[test]
    fn no_answer_panics_shows_a_secret_or_gives_a_token_that_breaks_a_header(
        status in prop_oneof![100_u16..600, select(&[200_u16, 400, 401, 429, 503][..])],
        members in members(),
        garbage in proptest::option::weighted(0.1, vec(any::<u8>(), 0..64)),
        secret in secret(),
        issued in vec(token(), 0..3),
        list in vec((select(&HEADERS[..]), "\\PC{0,30}|[0-9]{1,15}"), 0..4),
        now in any::<i64>(),
    ) {
        let credential = credential(&secret);
        let issued: Vec<Secret> = issued.into_iter().map(Secret::new).collect();
        let mut hidden = sent(&credential);
        hidden.extend(issued.iter().cloned());
        let members = filled(members, &hidden);
        let own = members.iter().find(|(name, _)| name == "access_token");
        // A short token may occur in our own texts.
        hidden.extend(own.and_then(|(_, own)| own.as_str()).filter(|own| own.len() > 11).map(Secret::new));
        let body = garbage.unwrap_or_else(|| text_of(&members).into());
        let list: Vec<_> = list.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = TokenResponse { headers: headers(&list), ..answer(status, body) };
        let verdict = judge(&answer, &endpoint(), &credential, &issued, now);

        let text = match &verdict {
            Verdict::Accepted(_) => format!("{verdict:?}"),
            Verdict::Rejected(failure) | Verdict::Refused(failure) | Verdict::Ambiguous(failure)
            | Verdict::Misconfigured(failure) | Verdict::Throttled(failure) | Verdict::Transient(failure) => {
                let texts = [&failure.oauth_error, &failure.description];
                for text in texts.into_iter().flatten() {
                    prop_assert!(text.chars().count() <= LONGEST);
                    prop_assert!(!text.contains(char::is_control));
                }
                // Also unescaped, since `Debug` escapes some characters.
                format!("{verdict:?} {failure} {:?} {:?}", texts[0].as_deref().unwrap_or_default(),
                    texts[1].as_deref().unwrap_or_default())
            }
        };
        for hidden in &hidden {
            prop_assert!(!text.contains(hidden.expose()), "{text}");
        }
        if let Verdict::Accepted(grant) = verdict {
            prop_assert!((200..300).contains(&status));
            let header = grant.access_token.expose();
            prop_assert!(!header.is_empty() && header.trim() == header);
            prop_assert!(header.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert!(grant.lifetime <= Duration::from_secs_f64(LONGEST_LIFE));
            prop_assert!(grant.refresh_in.unwrap_or_default() <= Duration::from_secs_f64(LONGEST_LIFE));
        }
    }

    #[test]
    fn a_verdict_depends_neither_on_unknown_members_nor_on_the_order(
        status in prop_oneof![100_u16..600, select(&[200_u16, 400, 401, 429, 503][..])],
        (members, all) in (members(), others()).prop_flat_map(|(members, others)| {
            let all = members.iter().cloned().chain(others).collect::<Vec<_>>();
            (Just(members), Just(all).prop_shuffle())
        }),
    ) {
        let verdict = |members: &[(String, Value)]| {
            judge(&answer(status, text_of(members)), &endpoint(), &credential("hunter2"), &nothing(), 0)
        };
        prop_assert_eq!(verdict(&members), verdict(&all));
    }

    #[test]
    fn a_token_is_taken_as_it_is_and_its_life_to_the_millisecond(
        token in token(), millis in 1_u32..u32::MAX, as_text in any::<bool>(),
    ) {
        let seconds = format!("{}.{:03}", millis / 1000, millis % 1000);
        let seconds = if as_text { format!("\"{seconds}\"") } else { seconds };
        let body = format!(r#"{{"access_token":"{token}","expires_in":{seconds}}}"#);
        let Verdict::Accepted(grant) =
            judge(&answer(200, body), &endpoint(), &credential("hunter2"), &nothing(), 0)
        else { panic!() };
        prop_assert_eq!(grant.access_token.expose(), token);
        let short = Duration::from_millis(millis.into()).checked_sub(grant.lifetime);
        prop_assert!(
            short.is_some_and(|short| short <= Duration::from_millis(1)),
            "never longer, and at most a millisecond less"
        );
    }
}
