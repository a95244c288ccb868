//! Resolves host names. `localhost` is always this machine (RFC 6761 §6.3).

use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

/// The system's resolver, but `localhost` has no addresses of other machines.
///
/// Requests to `localhost` may be unencrypted without the user's permission. So an address of
/// another machine, from a hosts file or a search domain, is dropped.
#[derive(Debug)]
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses = lookup_host((name.as_str(), 0)).await?;
            let addresses = admitted(name.as_str(), addresses);
            if addresses.is_empty() {
                return Err(io::Error::from(io::ErrorKind::AddrNotAvailable).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn admitted(name: &str, addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let is_here = name.trim_end_matches('.').eq_ignore_ascii_case("localhost");
    addresses.filter(|it| !is_here || it.ip().to_canonical().is_loopback()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_nowhere_but_here() {
        let found = ["127.0.0.1:0", "[::1]:0", "127.8.8.8:0", "10.0.0.7:0", "[2001:db8::1]:0"];
        let found = found.map(|text| text.parse::<SocketAddr>().unwrap());
        for name in ["localhost", "LOCALHOST", "localhost."] {
            assert_eq!(admitted(name, found.into_iter()), found[..3], "{name}");
        }
        for name in ["idp.localhost", "localhost.example", "login.example.com"] {
            assert_eq!(admitted(name, found.into_iter()), found, "{name}");
        }
    }
}
