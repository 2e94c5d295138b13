//! `/livez` and `/readyz`. Neither ever asks Stripe: its outage is no reason to stop serving
//! what Redis knows.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use unsplit_billing::adapters::redis::RedisConnection;

use super::AppState;

/// Whether this process wants to be given work.
pub struct Health {
    redis: RedisConnection,
    draining: AtomicBool,
}

impl Health {
    #[must_use]
    pub fn new(redis: RedisConnection) -> Self {
        Self { redis, draining: AtomicBool::new(false) }
    }

    /// From now on `/readyz` is red.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

/// The process runs.
pub async fn livez() -> &'static str {
    "ok"
}

/// Redis answers, and the process is not going down.
pub async fn readyz(State(state): State<AppState>) -> (StatusCode, &'static str) {
    if state.health.draining.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining");
    }
    let mut redis = state.health.redis.clone();
    match redis::cmd("PING").query_async::<String>(&mut redis).await {
        Ok(_) => (StatusCode::OK, "ok"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "Redis does not answer"),
    }
}
