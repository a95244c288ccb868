//! The members of a JSON object that we use, read as leniently as by `JSON.parse`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The names of the members that we use. The others are not even kept.
pub(super) const NAMES: [&str; 27] = [
    "access_token",
    "refresh_token",
    "id_token",
    "token_type",
    "expires_in",
    "refresh_in",
    "scope",
    "error",
    "error_description",
    "description",
    // What servers that deviate from RFC 6749 §5.2 call the error code.
    "error_code",
    "errorCode",
    "ErrorCode",
    "errorcode",
    "code",
    "type",
    // What they call its explanation.
    "error_message",
    "errorMessage",
    "errorSummary",
    "Error",
    "message",
    "detail",
    "title",
    "reason",
    "faultstring",
    // Where they put both.
    "fault",
    "errors",
];

/// The members that may hold the error code, the standard one first.
const CODES: [&str; 6] = ["error", "error_code", "errorCode", "ErrorCode", "errorcode", "code"];

/// The members that hold its explanation: the standard one, and the one that Genesys Cloud adds.
const EXPLANATIONS: [&str; 2] = ["error_description", "description"];

/// Other members that may hold its explanation.
const OTHER_EXPLANATIONS: [&str; 9] = [
    "error_message",
    "errorMessage",
    "errorSummary",
    "message",
    "detail",
    "title",
    "reason",
    "faultstring",
    "Error",
];

/// Members whose objects may hold code and explanation instead.
const NESTS: [&str; 4] = ["error", "fault", "errors", "detail"];

/// How many levels of nested objects are read.
const DEPTH: u32 = 2;

/// An object's members by name. If a name occurs twice, the last member counts.
#[derive(Default)]
pub(super) struct JsonMembers(BTreeMap<&'static str, JsonMember>);

impl fmt::Debug for JsonMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A member's value. Any member may have any type, since servers differ.
pub(super) enum JsonMember {
    Text(String),
    Number(f64),
    /// An object, or the object that an array begins with.
    Object(JsonMembers),
    True,
    /// `null`, `false`, or a value that is not read.
    Nothing,
}

impl JsonMembers {
    /// Reads the members of an object. Returns `None` if the text is anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        Self::read_to(DEPTH, &without_lone_surrogates(text))
    }

    fn read_to(depth: u32, text: &str) -> Option<Self> {
        let Object(members) = serde_json::from_str(text).ok()?;
        Some(Self(
            members
                .into_iter()
                .map(|(name, raw)| (name, JsonMember::read(depth, raw.get())))
                .collect(),
        ))
    }

    /// Returns a member's text, unless it is blank or another type.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            JsonMember::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// Returns a member of any type.
    pub(super) fn get(&self, name: &str) -> Option<&JsonMember> {
        self.0.get(name)
    }

    /// Returns a number of seconds, which some servers send as text.
    pub(super) fn seconds(&self, name: &str) -> Option<f64> {
        let number = match self.0.get(name)? {
            JsonMember::Number(number) => *number,
            JsonMember::Text(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        (!number.is_nan()).then_some(number)
    }

    /// Whether there is an `error` that is not empty: an empty value is no code (RFC 6749 A.7).
    pub(super) fn has_error(&self) -> bool {
        match self.0.get("error") {
            Some(JsonMember::Text(text)) => !text.trim().is_empty(),
            Some(JsonMember::Number(number)) => *number != 0.0,
            Some(JsonMember::Object(members)) => !members.0.is_empty(),
            Some(JsonMember::True) => true,
            Some(JsonMember::Nothing) | None => false,
        }
    }

    /// Returns every text that may be the error code, the likeliest first.
    pub(super) fn codes(&self) -> Vec<&str> {
        let own = CODES.iter().filter_map(|name| self.text(name));
        // At the top, `type` is usually the URL of a page about the problem (RFC 9457 §3.1.1).
        let nested =
            self.nests().flat_map(|nest| [nest.codes(), Vec::from_iter(nest.text("type"))]);
        own.chain(nested.flatten()).collect()
    }

    /// Returns the explanation that people are shown.
    pub(super) fn explanation(&self) -> Option<&str> {
        let find = |names: &[&str]| names.iter().find_map(|name| self.text(name));
        find(&EXPLANATIONS)
            .or_else(|| self.nests().find_map(Self::explanation))
            .or_else(|| find(&OTHER_EXPLANATIONS))
    }

    fn nests(&self) -> impl Iterator<Item = &Self> {
        NESTS.iter().filter_map(|name| match self.0.get(name)? {
            JsonMember::Object(members) => Some(members),
            _ => None,
        })
    }
}

impl JsonMember {
    fn read(depth: u32, json: &str) -> Self {
        let nested = |json: &str| match depth.checked_sub(1) {
            Some(depth) => JsonMembers::read_to(depth, json).map_or(Self::Nothing, Self::Object),
            None => Self::Nothing,
        };
        match json.as_bytes().first() {
            Some(b'"') => serde_json::from_str(json).map_or(Self::Nothing, Self::Text),
            Some(b'{') => nested(json),
            Some(b'[') => match serde_json::from_str(json) {
                Ok(First(Some(first))) if first.get().starts_with('{') => nested(first.get()),
                _ => Self::Nothing,
            },
            Some(b't') => Self::True,
            Some(b'-' | b'0'..=b'9') => json.parse().map_or(Self::Nothing, Self::Number),
            _ => Self::Nothing,
        }
    }
}

/// The unparsed members of an object that we use: numbers of any size, arrays of any depth.
struct Object<'a>(BTreeMap<&'static str, &'a RawValue>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    match NAMES.iter().find(|name| **name == key) {
                        Some(name) => drop(members.insert(*name, map.next_value()?)),
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// The first item of an array.
struct First<'a>(Option<&'a RawValue>);

impl<'de> Deserialize<'de> for First<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = First<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let first = items.next_element()?;
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }
        deserializer.deserialize_seq(Reader)
    }
}

/// Replaces lone surrogates (`"\ud83d"`), which `JSON.parse` accepts and no Rust string can hold.
fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    let mut repaired = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        let escape = at + found;
        let next = escape + 6;
        at = match code_unit(text, escape) {
            Some(0xd800..0xdc00) if matches!(code_unit(text, next), Some(0xdc00..0xe000)) => {
                next + 6
            }
            Some(0xd800..0xe000) => {
                repaired += &text[copied..escape];
                repaired += "\\ufffd";
                copied = next;
                next
            }
            Some(_) => next,
            // Skip the escaped character, so that an escaped backslash begins no escape.
            None => escape + 1 + text[escape + 1..].chars().next().map_or(0, char::len_utf8),
        };
    }
    if copied == 0 { Cow::Borrowed(text) } else { Cow::Owned(repaired + &text[copied..]) }
}

/// Returns the code unit that `\uXXXX` at this position stands for.
fn code_unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}
