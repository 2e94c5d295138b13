//! An origin (scheme, host and port) as a type that parses once, so that two spellings of the same
//! origin are equal and none can smuggle anything into a header. May not know what it is used for.

use std::fmt;

use axum::http::Uri;

/// `http` or `https`, a host, and the port where it is not the scheme's own: the form browsers
/// send in `Origin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

/// Why a text has no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an address of the form https://host or http://host:port")]
pub struct InvalidOrigin {
    text: String,
}

impl Origin {
    /// Takes a URL or an `Origin` header; a path or query is left out.
    ///
    /// # Errors
    /// `InvalidOrigin` for another scheme, for a missing or strange host, and for a user's name in it.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        canonical(text).map(Self).ok_or_else(|| InvalidOrigin { text: text.to_owned() })
    }

    /// Whether the browser comes over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn canonical(text: &str) -> Option<String> {
    let uri: Uri = text.trim().parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let authority = uri.authority()?;
    let host = authority.host().to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
    if authority.as_str().contains('@') || host.is_empty() || !host.chars().all(plain) {
        return None;
    }
    let usual = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    match authority.port_u16() {
        Some(port) if port != usual => Some(format!("{scheme}://{host}:{port}")),
        _ => Some(format!("{scheme}://{host}")),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn spellings_of_one_origin_are_equal() {
        for (text, expected) in [
            ("https://example.com", "https://example.com"),
            ("HTTPS://Example.COM:443/a?b", "https://example.com"),
            ("http://127.0.0.1:3000/", "http://127.0.0.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://example.com:80", "http://example.com"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in ["", "null", "example.com", "ftp://a.b", "https://", "https://u@a.b", "https://a;b", "/x"]
        {
            assert!(Origin::parse(text).is_err(), "{text:?}");
        }
    }
}
