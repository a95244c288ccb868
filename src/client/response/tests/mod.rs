//! The verdict table, answers of every shape, and the messages about them.

mod bodies;
mod corpus;
mod grants;
mod texts;
mod verdicts;

use std::time::Duration;

use super::*;
use crate::client::request::TokenRequest;
use crate::credential::Credential;
use crate::error::Failure;
use crate::provider::ClientAuth;
use crate::provider::Endpoint;
use crate::secret::Secret;
use crate::token::Grant;
use crate::verdict::Verdict;

const SECRET: &str = "hunter2/+ %:é";

pub(super) fn endpoint() -> Endpoint {
    Endpoint {
        token_url: "https://login.example.com/oauth/token?key=private".parse().unwrap(),
        client_auth: ClientAuth::Basic,
        scope: None,
        audience: None,
        resource: vec![],
        params: vec![],
        default_lifetime: Duration::from_mins(5),
        ignore_expires_in: false,
        treat_as_bearer: false,
        rejected_errors: vec!["invalid_client_id".into(), "bad.credentials".into()],
    }
}

fn credential() -> Credential {
    Credential::new(None, "app".into(), Secret::new(SECRET))
}

/// No other secrets are known.
pub(super) fn nothing() -> Vec<Secret> {
    Vec::new()
}

/// Every form in which a credential is sent.
pub(super) fn sent(credential: &Credential) -> Vec<Secret> {
    let requests = [ClientAuth::Basic, ClientAuth::BasicRaw, ClientAuth::Body]
        .map(|client_auth| TokenRequest::new(&Endpoint { client_auth, ..endpoint() }, credential));
    let texts = requests.iter().flat_map(|request| {
        let header = request.authorization.as_ref().map(|it| &it.expose()["Basic ".len()..]);
        let (_, secret) = request.body.expose().rsplit_once("client_secret=").unwrap_or_default();
        [header.unwrap_or_default().trim_end_matches('='), secret]
    });
    let texts = texts.chain([credential.client_secret.expose()]).filter(|text| !text.is_empty());
    texts.map(Secret::new).collect()
}

fn answer(status: u16, body: impl AsRef<[u8]>) -> TokenResponse {
    TokenResponse { status, body: Body(body.as_ref().to_vec()), ..TokenResponse::default() }
}

pub(super) fn headers(list: &[(&str, &str)]) -> Headers {
    Headers::pick(|name| {
        list.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_bytes())
    })
}

fn with(list: &[(&str, &str)], answer: TokenResponse) -> TokenResponse {
    TokenResponse { headers: headers(list), ..answer }
}

fn judged(answer: &TokenResponse) -> Verdict {
    judge(answer, &endpoint(), &credential(), &nothing(), 0)
}

fn verdict(status: u16, body: impl AsRef<[u8]>) -> Verdict {
    judged(&answer(status, body))
}

fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted(_) => "Accepted",
        Verdict::Rejected(_) => "Rejected",
        Verdict::Refused(_) => "Refused",
        Verdict::Ambiguous(_) => "Ambiguous",
        Verdict::Misconfigured(_) => "Misconfigured",
        Verdict::Throttled(_) => "Throttled",
        Verdict::Transient(_) => "Transient",
    }
}

fn failure(verdict: Verdict) -> Failure {
    match verdict {
        Verdict::Accepted(_) => panic!("accepted"),
        Verdict::Rejected(failure)
        | Verdict::Refused(failure)
        | Verdict::Ambiguous(failure)
        | Verdict::Misconfigured(failure)
        | Verdict::Throttled(failure)
        | Verdict::Transient(failure) => failure,
    }
}

fn grant(verdict: Verdict) -> Grant {
    match verdict {
        Verdict::Accepted(grant) => grant,
        other => panic!("{other:?}"),
    }
}
