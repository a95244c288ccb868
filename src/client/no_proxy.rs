//! Reads `NO_PROXY`, the hosts that are reached without the proxy, as newer versions of curl do.

use std::net::IpAddr;

use url::{Host, Url};

/// The hosts that are reached without the proxy.
///
/// Entries are separated by commas or blanks. `*` matches every host. A name matches itself and its
/// subdomains, with or without `.` or `*.` before it and a dot after it. An address matches itself,
/// and `10.0.0.0/8` a network. An entry with a port (`host:port`, `[::1]:port`) matches only that
/// port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoProxy(Vec<NoProxyEntry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct NoProxyEntry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// A domain in lower case, without leading and trailing dots.
    Domain(String),
    /// All addresses that share this many leading bits with this one.
    Network(IpAddr, u32),
}

impl NoProxy {
    /// Reads the variable's value. An entry that cannot be read exempts nothing.
    pub fn parse(text: &str) -> Self {
        let entries = text.split(|char: char| char == ',' || char.is_whitespace());
        Self(entries.filter_map(NoProxyEntry::parse).collect())
    }

    /// Whether a URL's host is reached without the proxy. This machine always is, since no proxy
    /// could reach it.
    pub fn exempts(&self, url: &Url) -> bool {
        let Some(host) = url.host() else { return false };
        let (name, address) = match host {
            Host::Domain(name) => (plain(name), None),
            Host::Ipv4(address) => (String::new(), Some(IpAddr::V4(address))),
            Host::Ipv6(address) => (String::new(), Some(IpAddr::V6(address))),
        };
        let is_here =
            address.is_some_and(|it| it.to_canonical().is_loopback()) || name == "localhost";
        is_here
            || self.0.iter().any(|entry| entry.covers(&name, address, url.port_or_known_default()))
    }
}

impl NoProxyEntry {
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = split_port(text)?;
        let hosts = match host {
            "" => return None,
            "*" => Hosts::All,
            host => match network(host) {
                Some((address, bits)) => Hosts::Network(address, bits),
                None => Hosts::Domain(plain(host.strip_prefix("*.").unwrap_or(host))),
            },
        };
        (hosts != Hosts::Domain(String::new())).then_some(Self { hosts, port })
    }

    fn covers(&self, name: &str, address: Option<IpAddr>, port: Option<u16>) -> bool {
        let is_host = match (&self.hosts, address) {
            (Hosts::All, _) => true,
            (Hosts::Domain(domain), None) => is_within(name, domain),
            (Hosts::Network(network, bits), Some(address)) => {
                begins_alike(*network, address, *bits)
            }
            (Hosts::Domain(_), Some(_)) | (Hosts::Network(..), None) => false,
        };
        is_host && self.port.is_none_or(|it| Some(it) == port)
    }
}

/// Splits off the port, if there is one. An IPv6 address has a port only after brackets.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None if rest.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((host, Some(port.parse().ok()?))),
        _ => Some((text, None)),
    }
}

/// Reads an address, or a network in the notation of RFC 4632 §3.1.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

fn begins_alike(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    let number = |address| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    one.is_ipv4() == other.is_ipv4() && (number(one) ^ number(other)).leading_zeros() >= bits
}

/// Normalizes a name for comparison: `.Example.com.` becomes `example.com`.
fn plain(name: &str) -> String {
    name.trim_matches('.').to_ascii_lowercase()
}

fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exempts(list: &str, url: &str) -> bool {
        NoProxy::parse(list).exempts(&url.parse().unwrap())
    }

    #[test]
    fn every_form_of_curl_is_understood() {
        for (list, url) in [
            ("*", "https://idp.example.com/token"),
            ("*", "https://192.0.2.7/token"),
            ("*", "https://[2001:db8::7]/token"),
            ("a.example, *", "https://idp.example.com/token"),
            ("example.com", "https://idp.example.com/token"),
            ("example.com", "https://example.com/token"),
            (".example.com", "https://idp.example.com/token"),
            (".example.com", "https://example.com/token"),
            ("*.example.com", "https://idp.example.com/token"),
            ("*.example.com", "https://example.com/token"),
            ("EXAMPLE.com", "https://idp.Example.COM/token"),
            ("example.com.", "https://idp.example.com/token"),
            ("example.com", "https://idp.example.com./token"),
            ("a.example idp.example.com", "https://idp.example.com/token"),
            (" a.example ,\tidp.example.com\n", "https://idp.example.com/token"),
            ("a.example,,idp.example.com,", "https://idp.example.com/token"),
            ("idp.example.com:443", "https://idp.example.com/token"),
            ("idp.example.com:8443", "https://idp.example.com:8443/token"),
            (".example.com:80", "http://idp.example.com/token"),
            ("*:8443", "https://idp.example.com:8443/token"),
            ("192.0.2.7", "https://192.0.2.7/token"),
            ("192.0.2.7:443", "https://192.0.2.7/token"),
            ("192.0.2.0/24", "https://192.0.2.7/token"),
            ("192.0.2.7/32", "https://192.0.2.7/token"),
            ("0.0.0.0/0", "https://192.0.2.7/token"),
            ("2001:db8::7", "https://[2001:db8::7]/token"),
            ("[2001:db8::7]", "https://[2001:db8::7]/token"),
            ("[2001:DB8:0::7]:443", "https://[2001:db8::7]/token"),
            ("2001:db8::/32", "https://[2001:db8::7]/token"),
        ] {
            assert!(exempts(list, url), "{list} exempts {url}");
        }
    }

    #[test]
    fn what_is_not_named_goes_through_the_proxy() {
        for (list, url) in [
            ("", "https://idp.example.com/token"),
            (",. ,*., :443", "https://idp.example.com/token"),
            ("dp.example.com", "https://idp.example.com/token"),
            ("idp.example.com", "https://example.com/token"),
            ("example.com.evil.test", "https://example.com/token"),
            ("idp.example.com:443", "https://idp.example.com:8443/token"),
            ("idp.example.com:80", "https://idp.example.com/token"),
            ("idp.example.com:x", "https://idp.example.com/token"),
            ("idp.example.com:99999", "https://idp.example.com/token"),
            ("i*.example.com", "https://idp.example.com/token"),
            ("192.0.2.7", "https://192.0.2.77/token"),
            ("192.0.2.0/25", "https://192.0.2.200/token"),
            ("192.0.2.0/33", "https://192.0.2.7/token"),
            ("192.0.2.0/-1", "https://192.0.2.7/token"),
            ("192.0.2", "https://192.0.2.7/token"),
            (".0.2.7", "https://192.0.2.7/token"),
            ("::/0", "https://192.0.2.7/token"),
            ("2001:db8::8", "https://[2001:db8::7]/token"),
            ("[2001:db8::7", "https://[2001:db8::7]/token"),
            ("[2001:db8::7]:80", "https://[2001:db8::7]/token"),
        ] {
            assert!(!exempts(list, url), "{list} exempts {url}");
        }
    }

    #[test]
    fn this_machine_is_always_exempt() {
        for url in [
            "http://localhost:1",
            "http://LOCALHOST.",
            "http://127.0.0.1",
            "http://127.9.9.9",
            "http://[::1]",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(exempts("", url), "{url}");
        }
        for url in [
            "http://app.localhost",
            "http://notlocalhost",
            "http://localhost.example",
            "http://128.0.0.1",
            "http://[::2]",
        ] {
            assert!(!exempts("", url), "{url}");
        }
    }

    proptest! {
        #[test]
        fn any_list_is_read(list in any::<String>(), url in "https?://([a-z.]{1,12}x|[0-9]{1,3}(\\.[0-9]{1,3}){3})") {
            if let Ok(url) = url.parse::<Url>() {
                NoProxy::parse(&list).exempts(&url);
            }
        }

        #[test]
        fn an_address_is_exempt_within_its_networks_and_in_no_others(
            address in any::<u32>(), other in any::<u32>(), bits in 0_u32..=32,
        ) {
            let [address, other] = [address, other].map(std::net::Ipv4Addr::from);
            let is_here = other.is_loopback();
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            let is_within = address.to_bits() & mask == other.to_bits() & mask;
            prop_assert_eq!(
                exempts(&format!("{address}/{bits}"), &format!("https://{other}/")),
                is_within || is_here
            );
        }
    }
}
