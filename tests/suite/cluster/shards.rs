//! A queue in several shards, which lie on all three primaries: everybody is worked off, and while a primary
//! and its replica are dead, everybody of whom they hold nothing.

use std::sync::Arc;

use super::until_worked_off;
use crate::support::{App, AppOptions, Load, RedisCluster, WEBHOOK_SECRET, eventually};

/// The first two lie on the first primary, the others on one each.
const SHARDS: u32 = 4;
const CUSTOMERS: usize = 24;

fn tag(shard: u32) -> String {
    format!("{{stripe:due:{shard}}}")
}

struct Sharded {
    cluster: RedisCluster,
    app: App,
    load: Arc<Load>,
}

impl Sharded {
    /// Everybody has a value, and is in the queue for their next known change.
    async fn start() -> Self {
        let cluster = RedisCluster::start();
        cluster.serve_what_is_left();
        let options = AppOptions { redis_url: cluster.url(), queue_shards: SHARDS, ..AppOptions::default() };
        let app = App::with(options).await;
        app.stripe.drop_webhooks().await;
        let load = Load::prepare(app.stripe.clone(), app.url.clone(), WEBHOOK_SECRET, 1, CUSTOMERS).await;
        load.change_all().await;
        until_worked_off(&app, &load).await;
        app.eventually_quiet().await;
        Self { cluster, app, load }
    }

    /// In whose part of the queue somebody is.
    async fn shard_of(&self, customer: &str) -> u32 {
        for shard in 0..SHARDS {
            let mut score = redis::cmd("ZSCORE");
            score.arg(format!("{}:due", tag(shard))).arg(customer);
            let found: Option<f64> = score.query_async(&mut self.app.redis.clone()).await.unwrap();
            if found.is_some() {
                return shard;
            }
        }
        panic!("{customer} is in no shard")
    }

    /// Which primaries hold the entry and the value of each customer, in their order.
    async fn homes(&self) -> Vec<(usize, usize)> {
        let mut homes = Vec::new();
        for customer in self.load.customers() {
            let entry = self.cluster.primary_of(&tag(self.shard_of(&customer.id).await));
            homes.push((entry, self.cluster.primary_of(&format!("stripe:customer:{}", customer.id))));
        }
        homes
    }

    async fn eventually_stored(&self, customer: &str, version: u64) {
        eventually(&format!("{customer} has version {version}"), async || {
            (self.app.snapshot(customer).await["canceledAt"] == version).then_some(())
        })
        .await;
    }

    /// While the primary of the shard, and its replica, are dead, and after it.
    async fn outlives(&mut self, shard: u32) {
        let homes = self.homes().await;
        for number in 0..3 {
            assert!(homes.iter().any(|(entry, _)| *entry == number), "somebody is in each part: {homes:?}");
        }
        let dead = self.cluster.kill_shard_of(&tag(shard));
        self.load.change_all().await;
        let told = self.load.acknowledged();
        for ((customer, (entry, value)), told) in self.load.customers().zip(homes).zip(told) {
            assert_eq!(told, if entry == dead { 1 } else { 2 }, "{}: {entry} of {dead}", customer.id);
            if entry != dead && value != dead {
                self.eventually_stored(&customer.id, 2).await;
            }
        }
        self.cluster.revive_shard(dead);
        until_worked_off(&self.app, &self.load).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_shard_of_the_queue_holds_up_no_other() {
    Sharded::start().await.outlives(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_shard_beside_which_the_budget_for_stripe_lay_holds_up_no_other() {
    let mut sharded = Sharded::start().await;
    assert_eq!(sharded.cluster.primary_of(&tag(3)), sharded.cluster.primary_of("{stripe:budget}"));
    sharded.outlives(3).await;
}
