//! Lends due customers to workers, and takes them back. On a cluster the shards lie on several nodes,
//! and one that is away must not hold up the others' shards: all are asked at the same time, and
//! none is waited for long before something is claimed.

use std::time::Duration;

use futures::future::join_all;
use redis::RedisError;
use tokio::time::timeout;

use super::RedisStore;
use super::inspect::{Scored, at, first};
use super::shards::{CHANNEL, Keys, shard_of_lease};
use super::time;
use crate::adapters::redis::{unavailable, unreadable};
use crate::clock::UnixMillis;
use crate::error::StoreError;
use crate::id::CustomerId;
use crate::ports::{Claim, random_token};

/// How long a shard may take to say when its next customer is due.
const PATIENCE: Duration = Duration::from_secs(1);

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

type OfShard<T> = (u32, T);

/// What those shards say that answer; the error of one where none does. `silent` hears of the others.
fn answered<T>(
    answers: Vec<OfShard<Result<T, StoreError>>>,
    silent: impl Fn(u32, &StoreError),
) -> Result<Vec<OfShard<T>>, StoreError> {
    let (mut found, mut failure) = (Vec::new(), None);
    for (shard, answer) in answers {
        match answer {
            Ok(answer) => found.push((shard, answer)),
            Err(error) => {
                silent(shard, &error);
                failure = Some(error);
            }
        }
    }
    failure.filter(|_| found.is_empty()).map_or(Ok(found), Err)
}

impl RedisStore {
    pub(super) async fn claim_due(&self, most: usize) -> Result<Vec<Claim>, StoreError> {
        let shards = self.shards().await?;
        // One alone is asked without asking whether it is worth it.
        let shards = if shards.len() > 1 { self.with_somebody_due(shards).await? } else { shards };
        let (mut claims, mut failure) = (Vec::new(), None);
        for shard in shards {
            if claims.len() == most {
                break;
            }
            match self.claim_in(shard, most - claims.len()).await {
                Ok(more) => claims.extend(more),
                Err(error) => {
                    tracing::warn!(shard, %error, "a shard of the queue does not answer");
                    failure = Some(error);
                }
            }
        }
        failure.filter(|_| claims.is_empty()).map_or(Ok(claims), Err)
    }

    /// When the next customer is due or its lease runs out, in any shard that answers.
    pub(super) async fn first_due(&self) -> Result<Option<UnixMillis>, StoreError> {
        let firsts = answered(self.first_due_of_each(self.shards().await?).await, |_, _| {})?;
        Ok(firsts.into_iter().filter_map(|(_, first)| first).min())
    }

    async fn with_somebody_due(&self, shards: Vec<u32>) -> Result<Vec<u32>, StoreError> {
        let now = self.clock.now();
        let firsts = answered(self.first_due_of_each(shards).await, |shard, error| {
            tracing::warn!(shard, %error, "a shard of the queue does not answer");
        })?;
        let due =
            |(shard, first): (u32, Option<UnixMillis>)| first.filter(|first| *first <= now).map(|_| shard);
        Ok(firsts.into_iter().filter_map(due).collect())
    }

    async fn first_due_of_each(
        &self,
        shards: Vec<u32>,
    ) -> Vec<OfShard<Result<Option<UnixMillis>, StoreError>>> {
        join_all(shards.into_iter().map(async |shard| {
            let first = timeout(PATIENCE, self.first_due_in(shard)).await;
            let late =
                |_| Err(unavailable(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))));
            (shard, first.unwrap_or_else(late))
        }))
        .await
    }

    async fn first_due_in(&self, shard: u32) -> Result<Option<UnixMillis>, StoreError> {
        let (keys, mut pipe) = (Keys::of(shard), redis::pipe());
        first(&mut pipe, &keys.due, 1);
        first(&mut pipe, &keys.leased, 1);
        let (due, leased): (Scored, Scored) = self.ask(&pipe).await?;
        Ok(due.iter().chain(&leased).map(|(_, score)| at(*score)).min())
    }

    async fn claim_in(&self, shard: u32, most: usize) -> Result<Vec<Claim>, StoreError> {
        let (keys, now) = (Keys::of(shard), self.clock.now());
        let mut claim = self.scripts.queue.claim.key(&keys.due);
        claim.key(&keys.leased).key(&keys.entries).key(&keys.failing);
        claim.arg(now.0).arg(most).arg(now.plus(self.queue.lease).0);
        claim.arg(format!("{shard}.{}", random_token()));
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
    pub(super) async fn end_lease(
        &self,
        claim: &Claim,
        error: &str,
        due: UnixMillis,
    ) -> Result<(), StoreError> {
        let keys = Keys::of(shard_of_lease(&claim.lease));
        let mut failed = self.scripts.queue.failed.key(&keys.due);
        failed.key(&keys.leased).key(&keys.entries).key(&keys.failing);
        failed.arg(claim.customer.as_str()).arg(&claim.lease).arg(error).arg(due.0).arg(CHANNEL);
        failed.invoke_async(&mut self.redis.clone()).await.map_err(unavailable)
    }

    /// All that can be given back is; the error is one of the others'.
    pub(super) async fn give_back(&self, claims: &[Claim]) -> Result<(), StoreError> {
        let now = self.clock.now();
        let ended = join_all(claims.iter().map(|claim| self.end_lease(claim, "", now))).await;
        ended.into_iter().collect()
    }

    pub(super) async fn renew_all(&self, claims: &[Claim]) -> Result<Vec<String>, StoreError> {
        let mut shards: Vec<u32> = claims.iter().map(|claim| shard_of_lease(&claim.lease)).collect();
        shards.sort_unstable();
        shards.dedup();
        let renewed = join_all(shards.into_iter().map(|shard| self.renew_in(shard, claims))).await;
        let mut lost = Vec::new();
        for renewed in renewed {
            match renewed {
                Ok(more) => lost.extend(more),
                // The others' leases are not to run out for it.
                Err(error) => tracing::warn!(%error, "leases could not be renewed"),
            }
        }
        Ok(lost)
    }

    /// Of these claims those that lie in the shard.
    async fn renew_in(&self, shard: u32, claims: &[Claim]) -> Result<Vec<String>, StoreError> {
        let keys = Keys::of(shard);
        let mut renew = self.scripts.queue.renew.key(&keys.leased);
        renew.key(&keys.entries).arg(self.clock.now().plus(self.queue.lease).0);
        for claim in claims.iter().filter(|claim| shard_of_lease(&claim.lease) == shard) {
            renew.arg(claim.customer.as_str()).arg(&claim.lease);
        }
        renew.invoke_async(&mut self.redis.clone()).await.map_err(unavailable)
    }
}
