//! The options of a manager, and those on which handles of one name must agree.

mod store;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

pub use store::{RedisAddress, RedisLogin, RedisSettings, RedisTopology, StoreSettings};

use super::error::ErrorMessage;
use super::handle::ClockId;
use crate::client::Transport;
use crate::error::Code;
use crate::policy::Policy;
use crate::provider::{ClientAuth, Endpoint};
use crate::secret::Secret;
use crate::source::{EntrySpec, Reading};

/// Everything that a handle is opened with.
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
    /// What is shared with other processes; none: nothing is.
    pub store: Option<StoreSettings>,
    /// How often sources are read again.
    pub source_poll: Duration,
    /// The clock that a test turns by hand; the machine's without one.
    pub clock: Option<ClockId>,
    /// The credentials.
    pub entries: Vec<EntrySpec>,
    /// What the facade has read of its JavaScript sources already, by index.
    pub initial: Vec<Option<Reading>>,
    /// The options on which handles of one name must agree; none without a name.
    pub agreed: Agreed,
}

/// Options by the paths that users know, each with its value as JSON text. A proxy or a key among
/// them is secret.
pub type Agreed = Vec<(String, Secret)>;

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
    #[serde(default)]
    store: Option<StoreSettings>,
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
    ignore_expires_in: bool,
    treat_as_bearer: bool,
    rejected_errors: Vec<String>,
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
    persist_timeout_ms: u64,
    prove_every_ms: u64,
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
        // Without a name nobody can join.
        let agreed = if form.name.is_some() { agreed(json) } else { Agreed::new() };
        let Form { name, clock, endpoint, transport, policy, store, entries, initial } = form;
        if !(0.0..=1.0).contains(&policy.jitter_ratio) {
            let problem = "takes a number from 0 to 1.";
            return Err(ErrorMessage::invalid_option("jitterRatio", problem));
        }
        if store.is_some() && name.is_none() {
            let problem = "is required with a store: members are those of one name.";
            return Err(ErrorMessage::invalid_option("name", problem));
        }
        if store.is_some() && clock.is_some() {
            let problem = "cannot be set by hand with a store, which goes by its server's time.";
            return Err(ErrorMessage::invalid_option("clock", problem));
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
                ignore_expires_in: endpoint.ignore_expires_in,
                treat_as_bearer: endpoint.treat_as_bearer,
                rejected_errors: endpoint.rejected_errors,
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
                persist_timeout: millis(policy.persist_timeout_ms),
                prove_every: millis(policy.prove_every_ms),
            },
            store,
            source_poll: millis(policy.source_poll_ms.max(1)),
            clock,
            entries,
            initial,
            agreed,
        })
    }

    /// Two handles of one name share one token, so they must ask for the same one in the same way.
    pub fn check_agreement(&self, with: &Agreed) -> Result<(), ErrorMessage> {
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
        "rootDirs" => ("SSL_CERT_DIR".to_owned(), value),
        "extraRootFile" => ("NODE_EXTRA_CA_CERTS".to_owned(), value),
        _ => (format!("provider.{key}"), value),
    });
    let agreed = group("endpoint").into_iter().map(prefixed("provider."));
    agreed
        .chain(tls.into_iter().map(prefixed("provider.tls.")))
        .chain(proxy)
        .chain(timeout)
        .chain(group("policy"))
        .chain(group("store").into_iter().map(prefixed("store.")))
        .chain(std::iter::once(("clock".to_owned(), form["clock"].clone())))
        .map(|(option, value)| (option, Secret::new(value.to_string())))
        .collect()
}
