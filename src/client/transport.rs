//! The options that say how an endpoint is reached: certificates, proxy, timeout.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::HeaderValue;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::no_proxy::NoProxy;
use super::request::basic;
use crate::secret::Secret;

/// How an endpoint is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transport {
    /// PEM texts of the certificate authorities to trust instead of the system's.
    #[serde(default)]
    pub ca: Vec<String>,
    /// The client's certificate chain, as PEM.
    #[serde(default)]
    pub cert: Option<String>,
    /// The key of the client's certificate, as PEM.
    #[serde(default)]
    pub key: Option<Secret>,
    /// The proxy's URL; it may hold a password.
    #[serde(default)]
    pub proxy: Option<Secret>,
    /// Hosts that are reached without the proxy, in the form of `NO_PROXY`.
    #[serde(default)]
    pub no_proxy: Option<String>,
    /// A file with the system's certificate authorities, instead of the usual one.
    #[serde(default)]
    pub root_file: Option<PathBuf>,
    /// Directories with the system's certificate authorities, instead of the usual ones.
    #[serde(default)]
    pub root_dirs: Vec<PathBuf>,
    /// A file with certificate authorities to trust in addition.
    #[serde(default)]
    pub extra_root_file: Option<PathBuf>,
    /// The `User-Agent` of every request (RFC 9110 §10.1.5).
    #[serde(default = "Transport::default_user_agent")]
    pub user_agent: String,
    /// How long one attempt may take, including connecting.
    #[serde(default = "Transport::default_timeout")]
    pub request_timeout_ms: u64,
}

/// A proxy, and the hosts that are not reached through it.
#[derive(Debug)]
pub(super) struct Proxy {
    /// The proxy's address, without user name and password.
    url: Url,
    /// The `Proxy-Authorization` header of every request (RFC 9110 §11.7.2).
    authorization: Option<Secret>,
    /// Which hosts are reached directly.
    pub(super) exempt: NoProxy,
}

impl Proxy {
    /// Returns the proxy for reqwest, without its exceptions.
    ///
    /// If reqwest cannot read a proxy's URL, it connects directly. So it gets the user name and the
    /// password as a header, and only those parts of the URL that every HTTP library reads alike.
    pub(super) fn for_everything(&self) -> Result<reqwest::Proxy, InvalidTransport> {
        let unusable = || InvalidTransport::new("proxy", "is not the URL of an HTTP proxy");
        let proxy = reqwest::Proxy::all(self.url.clone()).map_err(|_| unusable())?;
        let Some(authorization) = &self.authorization else { return Ok(proxy) };
        Ok(proxy.custom_http_auth(sensitive(authorization)))
    }
}

/// Why a [`Transport`] cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTransport {
    /// The name of the option, as the user knows it.
    pub option: &'static str,
    /// What is wrong with the option. It does not repeat the value.
    pub problem: String,
}

impl fmt::Display for InvalidTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.option, self.problem)
    }
}

impl std::error::Error for InvalidTransport {}

impl InvalidTransport {
    pub(super) fn new(option: &'static str, problem: impl Into<String>) -> Self {
        Self { option, problem: problem.into() }
    }
}

impl Transport {
    fn default_timeout() -> u64 {
        10_000
    }

    fn default_user_agent() -> String {
        concat!("oauth-rotor/", env!("CARGO_PKG_VERSION")).to_owned()
    }

    /// How long one attempt may take.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// Checks everything that can be checked without I/O.
    pub fn validate(&self) -> Result<(), InvalidTransport> {
        self.authorities()?;
        self.identity()?;
        self.proxy()?;
        Ok(())
    }

    /// The certificate authorities of `tls.ca`; empty if there are none.
    pub(super) fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, InvalidTransport> {
        let mut authorities = Vec::new();
        for pem in &self.ca {
            let found = certificates(pem.as_bytes()).filter(|found| !found.is_empty());
            authorities.extend(found.ok_or_else(|| {
                InvalidTransport::new("tls.ca", "holds no certificate in PEM form")
            })?);
        }
        Ok(authorities)
    }

    /// The client's certificate chain with its key, if both are given.
    pub(super) fn identity(
        &self,
    ) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, InvalidTransport>
    {
        let (cert, key) = match (&self.cert, &self.key) {
            (None, None) => return Ok(None),
            (Some(cert), Some(key)) => (cert, key),
            (None, Some(_)) => {
                return Err(InvalidTransport::new("tls.cert", "is missing: tls.key is given"));
            }
            (Some(_), None) => {
                return Err(InvalidTransport::new("tls.key", "is missing: tls.cert is given"));
            }
        };
        let chain = certificates(cert.as_bytes())
            .filter(|chain| !chain.is_empty())
            .ok_or_else(|| InvalidTransport::new("tls.cert", "holds no certificate in PEM form"))?;
        let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
            .ok()
            .filter(|key| rustls::crypto::ring::sign::any_supported_type(key).is_ok())
            .ok_or_else(|| {
                InvalidTransport::new("tls.key", "holds no unencrypted private key in PEM form")
            })?;
        Ok(Some((chain, key)))
    }

    /// Returns the proxy's password. If there is none, returns the user name, which may be a key.
    pub(crate) fn proxy_password(&self) -> Option<Secret> {
        let url = Url::parse(self.proxy.as_ref()?.expose()).ok()?;
        let key = url.password().filter(|it| !it.is_empty()).unwrap_or(url.username());
        (!key.is_empty()).then(|| Secret::new(percent_decoded(key)))
    }

    /// The proxy, with the hosts that `NO_PROXY` exempts.
    pub(super) fn proxy(&self) -> Result<Option<Proxy>, InvalidTransport> {
        let Some(url) = &self.proxy else { return Ok(None) };
        let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let mut url = Url::parse(url.expose())
            .ok()
            .filter(is_http)
            .ok_or_else(|| InvalidTransport::new("proxy", "is not the URL of an HTTP proxy"))?;
        let [user, password] = [url.username(), url.password().unwrap_or_default()];
        let has_credentials = !user.is_empty() || url.password().is_some();
        let authorization =
            has_credentials.then(|| basic(&percent_decoded(user), &percent_decoded(password)));
        // Both fail only for URLs without a host.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        let exempt = NoProxy::parse(self.no_proxy.as_deref().unwrap_or_default());
        Ok(Some(Proxy { url, authorization, exempt }))
    }
}

/// A header value that `Debug` does not show.
pub(super) fn sensitive(value: &Secret) -> HeaderValue {
    let mut value = HeaderValue::from_str(value.expose()).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Decodes a part of a URL, where a plus stands for itself.
fn percent_decoded(text: &str) -> String {
    let form = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(form.as_bytes()).map(|(text, _)| text.into_owned()).collect()
}

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_proxy_is_sent_is_known() {
        let password = |url: &str| {
            let transport: Transport =
                serde_json::from_str(&format!(r#"{{"proxy":"http://{url}proxy.example"}}"#))
                    .unwrap();
            transport.proxy_password().map(|it| it.expose().to_owned())
        };
        assert_eq!(password("me:a%2Fb+%C3%A9&=@").as_deref(), Some("a/b+é&="));
        // A key instead of the user name.
        assert_eq!(password("k%2Fey@").as_deref(), Some("k/ey"));
        assert_eq!(password("k%2Fey:@").as_deref(), Some("k/ey"));
        assert_eq!(password(""), None);
    }
}
