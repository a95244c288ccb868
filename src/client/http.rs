//! Sends one token request over HTTP/1.1 and waits for the whole answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue,
    PROXY_AUTHORIZATION, USER_AGENT,
};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;
use tokio_util::io::InspectReader;
use url::Url;

use super::connection::{Connection, Connector, MOST_HEADERS, sensitive};
use super::request::TokenRequest;
use super::response::{Answer, Body, Headers, LARGEST_BODY, address, judge};
use super::tls;
use super::transport::{InvalidTransport, Transport};
use super::trouble::{Heard, Trouble};
use crate::clock::{Clock, Timestamp};
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::provider::Endpoint;
use crate::rotation::Verify;
use crate::secret::Secret;
use crate::verdict::Verdict;

/// So many requests to one origin run at once; further ones wait, however many managers there are.
const CONCURRENCY: usize = 8;

const LONGEST_CONNECT: Duration = Duration::from_secs(5);

/// One way of reaching endpoints.
///
/// Each request has a connection of its own: one on a connection that the server is closing would be a failed
/// attempt, and refreshes are too far apart to gain from kept ones. TLS sessions are resumed anyway.
#[derive(Debug)]
pub struct HttpClient {
    connector: Connector,
    timeout: Duration,
    user_agent: HeaderValue,
    /// A proxy that answers in the endpoint's place must not have its own password shown.
    proxy_traces: Vec<Secret>,
    /// What was wrong with the certificates that the environment names.
    complaints: Vec<String>,
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

impl HttpClient {
    /// A client. It reads the files with certificate authorities.
    pub fn new(transport: &Transport) -> Result<Self, InvalidTransport> {
        let timeout = transport.request_timeout();
        let user_agent = HeaderValue::from_str(&transport.user_agent)
            .map_err(|_| InvalidTransport::new("userAgent", "cannot stand in a header"))?;
        let (tls, complaints) = tls::configure(transport)?;
        let connector = Connector::new(
            tls,
            transport.proxy()?,
            user_agent.clone(),
            timeout.min(LONGEST_CONNECT),
        );
        let proxy_traces = transport.proxy_traces();
        Ok(Self {
            connector,
            timeout,
            user_agent,
            proxy_traces,
            complaints,
            turns: Mutex::default(),
        })
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
        // What has come of the answer, also when the rest of it never does.
        let mut came = Answer::default();
        let ended = tokio::select! {
            ended = self.exchange(endpoint, credential, clock, &mut came) => ended,
            () = clock.sleep_until(sent_at + self.timeout) => Err(Trouble::TimedOut),
        };
        let verdict = match ended {
            // A whole object is an answer, however the connection ended behind it.
            Err(trouble) if matches!(trouble, Trouble::TooLarge) || !came.is_whole() => {
                Verdict::Transient(self.failure(endpoint, &trouble))
            }
            Ok(()) | Err(_) => {
                let now = clock.now();
                let secrets: Vec<_> = issued.iter().chain(&self.proxy_traces).cloned().collect();
                match judge(&came, endpoint, credential, &secrets, clock.utc_millis(now)) {
                    // The process was suspended meanwhile; the next token comes in time.
                    Verdict::Accepted(grant)
                        if now.since(sent_at) >= grant.lifetime.max(self.timeout) =>
                    {
                        Verdict::Transient(self.failure(endpoint, &Trouble::TimedOut))
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
        let headers = [(AUTHORIZATION, sensitive(&bearer))];
        let answer = tokio::select! {
            answer = self.send(Method::GET, url, headers, Bytes::new(), clock) => answer.ok(),
            () = clock.sleep_until(clock.now() + self.timeout) => None,
        };
        match answer.map(|(answer, _)| answer.status().as_u16()) {
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

    /// Asks for a token, and puts down what comes.
    async fn exchange(
        &self,
        endpoint: &Endpoint,
        credential: &Credential,
        clock: &dyn Clock,
        came: &mut Answer,
    ) -> Result<(), Trouble> {
        let request = TokenRequest::new(endpoint, credential);
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = [
            (CONTENT_TYPE, form),
            (ACCEPT, HeaderValue::from_static("application/json")),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        ];
        let authorization = request.authorization.as_ref();
        let headers =
            headers.into_iter().chain(authorization.map(|value| (AUTHORIZATION, sensitive(value))));
        let body = Bytes::from(request.body.expose().to_owned());
        let url = &endpoint.token_url;
        let (mut answer, heard) = self.send(Method::POST, url, headers, body, clock).await?;
        *came = Answer {
            status: answer.status().as_u16(),
            headers: Headers::pick(|name| answer.headers().get(name).map(HeaderValue::as_bytes)),
            body: Body::default(),
        };
        let Body(body) = &mut came.body;
        while let Some(frame) = answer.frame().await {
            let frame = frame.map_err(|error| Trouble::exchanging(&error, &heard))?;
            let Ok(chunk) = frame.into_data() else { continue };
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(Trouble::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(())
    }

    /// Sends a request on a connection of its own, and waits for the head of the answer.
    async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
        body: Bytes,
        clock: &dyn Clock,
    ) -> Result<(Response<Incoming>, Heard), Trouble> {
        let Connection { stream, through } = tokio::select! {
            opened = self.connector.open(url) => opened?,
            () = clock.sleep_until(clock.now() + self.timeout.min(LONGEST_CONNECT)) => {
                return Err(Trouble::Unconnected(std::io::ErrorKind::TimedOut));
            }
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        // A proxy is told the whole address (RFC 9112 §3.2.2).
        let target = match &through {
            Some(_) => &url[..url::Position::AfterQuery],
            None => &url[url::Position::BeforePath..url::Position::AfterQuery],
        };
        *request.uri_mut() = target.parse().map_err(|_| Trouble::Broken(None))?;
        let host = HeaderValue::from_str(&url[url::Position::BeforeHost..url::Position::AfterPort]);
        let all = request.headers_mut();
        all.extend(host.ok().map(|host| (HOST, host)));
        all.insert(USER_AGENT, self.user_agent.clone());
        all.extend(headers);
        let authorization = through.as_ref().and_then(|proxy| proxy.authorization.as_ref());
        all.extend(authorization.map(|value| (PROXY_AUTHORIZATION, sensitive(value))));

        let heard = Heard::default();
        let noting = heard.clone();
        let stream = InspectReader::new(stream, move |bytes: &[u8]| noting.note(bytes));
        let broken = |error: hyper::Error| Trouble::exchanging(&error, &heard);
        let (mut sender, connection) = http1::Builder::new()
            .max_headers(MOST_HEADERS)
            .allow_obsolete_multiline_headers_in_responses(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        // It ends with the answer, or when nobody waits for it any more.
        tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(broken)?;
        Ok((answer, heard))
    }

    fn failure(&self, endpoint: &Endpoint, trouble: &Trouble) -> Failure {
        let story = trouble.story(self.timeout.as_millis(), &self.complaints);
        let message =
            format!("The token endpoint {} {story}; it is asked again.", address(endpoint));
        Failure::new(Code::Endpoint, message)
    }
}
