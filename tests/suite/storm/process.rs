//! What would be one process of the app: its router, worker and reconciler over the shared Redis and
//! Stripe, with a clock of its own. It can be killed: everything that it was doing is dropped where
//! it stands.

use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use unsplit::server::auth::{AccountSettings, AttemptLimits, HashingSettings};
use unsplit::server::config::Config;
use unsplit::server::live::LiveSettings;
use unsplit::server::router::router;
use unsplit::server::run::{Tuning, open_state, read_catalog};
use unsplit::server::security::SecurityPolicy;
use unsplit::server::session::RedisSessionStore;
use unsplit_billing::adapters::redis::{BudgetSettings, QueueSettings};
use unsplit_billing::adapters::stripe::StripeSettings;
use unsplit_billing::clock::UnixMillis;
use unsplit_billing::ports::{AccountMode, Clock, SystemClock};
use unsplit_billing::service::{Billing, Reconciler, Settings, Worker};

/// A machine's clock that is wrong.
struct Skewed(i64);

impl Clock for Skewed {
    fn now(&self) -> UnixMillis {
        UnixMillis(SystemClock.now().0 + self.0)
    }
}

/// A process as its visitors see it; a killed one answers nobody.
#[derive(Clone)]
pub struct Alive {
    pub billing: Arc<Billing>,
    pub router: Router,
    killed: watch::Receiver<bool>,
}

impl Alive {
    /// Does something in this process; `None` where it was killed meanwhile.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut killed = self.killed.clone();
        let work = Box::pin(work);
        tokio::select! {
            biased;
            Ok(_) = killed.wait_for(|killed| *killed) => None,
            done = work => Some(done),
        }
    }
}

struct Running {
    alive: Alive,
    kill: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    worker: JoinHandle<()>,
    reconciler: Option<JoinHandle<()>>,
    /// How many more polls the worker has to live.
    polls: Arc<AtomicI64>,
}

pub struct Process {
    config: Config,
    skew: i64,
    reconciles: bool,
    running: Mutex<Option<Running>>,
}

impl Process {
    pub async fn start(config: Config, skew: i64, reconciles: bool) -> Self {
        let process = Self { config, skew, reconciles, running: Mutex::new(None) };
        process.open().await;
        process
    }

    /// `None` while it is down.
    pub fn alive(&self) -> Option<Alive> {
        self.running.lock().unwrap().as_ref().map(|running| running.alive.clone())
    }

    /// Kills it after so many polls of its worker, or after a moment where there is nothing to poll for.
    /// It stays down until `open`. False where it was down already.
    pub async fn kill(&self, polls: u32) -> bool {
        let Some(mut running) = self.take(polls) else { return false };
        let _ = tokio::time::timeout(Duration::from_millis(15), &mut running.worker).await;
        running.worker.abort();
        running.kill.send_replace(true);
        if let Some(reconciler) = &running.reconciler {
            reconciler.abort();
        }
        true
    }

    /// Ends it as SIGTERM does, and starts it again. False where it was down already.
    pub async fn restart(&self, down: Duration) -> bool {
        if !self.stop().await {
            return false;
        }
        tokio::time::sleep(down).await;
        self.open().await;
        true
    }

    /// Ends it as SIGTERM does.
    pub async fn stop(&self) -> bool {
        let Some(running) = self.take(u32::MAX) else { return false };
        running.stop.send_replace(true);
        let _ = running.worker.await;
        if let Some(reconciler) = running.reconciler {
            let _ = reconciler.await;
        }
        true
    }

    fn take(&self, polls: u32) -> Option<Running> {
        let running = self.running.lock().unwrap().take()?;
        running.polls.store(i64::from(polls), Ordering::Relaxed);
        Some(running)
    }

    /// Starts as often as it takes: Stripe may be down, and Redis cut.
    pub async fn open(&self) {
        let running = loop {
            match self.try_open().await {
                Some(running) => break running,
                None => tokio::time::sleep(Duration::from_millis(3)).await,
            }
        };
        *self.running.lock().unwrap() = Some(running);
    }

    async fn try_open(&self) -> Option<Running> {
        let tuning = hurried(Arc::new(Skewed(self.skew)));
        let (state, redis) = open_state(self.config.clone(), read_catalog().unwrap(), tuning).await.ok()?;
        let policy = SecurityPolicy::new(&self.config.public_url, &[]).unwrap();
        let (kill, killed) = watch::channel(false);
        let (stop, stopped) = watch::channel(false);
        let billing = state.billing.clone();
        let polls = Arc::new(AtomicI64::new(i64::MAX));
        let stops = |mut stopped: watch::Receiver<bool>| async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        let worker = Worker::new(billing.clone()).run(stops(stopped.clone()));
        let worker = tokio::spawn(Doomed { inner: Some(Box::pin(worker)), polls: polls.clone() });
        let reconciler =
            self.reconciles.then(|| tokio::spawn(Reconciler::new(billing.clone()).run(stops(stopped))));
        let router = router(&state, RedisSessionStore::new(redis), policy);
        Some(Running { alive: Alive { billing, router, killed }, kill, stop, worker, reconciler, polls })
    }
}

/// A future that is dropped, with all that it has started, after so many polls.
struct Doomed<F> {
    inner: Option<Pin<Box<F>>>,
    polls: Arc<AtomicI64>,
}

impl<F: Future<Output = ()>> Future for Doomed<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.polls.fetch_sub(1, Ordering::Relaxed) <= 0 {
            self.inner = None;
        }
        self.inner.as_mut().map_or(Poll::Ready(()), |inner| inner.as_mut().poll(context))
    }
}

/// Cuts a future off after so many polls, as a browser that is closed does. `None` where it was.
pub async fn cut_after<T>(polls: Option<u32>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let mut left = polls.unwrap_or(u32::MAX);
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

/// Seconds become milliseconds, with every mechanism at work.
pub fn hurried(clock: Arc<dyn Clock>) -> Tuning {
    Tuning {
        stripe: StripeSettings {
            connect_timeout: Duration::from_millis(250),
            timeout: Duration::from_millis(250),
            backoff_base: Duration::from_millis(1),
            backoff_cap: Duration::from_millis(5),
            longest_wait: Duration::from_millis(20),
            ..StripeSettings::default()
        },
        queue: QueueSettings {
            quiet: Duration::from_millis(10),
            lease: Duration::from_millis(200),
            ..QueueSettings::default()
        },
        budget: Some(BudgetSettings {
            account_rate: 400.0,
            endpoint_rate: 200.0,
            search_rate: 200.0,
            burst_secs: 0.1,
            ahead: Duration::from_millis(100),
            recover: Duration::from_millis(300),
            ..BudgetSettings::of(AccountMode::Test)
        }),
        live: LiveSettings::default(),
        accounts: AccountSettings {
            // Nobody logs in.
            hashing: HashingSettings { memory_kib: 8, passes: 1, ..HashingSettings::default() },
            limits: AttemptLimits::default(),
        },
        billing: hurry,
        clock,
    }
}

fn hurry(settings: &mut Settings) {
    let millis = Duration::from_millis;
    settings.eager_grace = millis(80);
    settings.sync_deadline = millis(400);
    settings.renew_every = millis(60);
    settings.drain = millis(60);
    settings.fresh = millis(10);
    settings.patience = millis(300);
    settings.retry_base = millis(4);
    settings.retry_cap = millis(60);
    settings.poll = millis(300);
    settings.turn = millis(200);
    settings.reaction = millis(150);
    settings.concurrency = 4;
    settings.reconcile.every = millis(200);
    settings.reconcile.watch_every = millis(100);
    settings.reconcile.patience = millis(1000);
}
