//! How TLS is spoken: with which certificates, and whom it trusts.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::roots;
use super::transport::{InvalidTransport, Transport};
use super::trust::Trust;

/// The configuration for endpoints, and what was wrong with the certificates that the environment names.
pub(super) fn configure(
    transport: &Transport,
) -> Result<(ClientConfig, Vec<String>), InvalidTransport> {
    let found = roots::load(transport)?;
    let mut store = RootCertStore::empty();
    // Some machines keep authorities that rustls does not take; the others still serve.
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
    // An endpoint that speaks nothing but HTTP/2 says so, instead of hanging up.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((config, found.complaints))
}
