//! Sessions in Redis, as tower-sessions wants them: one key each, `unsplit:session:<id>`, that
//! Redis itself drops when the session ends. May not know what is in a session.

use std::collections::HashMap;
use std::fmt;

use async_trait::async_trait;
use redis::RedisError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use unsplit_billing::adapters::redis::RedisConnection;

use super::ask;

/// A store on the project's own connection. Cheap to clone.
#[derive(Clone)]
pub struct RedisSessionStore {
    redis: RedisConnection,
}

/// The JSON at the key. The id is the key's, and stands nowhere else.
#[derive(Serialize, Deserialize)]
struct Stored {
    data: HashMap<String, Value>,
    /// When it ends, in seconds since the Unix epoch.
    expires: i64,
}

/// Where the ids of sessions that have ended are published, for streams that outlast a request.
pub const ENDED: &str = "unsplit:ended";

/// With 128 random bits the second try is for a broken source of randomness only.
const TRIES_FOR_A_FREE_ID: usize = 3;

impl RedisSessionStore {
    #[must_use]
    pub fn new(redis: RedisConnection) -> Self {
        Self { redis }
    }

    /// Who misses it finds out when they look next.
    async fn tell_end(&self, id: &Id) {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(ENDED).arg(id.to_string());
        if let Err(error) = ask::<u64>(&self.redis, &publish).await {
            tracing::debug!(%error, "the end of a session could not be told");
        }
    }

    /// `condition` is `NX` (only a new key) or `XX` (only one that exists); whether it was written.
    async fn set(&self, record: &Record, condition: &'static str) -> Result<bool> {
        let expires = record.expiry_date.unix_timestamp();
        let stored = Stored { data: record.data.clone(), expires };
        let json = serde_json::to_string(&stored).map_err(|error| Error::Encode(error.to_string()))?;
        let mut command = redis::cmd("SET");
        command.arg(key(&record.id)).arg(json).arg(condition).arg("EXAT").arg(expires);
        let written: Option<String> = ask(&self.redis, &command).await.map_err(unavailable)?;
        Ok(written.is_some())
    }
}

#[async_trait]
impl SessionStore for RedisSessionStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        for _ in 0..TRIES_FOR_A_FREE_ID {
            if self.set(record, "NX").await? {
                return Ok(());
            }
            record.id = Id::default();
        }
        Err(Error::Backend("every new session id was taken".to_owned()))
    }

    /// A session that ended meanwhile stays ended: a slow request must not bring back what a
    /// log-out has deleted.
    async fn save(&self, record: &Record) -> Result<()> {
        self.set(record, "XX").await.map(drop)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let json: Option<String> =
            ask(&self.redis, redis::cmd("GET").arg(key(id))).await.map_err(unavailable)?;
        let Some(json) = json else { return Ok(None) };
        let stored: Stored = serde_json::from_str(&json).map_err(|error| Error::Decode(error.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp(stored.expires)
            .map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data: stored.data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let deleted: u64 = ask(&self.redis, redis::cmd("DEL").arg(key(id))).await.map_err(unavailable)?;
        if deleted > 0 {
            self.tell_end(id).await;
        }
        Ok(())
    }
}

fn key(id: &Id) -> String {
    format!("unsplit:session:{id}")
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn unavailable(error: RedisError) -> Error {
    Error::Backend(format!("Redis does not answer: {error}"))
}

impl fmt::Debug for RedisSessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisSessionStore")
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
