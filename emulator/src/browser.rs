//! Whether a request comes from where it should. A page of another site must not send forms to the pages and the
//! controls, and must not reach the controls by a name of its own that it lets mean this machine. Browsers say in
//! headers where a request comes from; other programs send none of them and pass. Knows nothing of what is asked.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method};

/// Whether another site, or a page of another port of this machine, makes a browser change something here. Links
/// and redirects from elsewhere are welcome: they only look.
pub fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return false;
    }
    if let Some(site) = header(headers, "sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = header(headers, "origin") else {
        return false;
    };
    origin.split_once("://").map(|(_, host)| host) != header(headers, "host")
}

/// Whether the request names this machine by an address or as localhost. Any other name may be somebody else's.
pub fn is_named_here(headers: &HeaderMap) -> bool {
    let Some(host) = header(headers, "host") else {
        return true;
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}
