//! Where a server listens, and how a stream to it is opened.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

use super::patience::{self, within};
use crate::clock::Clock;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// On a port.
    Tcp {
        /// Its name or address.
        host: String,
        /// Its port.
        port: u16,
    },
    /// On a socket of this machine.
    Unix(PathBuf),
}

/// A connection, whatever it goes over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Address {
    /// Opens a stream. Of several addresses of a name each is tried, so long and no longer.
    pub(super) async fn open(&self, clock: &dyn Clock) -> io::Result<Box<dyn Stream>> {
        let (host, port) = match self {
            Self::Unix(path) => return open_socket(path).await,
            Self::Tcp { host, port } => (host.as_str(), *port),
        };
        let mut outcome = Err(io::ErrorKind::NotFound.into());
        for address in lookup_host((host, port)).await? {
            let connected = within(clock, patience::CONNECTING, TcpStream::connect(address)).await;
            outcome = connected.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
            if outcome.is_ok() {
                break;
            }
        }
        let stream = outcome?;
        stream.set_nodelay(true)?;
        // A peer that is gone is noticed although nothing is sent to it.
        sockopt::set_socket_keepalive(&stream, true)?;
        #[cfg(target_os = "linux")]
        {
            sockopt::set_tcp_keepidle(&stream, patience::SILENCE)?;
            let millis = patience::SILENCE.as_millis().try_into().unwrap_or(u32::MAX);
            sockopt::set_tcp_user_timeout(&stream, millis)?;
        }
        Ok(Box::new(stream))
    }
}

#[cfg(unix)]
async fn open_socket(path: &Path) -> io::Result<Box<dyn Stream>> {
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn open_socket(_: &Path) -> io::Result<Box<dyn Stream>> {
    Err(io::ErrorKind::Unsupported.into())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}
