//! Opens a connection to an endpoint: over TCP, through a proxy where there is one, with TLS.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_util::io::InspectReader;
use tower_service::Service;
use url::{Host, Url};

use super::transport::Proxy;
use super::trouble::{Heard, Trouble};
use crate::secret::Secret;

/// As many as Node takes at the least: it stops at 16 KiB, of which the shortest header has four bytes.
pub(super) const MOST_HEADERS: usize = 4096;

/// Bytes in both directions.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection to an endpoint, or to a proxy that passes requests on.
pub(super) struct Connection {
    pub(super) stream: Box<dyn Io>,
    /// The proxy that the requests on it are for.
    pub(super) through: Option<Arc<Proxy>>,
}

/// Opens connections in one way.
pub(super) struct Connector {
    tcp: HttpConnector,
    tls: Arc<ClientConfig>,
    /// The same without a word about HTTP: proxies of old know none.
    proxy_tls: Arc<ClientConfig>,
    proxy: Option<Arc<Proxy>>,
    user_agent: HeaderValue,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl Connector {
    pub(super) fn new(
        tls: ClientConfig,
        proxy: Option<Proxy>,
        user_agent: HeaderValue,
        connect_timeout: Duration,
    ) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        // Shared among the addresses of a host, so that one which does not answer leaves time for the next.
        tcp.set_connect_timeout(Some(connect_timeout));
        let mut proxy_tls = tls.clone();
        proxy_tls.alpn_protocols.clear();
        let (tls, proxy_tls) = (Arc::new(tls), Arc::new(proxy_tls));
        Self { tcp, tls, proxy_tls, proxy: proxy.map(Arc::new), user_agent }
    }

    /// Opens a connection for a request to this address.
    pub(super) async fn open(&self, url: &Url) -> Result<Connection, Trouble> {
        let is_secure = url.scheme() == "https";
        let proxy = self.proxy.as_ref().filter(|proxy| !proxy.exempt.exempts(url));
        let Some(proxy) = proxy else {
            let stream = self.tcp(url).await?;
            let stream = if is_secure { secure(stream, url, &self.tls).await? } else { stream };
            return Ok(Connection { stream, through: None });
        };
        let stream = self.reach(proxy).await.map_err(Trouble::of_proxy)?;
        if !is_secure {
            return Ok(Connection { stream, through: Some(Arc::clone(proxy)) });
        }
        let stream = self.tunnel(stream, proxy, url).await.map_err(Trouble::of_proxy)?;
        Ok(Connection { stream: secure(stream, url, &self.tls).await?, through: None })
    }

    async fn reach(&self, proxy: &Proxy) -> Result<Box<dyn Io>, Trouble> {
        let stream = self.tcp(&proxy.url).await?;
        match proxy.url.scheme() {
            "https" => secure(stream, &proxy.url, &self.proxy_tls).await,
            _ => Ok(stream),
        }
    }

    async fn tcp(&self, url: &Url) -> Result<Box<dyn Io>, Trouble> {
        let address = format!("http://{}/", authority(url)).parse::<Uri>();
        let address = address.map_err(|_| Trouble::Unresolved)?;
        let stream = self.tcp.clone().call(address).await;
        let stream = stream.map_err(|error| Trouble::connecting(&error))?;
        Ok(Box::new(stream.into_inner()))
    }

    /// Has a proxy connect to an endpoint (RFC 9110 §9.3.6).
    async fn tunnel(
        &self,
        stream: Box<dyn Io>,
        proxy: &Proxy,
        url: &Url,
    ) -> Result<Box<dyn Io>, Trouble> {
        let heard = Heard::default();
        let broken = |error: hyper::Error| Trouble::exchanging(&error, &heard);
        let (mut sender, connection) = http1::Builder::new()
            .max_headers(MOST_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        tokio::spawn(connection.with_upgrades());
        let target = authority(url);
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = target.parse().map_err(|_| Trouble::Unresolved)?;
        let headers = request.headers_mut();
        headers.extend(HeaderValue::try_from(target).ok().map(|host| (HOST, host)));
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers.extend(proxy.authorization.as_ref().map(|it| (PROXY_AUTHORIZATION, sensitive(it))));
        let answer = sender.send_request(request).await.map_err(broken)?;
        match answer.status().as_u16() {
            200..300 => {
                let stream = hyper::upgrade::on(answer).await.map_err(broken)?;
                Ok(Box::new(TokioIo::new(stream)))
            }
            status => Err(Trouble::Refused(status)),
        }
    }
}

/// Speaks TLS on a connection.
async fn secure(
    stream: Box<dyn Io>,
    url: &Url,
    config: &Arc<ClientConfig>,
) -> Result<Box<dyn Io>, Trouble> {
    let name = match url.host() {
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).ok(),
        Some(Host::Ipv4(address)) => Some(ServerName::from(std::net::IpAddr::V4(address))),
        Some(Host::Ipv6(address)) => Some(ServerName::from(std::net::IpAddr::V6(address))),
        None => None,
    };
    let name = name.ok_or(Trouble::Unresolved)?;
    let heard = Heard::default();
    let noting = heard.clone();
    let stream = InspectReader::new(stream, move |bytes: &[u8]| noting.note(bytes));
    let connecting = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
    let stream = connecting.map_err(|error| Trouble::handshaking(&error, &heard))?;
    Ok(Box::new(stream))
}

/// Host and port.
pub(super) fn authority(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(443);
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

/// A header that is not to be shown.
pub(super) fn sensitive(value: &Secret) -> HeaderValue {
    let mut value = HeaderValue::from_str(value.expose()).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}
