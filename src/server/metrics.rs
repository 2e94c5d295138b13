//! `/metrics`, for Prometheus. docs/operations.md explains each name. Counters are kept where
//! things happen, by the `metrics` facade; what is a state of Redis is asked at each scrape.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use subtle::ConstantTimeEq;
use unsplit_billing::clock::UnixMillis;

use super::AppState;
use super::run::StartError;

/// Seconds. A webhook's change should be stored within the first few.
const BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 900.0];

/// Samples are gathered this often, so that they take no memory where nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(15);

/// The process' one recorder. A second app in the process, as in a test, shares it.
///
/// # Errors
/// `StartError` where the process has another recorder.
pub fn recorder() -> Result<PrometheusHandle, StartError> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .map_err(StartError::new)?;
    let recorder = builder.build_recorder();
    let handle = RECORDER.get_or_init(|| recorder.handle()).clone();
    // Whoever was a moment faster has installed theirs; both are equal.
    if metrics::set_global_recorder(recorder).is_ok() {
        describe();
        begin();
    }
    Ok(handle)
}

/// Keeps the recorder small until the process ends.
pub async fn upkeep(handle: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        handle.run_upkeep();
    }
}

/// What must be there before it has happened: Prometheus sees no increase of what first appears at 1, and an
/// alert on a time that never was is silent.
fn begin() {
    counter!("unsplit_redis_failovers_total").increment(0);
    gauge!("unsplit_reconciled_timestamp_seconds").set(0.0);
    gauge!("unsplit_live_streams").set(0.0);
}

fn describe() {
    describe_counter!("unsplit_webhooks_total", "Webhooks by what became of them");
    describe_counter!("unsplit_syncs_total", "Syncs: written, refused (a later one was faster), failed");
    describe_histogram!(
        "unsplit_trigger_to_stored_seconds",
        Unit::Seconds,
        "From the oldest trigger that a sync has served to its write"
    );
    describe_counter!("unsplit_drift_total", "Customers that a webhook should have brought and did not");
    describe_gauge!("unsplit_reconciled_timestamp_seconds", "When reconciliation last came to its end");
    describe_gauge!("unsplit_rebuild_due", "1 where only `unsplit rebuild` can tell what was missed");
    describe_counter!("unsplit_redis_failovers_total", "Changes of Redis' replication id");
    describe_counter!("unsplit_stripe_requests_total", "Requests to Stripe by endpoint and result");
    describe_histogram!("unsplit_stripe_request_seconds", Unit::Seconds, "Requests to Stripe, by endpoint");
    describe_gauge!("unsplit_redis_up", "0 where the gauges of Redis are those of an earlier scrape");
    describe_gauge!("unsplit_queue_customers", "Customers in the queue, by state");
    describe_gauge!("unsplit_queue_oldest_due_seconds", "How long the longest waiting customer has been due");
    describe_gauge!(
        "unsplit_stripe_budget_available",
        "Calls to Stripe that could be made at once, by limit"
    );
    describe_gauge!(
        "unsplit_stripe_budget_rate",
        "Calls to Stripe a second that we allow ourselves, by limit"
    );
    describe_gauge!(
        "unsplit_stripe_budget_paused_seconds",
        Unit::Seconds,
        "For how long Stripe wants no more calls, by limit"
    );
    describe_counter!("unsplit_stripe_budget_waits_total", "Calls to Stripe that the budget held back");
    describe_histogram!(
        "unsplit_stripe_budget_wait_seconds",
        Unit::Seconds,
        "For how long the budget held a call back"
    );
    describe_gauge!("unsplit_live_streams", "Live pages that are open at this process");
    describe_gauge!(
        "unsplit_redis_weak_durability",
        "How many settings of Redis may lose what was acknowledged"
    );
}

/// `GET /metrics`.
pub async fn metrics(State(state): State<AppState>, request: Request) -> Response {
    if !is_allowed(&state, &request) {
        let fix = "set METRICS_TOKEN and send it as Authorization: Bearer";
        return (StatusCode::FORBIDDEN, fix).into_response();
    }
    let asked = ask_redis(&state).await;
    gauge!("unsplit_redis_up").set(if asked.is_ok() { 1.0 } else { 0.0 });
    if let Err(error) = asked {
        tracing::warn!(%error, "the metrics have nothing of Redis");
    }
    let text = state.health.metrics();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// With a token whoever has it; without, only who connects from this machine, where no proxy stands
/// before us: one on this machine would pass everybody on as if they were here.
fn is_allowed(state: &AppState, request: &Request) -> bool {
    let headers = request.headers();
    if let Some(token) = &state.config.metrics_token {
        let given = bearer(headers).unwrap_or("");
        return bool::from(given.as_bytes().ct_eq(token.as_bytes()));
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
    let proxied = state.config.trusted_proxies > 0 || state.config.public_url.starts_with("https://");
    peer.is_some_and(|peer| peer.is_loopback()) && !forwarded && !proxied
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

#[expect(clippy::cast_precision_loss, reason = "counts of customers, and milliseconds")]
async fn ask_redis(state: &AppState) -> Result<(), unsplit_billing::error::StoreError> {
    let stats = state.billing.queue_stats().await?;
    let states = [
        ("scheduled", stats.scheduled),
        ("due", stats.due),
        ("in_flight", stats.in_flight),
        ("failing", stats.failing),
    ];
    for (name, customers) in states {
        gauge!("unsplit_queue_customers", "state" => name).set(customers as f64);
    }
    let waiting = stats.oldest_due.map_or(0.0, |due| due.until(state.clock.now()).as_secs_f64());
    gauge!("unsplit_queue_oldest_due_seconds").set(waiting);
    let limits = state.billing.stripe_limits().await?;
    // Not before they were asked: a pause would seem longer by what that took.
    let now = state.clock.now();
    for limit in limits {
        let paused = limit.paused_until.map_or(0.0, |until| now.until(UnixMillis(until)).as_secs_f64());
        gauge!("unsplit_stripe_budget_paused_seconds", "limit" => limit.name.clone()).set(paused);
        gauge!("unsplit_stripe_budget_available", "limit" => limit.name.clone()).set(limit.available);
        gauge!("unsplit_stripe_budget_rate", "limit" => limit.name).set(limit.current_rate);
    }
    // All processes' count, so that it does not begin again with each.
    counter!("unsplit_drift_total").absolute(state.billing.drift().await?);
    let weak = state.billing.durability().await?.weaknesses().len();
    gauge!("unsplit_redis_weak_durability").set(weak as f64);
    Ok(())
}
