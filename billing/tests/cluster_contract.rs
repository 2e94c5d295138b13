//! The same contract on a real Redis Cluster, and what is a cluster's own: a primary is killed.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod contract {
    pub mod bindings;
    pub mod budget;
    pub mod cluster;
    pub mod inspect;
    pub mod leases;
    pub mod queue;
    pub mod rebuild;
    pub mod shards;
    pub mod support;
    pub mod tickets;
    pub mod trials;
}
#[expect(dead_code, reason = "shared with the tests of the app, which lose more")]
#[path = "../../tests/suite/support/redis_cluster.rs"]
mod redis_cluster;
#[expect(dead_code, reason = "shared with the tests on a single Redis")]
#[path = "../../tests/suite/support/redis_server.rs"]
mod redis_server;

/// Where a test's store is: a cluster has one database, so the tests take turns on one cluster.
mod home {
    use std::sync::OnceLock;

    use tokio::sync::{Mutex, MutexGuard};
    use unsplit_billing::adapters::redis::RedisConnection;

    use crate::redis_cluster::RedisCluster;

    pub struct Home(#[expect(dead_code, reason = "its end is the next one's turn")] MutexGuard<'static, ()>);

    pub fn url() -> String {
        static CLUSTER: OnceLock<RedisCluster> = OnceLock::new();
        CLUSTER.get_or_init(RedisCluster::start).url()
    }

    pub async fn empty() -> (RedisConnection, Home) {
        static TURN: Mutex<()> = Mutex::const_new(());
        let turn = TURN.lock().await;
        let redis = RedisConnection::open(url()).await.unwrap();
        let _: () = redis::cmd("FLUSHDB").query_async(&mut redis.clone()).await.unwrap();
        (redis, Home(turn))
    }
}
