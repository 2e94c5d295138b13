//! What every store must do, proved on a real Redis: tickets, compare-and-set, and the queue's
//! table in docs/sync.md. The clock is the test's own.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod contract {
    pub mod alone;
    pub mod bindings;
    pub mod budget;
    pub mod groups;
    pub mod inspect;
    pub mod leases;
    pub mod news;
    pub mod proxy;
    pub mod queue;
    pub mod rebuild;
    pub mod shards;
    pub mod support;
    pub mod tickets;
    pub mod tls;
    pub mod trials;
    pub mod wakes;
}
#[path = "../../tests/suite/support/redis_server.rs"]
mod redis_server;
#[path = "../../tests/suite/support/redis_tls.rs"]
mod redis_tls;

/// Where a test's store is: a database of its own on one Redis.
mod home {
    use unsplit_billing::adapters::redis::RedisConnection;

    pub struct Home;

    pub async fn empty() -> (RedisConnection, Home) {
        (RedisConnection::open(crate::redis_server::database()).await.unwrap(), Home)
    }
}
