//! The store on Redis: the one value of a customer, the bindings, the queue of due customers.
//!
//! Whatever must be atomic is one script whose keys share a hash tag, so that a Redis Cluster
//! works. May import the domain and the redis crate, and nothing else of ours.

mod bindings;
mod budget;
mod checkouts;
mod cluster;
mod connect_error;
mod connection;
mod durable;
mod invoices;
mod listening;
mod news;
mod options;
mod queue;
mod reconciliation;
mod snapshots;
mod staging;
mod trials;

use std::sync::Arc;
use std::time::Duration;

use redis::{FromRedisValue, Pipeline, RedisError, Script};

pub use budget::BudgetSettings;
pub use connect_error::ConnectError;
pub use connection::RedisConnection;
use durable::Durable;
pub use listening::Heard;
pub use options::RedisOptions;
use queue::{Marks, QueueScripts};

use crate::error::StoreError;
use crate::ports::{AccountMode, Clock};

/// The queue's durations.
#[derive(Debug, Clone, Copy)]
pub struct QueueSettings {
    /// The least time between two syncs of one customer that nobody waits for: folds a burst.
    pub quiet: Duration,
    /// How long a worker has a customer for itself.
    pub lease: Duration,
    /// Over how many hash tags the queue is spread. It may change: no entry is lost by it.
    pub shards: u32,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self { quiet: Duration::from_secs(3), lease: Duration::from_secs(20), shards: 1 }
    }
}

/// A store on one Redis.
#[derive(Clone)]
pub struct RedisStore {
    redis: RedisConnection,
    clock: Arc<dyn Clock>,
    queue: QueueSettings,
    budget: BudgetSettings,
    scripts: Arc<Scripts>,
    marks: Marks,
    durable: Durable,
}

struct Scripts {
    begin: Script,
    write: Script,
    swap: Script,
    swap_checkout: Script,
    budget: Script,
    queue: QueueScripts,
    take_turn: Script,
    end_turn: Script,
    adopt_rebuild: Script,
    save_rebuild: Script,
    end_rebuild: Script,
}

impl RedisStore {
    #[must_use]
    pub fn new(redis: RedisConnection, clock: Arc<dyn Clock>, queue: QueueSettings) -> Self {
        let scripts = Scripts {
            begin: Script::new(snapshots::BEGIN),
            write: Script::new(snapshots::WRITE),
            swap: Script::new(SWAP),
            swap_checkout: Script::new(checkouts::SWAP_CHECKOUT),
            queue: QueueScripts::new(),
            budget: Script::new(budget::BUDGET),
            take_turn: Script::new(reconciliation::TAKE_TURN),
            end_turn: Script::new(reconciliation::END_TURN),
            adopt_rebuild: Script::new(staging::ADOPT_REBUILD),
            save_rebuild: Script::new(staging::SAVE_REBUILD),
            end_rebuild: Script::new(staging::END_REBUILD),
        };
        let budget = BudgetSettings::of(AccountMode::Test);
        Self {
            redis,
            clock,
            queue,
            budget,
            scripts: Arc::new(scripts),
            marks: Marks::default(),
            durable: Durable::default(),
        }
    }

    /// With another budget than Stripe's default of test mode.
    #[must_use]
    pub fn with_budget(self, budget: BudgetSettings) -> Self {
        Self { budget, ..self }
    }

    /// Compare-and-set of one key; an empty text stands for "not there". Returns what is stored
    /// afterwards.
    async fn swap(&self, key: &str, current: &str, next: &str) -> Result<Option<String>, StoreError> {
        self.swap_and_tell(key, current, next, "").await
    }

    /// `swap`, which publishes the key on `channel` if it was set.
    async fn swap_and_tell(
        &self,
        key: &str,
        current: &str,
        next: &str,
        channel: &str,
    ) -> Result<Option<String>, StoreError> {
        let mut redis = self.redis.clone();
        let stored: String = self
            .scripts
            .swap
            .key(key)
            .arg(current)
            .arg(next)
            .arg(channel)
            .invoke_async(&mut redis)
            .await
            .map_err(unavailable)?;
        Ok(Some(stored).filter(|stored| !stored.is_empty()))
    }

    /// The answers to commands that go out together; their keys share a slot.
    async fn ask<T: FromRedisValue>(&self, pipe: &Pipeline) -> Result<T, StoreError> {
        pipe.query_async(&mut self.redis.clone()).await.map_err(unavailable)
    }

    /// What is stored as JSON at a key.
    async fn json<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        self.text(key).await?.map(|text| from_json(key, &text)).transpose()
    }

    async fn text(&self, key: &str) -> Result<Option<String>, StoreError> {
        let mut redis = self.redis.clone();
        redis::cmd("GET").arg(key).query_async(&mut redis).await.map_err(unavailable)
    }
}

/// KEYS: the key. ARGV: current, next, a channel or nothing. Repeating it after a lost answer gives the same result.
const SWAP: &str = r"
local stored = redis.call('GET', KEYS[1]) or ''
if stored ~= ARGV[1] then return stored end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2]) end
if ARGV[3] ~= '' then redis.pcall('PUBLISH', ARGV[3], KEYS[1]) end
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
