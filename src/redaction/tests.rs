//! What is hidden, and what stays readable.

use std::num::NonZeroUsize;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use url::form_urlencoded::byte_serialize;

use super::presentation::CONSIDERED;
use super::text::Text;
use super::*;
use crate::secret::Secret;

const SECRET: &str = "a&b \"c\"/<\\>'%41é€😀+=";

fn known(secrets: &[&str]) -> Vec<Secret> {
    secrets.iter().map(|secret| Secret::new(*secret)).collect()
}

fn shown(text: &str) -> String {
    presentable(text, &[&known(&[SECRET])])
}

/// A name, and a way to write a character.
type Writing = (&'static str, fn(char) -> String);

fn writings() -> Vec<Writing> {
    vec![
        ("plain", |char| char.to_string()),
        ("form", |char| byte_serialize(char.to_string().as_bytes()).collect()),
        ("percent", |char| {
            let bytes = char.to_string().into_bytes();
            bytes.iter().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat()
        }),
        ("entities", |char| format!("&#{};", u32::from(char))),
        ("hexadecimal entities", |char| format!("&#x{:X};", u32::from(char))),
        ("named entities", |char| match char {
            '&' => "&amp;".into(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            '"' => "&quot;".into(),
            '\'' => "&apos;".into(),
            '+' => "&plus;".into(),
            '=' => "&equals;".into(),
            '%' => "&percnt;".into(),
            '/' => "&sol;".into(),
            '\\' => "&bsol;".into(),
            other => other.into(),
        }),
        ("escapes", |char| if char.is_ascii() { format!("\\{char}") } else { char.into() }),
        ("escaped code units", |char| {
            let units = char.encode_utf16(&mut [0; 2]).to_vec();
            units.iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat()
        }),
        ("misread", |char| char.to_string().bytes().map(char::from).collect()),
        ("replaced", |char| if char.is_ascii() { char.into() } else { "\u{fffd}".into() }),
        ("questioned", |char| if char.is_ascii() { char.into() } else { "?".into() }),
        ("cut to eight bits", |char| {
            let mut units = [0; 2];
            let units = char.encode_utf16(&mut units).iter();
            units.map(|unit| char::from(unit.to_le_bytes()[0])).collect()
        }),
    ]
}

#[test]
fn a_secret_is_hidden_however_it_is_written() {
    for (name, write) in writings() {
        let written: String = SECRET.chars().map(write).collect();
        assert_eq!(shown(&format!("<{written}>")), "<[redacted]>", "{name}: {written}");
        let part: String = SECRET.chars().take(RUN - 1).map(write).collect();
        assert!(!shown(&part).contains("[redacted]"), "{name}");
    }
}

#[test]
fn what_is_like_a_secret_is_shown() {
    for text in [
        "",
        "a&b",
        "&",
        "&#",
        "&#x;",
        "&#99999999999;",
        "\\",
        "\\u",
        "\\u00",
        "%",
        "%4",
        "%4é",
        "&amp",
        "&#x61",
        "&#97",
        "&a",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn eight_characters_of_a_secret_are_hidden_and_seven_are_not() {
    let secret = known(&["Zq7hunter2xKwVbN"]);
    for (text, meant) in [
        ("it is Zq7hunter2xKwVbN!", "it is [redacted]!"),
        ("it begins with Zq7hunte…", "it begins with [redacted]…"),
        (
            "it ends in xkwvbn, hUNTER2XkW in the middle",
            "it ends in xkwvbn, [redacted] in the middle",
        ),
        ("Zq7hunt", "Zq7hunt"),
        ("Zq7hunter-xKwVbN", "[redacted]-xKwVbN"),
        ("Zq7hunter2x.r2xKwVbNo", "[redacted].[redacted]o"),
    ] {
        assert_eq!(presentable(text, &[&secret]), meant);
    }
    // A shorter secret is hidden only as a whole.
    let short = known(&["s3cret"]);
    assert_eq!(presentable("not S3CRET, s3cre", &[&short]), "not [redacted], s3cre");
}

#[test]
fn characters_that_nobody_sees_neither_hide_a_secret_nor_turn_a_text_around() {
    let secret = known(&["Zq7hunter2xKwVbN"]);
    let spread: String = "Zq7hunter2xKwVbN".chars().flat_map(|char| [char, '\u{200b}']).collect();
    assert_eq!(presentable(&spread, &[&secret]), "[redacted]");
    let text = "a\u{202e}b\u{2066}c\u{2028}d\u{feff}e\u{ad}f\u{1b}[31mg\u{e0041}";
    assert_eq!(presentable(text, &[]), "abc def [31mg");
}

#[test]
fn a_character_that_nobody_sees_may_be_written_in_some_that_are_seen() {
    let secret = known(&["Zq7\u{fe00}hunter2x"]);
    for written in [
        "Zq7hunter2x",
        "Zq7\u{fe00}hunter2x",
        "Zq7ï¸\u{80}hunter2x",
        "Zq7?hunter2x",
        "Zq7%EF%B8%80hunter2x",
    ] {
        assert_eq!(presentable(&format!("<{written}>"), &[&secret]), "<[redacted]>", "{written}");
    }
}

#[test]
fn a_text_is_cut_and_no_end_of_it_takes_time() {
    for text in ["x".repeat(5000), "\\".repeat(5000), "%25".repeat(5000), "&#38;".repeat(5000)] {
        let secrets = known(&[&"\\".repeat(200), &("\\".repeat(200) + "x"), "éé", SECRET]);
        assert!(presentable(&text, &[&secrets]).chars().count() <= LONGEST);
    }
}

#[test]
fn a_text_that_has_too_much_in_common_with_what_is_known_is_hidden_as_a_whole() {
    // Only somebody who wants the search to take long makes such a token.
    let rows = (0..1000).map(|number| format!("aaaaa{number:03}"));
    let token: String = rows.collect();
    let text = format!("no: {}", "a".repeat(CONSIDERED));
    assert_eq!(presentable(&text, &[&known(&[&token])]), "[redacted]");
    assert_eq!(presentable("no: aaaaa", &[&known(&[&token])]), "no: aaaaa");
}

proptest! {
    #[test]
    fn no_mixture_of_writings_shows_a_secret(
        secret in "\\PC{1,24}", before in "\\PC{0,8}", ways in prop::collection::vec(0_usize..12, 24),
    ) {
        let writings = writings();
        let written: String = secret.chars().zip(ways).map(|(char, way)| writings[way].1(char)).collect();
        // If nothing is visible, there is nothing to hide.
        let is_seen = |text: &str| !Text::clean(text, 1).chars.is_empty();
        prop_assume!(is_seen(&secret) && is_seen(&written));
        let shown = presentable(&format!("{before}{written}"), &[&known(&[&secret])]);
        prop_assert!(shown.contains("[redacted]"), "{}", shown);
    }

    #[test]
    fn any_text_is_presentable(text in any::<String>(), secret in any::<String>()) {
        let shown = presentable(&text, &[&known(&[&secret])]);
        prop_assert!(shown.chars().count() <= LONGEST);
        prop_assert!(!shown.contains(char::is_control));
    }
}

/// The secrets and tokens of a process with several managers.
fn of_a_process() -> Vec<Secret> {
    let mut secrets = known(&[
        // Secrets as providers make them, and as people do.
        "kD3uVJmPzLq8sXwT1yRb6NcGf0HaEo9iQ2vBt7Zj5Ws",
        "Tz8Q~WmL4xk.pR2uNvb_Yc6JtHd1Gs-Ea9Fq0oZi",
        "0f8a3d52-6c1e-4b97-a2d4-7e5b9c0d1f68",
        "9d4b1e7f5a2c8e0b3f6d9a1c4e7b0d3f",
        "Zq7/hunter+2x==K",
        "p&ss \"w0rd\" <1> 'x' %41\\",
        "пароль-Übergrößenträger-7",
        "q9#Lx2!v",
        "s3cr3t!",
    ]);
    let mut random = fastrand::Rng::with_seed(7);
    let alphabet: Vec<char> =
        ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(['-', '_']).collect();
    let mut part = |length| -> String {
        std::iter::repeat_with(|| *random.choice(&alphabet).unwrap()).take(length).collect()
    };
    for _ in 0..2 {
        secrets.push(Secret::new(part(86)));
        secrets.push(Secret::new(format!("eyJhbGciOiJSUzI1NiJ9.{}.{}", part(300), part(170))));
    }
    secrets
}

/// A name, and an encoding that a server may apply to a text before it repeats it.
type Encoder = (&'static str, fn(&str) -> String);

fn each(text: &str, write: impl Fn(char) -> String) -> String {
    text.chars().map(write).collect()
}

fn each_byte(text: &str, write: impl Fn(u8) -> String) -> String {
    text.bytes().map(write).collect()
}

const ENCODERS: [Encoder; 16] = [
    ("as it is", str::to_owned),
    ("form", |text| byte_serialize(text.as_bytes()).collect()),
    ("encodeURIComponent", |text| {
        let is_left = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
        let bytes = text.bytes().map(|byte| match byte {
            byte if is_left(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        });
        bytes.collect()
    }),
    ("percent", |text| each_byte(text, |byte| format!("%{byte:02x}"))),
    ("PERCENT", |text| each_byte(text, |byte| format!("%{byte:02X}"))),
    ("HTML", |text| {
        each(text, |char| match char {
            '&' => "&amp;".into(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            '"' => "&quot;".into(),
            '\'' => "&#39;".into(),
            other => other.into(),
        })
    }),
    ("decimal entities", |text| each(text, |char| format!("&#{};", u32::from(char)))),
    ("hexadecimal entities", |text| each(text, |char| format!("&#x{:x};", u32::from(char)))),
    ("JSON", |text| {
        let quoted = serde_json::to_string(text).unwrap();
        quoted[1..quoted.len() - 1].replace('/', "\\/")
    }),
    ("code units", |text| {
        let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        units.concat()
    }),
    ("backslashes", |text| {
        each(text, |char| match char {
            char if char.is_alphanumeric() => char.into(),
            char => format!("\\{char}"),
        })
    }),
    ("base64", |text| STANDARD.encode(text)),
    ("base64url", |text| URL_SAFE_NO_PAD.encode(text)),
    ("Basic", |text| STANDARD.encode(format!("my-client:{text}"))),
    ("hexadecimal", |text| each_byte(text, |byte| format!("{byte:02x}"))),
    ("HEXADECIMAL", |text| each_byte(text, |byte| format!("{byte:02X}"))),
];

/// A secret, or a part of one, in up to two of these encodings. Its case may be changed if it can
/// still be read back.
struct Echo {
    text: String,
    /// Whether the end was cut off afterwards, perhaps in the middle of a character.
    is_cut: bool,
    story: String,
}

fn echo(random: &mut fastrand::Rng, secrets: &[Secret]) -> Echo {
    let secret: Vec<char> = random.choice(secrets).unwrap().expose().chars().collect();
    let most = secret.len().min(24);
    let part: String = if secret.len() > RUN && random.bool() {
        let length = random.usize(RUN..=most);
        let start = random.usize(..=secret.len() - length);
        secret[start..start + length].iter().collect()
    } else {
        secret.into_iter().collect()
    };
    let mut story = format!("{part:?}");
    let (name, first) = random.choice(ENCODERS).unwrap();
    let (outer, second) = random.choice(ENCODERS).unwrap();
    let other_case = |text: &str, random: &mut fastrand::Rng| match random.u8(..6) {
        0 => text.to_ascii_uppercase(),
        1 => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    };
    // Base64 whose case was changed is found only if it encodes the secret itself, and enough of
    // it.
    let is_base64 = |name: &str| name.starts_with("base64") || name == "Basic";
    let cased = other_case(&part, random);
    let once = first(&cased);
    let is_kept = cased == part && part.len() > 12;
    let once = if !is_base64(name) || is_kept { other_case(&once, random) } else { once };
    let mut text = second(&once);
    if !is_base64(outer) && (!is_base64(name) || is_kept) {
        text = other_case(&text, random);
    }
    story = format!("{story} {name} {outer}");
    // The rest must contain enough of the secret.
    let is_cut = part.chars().count() > 16 && random.u8(..4) == 0;
    if is_cut {
        let most = text.chars().count();
        text = text.chars().take(most - random.usize(..most / 4)).collect();
    }
    let is_cut = is_cut || text.chars().count() > CONSIDERED - 5;
    Echo { text, is_cut, story }
}

/// The longest beginning of an escaped character that may be left when the end is cut off: of an
/// escape in an escape.
const LONGEST_REST: usize = 36;

#[test]
#[expect(clippy::disallowed_methods, reason = "read by a test, before any thread")]
#[expect(clippy::print_stderr, reason = "figures for people")]
fn no_echo_of_a_secret_is_shown_however_it_is_encoded() {
    let is_long = std::env::var("ROTATION_CHECK").is_ok_and(|it| it == "long");
    let seed = std::env::var("ECHO_SEED").map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|_| fastrand::u64(..));
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let count = if is_long { 1_000_000_usize } else { 500 }.div_ceil(threads);
    let secrets = of_a_process();
    thread::scope(|scope| {
        for seed in (seed..).take(threads) {
            let secrets = &secrets;
            scope.spawn(move || no_echo_is_shown(seed, count, secrets));
        }
    });
    eprintln!("{} echoes, none shown (ECHO_SEED={seed})", count * threads);
}

fn no_echo_is_shown(seed: u64, count: usize, secrets: &Vec<Secret>) {
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..count {
        let Echo { text, is_cut, story } = echo(&mut random, secrets);
        let shown = presentable(&format!("not: ¶{text}¶ !"), &[secrets]);
        let rest = shown.strip_prefix("not: ¶[redacted]");
        let rest = rest.map(|rest| rest.trim_end_matches("¶ !").chars().count());
        let most = if is_cut { LONGEST_REST } else { 0 };
        assert!(
            rest.is_some_and(|rest| rest <= most),
            "{story}: {text}\nis shown as {shown}\n(ECHO_SEED={seed}, round {round})"
        );
    }
}

#[test]
fn what_servers_say_stays_readable() {
    let secrets = of_a_process();
    let texts: Vec<&str> = include_str!("benign.txt").lines().collect();
    assert_eq!(texts.len(), 100);
    for text in texts {
        let meant: String = text.chars().take(LONGEST).collect();
        assert_eq!(presentable(text, &[&secrets]), meant);
    }
}
