//! The store on Redis: the one value of a customer, the bindings, the queue of due customers.
//!
//! Whatever must be atomic is one script whose keys share a hash tag, so that a Redis Cluster
//! works. May import the domain and the redis crate, and nothing else of ours.

mod bindings;
mod checkouts;
mod connection;
mod queue;
mod snapshots;

use std::sync::Arc;
use std::time::Duration;

use redis::{RedisError, Script};

pub use connection::{ConnectError, RedisConnection};

use crate::error::StoreError;
use crate::ports::Clock;

/// The queue's durations.
#[derive(Debug, Clone, Copy)]
pub struct QueueSettings {
    /// The least time between two syncs of one customer that nobody waits for: folds a burst.
    pub quiet: Duration,
    /// How long a worker has a customer for itself.
    pub lease: Duration,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self { quiet: Duration::from_secs(2), lease: Duration::from_secs(60) }
    }
}

/// A store on one Redis.
#[derive(Clone)]
pub struct RedisStore {
    redis: RedisConnection,
    clock: Arc<dyn Clock>,
    queue: QueueSettings,
    scripts: Arc<Scripts>,
}

struct Scripts {
    begin: Script,
    write: Script,
    swap: Script,
    swap_checkout: Script,
    mark: Script,
    claim: Script,
    done: Script,
    failed: Script,
}

impl RedisStore {
    #[must_use]
    pub fn new(redis: RedisConnection, clock: Arc<dyn Clock>, queue: QueueSettings) -> Self {
        let scripts = Scripts {
            begin: Script::new(snapshots::BEGIN),
            write: Script::new(snapshots::WRITE),
            swap: Script::new(SWAP),
            swap_checkout: Script::new(checkouts::SWAP_CHECKOUT),
            mark: Script::new(queue::MARK),
            claim: Script::new(queue::CLAIM),
            done: Script::new(queue::DONE),
            failed: Script::new(queue::FAILED),
        };
        Self { redis, clock, queue, scripts: Arc::new(scripts) }
    }

    /// Compare-and-set of one key; an empty text stands for "not there". Returns what is stored
    /// afterwards.
    async fn swap(&self, key: &str, current: &str, next: &str) -> Result<Option<String>, StoreError> {
        let mut redis = self.redis.clone();
        let stored: String = self
            .scripts
            .swap
            .key(key)
            .arg(current)
            .arg(next)
            .invoke_async(&mut redis)
            .await
            .map_err(unavailable)?;
        Ok(Some(stored).filter(|stored| !stored.is_empty()))
    }

    async fn text(&self, key: &str) -> Result<Option<String>, StoreError> {
        let mut redis = self.redis.clone();
        redis::cmd("GET").arg(key).query_async(&mut redis).await.map_err(unavailable)
    }
}

/// KEYS: the key. ARGV: current, next. Repeating it after a lost answer gives the same result.
const SWAP: &str = r"
local stored = redis.call('GET', KEYS[1]) or ''
if stored ~= ARGV[1] then return stored end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2]) end
return ARGV[2]
";

fn unavailable(error: RedisError) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn unreadable(key: &str, reason: impl ToString) -> StoreError {
    StoreError::Unreadable { key: key.to_owned(), reason: reason.to_string() }
}

fn to_json<T: serde::Serialize>(key: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| unreadable(key, error))
}

fn from_json<T: serde::de::DeserializeOwned>(key: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable(key, error))
}
