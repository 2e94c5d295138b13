//! A store on an empty database, under a clock that only the test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use redis::AsyncCommands;
use unsplit_billing::adapters::redis::{QueueSettings, RedisConnection, RedisStore};
use unsplit_billing::clock::UnixMillis;
use unsplit_billing::id::{CustomerId, SubscriptionId};
use unsplit_billing::ports::{Claim, Clock, Done, Due, Mark, Queue};
use unsplit_billing::subscription::Snapshot;

use crate::home::{Home, empty};

pub const START: i64 = 1_800_000_000_000;
pub const QUIET: i64 = 2_000;
pub const LEASE: i64 = 60_000;

pub struct Fake(AtomicI64);

impl Clock for Fake {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
}

pub struct Bench {
    pub store: RedisStore,
    pub redis: RedisConnection,
    clock: Arc<Fake>,
    _home: Option<Home>,
}

pub fn customer(id: &str) -> CustomerId {
    CustomerId::parse(format!("cus_{id}")).unwrap()
}

fn subscriptions(ids: &[&str]) -> Vec<SubscriptionId> {
    ids.iter().map(|id| SubscriptionId::parse(*id).unwrap()).collect()
}

/// A value that can be told from others.
pub fn value(synced_at: i64) -> Snapshot {
    Snapshot::none(synced_at)
}

fn process(redis: &RedisConnection, clock: &Arc<Fake>, shards: u32) -> RedisStore {
    let millis = |ms: i64| Duration::from_millis(ms.unsigned_abs());
    let settings = QueueSettings { quiet: millis(QUIET), lease: millis(LEASE), shards };
    RedisStore::new(redis.clone(), clock.clone(), settings)
}

impl Bench {
    pub async fn new() -> Self {
        let (redis, home) = empty().await;
        Self { _home: Some(home), ..Self::on(redis) }
    }

    pub fn on(redis: RedisConnection) -> Self {
        let clock = Arc::new(Fake(AtomicI64::new(START)));
        Self { store: process(&redis, &clock, 1), redis, clock, _home: None }
    }

    /// As a release with so many shards.
    pub fn sharded(self, shards: u32) -> Self {
        Self { store: process(&self.redis, &self.clock, shards), ..self }
    }

    pub fn now(&self) -> i64 {
        self.clock.now().0
    }

    pub fn pass(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub async fn flush(&self) {
        let _: () = redis::cmd("FLUSHDB").query_async(&mut self.redis.clone()).await.unwrap();
    }

    pub async fn delete(&self, key: &str) {
        let deleted: u64 = self.redis.clone().del(key).await.unwrap();
        assert_eq!(deleted, 1, "{key} was there");
    }

    /// Due `millis` from now; any sync that begins after it will do.
    pub async fn mark(&self, id: &str, millis: i64) -> u64 {
        self.mark_as(id, Due::By(UnixMillis(self.now() + millis))).await
    }

    pub async fn mark_as(&self, id: &str, due: Due) -> u64 {
        self.store.mark(&Mark::of(customer(id), due)).await.unwrap()
    }

    /// Due now, by an event that names a subscription.
    pub async fn mark_expecting(&self, id: &str, subscription: &str) -> u64 {
        let expects = Some(SubscriptionId::parse(subscription).unwrap());
        let due = Due::By(UnixMillis(self.now()));
        self.store.mark(&Mark { expects, ..Mark::of(customer(id), due) }).await.unwrap()
    }

    pub async fn claim(&self) -> Vec<Claim> {
        self.store.claim(10).await.unwrap()
    }

    pub async fn claim_one(&self) -> Claim {
        let mut claims = self.claim().await;
        assert_eq!(claims.len(), 1, "{claims:?}");
        claims.remove(0)
    }

    pub async fn claims_nothing(&self) {
        let claims = self.claim().await;
        assert!(claims.is_empty(), "{claims:?}");
    }

    /// Reports a claim done, with nothing known to change later.
    /// Returns since when, from `START`, the oldest mark had waited.
    pub async fn done(&self, claim: &Claim) -> Option<i64> {
        self.done_until(claim, None).await
    }

    pub async fn done_until(&self, claim: &Claim, next: Option<i64>) -> Option<i64> {
        self.report(claim, next, &[]).await
    }

    /// After a fetch that contained these subscriptions.
    pub async fn done_with(&self, claim: &Claim, listed: &[&str]) {
        self.report(claim, None, listed).await;
    }

    async fn report(&self, claim: &Claim, next: Option<i64>, listed: &[&str]) -> Option<i64> {
        let done = Done {
            customer: claim.customer.clone(),
            generation: claim.generation,
            lease: Some(claim.lease.clone()),
            next: next.map(UnixMillis),
            listed: subscriptions(listed),
        };
        self.store.done(&done).await.unwrap().map(|since| since.0 - START)
    }

    /// As the success page does: without a lease.
    pub async fn done_eagerly(&self, id: &str, generation: u64, next: Option<i64>) -> Option<i64> {
        let next = next.map(UnixMillis);
        let done = Done { customer: customer(id), generation, lease: None, next, listed: Vec::new() };
        self.store.done(&done).await.unwrap().map(|since| since.0 - START)
    }

    pub async fn done_eagerly_with(&self, id: &str, generation: u64, listed: &[&str]) {
        let listed = subscriptions(listed);
        let done = Done { customer: customer(id), generation, lease: None, next: None, listed };
        self.store.done(&done).await.unwrap();
    }

    pub async fn failed(&self, claim: &Claim, retry_in: i64) {
        self.store.failed(claim, "no answer", UnixMillis(self.now() + retry_in)).await.unwrap();
    }

    /// Milliseconds until the next customer is due or its lease runs out.
    pub async fn next_due(&self) -> Option<i64> {
        self.store.next_due().await.unwrap().map(|due| due.0 - self.now())
    }
}
