//! Configures TLS: which certificate the client presents, and which authorities it trusts.

use std::cell::Cell;
use std::sync::Arc;

use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};

use super::roots;
use super::transport::{InvalidTransport, Transport};
use super::trust::Trust;

/// Builds the configuration. Also returns what was wrong with the certificates that the environment
/// names.
pub(super) fn configure(
    transport: &Transport,
) -> Result<(ClientConfig, Vec<String>), InvalidTransport> {
    let found = roots::load(transport)?;
    let mut store = RootCertStore::empty();
    // Some machines have authorities that rustls does not accept. The others still work.
    let (added, _) = store.add_parsable_certificates(found.authorities);
    if added == 0 {
        return Err(InvalidTransport::new("tls.ca", "holds no usable certificate authority"));
    }
    let provider = Arc::new(ring::default_provider());
    let invalid = |error: &dyn std::error::Error| InvalidTransport::new("tls", error.to_string());
    let authorities =
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
            .build()
            .map_err(|error| invalid(&error))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trust::new(authorities, found.given)));
    let mut config = match transport.identity()? {
        None => config.with_no_client_auth(),
        Some((chain, key)) => config.with_client_auth_cert(chain, key).map_err(|_| {
            InvalidTransport::new("tls.key", "does not belong to the certificate in tls.cert")
        })?,
    };
    config.client_auth_cert_resolver = Arc::new(Noting(config.client_auth_cert_resolver));
    // With this, an endpoint that speaks only HTTP/2 says so instead of hanging up.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((config, found.complaints))
}

tokio::task_local! {
    static HAS_BEEN_ASKED: Cell<bool>;
}

/// Sends a request so that [`has_been_asked`] knows about its connection.
///
/// One client makes many connections at once. The task that sends a request also makes its
/// connection, since no connection is kept for another request.
pub(super) async fn noting<T>(request: impl Future<Output = T>) -> T {
    HAS_BEEN_ASKED.scope(Cell::new(false), request).await
}

/// Whether the server has asked for the client's certificate during the current request.
pub(super) fn has_been_asked() -> bool {
    HAS_BEEN_ASKED.try_with(Cell::get).unwrap_or(false)
}

/// Notes that a server asks for the client's certificate. If the server then ends the handshake,
/// the ciphers are not the reason.
#[derive(Debug)]
struct Noting(Arc<dyn ResolvesClientCert>);

impl ResolvesClientCert for Noting {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        // Outside a request there is nowhere to note it, and nothing reads it.
        let _ = HAS_BEEN_ASKED.try_with(|it| it.set(true));
        self.0.resolve(root_hint_subjects, sigschemes)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.0.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.0.has_certs()
    }
}
