//! Decides whether an endpoint's certificate is trusted.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::time::Time;

/// Trusts certificates that a trusted authority issued, and certificates that the user gave to be
/// trusted directly.
///
/// `openssl req -x509` makes a certificate for an endpoint that also calls itself an authority. RFC
/// 5280 §4.2.1.9 forbids that. Node accepts it, and so does this verifier, if the certificate is
/// byte for byte one that was given, and its name and dates are right.
#[derive(Debug)]
pub(super) struct Trust {
    authorities: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl Trust {
    pub(super) fn new(
        authorities: Arc<WebPkiServerVerifier>,
        given: Vec<CertificateDer<'static>>,
    ) -> Self {
        Self { authorities, given }
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        if verified.is_err() && self.given.iter().any(|given| given == end_entity) {
            verify_given(end_entity, server_name, now)?;
            return Ok(ServerCertVerified::assertion());
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// Checks the name and the dates of a certificate that is trusted without an issuer.
fn verify_given(
    der: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), Error> {
    let certificate = Certificate::from_der(der)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let validity = certificate.tbs_certificate().validity();
    let instant = |time: Time| UnixTime::since_unix_epoch(time.to_unix_duration());
    let (not_before, not_after) = (instant(validity.not_before), instant(validity.not_after));
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    if is_commonly_named(&certificate, server_name) {
        return Ok(());
    }
    verify_server_name(&ParsedCertificate::try_from(der)?, server_name)
}

/// Whether a certificate has no alternative names, and exactly this host as its common name.
fn is_commonly_named(certificate: &Certificate, server_name: &ServerName<'_>) -> bool {
    let certificate = certificate.tbs_certificate();
    let ServerName::DnsName(host) = server_name else { return false };
    let has_alternatives = !matches!(certificate.get_extension::<SubjectAltName>(), Ok(None));
    let common_name = certificate.subject().common_name().ok().flatten();
    !has_alternatives
        && common_name.is_some_and(|name| name.value().eq_ignore_ascii_case(host.as_ref()))
}
