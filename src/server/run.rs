//! Builds the adapters and the app's state of them; `serve` runs them.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cookie::Key;
use leptos::config::{LeptosOptions, get_configuration};
use rand::Rng;
use unsplit_billing::adapters::plans_toml;
use unsplit_billing::adapters::redis::{BudgetSettings, QueueSettings, RedisConnection, RedisStore};
use unsplit_billing::adapters::stripe::{StripeClient, StripeSettings, Transport};
use unsplit_billing::error::{Error, StripeErrorKind};
use unsplit_billing::plan::Catalog;
use unsplit_billing::ports::{Account, AccountMode, Clock, SystemClock};
use unsplit_billing::service::{AccountClaim, Billing, Settings};

use super::AppState;
use super::auth::{AccountSettings, Accounts};
use super::config::Config;
use super::health::Health;
use super::live::{Listeners, LiveSettings};
use super::metrics;

/// Why a command ends at once: one line, for the person who started it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

impl StartError {
    #[must_use]
    pub fn new(why: impl Display) -> Self {
        Self(why.to_string())
    }
}

macro_rules! start_error_from {
    ($($error:ty),*) => {
        $(impl From<$error> for StartError {
            fn from(error: $error) -> Self {
                Self::new(error)
            }
        })*
    };
}

start_error_from!(
    super::config::ConfigError,
    unsplit_billing::error::Error,
    unsplit_billing::adapters::redis::ConnectError,
    unsplit_billing::adapters::stripe::StripeConfigError,
    unsplit_billing::adapters::plans_toml::PlansError,
    super::auth::AccountError,
    super::security::InvalidOrigin
);

/// A file beside the current directory, or beside the program, as in `dist/`.
fn beside(name: &str) -> PathBuf {
    let here = PathBuf::from(name);
    let installed = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(name)));
    if here.exists() { here } else { installed.filter(|path| path.exists()).unwrap_or(here) }
}

/// The plans of plans.toml.
///
/// # Errors
/// `StartError`, which names the plan and the field.
pub fn read_catalog() -> Result<Catalog, StartError> {
    let path = beside("plans.toml");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| StartError::new(format!("{} can't be read: {error}", path.display())))?;
    Ok(plans_toml::parse(&text)?)
}

/// Every duration, limit and clock that is not the environment's: a test has its own.
pub struct Tuning {
    pub stripe: StripeSettings,
    pub queue: QueueSettings,
    /// Stripe's default limits where there is none.
    pub budget: Option<BudgetSettings>,
    pub accounts: AccountSettings,
    pub live: LiveSettings,
    /// Changes what `Settings::new` gives.
    pub billing: fn(&mut Settings),
    pub clock: Arc<dyn Clock>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            stripe: StripeSettings::default(),
            queue: QueueSettings::default(),
            budget: None,
            accounts: AccountSettings::default(),
            live: LiveSettings::default(),
            billing: |_| {},
            clock: Arc::new(SystemClock),
        }
    }
}

/// The verbs over the environment's Stripe and Redis, once it is sure that the two belong together.
///
/// # Errors
/// `StartError`.
pub async fn open_billing(
    config: &Config,
    catalog: Catalog,
    tuning: &Tuning,
) -> Result<(Arc<Billing>, RedisConnection), StartError> {
    let (billing, redis) = build_billing(config, catalog, tuning).await?;
    claim_account(&billing, config.mode).await?;
    Ok((billing, redis))
}

/// The verbs before Stripe is asked anything: enough for who only looks at Redis.
///
/// # Errors
/// `StartError`.
pub async fn build_billing(
    config: &Config,
    catalog: Catalog,
    tuning: &Tuning,
) -> Result<(Arc<Billing>, RedisConnection), StartError> {
    let redis = RedisConnection::open(config.redis()).await?;
    let clock = tuning.clock.clone();
    let queue = QueueSettings { shards: config.queue_shards, ..tuning.queue };
    let budget = tuning.budget.unwrap_or_else(|| BudgetSettings::of(config.mode));
    let store = Arc::new(RedisStore::new(redis.clone(), clock.clone(), queue).with_budget(budget));
    let transport = Transport::new(&config.stripe_key, config.stripe_base.as_deref(), tuning.stripe.clone())?
        .with_budget(store.clone())
        .with_clock(clock.clone());
    let public = &config.public_url;
    let mut settings = Settings::new(format!("{public}/checkout/success"), format!("{public}/pricing"));
    (tuning.billing)(&mut settings);
    if transport.is_elsewhere() {
        tokio::spawn(follow_the_clock(transport.clone()));
    }
    let stripe = Arc::new(StripeClient::new(transport));
    Ok((Arc::new(Billing::new(stripe, store, clock, catalog, settings)), redis))
}

/// An emulator's clock is moved by people, while nothing may be asked of it: what depends on the
/// time follows it within a second.
async fn follow_the_clock(transport: Transport) {
    loop {
        transport.look_at_the_clock().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn claim_account(billing: &Billing, mode: AccountMode) -> Result<(), StartError> {
    match billing.claim_account(mode).await.map_err(refused_key)? {
        AccountClaim::Ours(_) => Ok(()),
        AccountClaim::Unverified(recorded) => {
            tracing::warn!(account = %describe(&recorded), "Stripe does not answer: serving what this Redis knows");
            Ok(())
        }
        AccountClaim::Another { ours, recorded } => Err(StartError::new(format!(
            "this Redis belongs to Stripe account {} and STRIPE_SECRET_KEY to {}: \
             use another REDIS_URL, or another key",
            describe(&recorded),
            describe(&ours)
        ))),
    }
}

fn refused_key(error: Error) -> StartError {
    match error {
        Error::Stripe(error) if error.kind == StripeErrorKind::Unauthorized => StartError::new(format!(
            "STRIPE_SECRET_KEY is refused ({error}): check it; a restricted key must be allowed to read the account"
        )),
        error => error.into(),
    }
}

fn describe(account: &Account) -> String {
    let mode = match account.mode {
        AccountMode::Test => "test",
        AccountMode::Live => "live",
    };
    format!("{} ({mode} mode)", account.account)
}

/// Everything that one app needs, ready to be served.
///
/// # Errors
/// `StartError`.
pub async fn open_state(
    config: Config,
    catalog: Catalog,
    tuning: Tuning,
) -> Result<(AppState, RedisConnection), StartError> {
    let (billing, redis) = open_billing(&config, catalog, &tuning).await?;
    look_at_redis(&billing).await?;
    let secret = shared_secret(&redis).await?;
    let state = AppState {
        billing,
        auth: Arc::new(Accounts::new(redis.clone(), &secret, tuning.accounts)?),
        live: Arc::new(Listeners::new(tuning.live)),
        clock: tuning.clock,
        health: Arc::new(Health::new(redis.clone(), metrics::recorder()?)),
        cookie_key: Key::derive_from(&secret),
        leptos: site_options(&config)?,
        config: Arc::new(config),
    };
    Ok((state, redis))
}

/// What is acknowledged should be on disk; whether it is, is Redis' own setting.
async fn look_at_redis(billing: &Billing) -> Result<(), StartError> {
    let durability = match billing.durability().await {
        Ok(durability) => durability,
        Err(error) => {
            tracing::warn!(%error, "Redis does not say how safe it is");
            return Ok(());
        }
    };
    if durability.is_too_old() {
        let version = &durability.version;
        return Err(StartError::new(format!("Redis {version} is too old: Unsplit needs 6.2 or newer")));
    }
    for weakness in durability.weaknesses() {
        tracing::warn!("Redis {}: {weakness} (docs/operations.md)", durability.version);
    }
    Ok(())
}

fn site_options(config: &Config) -> Result<LeptosOptions, StartError> {
    let path = beside("Leptos.toml");
    let conf = get_configuration(Some(&path.to_string_lossy())).map_err(StartError::new)?;
    let mut options = conf.leptos_options;
    options.site_addr = config.site_addr;
    let root = PathBuf::from(options.site_root.as_ref());
    if !root.exists() && !root.is_absolute() {
        let installed = path.parent().unwrap_or(Path::new("")).join(&root);
        options.site_root = installed.to_string_lossy().into_owned().into();
    }
    Ok(options)
}

/// 32 random bytes that all processes on one Redis share, made by the first.
async fn shared_secret(redis: &RedisConnection) -> Result<[u8; 32], StartError> {
    const KEY: &str = "unsplit:secret";
    let mut redis = redis.clone();
    let fresh = hex::encode(rand::rng().random::<[u8; 32]>());
    let mut pipe = redis::pipe();
    pipe.cmd("SET").arg(KEY).arg(fresh).arg("NX").ignore().cmd("GET").arg(KEY);
    let (stored,): (String,) = pipe.query_async(&mut redis).await.map_err(StartError::new)?;
    let mut secret = [0; 32];
    hex::decode_to_slice(stored, &mut secret)
        .map_err(|error| StartError::new(format!("Redis key {KEY} is damaged ({error}): delete it")))?;
    Ok(secret)
}
