//! Messages for people about requests that got no answer.

use std::io;

use chrono::DateTime;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, InvalidMessage};

use super::trouble::{Trouble, Way};

/// The TLS versions that the client speaks.
const VERSIONS: &str = "TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20-Poly1305";

/// The algorithms that a certificate may be signed with.
const SIGNATURES: &str = "ECDSA with P-256 or P-384 and SHA-256 or SHA-384, RSA with SHA-256, SHA-384 or \
                          SHA-512, and Ed25519";

/// How many of a certificate's names a message lists.
const MOST_NAMES: usize = 5;

impl Trouble {
    /// Returns the rest of a sentence that begins with the endpoint. `complaints` are about the
    /// certificates that the environment names. `present` makes every text from the peer safe to
    /// show.
    pub(super) fn story(
        &self,
        timeout_millis: u128,
        complaints: &[String],
        present: &dyn Fn(&str) -> String,
    ) -> String {
        match self {
            Self::Unresolved => "has a host name that cannot be resolved".to_owned(),
            Self::Unconnected(io::ErrorKind::ConnectionRefused) => "refuses connections".to_owned(),
            Self::Late(Way::Tunnel) => "could not be reached through the proxy in time".to_owned(),
            Self::Late(_) => "could not be connected to in time".to_owned(),
            Self::Unconnected(kind) => format!("cannot be connected to ({kind})"),
            Self::Proxy(trouble) => {
                let story = trouble.story(timeout_millis, complaints, present);
                format!("cannot be reached through the proxy, which {story}")
            }
            Self::Unauthorized => {
                "asks for a user name and password, or for others than it got (407): give them in its URL"
                    .to_owned()
            }
            Self::Refused => {
                "does not allow it, or cannot reach it (it answered neither 200 nor 407; mostly 403 or 502)"
                    .to_owned()
            }
            Self::Handshake { error, has_been_asked } => {
                tls_story(error, *has_been_asked, complaints, present)
            }
            Self::Session(error) => tls_story(error, true, complaints, present),
            Self::OnlyHttp2 => {
                "speaks HTTP/2 only, and HTTP/1.1 is needed; let it, or what stands before it, speak \
                 HTTP/1.1"
                    .to_owned()
            }
            Self::Broken(Some(kind)) => format!("broke the connection off ({kind})"),
            Self::Broken(None) => {
                "broke the connection off, or does not speak HTTP/1.1 (perhaps HTTP/2 only, which is not \
                 supported)"
                    .to_owned()
            }
            Self::TooLarge => "answered with more than 1 MiB".to_owned(),
            Self::TimedOut => {
                format!("did not answer within requestTimeoutMs ({timeout_millis} ms)")
            }
        }
    }
}

fn tls_story(
    error: &rustls::Error,
    has_been_asked: bool,
    complaints: &[String],
    present: &dyn Fn(&str) -> String,
) -> String {
    use rustls::Error as Tls;
    match error {
        Tls::AlertReceived(alert) => alert_story(*alert, has_been_asked),
        Tls::PeerIncompatible(_) => nothing_in_common(&error.to_string()),
        Tls::InvalidCertificate(
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        ) => format!(
            "could not be trusted over TLS: its certificate, or one above it, is signed with an algorithm \
             that is not supported; supported are {SIGNATURES}"
        ),
        Tls::InvalidCertificate(certificate) => {
            let complaints: Vec<_> = complaints.iter().map(|it| format!(". {it}")).collect();
            // An error of another crate can only be recognised by its text.
            let is_own_authority = matches!(certificate, CertificateError::Other(_))
                && error.to_string().contains("CaUsedAsEndEntity");
            let (reason, hint) = if is_own_authority {
                let hint = ": where it vouches for itself, give exactly this one";
                ("its certificate is that of an authority".to_owned(), hint)
            } else {
                (certificate_story(certificate, present), "")
            };
            let complaints = complaints.concat();
            format!(
                "could not be trusted or spoken to over TLS ({reason}); check tls.ca{hint}{complaints}"
            )
        }
        Tls::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "could not be spoken to over TLS: what it speaks at this port is something else, mostly plain HTTP; \
             check tokenUrl"
                .to_owned()
        }
        _ => {
            let error = present(&error.to_string());
            format!("could not be trusted or spoken to over TLS ({error})")
        }
    }
}

/// Says what is wrong with a certificate. Its names come from the peer, so they pass through
/// `present`.
fn certificate_story(error: &CertificateError, present: &dyn Fn(&str) -> String) -> String {
    use CertificateError as Certificate;
    let date = |at: &UnixTime| {
        let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
        DateTime::from_timestamp(seconds, 0)
            .map_or_else(|| "another age".to_owned(), |at| format!("{at:?}"))
    };
    match error {
        Certificate::UnknownIssuer => {
            "UnknownIssuer: no authority that is trusted has issued its certificate".to_owned()
        }
        Certificate::ExpiredContext { not_after, .. } => {
            format!("its certificate expired at {}", date(not_after))
        }
        Certificate::NotValidYetContext { not_before, .. } => {
            format!("its certificate is not valid yet: it is from {} on", date(not_before))
        }
        Certificate::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().take(MOST_NAMES).map(String::as_str).collect();
            let names = match (names.as_slice(), presented.len().saturating_sub(MOST_NAMES)) {
                ([], _) => "for no name".to_owned(),
                (names, 0) => format!("only for {}", present(&names.join(", "))),
                (names, more) => {
                    format!("only for {} and {more} more", present(&names.join(", ")))
                }
            };
            format!("its certificate is not valid for name {}, {names}", expected.to_str())
        }
        Certificate::Revoked => "its certificate has been revoked".to_owned(),
        Certificate::BadEncoding => "its certificate is damaged".to_owned(),
        Certificate::BadSignature => {
            "the signature of its certificate, or of one above it, is wrong".to_owned()
        }
        _ => present(&error.to_string()),
    }
}

/// Says what an alert from the endpoint means (RFC 8446 §6).
fn alert_story(alert: AlertDescription, has_been_asked: bool) -> String {
    use AlertDescription as Alert;
    let said = format!("received fatal alert: {alert:?}");
    let is_about_certificate = matches!(
        alert,
        Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::CertificateRequired
    );
    match alert {
        _ if is_about_certificate => {
            format!("could not be spoken to over TLS ({said}); check tls.cert and tls.key")
        }
        Alert::HandshakeFailure | Alert::InsufficientSecurity | Alert::ProtocolVersion
            if !has_been_asked =>
        {
            nothing_in_common(&said)
        }
        // OpenSSL sends this over TLS 1.2 if it gets no certificate from the client.
        Alert::HandshakeFailure => {
            format!("could not be spoken to over TLS ({said}); check tls.cert and tls.key")
        }
        Alert::UnrecognisedName => {
            format!(
                "could not be spoken to over TLS ({said}): it does not know its name; check tokenUrl"
            )
        }
        _ => format!("could not be spoken to over TLS ({said})"),
    }
}

fn nothing_in_common(said: &str) -> String {
    format!(
        "has no cipher suite in common with this client ({said}); it needs {VERSIONS}, and a certificate for one \
         of {SIGNATURES}"
    )
}
