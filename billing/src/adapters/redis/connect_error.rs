//! Why there is no connection, in one line that names the variable and the fix. May not show a
//! password: an address is told without user and path.

use std::path::PathBuf;

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Each message names REDIS_URL or REDIS_CA_FILE.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "REDIS_URL is not a Redis URL (redis://host:port/db; several of one cluster separated by commas; \
         a comma in a password is %2C): {0}"
    )]
    Url(String),
    #[error("REDIS_CA_FILE is {0}: {1}")]
    CaFile(PathBuf, String),
    #[error("Redis does not answer at REDIS_URL, {0}: {1}")]
    Unreachable(String, String),
    #[error("Redis at {0} refuses the user or the password of REDIS_URL: {1}")]
    Refused(String, String),
    #[error(
        "Redis at {0} has a certificate that is not trusted: set REDIS_CA_FILE to its authority's, \
         or correct the host in REDIS_URL: {1}"
    )]
    Certificate(String, String),
    #[error(
        "Redis does not answer in TLS at REDIS_URL, {0}: if that is not its TLS port, write redis://: {1}"
    )]
    NotTls(String, String),
    #[error("Redis at {0} has closed the connection: if it speaks TLS, write rediss:// in REDIS_URL: {1}")]
    Closed(String, String),
    #[error("Redis at {0} is one of a cluster, which has database 0 only: leave /{1} out of REDIS_URL")]
    Database(String, i64),
    #[error("Redis at {0} is no node of a cluster, and REDIS_URL names several: leave one")]
    NoCluster(String),
}

impl ConnectError {
    /// `address`: host and port, nothing else.
    pub(super) fn new(address: &str, tls: bool, error: &RedisError) -> Self {
        let (address, text) = (address.to_owned(), error.to_string());
        let refused = error.kind() == ErrorKind::AuthenticationFailed
            || error.kind() == ServerErrorKind::NoPerm.into()
            || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"));
        if refused {
            Self::Refused(address, text)
        } else if tls && text.contains("certificate") {
            Self::Certificate(address, text)
        } else if tls && (text.contains("corrupt message") || error.is_timeout()) {
            // Redis takes a handshake for the beginning of a command, and waits for the rest.
            Self::NotTls(address, text)
        } else if !tls && error.is_connection_dropped() && !error.is_connection_refusal() {
            Self::Closed(address, text)
        } else {
            Self::Unreachable(address, text)
        }
    }

    /// Whether the other nodes would say the same.
    pub(super) fn is_about_all_nodes(&self) -> bool {
        !matches!(self, Self::Unreachable(..) | Self::Closed(..) | Self::NotTls(..))
    }
}
