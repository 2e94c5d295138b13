//! Runs the app until it is told to stop: pages and webhooks, and beside them the worker and the
//! reconciler. What it runs is built in `run`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use unsplit_billing::adapters::redis::RedisConnection;
use unsplit_billing::service::{Reconciler, Worker};

use super::AppState;
use super::config::Config;
use super::health::Health;
use super::live;
use super::metrics;
use super::router::router;
use super::run::{StartError, Tuning, open_state, read_catalog};
use super::security::SecurityPolicy;
use super::session::RedisSessionStore;

/// How long requests that are under way may take after the stop signal.
const DRAIN: Duration = Duration::from_secs(25);

/// Resolves on Ctrl-C and on SIGTERM.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = match signal(SignalKind::terminate()) {
        Ok(term) => term,
        Err(error) => {
            tracing::error!(%error, "SIGTERM can't be heard");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
}

/// The address, taken before anything else is started.
///
/// # Errors
/// `StartError` that says what to do where somebody else has it.
pub async fn listen(address: SocketAddr, change: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            StartError::new(format!("{address} is in use: stop what runs there, or set {change}"))
        }
        _ => StartError::new(format!("{address} can't be listened on ({error}): set {change}")),
    })
}

/// Runs the app until `stop` resolves.
///
/// # Errors
/// `StartError`.
pub async fn serve(
    config: Config,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
    let listener = listen(config.site_addr, "LEPTOS_SITE_ADDR").await?;
    let (state, redis) = open_state(config, read_catalog()?, Tuning::default()).await?;
    tracing::info!(address = %state.config.site_addr, mode = ?state.config.mode, "serving");
    serve_on(listener, state, redis, stop).await
}

/// Runs the app on a listener.
///
/// # Errors
/// `StartError`.
pub async fn serve_on(
    listener: TcpListener,
    state: AppState,
    redis: RedisConnection,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
    let own = [&state.config.stripe_base, &state.config.checkout_origin];
    let pages: Vec<String> = own.into_iter().flatten().cloned().collect();
    let policy = SecurityPolicy::new(&state.config.public_url, &pages)?;
    let app = router(&state, RedisSessionStore::new(redis.clone()), policy);
    let (stopping, stopped) = watch::channel(());
    let loops = Loops::start(&state, redis, &stopped);
    tokio::spawn(async move {
        stop.await;
        state.health.drain();
        let _ = stopping.send(());
    });
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(changed(stopped.clone()));
    tokio::select! {
        served = async { serving.await } => served.map_err(StartError::new)?,
        () = async { changed(stopped).await; tokio::time::sleep(DRAIN).await } => {
            tracing::warn!("some requests did not end in time");
        }
    }
    loops.end().await
}

async fn changed(mut stopped: watch::Receiver<()>) {
    let _ = stopped.changed().await;
}

/// What runs beside the router.
struct Loops {
    worker: JoinHandle<()>,
    reconciler: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    live: JoinHandle<()>,
}

impl Loops {
    fn start(state: &AppState, redis: RedisConnection, stopped: &watch::Receiver<()>) -> Self {
        let (billing, stop) = (&state.billing, || changed(stopped.clone()));
        let worker = at_work(&state.health, Worker::new(billing.clone()).run(stop()));
        let reconciler = at_work(&state.health, Reconciler::new(billing.clone()).run(stop()));
        let upkeep = tokio::spawn(metrics::upkeep(state.health.recorder()));
        let (listeners, billing, stop) = (state.live.clone(), billing.clone(), stop());
        let live = tokio::spawn(async move { live::follow(&listeners, &billing, &redis, stop).await });
        Self { worker, reconciler, upkeep, live }
    }

    /// Worker and reconciler come to their end before either's panic is told. Live streams have ended, as
    /// they would have held up the router.
    async fn end(self) -> Result<(), StartError> {
        self.upkeep.abort();
        self.live.abort();
        let (reconciled, worked) = (self.reconciler.await, self.worker.await);
        reconciled.and(worked).map_err(StartError::new)
    }
}

/// Runs one of the loops, and says so as long as it does.
fn at_work(health: &Arc<Health>, run: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    let health = health.clone();
    tokio::spawn(async move {
        let _working = health.working();
        run.await;
    })
}
