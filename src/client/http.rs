//! Sends one token request over HTTP/1.1 and waits for the whole answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, redirect, retry};
use tokio::sync::Semaphore;
use url::Url;

use super::no_proxy::NoProxy;
use super::request::TokenRequest;
use super::resolver::Resolver;
use super::response::{Body, Headers, LARGEST_BODY, TokenResponse, address, judge};
use super::tls;
use super::transport::{InvalidTransport, Transport, sensitive};
use super::trouble::{Trouble, Way};
use crate::clock::{Clock, Timestamp};
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::provider::Endpoint;
use crate::redaction::{Known, presentable};
use crate::secret::Secret;
use crate::verdict::{Verdict, Verify};

/// How many requests to one origin run at once. Further ones wait, however many managers there are.
const CONCURRENCY: usize = 8;

const LONGEST_CONNECT: Duration = Duration::from_secs(5);

/// At least as many headers as Node accepts. Node stops at 16 KiB, and the shortest header has four
/// bytes.
const MOST_HEADERS: usize = 4096;

/// Sends requests with the options of one [`Transport`].
///
/// Each request has its own connection. On a kept connection that the server is closing, a request
/// would fail, and refreshes are too far apart to gain from keeping one. TLS sessions are resumed
/// anyway.
#[derive(Debug)]
pub struct HttpClient {
    direct: Client,
    /// Which hosts are reached without the proxy, and the client that sends everything through it.
    proxied: Option<(NoProxy, Client)>,
    timeout: Duration,
    /// What was wrong with the certificates that the environment names.
    complaints: Vec<String>,
    /// One semaphore for each origin.
    turns: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// One request and its outcome.
#[derive(Debug)]
pub struct Attempt {
    /// When the request was sent. A token's lifetime counts from here.
    pub sent_at: Timestamp,
    /// What the answer means.
    pub verdict: Verdict,
}

impl HttpClient {
    /// Builds a client. This reads the files with certificate authorities.
    pub fn new(transport: &Transport) -> Result<Self, InvalidTransport> {
        let timeout = transport.request_timeout();
        let user_agent = HeaderValue::from_str(&transport.user_agent)
            .map_err(|_| InvalidTransport::new("userAgent", "cannot stand in a header"))?;
        let (tls, complaints) = tls::configure(transport)?;
        let builder = || {
            builder(timeout).user_agent(user_agent.clone()).tls_backend_preconfigured(tls.clone())
        };
        let build = |builder: ClientBuilder| {
            builder.build().map_err(|_| InvalidTransport::new("tls", "cannot be used together"))
        };
        let proxied = match transport.proxy()? {
            None => None,
            Some(proxy) => {
                let client = build(builder().proxy(proxy.for_everything()?))?;
                Some((proxy.exempt, client))
            }
        };
        Ok(Self {
            direct: build(builder())?,
            proxied,
            timeout,
            complaints,
            turns: Mutex::default(),
        })
    }

    /// Makes one attempt, never more. Dropping the future cancels it.
    ///
    /// No failure repeats the client secret or a `known` secret.
    pub async fn fetch(
        &self,
        endpoint: &Endpoint,
        credential: &Credential,
        known: &(dyn Known + Sync),
        clock: &dyn Clock,
    ) -> Attempt {
        let turns = self.turns(endpoint);
        let _turn = turns.acquire().await;
        let sent_at = clock.now();
        // The part of the answer that has arrived, even if the rest never does.
        let mut came = TokenResponse::default();
        let ended = tokio::select! {
            ended = self.exchange(endpoint, credential, &mut came) => ended,
            () = clock.sleep_until(sent_at + self.timeout) => Err(Trouble::TimedOut),
        };
        let verdict = match ended {
            // A complete JSON object counts, however the connection ended after it.
            Err(trouble) if matches!(trouble, Trouble::TooLarge) || !came.is_whole() => {
                Verdict::Transient(self.failure(endpoint, &trouble, known))
            }
            Ok(()) | Err(_) => {
                let now = clock.now();
                match judge(&came, endpoint, credential, known, clock.utc_millis(now)) {
                    // The process was suspended meanwhile, so the token is too old. The next
                    // attempt gets a fresh one.
                    Verdict::Accepted(grant)
                        if now.since(sent_at) >= grant.lifetime.max(self.timeout) =>
                    {
                        Verdict::Transient(self.failure(endpoint, &Trouble::TimedOut, known))
                    }
                    verdict => verdict,
                }
            }
        };
        Attempt { sent_at, verdict }
    }

    /// Tries a token at a resource (RFC 6750 §2.1).
    pub async fn verify(&self, url: &Url, token: &Secret, clock: &dyn Clock) -> Verify {
        let bearer = Secret::new(format!("Bearer {}", token.expose()));
        let (client, way) = self.client(url);
        let request = client.get(url.clone()).header(AUTHORIZATION, sensitive(&bearer));
        let answer = tokio::select! {
            answer = send(request, way) => answer.ok(),
            () = clock.sleep_until(clock.now() + self.timeout) => None,
        };
        match answer.map(|answer| answer.status().as_u16()) {
            Some(200..=299) => Verify::Passed,
            Some(401 | 403) => Verify::Refused,
            Some(_) | None => Verify::Failed,
        }
    }

    /// Returns the client for a URL. reqwest's own `NO_PROXY` rules differ, and could send a secret
    /// to the proxy by mistake.
    fn client(&self, url: &Url) -> (&Client, Way) {
        let proxied = self.proxied.as_ref().filter(|(exempt, _)| !exempt.exempts(url));
        match proxied {
            Some((_, client)) if url.scheme() == "https" => (client, Way::Tunnel),
            Some((_, client)) => (client, Way::Forward),
            None => (&self.direct, Way::Direct),
        }
    }

    fn turns(&self, endpoint: &Endpoint) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = endpoint.token_url.origin().ascii_serialization();
        Arc::clone(turns.entry(origin).or_insert_with(|| Arc::new(Semaphore::new(CONCURRENCY))))
    }

    /// Asks for a token, and stores what arrives in `came`.
    async fn exchange(
        &self,
        endpoint: &Endpoint,
        credential: &Credential,
        came: &mut TokenResponse,
    ) -> Result<(), Trouble> {
        let request = TokenRequest::new(endpoint, credential);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.extend(request.authorization.as_ref().map(|it| (AUTHORIZATION, sensitive(it))));
        let (client, way) = self.client(&endpoint.token_url);
        let request = client
            .post(endpoint.token_url.clone())
            .headers(headers)
            .body(request.body.expose().to_owned());
        let mut answer = send(request, way).await?;
        *came = TokenResponse {
            status: answer.status().as_u16(),
            headers: Headers::pick(|name| answer.headers().get(name).map(HeaderValue::as_bytes)),
            body: Body::default(),
        };
        let Body(body) = &mut came.body;
        while let Some(chunk) = answer.chunk().await.map_err(|error| Trouble::of(&error, way))? {
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(Trouble::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(())
    }

    fn failure(&self, endpoint: &Endpoint, trouble: &Trouble, known: &dyn Known) -> Failure {
        let present = |text: &str| presentable(text, &[known]);
        let story = trouble.story(self.timeout.as_millis(), &self.complaints, &present);
        let message =
            format!("The token endpoint {} {story}; it is asked again.", address(endpoint));
        Failure::new(Code::Endpoint, message)
    }
}

/// A client that does nothing on its own: no redirects, no retries, no pool.
fn builder(timeout: Duration) -> ClientBuilder {
    Client::builder()
        .http1_only()
        .http1_max_headers(MOST_HEADERS)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .connect_timeout(timeout.min(LONGEST_CONNECT))
        .pool_max_idle_per_host(0)
        .dns_resolver(Resolver)
        // Only the facade reads the environment.
        .no_proxy()
}

/// Sends a request and waits for the head of the answer.
async fn send(request: RequestBuilder, way: Way) -> Result<Response, Trouble> {
    tls::noting(async { request.send().await.map_err(|error| Trouble::of(&error, way)) }).await
}
