//! `/livez`, `/readyz`, and what this process knows of itself. Neither ever asks Stripe: its outage is no reason to stop serving
//! what Redis knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use metrics_exporter_prometheus::PrometheusHandle;
use unsplit_billing::adapters::redis::RedisConnection;

use super::AppState;

/// The worker and the reconciler.
const LOOPS: u8 = 2;

/// Whether this process wants to be given work.
pub struct Health {
    redis: RedisConnection,
    draining: AtomicBool,
    /// How many of its loops run.
    at_work: AtomicU8,
    recorder: PrometheusHandle,
}

impl Health {
    #[must_use]
    pub fn new(redis: RedisConnection, recorder: PrometheusHandle) -> Self {
        Self { redis, draining: AtomicBool::new(false), at_work: AtomicU8::new(0), recorder }
    }

    /// From now on `/readyz` is red.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Says that the worker or the reconciler runs, until what is returned is dropped, also by a panic:
    /// without them this process would take marks that it does not work off, and miss what was lost.
    #[must_use]
    pub fn working(self: Arc<Self>) -> Working {
        self.at_work.fetch_add(1, Ordering::Relaxed);
        Working(self)
    }

    /// The metrics as Prometheus reads them.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.recorder.render()
    }

    /// What keeps the metrics small.
    #[must_use]
    pub fn recorder(&self) -> PrometheusHandle {
        self.recorder.clone()
    }
}

/// A worker or a reconciler at work.
pub struct Working(Arc<Health>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The process runs.
pub async fn livez() -> &'static str {
    "ok"
}

/// Redis answers, worker and reconciler run, and the process is not going down.
pub async fn readyz(State(state): State<AppState>) -> (StatusCode, &'static str) {
    if state.health.draining.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining");
    }
    if state.health.at_work.load(Ordering::Relaxed) < LOOPS {
        return (StatusCode::SERVICE_UNAVAILABLE, "the worker or the reconciler does not run");
    }
    let mut redis = state.health.redis.clone();
    match redis::cmd("PING").query_async::<String>(&mut redis).await {
        Ok(_) => (StatusCode::OK, "ok"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "Redis does not answer"),
    }
}
