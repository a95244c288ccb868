//! What a manager is opened with, and how two handles of one name may not differ.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::ClockId;
use super::message::ErrorMessage;
use crate::client::Transport;
use crate::error::Code;
use crate::policy::Policy;
use crate::provider::{ClientAuth, Endpoint};
use crate::secret::Secret;
use crate::source::{EntrySpec, Reading};

/// Everything a handle is opened with.
#[derive(Debug)]
pub struct Settings {
    /// The shared identity; without it nothing is shared.
    pub name: Option<String>,
    /// What is asked for, and where.
    pub endpoint: Endpoint,
    /// How the endpoint is reached.
    pub transport: Transport,
    /// When a token is refreshed and how long it may be used.
    pub policy: Policy,
    /// How often sources are read again.
    pub source_poll: Duration,
    /// The clock that a test turns by hand; the machine's without one.
    pub clock: Option<ClockId>,
    /// The credentials.
    pub entries: Vec<EntrySpec>,
    /// What the facade has read of its JavaScript sources already, by index.
    pub initial: Vec<Option<Reading>>,
    /// What handles of one name must agree on, by the path that a user knows it by.
    pub(super) agreed: Agreed,
}

/// Options by their paths, each value as its JSON text: a proxy or a key among them is secret.
pub(super) type Agreed = Vec<(String, Secret)>;

/// The form in which the facade, which has checked the user's options, hands them over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Form {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    clock: Option<ClockId>,
    endpoint: EndpointForm,
    transport: Transport,
    policy: PolicyForm,
    entries: Vec<EntrySpec>,
    initial: Vec<Option<Reading>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EndpointForm {
    token_url: Url,
    client_auth: ClientAuth,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    audience: Option<String>,
    resource: Vec<String>,
    params: Vec<(String, String)>,
    default_lifetime_ms: u64,
    propagation_ms: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PolicyForm {
    #[serde(default)]
    refresh_before_ms: Option<u64>,
    jitter_ratio: f64,
    #[serde(default)]
    expiry_margin_ms: Option<u64>,
    #[serde(default)]
    max_token_age_ms: Option<u64>,
    #[serde(default)]
    min_runway_ms: Option<u64>,
    acquire_timeout_ms: u64,
    source_poll_ms: u64,
    #[serde(default)]
    overlap_ms: Option<u64>,
}

impl Settings {
    /// Reads the facade's form of the options.
    ///
    /// The texts of errors name no value: one of them may be a secret.
    pub fn parse(json: &str) -> Result<Self, ErrorMessage> {
        let form: Form = serde_json::from_str(json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            ErrorMessage::invalid_option(
                "options",
                format!("do not have the agreed form ({line}:{column})."),
            )
        })?;
        form.transport.validate().map_err(|error| {
            ErrorMessage::invalid_option(&format!("provider.{}", error.option), error.problem)
        })?;
        let agreed = agreed(json);
        let Form { name, clock, endpoint, transport, policy, entries, initial } = form;
        if !(0.0..=1.0).contains(&policy.jitter_ratio) {
            let problem = "takes a number from 0 to 1.";
            return Err(ErrorMessage::invalid_option("jitterRatio", problem));
        }
        let millis = Duration::from_millis;
        Ok(Self {
            name,
            endpoint: Endpoint {
                token_url: endpoint.token_url,
                client_auth: endpoint.client_auth,
                scope: endpoint.scope,
                audience: endpoint.audience,
                resource: endpoint.resource,
                params: endpoint.params,
                default_lifetime: millis(endpoint.default_lifetime_ms),
            },
            transport,
            policy: Policy {
                refresh_before: policy.refresh_before_ms.map(millis),
                jitter_ratio: policy.jitter_ratio,
                expiry_margin: policy.expiry_margin_ms.map(millis),
                max_token_age: policy.max_token_age_ms.map(millis),
                min_runway: policy.min_runway_ms.map(millis),
                acquire_timeout: millis(policy.acquire_timeout_ms),
                propagation: millis(endpoint.propagation_ms),
                overlap: policy.overlap_ms.map(millis),
            },
            source_poll: millis(policy.source_poll_ms.max(1)),
            clock,
            entries,
            initial,
            agreed,
        })
    }

    /// Two handles of one name share one token, so they must ask for the same one in the same way.
    pub(super) fn check_agreement(&self, with: &Agreed) -> Result<(), ErrorMessage> {
        let lacking = |these: &Agreed, those: &Agreed| {
            these.iter().find(|pair| !those.contains(pair)).map(|(option, _)| option.clone())
        };
        let Some(option) = lacking(&self.agreed, with).or_else(|| lacking(with, &self.agreed))
        else {
            return Ok(());
        };
        let name = self.name.as_deref().unwrap_or_default();
        let story = format!(
            "A TokenManager named \"{name}\" with another {option} is open in this process. \
             Managers of one name share one token, so their options must be equal: give this one \
             another name, or the same {option}."
        );
        Err(ErrorMessage {
            option: Some(option),
            ..ErrorMessage::new(Code::OptionsConflict, story)
        })
    }
}

/// Every option that must be equal, by the path that a user knows it by.
fn agreed(json: &str) -> Agreed {
    let form: Value = serde_json::from_str(json).unwrap_or_default();
    let group = |name: &str| form[name].as_object().cloned().unwrap_or_default();
    let prefixed = |prefix: &'static str| move |(key, value)| (format!("{prefix}{key}"), value);
    let (tls, other): (Vec<_>, Vec<_>) = group("transport")
        .into_iter()
        .partition(|(key, _)| ["ca", "cert", "key"].contains(&key.as_str()));
    let (timeout, proxy): (Vec<_>, Vec<_>) =
        other.into_iter().partition(|(key, _)| key == "requestTimeoutMs");
    // What the facade took from the environment is known by the name of its variable.
    let proxy = proxy.into_iter().map(|(key, value)| match key.as_str() {
        "noProxy" => ("NO_PROXY".to_owned(), value),
        "rootFile" => ("SSL_CERT_FILE".to_owned(), value),
        "rootDir" => ("SSL_CERT_DIR".to_owned(), value),
        "extraRootFile" => ("NODE_EXTRA_CA_CERTS".to_owned(), value),
        _ => (format!("provider.{key}"), value),
    });
    let agreed = group("endpoint").into_iter().map(prefixed("provider."));
    agreed
        .chain(tls.into_iter().map(prefixed("provider.tls.")))
        .chain(proxy)
        .chain(timeout)
        .chain(group("policy"))
        .chain(std::iter::once(("clock".to_owned(), form["clock"].clone())))
        .map(|(option, value)| (option, Secret::new(value.to_string())))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;

    const SECRET: &str = "hunter2+Zx9/secret";

    fn json(change: impl FnOnce(&mut Value)) -> String {
        let mut form = serde_json::json!({
            "name": "shared",
            "endpoint": {
                "tokenUrl": "https://login.example.com/oauth/token", "clientAuth": "basic-raw",
                "resource": [], "params": [["a", "b"]], "defaultLifetimeMs": 300_000,
                "propagationMs": 10_000,
            },
            "transport": { "ca": [] },
            "policy": { "jitterRatio": 0.1, "acquireTimeoutMs": 5000, "sourcePollMs": 10_000 },
            "entries": [{ "optional": false, "source": { "kind": "fields",
                "clientId": { "kind": "value", "value": "app" },
                "clientSecret": { "kind": "js", "index": 0 } } }],
            "initial": [{ "kind": "text", "value": "hunter2" }],
        });
        change(&mut form);
        form.to_string()
    }

    #[test]
    fn the_facades_form_is_understood() {
        let settings = Settings::parse(&json(|_| ())).unwrap();
        assert_eq!(settings.endpoint.client_auth, ClientAuth::BasicRaw);
        assert_eq!(settings.policy.propagation, Duration::from_secs(10));
        assert_eq!(settings.entries.len(), 1);
    }

    #[test]
    fn a_wrong_form_is_an_error_that_repeats_no_value() {
        let wrong =
            json(|form| form["entries"][0]["source"]["clientSecret"]["kind"] = "hunter2".into());
        let error = Settings::parse(&wrong).unwrap_err();
        assert_eq!(error.code, Code::InvalidOption);
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn handles_of_one_name_must_agree_and_are_told_on_what() {
        let first = Settings::parse(&json(|_| ())).unwrap();
        let conflict = |change: fn(&mut Value)| {
            let other = Settings::parse(&json(change)).unwrap();
            other.check_agreement(&first.agreed).err().and_then(|error| error.option)
        };
        assert_eq!(conflict(|form| form["entries"][0]["optional"] = true.into()), None);
        assert_eq!(
            conflict(|form| form["endpoint"]["scope"] = "all".into()).as_deref(),
            Some("provider.scope")
        );
        assert_eq!(
            conflict(|form| form["transport"]["rootFile"] = "/roots.pem".into()).as_deref(),
            Some("SSL_CERT_FILE")
        );
        assert_eq!(
            conflict(|form| form["policy"]["acquireTimeoutMs"] = 1.into()).as_deref(),
            Some("acquireTimeoutMs")
        );
        assert_eq!(
            conflict(|form| form["transport"]["requestTimeoutMs"] = 1.into()).as_deref(),
            Some("requestTimeoutMs")
        );
        assert_eq!(
            conflict(|form| form["policy"]["minRunwayMs"] = 1.into()).as_deref(),
            Some("minRunwayMs")
        );
    }

    /// The paths of everything in a value.
    fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        let children: Vec<(String, &Value)> = match value {
            Value::Object(members) => {
                members.iter().map(|(key, it)| (key.replace('/', "~1"), it)).collect()
            }
            Value::Array(list) => {
                list.iter().enumerate().map(|(i, it)| (i.to_string(), it)).collect()
            }
            _ => vec![],
        };
        for (key, child) in children {
            paths(child, &format!("{path}/{key}"), found);
        }
    }

    fn odd_value() -> impl Strategy<Value = Value> {
        let texts = [
            SECRET,
            "http://user:hunter2+Zx9/secret@proxy.example:3128",
            "socks5://hunter2+Zx9/secret@proxy",
            "-----BEGIN CERTIFICATE-----\nhunter2+Zx9/secret\n-----END CERTIFICATE-----\n",
            "-----BEGIN PRIVATE KEY-----\nhunter2+Zx9/secret\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "basic",
            "value",
            "directory",
            "",
        ];
        prop_oneof![
            4 => select(texts.to_vec()).prop_map(Value::from),
            1 => any::<String>().prop_map(Value::from),
            1 => any::<u64>().prop_map(Value::from),
            1 => any::<i64>().prop_map(Value::from),
            1 => any::<f64>().prop_map(Value::from),
            1 => any::<bool>().prop_map(Value::from),
            1 => Just(Value::Null),
            1 => Just(serde_json::json!([SECRET])),
            1 => Just(serde_json::json!([[SECRET, SECRET]])),
            1 => Just(serde_json::json!({ "kind": "value", "value": SECRET })),
            1 => Just(serde_json::json!({ "kind": "text", "value": SECRET })),
        ]
    }

    #[derive(Debug, Clone)]
    enum Change {
        Replace(Index, Value),
        Add(Index, &'static str, Value),
    }

    fn change() -> impl Strategy<Value = Change> {
        let keys = [
            "ca",
            "cert",
            "key",
            "proxy",
            "noProxy",
            "rootFile",
            "scope",
            "audience",
            "label",
            "minRunwayMs",
            "maxTokenAgeMs",
            "requestTimeoutMs",
            "clientSecret",
            SECRET,
        ];
        prop_oneof![
            (any::<Index>(), odd_value()).prop_map(|(at, value)| Change::Replace(at, value)),
            (any::<Index>(), select(keys.to_vec()), odd_value())
                .prop_map(|(at, key, value)| Change::Add(at, key, value)),
        ]
    }

    fn apply(form: &mut Value, change: Change) {
        let mut places = Vec::new();
        paths(form, "", &mut places);
        match change {
            Change::Replace(at, value) => {
                *form.pointer_mut(at.get::<String>(&places)).unwrap() = value;
            }
            Change::Add(at, key, value) => {
                places.retain(|place| form.pointer(place).is_some_and(Value::is_object));
                if !places.is_empty() {
                    form.pointer_mut(at.get::<String>(&places)).unwrap()[key] = value;
                }
            }
        }
    }

    proptest! {
        #[test]
        fn options_of_any_form_are_accepted_or_refused_by_name_and_never_repeated(
            changes in proptest::collection::vec(change(), 0..4),
            cut in proptest::option::weighted(0.05, any::<Index>()),
        ) {
            let mut text = json(|form| {
                form["transport"]["proxy"] = format!("http://u:{SECRET}@proxy.example").into();
                form["initial"][0]["value"] = SECRET.into();
                for change in changes {
                    apply(form, change);
                }
            });
            if let Some(cut) = cut {
                text.truncate((0..=cut.index(text.len())).rfind(|at| text.is_char_boundary(*at)).unwrap());
            }
            match Settings::parse(&text) {
                Ok(settings) => {
                    let Settings { transport, initial, agreed, .. } = &settings;
                    let Transport { key, proxy, .. } = transport;
                    let shown = format!("{key:?} {proxy:?} {initial:?} {:?}",
                        agreed.iter().map(|(_, value)| value).collect::<Vec<_>>());
                    prop_assert!(!shown.contains(SECRET), "{shown}");
                    prop_assert!((0.0..=1.0).contains(&settings.policy.jitter_ratio));
                    prop_assert!(settings.source_poll > Duration::ZERO);
                    settings.check_agreement(&settings.agreed).unwrap();
                    settings.check_agreement(&Vec::new()).unwrap_err();
                }
                Err(error) => {
                    prop_assert!(!error.option.as_deref().unwrap_or_default().is_empty());
                    let shown = format!("{error:?} {}", serde_json::to_string(&error).unwrap());
                    prop_assert!(!shown.contains(SECRET), "{shown}");
                }
            }
        }
    }
}
