//! A server, and how connections to it are opened.

use std::io;
use std::path::PathBuf;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisResult};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// Where a server listens.
#[derive(Debug, Clone)]
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

/// A server, and as whom to use it.
#[derive(Clone)]
pub struct Server {
    /// Where it listens.
    pub address: Address,
    /// The user, the password and the number of the database.
    pub login: RedisConnectionInfo,
}

/// A connection, whatever it goes over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Server {
    /// A connection for operations. Its clones share it.
    pub(super) async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        // Whoever runs a command has a deadline of its own.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let stream = self.stream().await?;
        let (connection, served) =
            MultiplexedConnection::new_with_config(&self.login, stream, config).await?;
        tokio::spawn(served);
        Ok(connection)
    }

    /// A connection for subscriptions.
    pub(super) async fn listen(&self) -> RedisResult<PubSub> {
        PubSub::new(&self.login, self.stream().await?).await
    }

    async fn stream(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.address {
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        })
    }
}
