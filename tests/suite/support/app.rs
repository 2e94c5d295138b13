//! One app with its emulator, on ports of its own.

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
use unsplit::server::run::{StartError, Tuning, open_state, read_catalog, serve_on};
use unsplit_billing::adapters::redis::{QueueSettings, RedisConnection};
use unsplit_billing::adapters::stripe::StripeSettings;
use unsplit_billing::plan::Catalog;
use unsplit_billing::ports::AccountMode;
use unsplit_billing::service::Billing;

use super::{Browser, database};

pub const KEY: &str = "sk_test_emulator";
pub const WEBHOOK_SECRET: &str = "whsec_test";

/// What a test wants to be different.
pub struct AppOptions {
    pub redis_url: String,
    pub catalog: Catalog,
    pub webhook_secrets: Vec<String>,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            redis_url: database(),
            catalog: read_catalog().unwrap(),
            webhook_secrets: vec![WEBHOOK_SECRET.to_owned()],
        }
    }
}

pub struct App {
    pub url: String,
    pub billing: Arc<Billing>,
    /// A connection to the app's own database.
    pub redis: RedisConnection,
    pub redis_url: String,
    pub stripe: Stripe,
    emulator: Option<Emulator>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<Result<(), StartError>>>,
}

/// Fast enough for a test, with every mechanism at work.
pub fn tuning() -> Tuning {
    Tuning {
        stripe: StripeSettings {
            timeout: Duration::from_secs(5),
            backoff_base: Duration::from_millis(5),
            backoff_cap: Duration::from_millis(20),
            longest_wait: Duration::from_millis(500),
            ..StripeSettings::default()
        },
        queue: QueueSettings { quiet: Duration::from_millis(20), lease: Duration::from_secs(5) },
        accounts: AccountSettings { limits: AttemptLimits::default(), hashing: HashingSettings::default() },
        billing: |settings| {
            settings.retry_base = Duration::from_millis(20);
            settings.retry_cap = Duration::from_millis(200);
            settings.recheck = Duration::from_millis(20);
            settings.eager_grace = Duration::from_millis(500);
            settings.poll = Duration::from_millis(50);
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
            webhooks: vec![Webhook { url: format!("{url}/webhooks/stripe"), secret: WEBHOOK_SECRET.to_owned() }],
        })
        .await
        .unwrap();
        let config = Config {
            stripe_key: KEY.to_owned(),
            mode: AccountMode::Test,
            stripe_base: Some(emulator.url()),
            webhook_secrets: options.webhook_secrets,
            redis_url: options.redis_url.clone(),
            public_url: url.clone(),
            site_addr: address,
            trusted_proxies: 0,
        };
        let (state, redis) = open_state(config, options.catalog, tuning()).await.unwrap();
        state.billing.push_plans().await.unwrap();
        let billing = state.billing.clone();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve_on(listener, state, redis.clone(), async move {
            let _ = stopped.await;
        }));
        let stripe = Stripe { url: emulator.url(), client: reqwest::Client::new() };
        Self {
            url,
            billing,
            redis,
            redis_url: options.redis_url,
            stripe,
            emulator: Some(emulator),
            stop: Some(stop),
            serving: Some(serving),
        }
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
        self.redis.clone().get(key).await.unwrap()
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
        drop(self.stop.take());
        self.serving.take().unwrap().await.unwrap().unwrap();
    }

    /// Ends the emulator: from now on Stripe can't be reached.
    pub async fn stop_stripe(&mut self) {
        self.emulator.take().unwrap().stop().await;
    }
}

/// The emulator, as a test looks at it and plays the Dashboard.
#[derive(Clone)]
pub struct Stripe {
    pub url: String,
    client: reqwest::Client,
}

impl Stripe {
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.url)).bearer_auth(KEY).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(KEY).form(form);
        let answer = request.send().await.unwrap();
        let (status, body) = (answer.status(), answer.bytes().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    pub async fn delete(&self, path: &str) -> Value {
        let answer = self.client.delete(format!("{}{path}", self.url)).bearer_auth(KEY).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null)
    }

    /// One of the emulator's own controls, such as `faults` or `deliveries`.
    pub async fn control(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}/_emulator/{path}", self.url));
        let answer = request.header("content-type", "application/json").body(body.to_string()).send();
        let answer = answer.await.unwrap();
        let (status, body) = (answer.status(), answer.bytes().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap_or(Value::Null)
    }

    /// All objects of a list.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        self.get(path).await["data"].as_array().unwrap().clone()
    }
}

/// Waits for what a worker will do; fails after a generous while.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
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
