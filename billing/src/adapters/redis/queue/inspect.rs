//! What people and sleeping workers ask the queue. Changes nothing but the list of events.

use std::collections::HashMap;

use redis::Pipeline;
use serde::Deserialize;

use super::RedisStore;
use super::shards::Keys;
use crate::adapters::redis::{to_json, unavailable};
use crate::clock::{UnixMillis, millis};
use crate::error::StoreError;
use crate::id::CustomerId;
use crate::ports::{Entry, EntryState, QueueStats, Received};

pub(super) const EVENTS_KEPT: usize = 200;

pub(super) type Scored = Vec<(String, f64)>;

/// An entry as the scripts write it, as far as people read it.
#[derive(Deserialize, Default)]
struct Stored {
    #[serde(default)]
    a: u32,
    e: Option<String>,
    m: Option<f64>,
    c: Option<f64>,
}

/// An element of the list of events.
#[derive(Deserialize)]
#[serde(untagged)]
enum Came {
    One(Received),
    Together(Vec<Received>),
}

/// One that can't be read is shown as that, so that a person finds it.
fn read(json: &str) -> Stored {
    let unreadable = || Stored { e: Some("the entry can't be read".to_owned()), ..Stored::default() };
    serde_json::from_str(json).unwrap_or_else(|_| unreadable())
}

#[expect(clippy::cast_possible_truncation, reason = "scores and times are milliseconds that we wrote")]
pub(super) fn at(score: f64) -> UnixMillis {
    UnixMillis(score as i64)
}

pub(super) fn first(pipe: &mut Pipeline, key: &str, most: usize) {
    pipe.cmd("ZRANGE").arg(key).arg(0).arg(last(most)).arg("WITHSCORES");
}

/// The place of the last of so many; past the end, where there are to be none: -1 would be all.
fn last(most: usize) -> i64 {
    most.checked_sub(1).map_or(-i64::MAX, |last| i64::try_from(last).unwrap_or(i64::MAX))
}

impl RedisStore {
    pub(super) async fn waits(&self, customer: &CustomerId) -> Result<bool, StoreError> {
        let (keys, mut pipe) = (Keys::of(self.shard_of(customer)), redis::pipe());
        pipe.cmd("ZSCORE").arg(&keys.leased).arg(customer.as_str());
        pipe.cmd("ZSCORE").arg(&keys.due).arg(customer.as_str());
        pipe.cmd("SISMEMBER").arg(&keys.failing).arg(customer.as_str());
        let (leased, due, failing): (Option<f64>, Option<f64>, bool) = self.ask(&pipe).await?;
        let soon = self.clock.now().0 + millis(self.queue.quiet);
        Ok(leased.is_some() || failing || due.is_some_and(|due| at(due).0 <= soon))
    }

    pub(super) async fn count(&self) -> Result<QueueStats, StoreError> {
        let (now, mut stats) = (self.clock.now(), QueueStats::default());
        for shard in self.shards().await? {
            let (keys, mut pipe) = (Keys::of(shard), redis::pipe());
            pipe.cmd("ZCARD").arg(&keys.due);
            pipe.cmd("ZCOUNT").arg(&keys.due).arg("-inf").arg(now.0);
            pipe.cmd("ZCARD").arg(&keys.leased);
            pipe.cmd("ZCOUNT").arg(&keys.leased).arg("-inf").arg(now.0);
            pipe.cmd("SCARD").arg(&keys.failing);
            first(&mut pipe, &keys.due, 1);
            first(&mut pipe, &keys.leased, 1);
            let (all, due, leased, crashed, failing, waiting, ending): (
                u64,
                u64,
                u64,
                u64,
                u64,
                Scored,
                Scored,
            ) = self.ask(&pipe).await?;
            // The counts are not of one moment: the shard changes in between.
            stats.scheduled += all.saturating_sub(due);
            // Whose lease ran out waits for a worker as well: where all have died, it must be seen.
            stats.due += due + crashed;
            stats.in_flight += leased.saturating_sub(crashed);
            stats.failing += failing;
            let oldest =
                waiting.iter().chain(&ending).map(|(_, score)| at(*score)).filter(|due| *due <= now).min();
            stats.oldest_due = stats.oldest_due.into_iter().chain(oldest).min();
        }
        Ok(stats)
    }

    pub(super) async fn list(&self, most: usize) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for shard in self.shards().await? {
            entries.extend(self.list_in(shard, most).await?);
        }
        let rank = |entry: &Entry| match entry.state {
            _ if entry.attempts > 0 => 0,
            EntryState::InFlight => 1,
            EntryState::Due | EntryState::Scheduled => 2,
        };
        entries.sort_by_cached_key(|entry| (rank(entry), entry.at, entry.customer.clone()));
        entries.truncate(most);
        Ok(entries)
    }

    async fn list_in(&self, shard: u32, most: usize) -> Result<Vec<Entry>, StoreError> {
        let (keys, mut pipe) = (Keys::of(shard), redis::pipe());
        pipe.cmd("SRANDMEMBER").arg(&keys.failing).arg(most);
        first(&mut pipe, &keys.leased, most);
        first(&mut pipe, &keys.due, most);
        let (failing, leased, due): (Vec<String>, Scored, Scored) = self.ask(&pipe).await?;
        let mut found: HashMap<String, (Option<f64>, Option<f64>)> = HashMap::new();
        for (customer, score) in leased {
            found.entry(customer).or_default().0 = Some(score);
        }
        for (customer, score) in due {
            found.entry(customer).or_default().1 = Some(score);
        }
        for customer in
            failing.into_iter().filter(|customer| !found.contains_key(customer)).collect::<Vec<_>>()
        {
            let mut pipe = redis::pipe();
            pipe.cmd("ZSCORE").arg(&keys.leased).arg(&customer);
            pipe.cmd("ZSCORE").arg(&keys.due).arg(&customer);
            let scores = self.ask(&pipe).await?;
            found.insert(customer, scores);
        }
        let mut entries = Vec::new();
        for (customer, scores) in found {
            entries.extend(self.entry(&keys, customer, scores).await?);
        }
        Ok(entries)
    }

    /// `None` where it has gone since.
    async fn entry(
        &self,
        keys: &Keys,
        customer: String,
        (leased, due): (Option<f64>, Option<f64>),
    ) -> Result<Option<Entry>, StoreError> {
        let mut get = redis::cmd("HGET");
        get.arg(&keys.entries).arg(&customer);
        let json: Option<String> = get.query_async(&mut self.redis.clone()).await.map_err(unavailable)?;
        let stored = json.map_or_else(Stored::default, |json| read(&json));
        let Some(score) = leased.or(due) else { return Ok(None) };
        let state = match leased {
            _ if at(score) <= self.clock.now() => EntryState::Due,
            Some(_) => EntryState::InFlight,
            None => EntryState::Scheduled,
        };
        // One that is damaged must not hide the others.
        let customer = match CustomerId::parse(customer) {
            Ok(customer) => customer,
            Err(error) => {
                tracing::warn!(key = keys.due, %error, "the queue holds what is no customer");
                return Ok(None);
            }
        };
        Ok(Some(Entry {
            customer,
            state,
            at: at(score),
            attempts: stored.a,
            last_error: stored.e,
            since: stored.c.into_iter().chain(stored.m).map(at).min(),
        }))
    }

    pub(super) async fn keep(&self, received: &Received) -> Result<(), StoreError> {
        let key = Keys::of(0).events;
        let mut pipe = redis::pipe();
        pipe.cmd("LPUSH").arg(&key).arg(to_json(&key, received)?).ignore();
        pipe.cmd("LTRIM").arg(&key).arg(0).arg(last(EVENTS_KEPT)).ignore();
        self.ask(&pipe).await
    }

    pub(super) async fn last_events(&self, most: usize) -> Result<Vec<Received>, StoreError> {
        let mut events: Vec<Received> = Vec::new();
        for shard in self.shards().await? {
            let key = Keys::of(shard).events;
            let mut range = redis::cmd("LRANGE");
            range.arg(&key).arg(0).arg(last(most));
            let kept: Vec<String> = range.query_async(&mut self.redis.clone()).await.map_err(unavailable)?;
            // Another release's, or damage: it is only for people to read.
            let came = kept.iter().filter_map(|json| serde_json::from_str::<Came>(json).ok());
            events.extend(came.flat_map(|came| match came {
                Came::One(event) => vec![event],
                Came::Together(events) => events,
            }));
        }
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
        events.truncate(most);
        Ok(events)
    }
}
