//! What every store must do, proved on a real Redis: tickets, compare-and-set, and the queue's
//! table in docs/sync.md. The clock is the test's own.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod contract {
    pub mod bindings;
    pub mod queue;
    pub mod support;
    pub mod tickets;
}
#[expect(dead_code, reason = "shared with the app's suite, which also kills it")]
#[path = "../../tests/suite/support/redis_server.rs"]
mod redis_server;
