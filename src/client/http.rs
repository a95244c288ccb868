//! Sends one token request over HTTP/1.1 and waits for the whole answer.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER,
};
use reqwest::redirect;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;
use url::Url;

use super::request::TokenRequest;
use super::response::{Answer, Body, address, judge};
use super::roots;
use super::transport::{InvalidTransport, Transport};
use crate::clock::{Clock, Timestamp};
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::provider::Endpoint;
use crate::rotation::Verify;
use crate::secret::Secret;
use crate::verdict::Verdict;

/// No token answer is larger.
const LARGEST_BODY: usize = 1024 * 1024;

/// So many requests to one origin run at once; further ones wait, however many managers there are.
const CONCURRENCY: usize = 8;

const LONGEST_CONNECT: Duration = Duration::from_secs(5);

/// One way of reaching endpoints.
#[derive(Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    timeout: Duration,
    /// A proxy that answers in the endpoint's place must not have its own password shown.
    proxy_traces: Vec<Secret>,
    has_proxy: bool,
    /// By origin.
    turns: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// One request and what came of it.
#[derive(Debug)]
pub struct Attempt {
    /// When it was sent: a token's life counts from here.
    pub sent_at: Timestamp,
    /// What the answer means.
    pub verdict: Verdict,
}

/// Why there is no answer.
enum Silence {
    TimedOut,
    TooLarge,
    Failed(reqwest::Error),
}

impl HttpClient {
    /// A client. It reads the files with certificate authorities.
    pub fn new(transport: &Transport) -> Result<Self, InvalidTransport> {
        let timeout = transport.request_timeout();
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(transport)?)
            .http1_only()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(timeout.min(LONGEST_CONNECT))
            // A request on a connection that the server is closing would be a failed attempt, and
            // refreshes are too far apart to gain from kept ones. TLS sessions are resumed anyway.
            .pool_max_idle_per_host(0)
            // The environment is the facade's to read.
            .no_proxy();
        if let Some(proxy) = transport.proxy()? {
            builder = builder.proxy(proxy);
        }
        let client =
            builder.build().map_err(|_| InvalidTransport::new("tls", "cannot be used together"))?;
        let (proxy_traces, has_proxy) = (transport.proxy_traces(), transport.proxy.is_some());
        Ok(Self { client, timeout, proxy_traces, has_proxy, turns: Mutex::default() })
    }

    /// One attempt, never more. Dropping the future gives it up.
    ///
    /// `issued` are earlier tokens, which no failure repeats.
    pub async fn fetch(
        &self,
        endpoint: &Endpoint,
        credential: &Credential,
        issued: &[Secret],
        clock: &dyn Clock,
    ) -> Attempt {
        let turns = self.turns(endpoint);
        let _turn = turns.acquire().await;
        let sent_at = clock.now();
        let answer = tokio::select! {
            answer = self.exchange(endpoint, credential) => answer,
            () = clock.sleep_until(sent_at + self.timeout) => Err(Silence::TimedOut),
        };
        let verdict = match answer {
            Ok(answer) => {
                let now = clock.now();
                let secrets: Vec<_> = issued.iter().chain(&self.proxy_traces).cloned().collect();
                match judge(&answer, endpoint, credential, &secrets, clock.utc_millis(now)) {
                    // The process was suspended meanwhile; the next token comes in time.
                    Verdict::Accepted(grant)
                        if now.since(sent_at) >= grant.lifetime.max(self.timeout) =>
                    {
                        Verdict::Transient(self.failure(endpoint, &Silence::TimedOut))
                    }
                    verdict => verdict,
                }
            }
            Err(silence) => Verdict::Transient(self.failure(endpoint, &silence)),
        };
        Attempt { sent_at, verdict }
    }

    /// Tries a token at a resource (RFC 6750 §2.1).
    pub async fn verify(&self, url: &Url, token: &Secret, clock: &dyn Clock) -> Verify {
        let request = self.client.get(url.clone()).bearer_auth(token.expose()).send();
        let answer = tokio::select! {
            answer = request => answer.ok(),
            () = clock.sleep_until(clock.now() + self.timeout) => None,
        };
        match answer.map(|answer| answer.status().as_u16()) {
            Some(200..=299) => Verify::Passed,
            Some(401 | 403) => Verify::Refused,
            Some(_) | None => Verify::Failed,
        }
    }

    fn turns(&self, endpoint: &Endpoint) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = endpoint.token_url.origin().ascii_serialization();
        Arc::clone(turns.entry(origin).or_insert_with(|| Arc::new(Semaphore::new(CONCURRENCY))))
    }

    async fn exchange(
        &self,
        endpoint: &Endpoint,
        credential: &Credential,
    ) -> Result<Answer, Silence> {
        let request = TokenRequest::new(endpoint, credential);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &request.authorization
            && let Ok(mut value) = HeaderValue::from_str(authorization.expose())
        {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut response = self
            .client
            .post(endpoint.token_url.clone())
            .headers(headers)
            .body(request.body.expose().to_owned())
            .send()
            .await
            .map_err(Silence::Failed)?;
        let text = |name| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let (status, retry_after, date) =
            (response.status().as_u16(), text(RETRY_AFTER), text(DATE));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Silence::Failed)? {
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(Silence::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after, date, body: Body(body) })
    }

    fn failure(&self, endpoint: &Endpoint, silence: &Silence) -> Failure {
        let story = match silence {
            Silence::TimedOut => {
                format!("did not answer within requestTimeoutMs ({} ms)", self.timeout.as_millis())
            }
            Silence::TooLarge => "answered with more than 1 MiB".to_owned(),
            // The one that could not be connected to may be the proxy: the error does not tell.
            Silence::Failed(error) if self.has_proxy && error.is_connect() => {
                format!("{}, or its proxy is not well", explain(error))
            }
            Silence::Failed(error) => explain(error),
        };
        let message =
            format!("The token endpoint {} {story}; it is asked again.", address(endpoint));
        Failure::new(Code::Endpoint, message)
    }
}

fn tls(transport: &Transport) -> Result<ClientConfig, InvalidTransport> {
    let mut roots = RootCertStore::empty();
    // Some machines keep authorities that rustls does not take; the others still serve.
    let (added, _) = roots.add_parsable_certificates(roots::load(transport)?);
    if added == 0 {
        return Err(InvalidTransport::new("tls.ca", "holds no usable certificate authority"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| InvalidTransport::new("tls", error.to_string()))?
        .with_root_certificates(roots);
    match transport.identity()? {
        None => Ok(config.with_no_client_auth()),
        Some((chain, key)) => config.with_client_auth_cert(chain, key).map_err(|_| {
            InvalidTransport::new("tls.key", "does not belong to the certificate in tls.cert")
        }),
    }
}

/// Says in plain words what a transport error is, without the URL that it may quote.
fn explain(error: &reqwest::Error) -> String {
    if let Some(tls) = chain(error).find_map(|error| error.downcast_ref::<rustls::Error>()) {
        // An alert is the endpoint's judgement, and mostly about the client's certificate.
        let advice = match tls {
            rustls::Error::AlertReceived(_) => "tls.cert and tls.key",
            _ => "tls.ca",
        };
        return format!("could not be trusted or spoken to over TLS ({tls}); check {advice}");
    }
    if error.is_timeout() {
        return "could not be connected to in time".to_owned();
    }
    let says = |text| chain(error).any(|error| error.to_string().contains(text));
    if says("dns error") {
        return "has a host name that cannot be resolved".to_owned();
    }
    if says("tunnel") {
        return "cannot be reached through the proxy".to_owned();
    }
    let io = chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).last();
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => "refuses connections".to_owned(),
        Some(kind) if error.is_connect() => format!("cannot be connected to ({kind})"),
        Some(kind) => format!("broke the connection off ({kind})"),
        None if error.is_connect() => "cannot be connected to".to_owned(),
        None => "broke the connection off or does not speak HTTP".to_owned(),
    }
}

/// An error and what stands behind it.
///
/// An I/O error hides what it wraps: its source is that error's source. TLS errors come wrapped
/// twice.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error: &&'a (dyn Error + 'static)| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}
