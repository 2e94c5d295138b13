//! `unsplit dev`: everything on one machine, with no account and no set-up. What the environment
//! already has (REDIS_URL, STRIPE_SECRET_KEY) is used, and the rest is started here.

mod private_redis;

use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use rand::Rng;
use stripe_emulator::{Emulator, Options, Webhook};
use unsplit_billing::adapters::webhook;

use crate::server::auth::{AccountSettings, AttemptLimits};
use crate::server::config::{Config, Provided, site_addr, variable};
use crate::server::run::{self, StartError, Tuning};
use crate::server::serve::{listen, serve_on, stop_signal};
use private_redis::PrivateRedis;

/// What is logged where RUST_LOG says nothing.
pub(super) const LOGGED: &str =
    "warn,unsplit=info,unsplit_billing=info,unsplit_billing::adapters::webhook=warn";

/// The key that the emulator takes; it opens nothing else.
const EMULATOR_KEY: &str = "sk_test_emulator";

#[derive(Args)]
pub(super) struct Dev {
    /// Where Redis and the emulator keep their data.
    #[arg(long, default_value = ".data")]
    data_dir: PathBuf,
    /// The private Redis' port.
    #[arg(long, default_value_t = 6399)]
    redis_port: u16,
    /// Where the Stripe emulator listens.
    #[arg(long, default_value = "127.0.0.1:12111")]
    emulator: SocketAddr,
    /// Stop when the process that started this one is gone, as `make run` does.
    #[arg(long)]
    with_parent: bool,
}

/// What this command has started.
struct Started {
    redis: Option<PrivateRedis>,
    emulator: Option<Emulator>,
}

impl Dev {
    pub(super) async fn run(self) -> Result<(), StartError> {
        let mut started = Started { redis: None, emulator: None };
        let parent = std::os::unix::process::parent_id();
        let outcome = self.serve(&mut started, parent).await;
        let running = self.data_dir.join("dev.env");
        let _ = std::fs::remove_file(running);
        if let Some(emulator) = started.emulator {
            emulator.stop().await;
        }
        if let Some(redis) = started.redis {
            redis.stop().await;
        }
        outcome
    }

    async fn serve(&self, started: &mut Started, parent: u32) -> Result<(), StartError> {
        let listener = listen(site_addr()?, "LEPTOS_SITE_ADDR").await?;
        let catalog = run::read_catalog()?;
        let provided = self.provide(started).await?;
        let config = Config::with(provided)?;
        self.tell_others(&config)?;
        let (state, redis) = run::open_state(config, catalog, generous()).await?;
        if state.config.is_test() {
            state.billing.push_plans().await?;
        } else {
            tracing::warn!("live mode: plans.toml is not pushed by itself; `unsplit plans push` does it");
        }
        self.greet(&state.config, started);
        let stop = stopping(self.with_parent, parent);
        let serving = serve_on(listener, state, redis, stop);
        match &mut started.redis {
            Some(redis) => tokio::select! {
                served = serving => served,
                () = redis.ended() => Err(StartError::new(
                    format!("Redis has ended: see {}", self.data_dir.join("redis/redis.log").display())
                )),
            },
            None => serving.await,
        }
    }

    /// Starts what the environment lacks.
    async fn provide(&self, started: &mut Started) -> Result<Provided, StartError> {
        let mut provided = Provided::default();
        if variable("REDIS_URL").is_none() {
            let address = SocketAddr::from(([127, 0, 0, 1], self.redis_port));
            let redis = PrivateRedis::start(address, &self.data_dir.join("redis")).await?;
            provided.redis_url = Some(redis.url().to_owned());
            started.redis = Some(redis);
        }
        if variable("STRIPE_SECRET_KEY").is_none() {
            if variable("STRIPE_API_BASE").is_some() {
                let fix = "set both, or neither for the emulator";
                return Err(StartError::new(format!(
                    "STRIPE_API_BASE is set without STRIPE_SECRET_KEY: {fix}"
                )));
            }
            let secret = variable("STRIPE_WEBHOOK_SECRET")
                .unwrap_or_else(|| format!("whsec_{}", hex::encode(rand::rng().random::<[u8; 16]>())));
            let endpoint =
                Webhook { url: format!("http://{}{}", site_addr()?, webhook::PATH), secret: secret.clone() };
            let options = Options {
                listen: self.emulator,
                data_dir: Some(self.data_dir.join("stripe")),
                secret_key: EMULATOR_KEY.to_owned(),
                webhooks: vec![endpoint],
                ..Options::default()
            };
            let emulator = Emulator::start(options).await.map_err(StartError::new)?;
            provided.stripe_key = Some(EMULATOR_KEY.to_owned());
            provided.stripe_base = Some(emulator.url());
            provided.webhook_secret = Some(secret);
            started.emulator = Some(emulator);
        }
        Ok(provided)
    }

    /// Writes `dev.env`, so that other commands, redis-cli and tests can join.
    fn tell_others(&self, config: &Config) -> Result<(), StartError> {
        let path = self.data_dir.join("dev.env");
        let base = config.stripe_base.as_deref().unwrap_or("");
        let text = format!(
            "REDIS_URL={}\nSTRIPE_API_BASE={base}\nSTRIPE_SECRET_KEY={}\nSTRIPE_WEBHOOK_SECRET={}\nPUBLIC_URL={}\n",
            config.redis_url,
            config.stripe_key,
            config.webhook_secrets.join(","),
            config.public_url
        );
        write_private(&path, &text)
            .map_err(|error| StartError::new(format!("{} can't be written: {error}", path.display())))
    }

    fn greet(&self, config: &Config, started: &Started) {
        let redis = match &started.redis {
            Some(redis) => format!("{} (private, data in {}/redis)", redis.url(), self.data_dir.display()),
            None => "from REDIS_URL".to_owned(),
        };
        let stripe = match &started.emulator {
            Some(emulator) => format!("{0} (emulator; look inside at {0}/_emulator)", emulator.url()),
            None => "your account, from STRIPE_SECRET_KEY".to_owned(),
        };
        let pay = match &started.emulator {
            Some(_) => "4242 4242 4242 4242, any future date, any CVC. No money moves.",
            None if config.is_test() => "4242 4242 4242 4242, any future date, any CVC (Stripe's test mode).",
            None => "a real card. This is live mode: real money moves.",
        };
        let url = &config.public_url;
        #[expect(clippy::print_stdout, reason = "the screen that `make run` promises")]
        {
            println!(
                "\n  Unsplit is running\n\n  App     {url}\n  Stripe  {stripe}\n  Redis   {redis}\n\n  \
                 Pay with {pay}\n  Ctrl-C stops everything.\n"
            );
        }
        if config.webhook_secrets.is_empty() {
            tracing::warn!(
                "STRIPE_WEBHOOK_SECRET is not set, so every webhook is refused: run \
                 `stripe listen --forward-to {url}{}` and set what it prints",
                webhook::PATH
            );
        }
    }
}

/// A developer and their browser tests sign up more often than people do.
fn generous() -> Tuning {
    let accounts = AccountSettings { limits: AttemptLimits::for_development(), ..AccountSettings::default() };
    Tuning { accounts, ..Tuning::default() }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    // Removed first: the mode counts only for a file that is made.
    let _ = std::fs::remove_file(path);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

async fn stopping(with_parent: bool, parent: u32) {
    let orphaned = async {
        if !with_parent {
            return std::future::pending().await;
        }
        while std::os::unix::process::parent_id() == parent {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::select! {
        () = stop_signal() => {}
        () = orphaned => {}
    }
}
