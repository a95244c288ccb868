//! Why there is no answer, and what people are told about it.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::{AlertDescription, CertificateError};

/// What is spoken, and what a certificate may be signed with.
const VERSIONS: &str = "TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20-Poly1305";
const SIGNATURES: &str = "ECDSA with P-256 or P-384 and SHA-256 or SHA-384, RSA with SHA-256, SHA-384 or \
                          SHA-512, and Ed25519";

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The host has no address.
    Unresolved,
    /// No connection, or none in time.
    Unconnected(io::ErrorKind),
    /// The same, or what follows, with the proxy in the endpoint's place.
    Proxy(Box<Trouble>),
    /// The proxy does not let the request through: with this status.
    Refused(u16),
    /// TLS failed; and what had been heard then.
    Tls(rustls::Error, Heard),
    /// The peer speaks HTTP/2, and nothing older.
    OnlyHttp2,
    /// The connection ended, or what came is no HTTP.
    Broken(Option<io::ErrorKind>),
    /// There is an answer, and it has no end.
    TooLarge,
    /// The whole time of an attempt has passed.
    TimedOut,
}

/// The first bytes that a peer sent: they tell protocols apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    const KEPT: usize = 9;

    pub(super) fn note(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = Self::KEPT - kept.len();
        kept.extend(bytes.iter().take(missing));
    }

    fn begins_with(&self, is_it: impl Fn(&[u8]) -> bool) -> bool {
        is_it(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A frame of the kinds SETTINGS or GOAWAY on stream 0 (RFC 9113 §3.4, §4.1).
    pub(super) fn is_http2(&self) -> bool {
        self.begins_with(|bytes| matches!(bytes, [0, 0, _, 4 | 7, _, 0, 0, 0, 0]))
    }

    fn is_http(&self) -> bool {
        self.begins_with(|bytes| bytes.starts_with(b"HTTP/"))
    }

    /// A record of TLS that is an alert (RFC 8446 §5.1): nothing else was agreed upon before.
    fn is_alert(&self) -> bool {
        self.begins_with(|bytes| bytes.first() == Some(&21))
    }
}

impl Trouble {
    pub(super) fn of_proxy(self) -> Self {
        Self::Proxy(Box::new(self))
    }

    /// What a connector says.
    pub(super) fn connecting(error: &(dyn Error + 'static)) -> Self {
        // Its own type is private, and so is the one of a resolver's error.
        if chain(error).any(|error| error.to_string().contains("dns error")) {
            return Self::Unresolved;
        }
        Self::Unconnected(kind(error).unwrap_or(io::ErrorKind::Other))
    }

    /// What a handshake says, and what had been heard by then.
    pub(super) fn handshaking(error: &io::Error, heard: &Heard) -> Self {
        match chain(error).find_map(|error| error.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
                Self::OnlyHttp2
            }
            Some(tls) => Self::Tls(tls.clone(), heard.clone()),
            None => Self::Broken(Some(error.kind())),
        }
    }

    /// What the exchange of messages says.
    pub(super) fn exchanging(error: &hyper::Error, heard: &Heard) -> Self {
        if heard.is_http2() {
            return Self::OnlyHttp2;
        }
        // TLS may fail late: a server judges the client's certificate after its own handshake is done.
        match chain(error).find_map(|error| error.downcast_ref::<rustls::Error>()) {
            Some(tls) => Self::Tls(tls.clone(), Heard::default()),
            None => Self::Broken(kind(error)),
        }
    }

    /// The rest of a sentence about the endpoint. `complaints` are about the certificates that the environment
    /// names.
    pub(super) fn story(&self, timeout_millis: u128, complaints: &[String]) -> String {
        match self {
            Self::Unresolved => "has a host name that cannot be resolved".to_owned(),
            Self::Unconnected(io::ErrorKind::ConnectionRefused) => "refuses connections".to_owned(),
            Self::Unconnected(io::ErrorKind::TimedOut) => {
                "could not be connected to in time".to_owned()
            }
            Self::Unconnected(kind) => format!("cannot be connected to ({kind})"),
            Self::Proxy(trouble) => {
                let story = trouble.story(timeout_millis, complaints);
                format!("cannot be reached through the proxy, which {story}")
            }
            Self::Refused(407) => {
                "asks for a user name and password, or for others than it got (407): give them in its URL"
                    .to_owned()
            }
            Self::Refused(403) => "does not allow it (403)".to_owned(),
            Self::Refused(status) => format!("does not connect to it ({status})"),
            Self::Tls(error, heard) => tls_story(error, heard, complaints),
            Self::OnlyHttp2 => {
                "speaks HTTP/2 only, and HTTP/1.1 is needed; let it, or what stands before it, speak \
                 HTTP/1.1"
                    .to_owned()
            }
            Self::Broken(Some(kind)) => format!("broke the connection off ({kind})"),
            Self::Broken(None) => "broke the connection off or does not speak HTTP".to_owned(),
            Self::TooLarge => "answered with more than 1 MiB".to_owned(),
            Self::TimedOut => {
                format!("did not answer within requestTimeoutMs ({timeout_millis} ms)")
            }
        }
    }
}

fn tls_story(error: &rustls::Error, heard: &Heard, complaints: &[String]) -> String {
    use rustls::Error as Tls;
    match error {
        Tls::AlertReceived(alert) => alert_story(*alert, heard),
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
            // An error that is not rustls's own is known by its name only.
            let is_own_authority = matches!(certificate, CertificateError::Other(_))
                && error.to_string().contains("CaUsedAsEndEntity");
            let (reason, hint) = if is_own_authority {
                let hint = ": where it vouches for itself, give exactly this one";
                ("its certificate is that of an authority".to_owned(), hint)
            } else {
                (error.to_string(), "")
            };
            let complaints = complaints.concat();
            format!(
                "could not be trusted or spoken to over TLS ({reason}); check tls.ca{hint}{complaints}"
            )
        }
        _ if heard.is_http() => {
            "could not be spoken to over TLS: it speaks plain HTTP at this port; check tokenUrl"
                .to_owned()
        }
        _ => format!("could not be trusted or spoken to over TLS ({error})"),
    }
}

/// An alert is the endpoint's judgement (RFC 8446 §6).
fn alert_story(alert: AlertDescription, heard: &Heard) -> String {
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
            if heard.is_alert() =>
        {
            nothing_in_common(&said)
        }
        // Everything was agreed upon: over TLS 1.2 that is how OpenSSL asks for a client's certificate.
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

fn kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let io = chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).last();
    io.map(io::Error::kind)
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
