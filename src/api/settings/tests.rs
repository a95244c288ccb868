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
            "propagationMs": 10_000, "ignoreExpiresIn": false, "treatAsBearer": false,
            "rejectedErrors": [],
        },
        "transport": { "ca": [] },
        "policy": { "jitterRatio": 0.1, "acquireTimeoutMs": 5000, "sourcePollMs": 10_000, "persistTimeoutMs": 30_000, "proveEveryMs": 0 },
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
fn a_store_needs_a_name_and_the_machines_clock() {
    let store = serde_json::json!({
        "prefix": "oauth-rotor",
        "redis": {
            "topology": { "sentinel": {
                "sentinels": [{ "tcp": { "host": "one", "port": 26379 } }, { "unix": "/two" }],
                "login": { "password": "hunter2" }, "name": "main",
            } },
            "login": { "username": "rotor", "password": "hunter3" },
            "database": 2,
        },
    });
    let parse = |change: fn(&mut Value)| {
        Settings::parse(&json(|form| {
            form["store"] = store.clone();
            change(form);
        }))
    };
    let settings = parse(|_| ()).unwrap();
    assert!(!format!("{settings:?}").contains("hunter"));
    let redis = settings.store.unwrap().redis;
    let passwords: Vec<_> = redis.passwords().map(Secret::expose).collect();
    assert_eq!((passwords, redis.database), (vec!["hunter3", "hunter2"], 2));
    let refused = |change| parse(change).unwrap_err().option;
    assert_eq!(refused(|form| form["name"] = Value::Null).as_deref(), Some("name"));
    assert_eq!(refused(|form| form["clock"] = 1.into()).as_deref(), Some("clock"));
    let other = parse(|form| form["store"]["redis"]["database"] = 3.into()).unwrap();
    let conflict = other.check_agreement(&settings.agreed).unwrap_err();
    assert_eq!(conflict.option.as_deref(), Some("store.redis"));
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
fn a_member_that_nobody_knows_is_an_error_wherever_it_is() {
    for place in [
        "",
        "/endpoint",
        "/transport",
        "/policy",
        "/entries/0",
        "/entries/0/source",
        "/entries/0/source/clientId",
        "/initial/0",
    ] {
        let odd = json(|form| form.pointer_mut(place).unwrap()["unknown"] = 1.into());
        assert!(Settings::parse(&odd).is_err(), "{place}");
    }
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
        conflict(|form| form["transport"]["rootDirs"] = ["/roots"].as_slice().into()).as_deref(),
        Some("SSL_CERT_DIR")
    );
    assert_eq!(
        conflict(|form| form["transport"]["userAgent"] = "acme/1".into()).as_deref(),
        Some("provider.userAgent")
    );
    for option in ["ignoreExpiresIn", "treatAsBearer"] {
        let other = json(|form| form["endpoint"][option] = true.into());
        let error = Settings::parse(&other).unwrap().check_agreement(&first.agreed).unwrap_err();
        assert_eq!(error.option, Some(format!("provider.{option}")));
    }
    assert_eq!(
        conflict(|form| form["endpoint"]["rejectedErrors"] = ["x"].as_slice().into()).as_deref(),
        Some("provider.rejectedErrors")
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
        Value::Array(list) => list.iter().enumerate().map(|(i, it)| (i.to_string(), it)).collect(),
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
