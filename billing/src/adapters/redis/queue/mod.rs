//! The queue of due customers: `{stripe:due:<shard>}:…`.
//!
//! `due` orders customers by when they are due, `leased` by when their lease runs out; a customer
//! is in one of them. `entries` holds, as JSON, generation `g`, lease `l` and since when `t`, attempts `a`, last
//! error `e`, when the oldest mark was made that nobody has claimed yet `m`, and that the claim
//! serves `c`, and what a sync must not use up: `later`, until when the last `Due::From` mark lies
//! ahead, and `x`, the subscriptions that events have named and no fetch has contained yet, with
//! since when. `quiet` says until when a customer was synced recently, `failing` who has failed
//! since the last success, `events` which events came last. All times are Unix milliseconds.

mod inspect;
mod marks;
mod shards;
mod wakes;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::BoxStream;
use rand::Rng;
use redis::Script;
use tokio::sync::Mutex;

use super::{RedisStore, to_json, unavailable, unreadable};
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
local highest = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1]))
redis.call('SET', KEYS[1], highest)
return highest
";

pub(super) struct QueueScripts {
    pub(super) mark: Script,
    claim: Script,
    done: Script,
    failed: Script,
    renew: Script,
    raise: Script,
    /// How many shards there may be, ours and those of other releases.
    highest: Mutex<Option<(Instant, u32)>>,
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

type RawClaim = (String, u64, String, u32, i64);

fn read_claim((customer, generation, lease, attempts, since): RawClaim) -> Result<Claim, StoreError> {
    Ok(Claim {
        customer: CustomerId::parse(customer).map_err(|error| unreadable("{stripe:due}", error))?,
        generation,
        lease,
        attempts,
        since: time(since),
    })
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
        let queue = &self.scripts.queue;
        let mut known = queue.highest.lock().await;
        let highest = match *known {
            Some((asked, highest)) if asked.elapsed() < SHARDS_KNOWN => highest,
            _ => {
                let mut raise = queue.raise.key(HIGHEST);
                raise.arg(self.queue.shards.max(1));
                let highest: u32 = raise.invoke_async(&mut self.redis.clone()).await.map_err(unavailable)?;
                *known = Some((Instant::now(), highest));
                highest
            }
        };
        drop(known);
        let highest = highest.max(1);
        let first = queue.turn.fetch_add(1, Ordering::Relaxed) % highest;
        Ok((0..highest).map(|shard| (first + shard) % highest).collect())
    }

    async fn claim_in(&self, shard: u32, most: usize) -> Result<Vec<Claim>, StoreError> {
        let (keys, now) = (Keys::of(shard), self.clock.now());
        let mut claim = self.scripts.queue.claim.key(&keys.due);
        claim.key(&keys.leased).key(&keys.entries).key(&keys.failing);
        claim.arg(now.0).arg(most).arg(now.plus(self.queue.lease).0);
        claim.arg(format!("{shard}.{:032x}", rand::rng().random::<u128>()));
        let claims: Vec<RawClaim> = claim.invoke_async(&mut self.redis.clone()).await.map_err(unavailable)?;
        let read = |claim| match read_claim(claim) {
            Ok(claim) => Some(claim),
            Err(error) => {
                tracing::error!(shard, %error, "the queue holds what is no customer");
                None
            }
        };
        Ok(claims.into_iter().filter_map(read).collect())
    }

    /// Ends a lease without success: `error` is empty where it is only given back.
    async fn end_lease(&self, claim: &Claim, error: &str, due: UnixMillis) -> Result<(), StoreError> {
        let keys = Keys::of(shard_of_lease(&claim.lease));
        let mut failed = self.scripts.queue.failed.key(&keys.due);
        failed.key(&keys.leased).key(&keys.entries).key(&keys.failing);
        failed.arg(claim.customer.as_str()).arg(&claim.lease).arg(error).arg(due.0).arg(CHANNEL);
        failed.invoke_async(&mut self.redis.clone()).await.map_err(unavailable)
    }

    async fn renew_in(&self, shard: u32, claims: &[&Claim]) -> Result<Vec<String>, StoreError> {
        let keys = Keys::of(shard);
        let mut renew = self.scripts.queue.renew.key(&keys.leased);
        renew.key(&keys.entries).arg(self.clock.now().plus(self.queue.lease).0);
        for claim in claims {
            renew.arg(claim.customer.as_str()).arg(&claim.lease);
        }
        renew.invoke_async(&mut self.redis.clone()).await.map_err(unavailable)
    }
}

#[async_trait]
impl Queue for RedisStore {
    async fn mark(&self, mark: &Mark) -> Result<u64, StoreError> {
        let event = mark.received.as_ref().map(|event| to_json("{stripe:due}:events", event)).transpose()?;
        // Ours is remembered before anything is put there.
        self.shards().await?;
        self.marks.mark(self, self.shard_of(&mark.customer), mark.clone(), event).await
    }

    async fn claim(&self, most: usize) -> Result<Vec<Claim>, StoreError> {
        let (mut claims, mut failure) = (Vec::new(), None);
        for shard in self.shards().await? {
            if claims.len() == most {
                break;
            }
            match self.claim_in(shard, most - claims.len()).await {
                Ok(more) => claims.extend(more),
                // One node of a cluster may be away: the others' shards go on.
                Err(error) => {
                    tracing::warn!(shard, %error, "a shard of the queue does not answer");
                    failure = Some(error);
                }
            }
        }
        failure.filter(|_| claims.is_empty()).map_or(Ok(claims), Err)
    }

    async fn renew(&self, claims: &[Claim]) -> Result<Vec<String>, StoreError> {
        let mut lost = Vec::new();
        for shard in self.shards().await? {
            let of_shard: Vec<&Claim> =
                claims.iter().filter(|claim| shard_of_lease(&claim.lease) == shard).collect();
            if !of_shard.is_empty() {
                match self.renew_in(shard, &of_shard).await {
                    Ok(more) => lost.extend(more),
                    // The others' leases are not to run out for it.
                    Err(error) => tracing::warn!(shard, %error, "leases could not be renewed"),
                }
            }
        }
        Ok(lost)
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
        for claim in claims {
            self.end_lease(claim, "", self.clock.now()).await?;
        }
        Ok(())
    }

    fn wakes(&self) -> BoxStream<'static, ()> {
        wakes::wakes(self.redis.clone())
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
