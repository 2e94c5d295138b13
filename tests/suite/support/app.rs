//! One app with its emulator, on ports of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use redis::AsyncCommands;
use serde_json::Value;
use stripe_emulator::{Emulator, Options, Webhook};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use unsplit::server::auth::{AccountSettings, AttemptLimits, HashingSettings};
use unsplit::server::config::Config;
use unsplit::server::run::{StartError, Tuning, open_billing, open_state, read_catalog};
use unsplit::server::serve::serve_on;
use unsplit_billing::adapters::redis::{BudgetSettings, QueueSettings, RedisConnection};
use unsplit_billing::adapters::stripe::StripeSettings;
use unsplit_billing::id::CustomerId;
use unsplit_billing::plan::Catalog;
use unsplit_billing::ports::{AccountMode, Clock, EntryState, SystemClock};
use unsplit_billing::service::Billing;

use super::stripe::KEY;
use super::{Browser, Stripe, database};

pub const WEBHOOK_SECRET: &str = "whsec_test";
/// A card that is never refused.
pub const GOOD: &str = "4242424242424242";

/// What a test wants to be different.
pub struct AppOptions {
    pub redis_url: String,
    pub redis_ca_file: Option<PathBuf>,
    pub catalog: Catalog,
    pub webhook_secrets: Vec<String>,
    pub queue_shards: u32,
    pub tuning: Tuning,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            redis_url: database(),
            redis_ca_file: None,
            catalog: read_catalog().unwrap(),
            webhook_secrets: vec![WEBHOOK_SECRET.to_owned()],
            queue_shards: 1,
            tuning: tuning(),
        }
    }
}

pub struct App {
    pub url: String,
    pub billing: Arc<Billing>,
    /// A connection to the app's own database.
    pub redis: RedisConnection,
    pub stripe: Stripe,
    /// For another process beside this one.
    pub config: Config,
    emulator: Option<Emulator>,
    running: Option<Running>,
}

/// What would be one process.
struct Running {
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), StartError>>,
}

/// Fast enough for a test, with every mechanism at work.
pub fn tuning() -> Tuning {
    Tuning {
        stripe: StripeSettings {
            timeout: Duration::from_secs(5),
            backoff_base: Duration::from_millis(5),
            backoff_cap: Duration::from_millis(20),
            longest_wait: Duration::from_millis(500),
            rate_limit_pause: Duration::from_millis(20),
            ..StripeSettings::default()
        },
        queue: QueueSettings { quiet: Duration::from_millis(20), lease: Duration::from_secs(5), shards: 1 },
        budget: Some(BudgetSettings {
            account_rate: 2000.0,
            endpoint_rate: 1000.0,
            search_rate: 1000.0,
            ..BudgetSettings::of(AccountMode::Test)
        }),
        accounts: AccountSettings { limits: AttemptLimits::default(), hashing: HashingSettings::default() },
        billing: |settings| {
            settings.retry_base = Duration::from_millis(20);
            settings.retry_cap = Duration::from_millis(200);
            settings.eager_grace = Duration::from_millis(500);
            settings.poll = Duration::from_secs(1);
            settings.renew_every = Duration::from_millis(500);
            settings.drain = Duration::from_secs(5);
            // Each look at the page is a fetch: tests change Stripe's state within a second.
            settings.fresh = Duration::ZERO;
            settings.reconcile.patience = Duration::ZERO;
        },
        ..Tuning::default()
    }
}

impl App {
    pub async fn start() -> Self {
        Self::with(AppOptions::default()).await
    }

    pub async fn with(options: AppOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let emulator = Emulator::start(Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: None,
            secret_key: KEY.to_owned(),
            webhooks: vec![Webhook {
                url: format!("{url}/webhooks/stripe"),
                secret: WEBHOOK_SECRET.to_owned(),
            }],
            ..Options::default()
        })
        .await
        .unwrap();
        let config = Config {
            stripe_key: KEY.to_owned(),
            mode: AccountMode::Test,
            stripe_base: Some(emulator.url()),
            webhook_secrets: options.webhook_secrets,
            redis_url: options.redis_url,
            redis_ca_file: options.redis_ca_file,
            checkout_origin: None,
            public_url: url.clone(),
            site_addr: address,
            queue_shards: options.queue_shards,
            metrics_token: None,
            trusted_proxies: 0,
        };
        let (running, billing, redis) = serve(listener, &config, options.catalog, options.tuning).await;
        let stripe = Stripe::at(emulator.url());
        let app =
            Self { url, billing, redis, stripe, config, emulator: Some(emulator), running: Some(running) };
        // What every process asks of Stripe at its start is no test's business.
        eventually("it has reconciled", async || app.stored("stripe:reconciled").await).await;
        app
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// A browser with a fresh account.
    pub async fn signed_up(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        let page = browser.post("/api/sign_up", &[("email", email), ("password", "correct horse")]).await;
        assert_eq!(page.status, 200, "{}", page.html);
        assert_eq!(page.path(), "/account");
        browser
    }

    /// What Redis holds at a key.
    pub async fn stored(&self, key: &str) -> Option<String> {
        // After an outage the first command meets the old connection.
        eventually("Redis answers", async || self.redis.clone().get(key).await.ok()).await
    }

    /// The keys that match a pattern.
    pub async fn keys(&self, pattern: &str) -> Vec<String> {
        self.redis.clone().keys(pattern).await.unwrap()
    }

    /// The one customer's stored value, as JSON.
    pub async fn snapshot(&self, customer: &str) -> Value {
        let text = self.stored(&format!("stripe:customer:{customer}")).await;
        text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    /// The customer of the one user who has one.
    pub async fn only_customer(&self) -> String {
        let keys = self.keys("stripe:user:*").await;
        assert_eq!(keys.len(), 1, "{keys:?}");
        self.stored(&keys[0]).await.unwrap()
    }

    /// Stops the app as SIGTERM does, and waits until it has ended.
    pub async fn stop(&mut self) {
        let Running { stop, serving } = self.running.take().unwrap();
        drop(stop);
        serving.await.unwrap().unwrap();
    }

    /// A new process on the same address, Redis and Stripe, after `stop`.
    pub async fn start_again(&mut self, catalog: Catalog) {
        let listener = TcpListener::bind(self.config.site_addr).await.unwrap();
        let (running, billing, redis) = serve(listener, &self.config, catalog, tuning()).await;
        (self.running, self.billing, self.redis) = (Some(running), billing, redis);
    }

    /// The verbs of another process on the same Redis, with its own way to Stripe.
    pub async fn another_process(&self, stripe_base: &str) -> Arc<Billing> {
        let config = Config { stripe_base: Some(stripe_base.to_owned()), ..self.config.clone() };
        open_billing(&config, read_catalog().unwrap(), &tuning()).await.unwrap().0
    }

    /// Somebody who has bought Pro for a month: their browser, customer and subscription.
    pub async fn subscriber(&self, email: &str) -> (Browser, String, String) {
        let mut browser = self.signed_up(email).await;
        let checkout = browser.subscribe("pro", "month").await;
        let success = browser.pay(&checkout, GOOD).await;
        assert_eq!(success.heading(), "Thank you. You're on Pro", "{}", success.html);
        let customer = self.only_customer().await;
        let subscription = self.snapshot(&customer).await["subscriptionId"].as_str().unwrap().to_owned();
        (browser, customer, subscription)
    }

    /// The environment of a built program beside this app, which people reach at `home`.
    pub fn variables<'a>(&'a self, home: &'a str) -> [(&'a str, &'a str); 5] {
        [
            ("STRIPE_SECRET_KEY", &self.config.stripe_key),
            ("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET),
            ("STRIPE_API_BASE", &self.stripe.url),
            ("REDIS_URL", &self.config.redis_url),
            ("PUBLIC_URL", home),
        ]
    }

    /// Syncs one customer, as `unsplit sync` does.
    pub async fn sync(&self, customer: &str) -> Value {
        self.billing.sync(&CustomerId::parse(customer).unwrap()).await.unwrap();
        self.snapshot(customer).await
    }

    /// Waits until Redis says so.
    pub async fn eventually_plan(&self, customer: &str, plan: &str) {
        eventually(&format!("the plan {plan}"), async || {
            (self.snapshot(customer).await["plan"] == plan).then_some(())
        })
        .await;
    }

    /// Waits until Redis says so.
    pub async fn eventually_status(&self, customer: &str, status: &str) {
        let what = format!("{customer} is {status}");
        eventually(&what, async || (self.snapshot(customer).await["status"] == status).then_some(())).await;
    }

    /// Waits until the workers have nothing to do but what is far ahead.
    pub async fn eventually_quiet(&self) {
        eventually("the queue is quiet", async || {
            let soon = SystemClock.now().0 + 600_000;
            let entries = self.billing.queue_entries(1000).await.ok()?;
            entries.iter().all(|it| it.state == EntryState::Scheduled && it.at.0 > soon).then_some(())
        })
        .await;
    }

    /// Forgets everything that is Stripe's, as a flushed Redis would.
    pub async fn flush_stripe(&self) {
        let mut keys = self.keys("stripe:*").await;
        keys.extend(self.keys("{stripe:*").await);
        let _: u64 = self.redis.clone().del(keys).await.unwrap();
    }

    /// Ends the emulator: from now on Stripe can't be reached.
    pub async fn stop_stripe(&mut self) {
        self.emulator.take().unwrap().stop().await;
    }
}

async fn serve(
    listener: TcpListener,
    config: &Config,
    catalog: Catalog,
    tuning: Tuning,
) -> (Running, Arc<Billing>, RedisConnection) {
    let (state, redis) = open_state(config.clone(), catalog, tuning).await.unwrap();
    state.billing.push_plans().await.unwrap();
    let billing = state.billing.clone();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(serve_on(listener, state, redis.clone(), async move {
        let _ = stopped.await;
    }));
    (Running { stop, serving }, billing, redis)
}

/// Waits for what a worker will do; fails after a generous while.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"))
}

/// A value to be compared with one that was fetched at another time.
pub fn without_time(mut value: Value) -> Value {
    value.as_object_mut().unwrap().remove("syncedAt");
    value
}
