//! Why a request got no answer.

use std::error::Error;
use std::io;

use rustls::AlertDescription;

use super::tls;

/// How a request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Directly to the endpoint.
    Direct,
    /// To a proxy, which passes it on.
    Forward,
    /// To the endpoint, through a tunnel that a proxy opens.
    Tunnel,
}

/// Why a request got no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The host name could not be resolved.
    Unresolved,
    /// No connection could be made.
    Unconnected(io::ErrorKind),
    /// No connection could be made in time.
    Late(Way),
    /// The proxy, not the endpoint, had this trouble.
    Proxy(Box<Trouble>),
    /// The proxy asks for credentials, with status 407.
    Unauthorized,
    /// The proxy does not let the request through, for another reason.
    Refused,
    /// TLS failed before there was a session.
    Handshake {
        error: rustls::Error,
        /// Whether the server asked for the client's certificate.
        has_been_asked: bool,
    },
    /// TLS failed after the handshake.
    Session(rustls::Error),
    /// The peer speaks only HTTP/2.
    OnlyHttp2,
    /// The connection ended, or what arrived is not HTTP.
    Broken(Option<io::ErrorKind>),
    /// The answer is larger than `LARGEST_BODY`.
    TooLarge,
    /// The timeout of the attempt has expired.
    TimedOut,
}

impl Trouble {
    /// Classifies an error of reqwest that occurred while sending a request or reading the answer.
    pub(super) fn of(error: &reqwest::Error, way: Way) -> Self {
        if let Some(trouble) = Self::of_tunnel(error) {
            return Self::Proxy(Box::new(trouble));
        }
        match way {
            _ if !error.is_connect() => Self::exchanging(error),
            Way::Forward => Self::Proxy(Box::new(Self::connecting(error))),
            // Either the proxy or the endpoint was late. The error does not tell which.
            Way::Tunnel if error.is_timeout() => Self::Late(way),
            Way::Direct | Way::Tunnel => Self::connecting(error),
        }
    }

    /// Why a proxy did not connect to the endpoint. The type of this error is private to
    /// hyper-util, so only its text can be read.
    fn of_tunnel(error: &reqwest::Error) -> Option<Self> {
        let mut texts = chain(error).map(ToString::to_string);
        let reason = texts.find_map(|it| Some(it.strip_prefix("tunnel error: ")?.to_owned()))?;
        Some(match reason.as_str() {
            "proxy authorization required" => Self::Unauthorized,
            "unsuccessful" => Self::Refused,
            "failed to create underlying connection" => Self::connecting(error),
            "unexpected end of file" => Self::Broken(Some(io::ErrorKind::UnexpectedEof)),
            _ => Self::exchanging(error),
        })
    }

    fn connecting(error: &reqwest::Error) -> Self {
        use io::ErrorKind as Kind;
        if error.is_dns() {
            return Self::Unresolved;
        }
        if error.is_timeout() {
            return Self::Late(Way::Direct);
        }
        match (tls_error(error), kind(error)) {
            (Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)), _) => {
                Self::OnlyHttp2
            }
            (Some(tls), _) => {
                Self::Handshake { error: tls.clone(), has_been_asked: tls::has_been_asked() }
            }
            // There was a connection, but no TLS on it yet.
            (
                None,
                Some(kind @ (Kind::UnexpectedEof | Kind::ConnectionReset | Kind::BrokenPipe)),
            ) => Self::Broken(Some(kind)),
            (None, kind) => Self::Unconnected(kind.unwrap_or(Kind::Other)),
        }
    }

    fn exchanging(error: &reqwest::Error) -> Self {
        // TLS may fail late: a server checks the client's certificate after its own part of the
        // handshake.
        match tls_error(error) {
            Some(tls) => Self::Session(tls.clone()),
            None => Self::Broken(kind(error)),
        }
    }
}

fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    chain(error).find_map(|error| error.downcast_ref())
}

fn kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let io = chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).last();
    io.map(io::Error::kind)
}

/// An error and all its causes.
///
/// An I/O error hides the error that it wraps: its `source` is the source of the wrapped error. TLS
/// errors are wrapped twice.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error: &&'a (dyn Error + 'static)| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}
