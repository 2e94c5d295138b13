//! `stripe:reconciled` is the cursor, `stripe:replication` the replication ids that were seen last,
//! `stripe:turn:<what>` whose turn it is. What Redis says of its own safety is read from INFO.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use redis::{AsyncCommands, FromRedisValue, RedisResult, from_redis_value};

use super::{RedisConnection, RedisStore, durable, to_json, unavailable};
use crate::clock::millis;
use crate::error::StoreError;
use crate::ports::{Cursor, Durability, Reconciliation};

const CURSOR: &str = "stripe:reconciled";
const REPLICATION: &str = "stripe:replication";

/// KEYS: the turn. ARGV: token, milliseconds. Its holder prolongs it.
pub(super) const TAKE_TURN: &str = r"
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
";

/// KEYS: the turn. ARGV: token. Only its holder ends it.
pub(super) const END_TURN: &str = r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
";

fn turn_key(what: &str) -> String {
    format!("stripe:turn:{what}")
}

/// A field of INFO's text.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
}

/// The answer of each primary: one, where it is no cluster.
async fn of_each<T: FromRedisValue>(
    redis: &RedisConnection,
    command: &str,
    arguments: &[&str],
) -> RedisResult<Vec<T>> {
    let answers = redis.on_each_primary(redis::cmd(command).arg(arguments)).await?;
    Ok(answers.into_iter().map(from_redis_value).collect::<Result<_, _>>()?)
}

/// The weakest of several primaries, as INFO and CONFIG tell of them.
fn weakest(
    servers: &[String],
    persistence: &[String],
    memory: &[String],
    fsync: &[String],
    no_fsync_on_rewrite: &[String],
) -> Durability {
    let text = |info: &String, name| field(info, name).unwrap_or("unknown").to_owned();
    let most = |info: &&String| field(info, "maxmemory").and_then(|text| text.parse().ok()).unwrap_or(0);
    let evicting = |info: &&String| most(info) > 0 && text(info, "maxmemory_policy") != "noeviction";
    let memory = memory.iter().find(evicting).or(memory.first());
    Durability {
        version: servers.iter().map(|info| text(info, "redis_version")).min().unwrap_or_default(),
        append_only: persistence.iter().all(|info| field(info, "aof_enabled") == Some("1")),
        no_fsync_on_rewrite: no_fsync_on_rewrite.iter().any(|is| is == "yes"),
        append_fsync: fsync.iter().find(|when| *when != "always").or(fsync.first()).cloned(),
        max_memory_policy: memory.map(|info| text(info, "maxmemory_policy")).unwrap_or_default(),
        max_memory: memory.as_ref().map_or(0, most),
        waits_for_disk: false,
    }
}

#[async_trait]
impl Reconciliation for RedisStore {
    async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        match self.json(CURSOR).await {
            // It would fail each pass, and a rebuild at its end, for ever.
            Err(error @ StoreError::Unreadable { .. }) => {
                tracing::warn!(%error, "it is not known up to where events were reconciled");
                Ok(None)
            }
            answer => answer,
        }
    }

    async fn save_cursor(&self, cursor: &Cursor) -> Result<(), StoreError> {
        let json = to_json(CURSOR, cursor)?;
        self.redis.clone().set(CURSOR, json).await.map_err(unavailable)
    }

    async fn take_turn(&self, what: &str, token: &str, lasting: Duration) -> Result<bool, StoreError> {
        let mut take = self.scripts.take_turn.key(turn_key(what));
        take.arg(token).arg(millis(lasting).max(1));
        take.invoke_async(&mut self.redis.clone()).await.map_err(unavailable)
    }

    async fn end_turn(&self, what: &str, token: &str) -> Result<(), StoreError> {
        let mut script = self.scripts.end_turn.key(turn_key(what));
        script.arg(token).invoke_async(&mut self.redis.clone()).await.map_err(unavailable)
    }

    async fn replication_ids(&self) -> Result<BTreeSet<String>, StoreError> {
        let infos: Vec<String> = of_each(&self.redis, "INFO", &["replication"]).await.map_err(unavailable)?;
        Ok(infos.iter().filter_map(|info| field(info, "master_replid").map(str::to_owned)).collect())
    }

    async fn known_replication_ids(&self) -> Result<BTreeSet<String>, StoreError> {
        Ok(self.json(REPLICATION).await?.unwrap_or_default())
    }

    async fn save_replication_ids(&self, ids: &BTreeSet<String>) -> Result<(), StoreError> {
        let json = to_json(REPLICATION, ids)?;
        self.redis.clone().set(REPLICATION, json).await.map_err(unavailable)
    }

    async fn durability(&self) -> Result<Durability, StoreError> {
        let waits_for_disk = durable::can_wait(&self.redis).await?;
        Ok(Durability { waits_for_disk, ..settings(&self.redis).await? })
    }
}

/// What Redis says of itself.
pub(super) async fn settings(redis: &RedisConnection) -> Result<Durability, StoreError> {
    // One section a call: Redis before 7.0 takes no more.
    let info = async |section| of_each::<String>(redis, "INFO", &[section]).await.map_err(unavailable);
    let (servers, persistence, memory) =
        (info("server").await?, info("persistence").await?, info("memory").await?);
    // Managed servers forbid CONFIG. One name a call, as Redis before 7.0 takes no more.
    let config = async |name| -> Vec<String> {
        let pairs: Vec<Vec<String>> = of_each(redis, "CONFIG", &["GET", name]).await.unwrap_or_default();
        pairs.into_iter().filter_map(|pair| pair.into_iter().nth(1)).collect()
    };
    let (fsync, on_rewrite) = (config("appendfsync").await, config("no-appendfsync-on-rewrite").await);
    Ok(weakest(&servers, &persistence, &memory, &fsync, &on_rewrite))
}
