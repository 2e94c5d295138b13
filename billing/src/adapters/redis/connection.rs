//! The one type of connection that everything in the project uses, so that another kind (a
//! cluster's) is a change of this file alone.

use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, Pipeline, RedisFuture, Value};

/// A shared connection that reconnects by itself. A command that meets a lost connection fails
/// all the same, so each caller's commands must be safe to repeat.
#[derive(Clone)]
pub struct RedisConnection(ConnectionManager);

/// Why there is no connection. The message has no password: it does not show the URL.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("REDIS_URL is not a Redis URL (redis://host:port/db): {0}")]
    Url(String),
    #[error("Redis does not answer at REDIS_URL: {0}")]
    Unreachable(String),
}

/// Long enough for a script behind an fsync on a busy disk.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

impl RedisConnection {
    /// # Errors
    /// `ConnectError` where the URL cannot be read or nobody answers.
    pub async fn open(url: &str) -> Result<Self, ConnectError> {
        let client = Client::open(url).map_err(|error| ConnectError::Url(error.to_string()))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_number_of_retries(2);
        let manager = ConnectionManager::new_with_config(client, config)
            .await
            .map_err(|error| ConnectError::Unreachable(error.to_string()))?;
        Ok(Self(manager))
    }
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        self.0.req_packed_command(cmd)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.0.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }
}
