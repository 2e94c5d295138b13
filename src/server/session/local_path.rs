//! A path on this site, as a type that parses once: what a visitor is sent to after log-in can't
//! be another site. May not know which paths exist.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Starts with exactly one `/` and is printable ASCII, so that it can stand in a `Location`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalPath(String);

/// Why a text is not a path on this site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a path on this site: it must start with one / and be printable ASCII without //, \\ or spaces, at most 2000 characters"
)]
pub struct InvalidPath;

const LONGEST: usize = 2000;

impl LocalPath {
    /// Takes a path with or without a query. Browsers read `\` as `/` and leave out tabs and
    /// line breaks, so `/\evil` and `/<tab>/evil` are other sites to them.
    ///
    /// # Errors
    /// `InvalidPath` for anything that could lead elsewhere.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if !text.starts_with('/') || path.contains("//") || !printable || text.len() > LONGEST {
            return Err(InvalidPath);
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LocalPath {
    type Error = InvalidPath;
    fn try_from(text: String) -> Result<Self, InvalidPath> {
        Self::parse(&text)
    }
}

impl From<LocalPath> for String {
    fn from(path: LocalPath) -> String {
        path.0
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site() {
        for text in
            ["/", "/account", "/pricing?interval=year", "/a/b#c", "/x?next=https://a.b//c", "/%2F%2Fevil"]
        {
            assert!(LocalPath::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil",
            "/a//b",
            "https://evil.example",
            "javascript:alert(1)",
            " /a",
            "/a b",
            "/\t/evil.example",
            "/\n/evil",
            "/a\r\nSet-Cookie: x=y",
            "/\u{0}",
            "/é",
            "/a\u{202e}",
            "?a",
            "#a",
        ] {
            assert_eq!(LocalPath::parse(text), Err(InvalidPath), "{text:?}");
        }
        assert!(LocalPath::parse(&format!("/{}", "a".repeat(2000))).is_err());
    }

    #[test]
    fn a_stored_one_is_parsed_again() {
        assert!(serde_json::from_str::<LocalPath>("\"//evil\"").is_err());
        assert!(serde_json::from_str::<LocalPath>("\"/account\"").is_ok());
    }
}
