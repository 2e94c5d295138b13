//! The queue of due customers: `{stripe:due:<shard>}:…`.
//!
//! `due` orders customers by when they are due, `leased` by when their lease runs out; a customer
//! is in one of them. `entries` holds, as JSON, generation `g`, lease `l` and since when `t`, attempts `a`, last
//! error `e`, when the oldest mark was made that nobody has claimed yet `m`, and that the claim
//! serves `c`, and what a sync must not use up: `later`, until when the last `Due::From` mark lies
//! ahead, and `x`, the subscriptions that events have named and no fetch has contained yet, with
//! since when. `quiet` says until when a customer was synced recently, `failing` who has failed
//! since the last success, `events` which events came last, those of one call together. All times are Unix milliseconds.

mod claims;
mod inspect;
mod marks;
mod shards;
mod wakes;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::BoxStream;
use rand::Rng;
use redis::Script;

use super::{RedisStore, to_json, unavailable};
use crate::clock::{UnixMillis, millis};
use crate::error::StoreError;
use crate::id::CustomerId;
use crate::ports::{Claim, Done, Entry, Mark, Queue, QueueStats, Received};
pub(super) use marks::Marks;
use shards::{CHANNEL, HIGHEST, Keys, shard_of, shard_of_lease};

/// How long an event's subscription is waited for, milliseconds. By time and not by tries: any
/// number of eager syncs in between must not use it up.
const AWAITED: i64 = 60_000;

/// So long the number of shards is believed: another release may raise it.
const SHARDS_KNOWN: Duration = Duration::from_secs(60);

/// KEYS: the highest number of shards. ARGV: ours. Returns the highest.
const RAISE: &str = r"
local highest = tonumber(redis.call('GET', KEYS[1]) or '0')
if highest < tonumber(ARGV[1]) then
  highest = tonumber(ARGV[1])
  redis.call('SET', KEYS[1], highest)
end
return highest
";

/// The highest number of shards, and when it was asked for.
#[derive(Clone, Copy)]
struct Highest {
    shards: u32,
    asked: Instant,
}

pub(super) struct QueueScripts {
    pub(super) mark: Script,
    claim: Script,
    done: Script,
    failed: Script,
    renew: Script,
    raise: Script,
    /// How many shards there may be, ours and those of other releases.
    highest: Mutex<Option<Highest>>,
    /// Where the next claim begins, so that no shard is always last.
    turn: AtomicU32,
}

impl QueueScripts {
    pub(super) fn new() -> Self {
        Self {
            mark: Script::new(include_str!("mark.lua")),
            claim: Script::new(include_str!("claim.lua")),
            done: Script::new(include_str!("done.lua")),
            failed: Script::new(include_str!("failed.lua")),
            renew: Script::new(include_str!("renew.lua")),
            raise: Script::new(RAISE),
            highest: Mutex::new(None),
            turn: AtomicU32::new(rand::rng().random()),
        }
    }
}

/// A script's answer where -1 stands for none.
fn time(at: i64) -> Option<UnixMillis> {
    (at >= 0).then_some(UnixMillis(at))
}

impl RedisStore {
    fn shard_of(&self, customer: &CustomerId) -> u32 {
        shard_of(customer, self.queue.shards)
    }

    /// Every shard that may hold somebody, in another order each time.
    async fn shards(&self) -> Result<Vec<u32>, StoreError> {
        let highest = self.highest(Some(SHARDS_KNOWN)).await?;
        let first = self.scripts.queue.turn.fetch_add(1, Ordering::Relaxed) % highest;
        Ok((0..highest).map(|shard| (first + shard) % highest).collect())
    }

    /// How many shards there may be. Nobody waits for somebody else's question, and what was known
    /// is believed while Redis does not answer: it must not hold up those who ask other nodes.
    async fn highest(&self, believed_for: Option<Duration>) -> Result<u32, StoreError> {
        let queue = &self.scripts.queue;
        let known = *queue.highest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known
            && believed_for.is_none_or(|time| known.asked.elapsed() < time)
        {
            return Ok(known.shards);
        }
        let mut raise = queue.raise.key(HIGHEST);
        raise.arg(self.queue.shards.max(1));
        let answer = raise.invoke_async(&mut self.redis.clone()).await.map_err(unavailable);
        let shards = match (answer, known) {
            (Ok(shards), _) => shards,
            (Err(error), None) => return Err(error),
            (Err(error), Some(known)) => {
                tracing::debug!(%error, "how many shards there are is not known anew");
                known.shards
            }
        };
        let known = Highest { shards, asked: Instant::now() };
        *queue.highest.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(shards)
    }
}

#[async_trait]
impl Queue for RedisStore {
    async fn mark(&self, mark: &Mark) -> Result<u64, StoreError> {
        // Ours is remembered before anything is put there.
        self.highest(None).await?;
        self.marks.mark(self, self.shard_of(&mark.customer), mark).await
    }

    async fn claim(&self, most: usize) -> Result<Vec<Claim>, StoreError> {
        self.claim_due(most).await
    }

    async fn renew(&self, claims: &[Claim]) -> Result<Vec<String>, StoreError> {
        self.renew_all(claims).await
    }

    async fn done(&self, done: &Done) -> Result<Option<UnixMillis>, StoreError> {
        let lease = done.lease.as_deref().unwrap_or("");
        let shard = if lease.is_empty() { self.shard_of(&done.customer) } else { shard_of_lease(lease) };
        let keys = Keys::of(shard);
        let mut call = self.scripts.queue.done.key(&keys.due);
        call.key(&keys.leased).key(&keys.entries).key(&keys.quiet).key(&keys.failing);
        call.arg(done.customer.as_str()).arg(done.generation).arg(lease);
        call.arg(done.next.map_or_else(String::new, |next| next.0.to_string()));
        call.arg(self.clock.now().0).arg(millis(self.queue.quiet));
        call.arg(to_json(&keys.entries, &done.listed)?).arg(AWAITED).arg(CHANNEL);
        Ok(time(call.invoke_async(&mut self.redis.clone()).await.map_err(unavailable)?))
    }

    async fn failed(&self, claim: &Claim, error: &str, retry_at: UnixMillis) -> Result<(), StoreError> {
        let error = if error.is_empty() { "unknown" } else { error };
        self.end_lease(claim, error, retry_at).await
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), StoreError> {
        self.give_back(claims).await
    }

    fn wakes(&self) -> BoxStream<'static, ()> {
        wakes::wakes(self.redis.clone(), self.marks.listen())
    }

    async fn next_due(&self) -> Result<Option<UnixMillis>, StoreError> {
        self.first_due().await
    }

    async fn is_waiting(&self, customer: &CustomerId) -> Result<bool, StoreError> {
        self.waits(customer).await
    }

    async fn stats(&self) -> Result<QueueStats, StoreError> {
        self.count().await
    }

    async fn entries(&self, most: usize) -> Result<Vec<Entry>, StoreError> {
        self.list(most).await
    }

    async fn record(&self, received: &Received) -> Result<(), StoreError> {
        self.keep(received).await
    }

    async fn received(&self, most: usize) -> Result<Vec<Received>, StoreError> {
        self.last_events(most).await
    }
}
