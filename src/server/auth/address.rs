//! Where a request comes from, for the limits on attempts. A header that anyone can write is
//! believed only as far as our own proxies wrote it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;

/// How many proxies of ours stand before us. Each adds one entry to `X-Forwarded-For`, so the
/// entry that many from the right is the last one that can be believed; with none, no entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrustedProxies(pub u8);

/// The address of the browser (or of the last proxy that is not ours).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// Needs `into_make_service_with_connect_info::<SocketAddr>()`; without it everybody counts
    /// as one address, which is safe but soon too strict, and said in the log.
    #[must_use]
    pub fn of(request: &Parts, proxies: TrustedProxies) -> Self {
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        if peer.is_none() {
            tracing::error!("the server does not say who connects: limits count everybody as one");
        }
        let forwarded = request
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect::<Vec<_>>()
            .join(",");
        Self::choose(peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)), &forwarded, proxies)
    }

    fn choose(peer: IpAddr, forwarded: &str, TrustedProxies(proxies): TrustedProxies) -> Self {
        let believed = usize::from(proxies)
            .checked_sub(1)
            .and_then(|from_the_right| forwarded.rsplit(',').nth(from_the_right))
            .and_then(parse);
        Self(believed.unwrap_or(peer).to_canonical())
    }

    /// What counts as one address: an IPv4 address, or an IPv6 network of 64 bits, as any home
    /// has 2^64 addresses to try from.
    pub(super) fn limited_as(self) -> String {
        match self.0 {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
            }
        }
    }
}

/// Some proxies write the port too.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_our_proxies_wrote_is_believed() {
        for (forwarded, proxies, expected) in [
            ("1.1.1.1", 0, "9.9.9.9"),
            ("", 1, "9.9.9.9"),
            ("1.1.1.1", 1, "1.1.1.1"),
            ("6.6.6.6, 1.1.1.1", 1, "1.1.1.1"),
            ("6.6.6.6, 1.1.1.1, 10.0.0.1", 2, "1.1.1.1"),
            ("1.1.1.1", 2, "9.9.9.9"),
            ("6.6.6.6, unknown", 1, "9.9.9.9"),
            ("1.1.1.1:4711", 1, "1.1.1.1"),
            ("[2001:db8::1]:4711", 1, "2001:db8::"),
            ("2001:db8:0:1:2:3:4:5", 1, "2001:db8:0:1::"),
            ("::ffff:1.1.1.1", 1, "1.1.1.1"),
        ] {
            let address =
                ClientAddress::choose("9.9.9.9".parse().unwrap(), forwarded, TrustedProxies(proxies));
            assert_eq!(address.limited_as(), expected, "{forwarded:?} {proxies}");
        }
    }
}
