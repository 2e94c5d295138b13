//! The environment, read once and checked: a wrong variable is one line that names it.

use std::net::SocketAddr;
use std::path::PathBuf;

use unsplit_billing::adapters::redis::RedisOptions;
use unsplit_billing::adapters::stripe::{StripeConfigError, key_mode};
use unsplit_billing::ports::AccountMode;

use super::security::Origin;

/// Everything that comes from outside.
#[derive(Clone)]
pub struct Config {
    pub stripe_key: String,
    pub mode: AccountMode,
    /// `None` is Stripe's own.
    pub stripe_base: Option<String>,
    /// `whsec_…`; several while one is being replaced.
    pub webhook_secrets: Vec<String>,
    /// One, or several nodes of a cluster, separated by commas. It may have a password: never print it.
    pub redis_url: String,
    /// Whose certificates `rediss://` takes, instead of the public authorities'.
    pub redis_ca_file: Option<PathBuf>,
    /// A domain of your own for Stripe's pages.
    pub checkout_origin: Option<String>,
    /// Where people reach us, without a path.
    pub public_url: String,
    pub site_addr: SocketAddr,
    /// Over how many hash tags the queue is spread.
    pub queue_shards: u32,
    /// Who may read `/metrics` from elsewhere: whoever has this.
    pub metrics_token: Option<String>,
    /// How many proxies of ours stand before us.
    pub trusted_proxies: u8,
}

/// Which variable is missing or wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} is not set: {1}")]
    Missing(&'static str, &'static str),
    #[error("{0} is {1:?}: {2}")]
    Wrong(&'static str, String, &'static str),
    #[error(transparent)]
    Stripe(#[from] StripeConfigError),
}

/// A variable that is set and not empty.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Where the app listens: LEPTOS_SITE_ADDR, or port 3000 of this machine.
///
/// # Errors
/// `ConfigError::Wrong` where it is no address.
pub fn site_addr() -> Result<SocketAddr, ConfigError> {
    let text = variable("LEPTOS_SITE_ADDR").unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    text.parse().map_err(|_| ConfigError::Wrong("LEPTOS_SITE_ADDR", text, "write it as 127.0.0.1:3000"))
}

/// What is not in the environment but decided by `unsplit dev`.
#[derive(Debug, Clone, Default)]
pub struct Provided {
    pub redis_url: Option<String>,
    pub stripe_key: Option<String>,
    pub stripe_base: Option<String>,
    pub webhook_secret: Option<String>,
}

impl Config {
    /// The environment alone, as `unsplit serve` runs.
    ///
    /// # Errors
    /// `ConfigError`, which names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        let config = Self::with(Provided::default())?;
        if config.webhook_secrets.is_empty() {
            let fix = "copy the endpoint's signing secret (whsec_…) from Stripe's Dashboard";
            return Err(ConfigError::Missing("STRIPE_WEBHOOK_SECRET", fix));
        }
        if variable("PUBLIC_URL").is_none() {
            return Err(ConfigError::Missing(
                "PUBLIC_URL",
                "say where people reach the app, such as https://example.com",
            ));
        }
        Ok(config)
    }

    /// The environment, with what it lacks provided.
    ///
    /// # Errors
    /// `ConfigError`, which names the variable.
    pub fn with(provided: Provided) -> Result<Self, ConfigError> {
        let take = |name, provided: Option<String>, fix| {
            variable(name).or(provided).ok_or(ConfigError::Missing(name, fix))
        };
        let stripe_key = take(
            "STRIPE_SECRET_KEY",
            provided.stripe_key,
            "take it from Stripe's Dashboard, or run `unsplit dev` for the emulator",
        )?;
        let redis_url = take(
            "REDIS_URL",
            provided.redis_url,
            "write it as redis://host:6379, or run `unsplit dev` for a private Redis",
        )?;
        let site_addr = site_addr()?;
        let mode = key_mode(&stripe_key)?;
        let public_url = variable("PUBLIC_URL").unwrap_or_else(|| format!("http://{site_addr}"));
        let public_url = origin("PUBLIC_URL", &public_url)?;
        if mode == AccountMode::Live && public_url.starts_with("http:") {
            let fix = "Stripe's live mode needs https";
            return Err(ConfigError::Wrong("PUBLIC_URL", public_url, fix));
        }
        Ok(Self {
            mode,
            checkout_origin: variable("STRIPE_CHECKOUT_ORIGIN")
                .map(|text| origin("STRIPE_CHECKOUT_ORIGIN", &text))
                .transpose()?,
            stripe_key,
            stripe_base: variable("STRIPE_API_BASE").or(provided.stripe_base),
            webhook_secrets: webhook_secrets(variable("STRIPE_WEBHOOK_SECRET").or(provided.webhook_secret))?,
            redis_url,
            redis_ca_file: variable("REDIS_CA_FILE").map(PathBuf::from),
            public_url,
            site_addr,
            queue_shards: queue_shards()?,
            metrics_token: variable("METRICS_TOKEN"),
            trusted_proxies: trusted_proxies()?,
        })
    }

    /// Where Redis is, and how to know it.
    #[must_use]
    pub fn redis(&self) -> RedisOptions {
        RedisOptions { url: self.redis_url.clone(), ca_file: self.redis_ca_file.clone() }
    }

    /// Whether no real money moves.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.mode == AccountMode::Test
    }
}

/// A URL without a path, in its plain form.
fn origin(name: &'static str, text: &str) -> Result<String, ConfigError> {
    let wrong = |fix| ConfigError::Wrong(name, text.to_owned(), fix);
    let path = text.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    if !path.is_empty() {
        return Err(wrong("leave the path out"));
    }
    let origin = Origin::parse(text).map_err(|_| wrong("write it as https://example.com"))?;
    Ok(origin.as_str().to_owned())
}

fn webhook_secrets(text: Option<String>) -> Result<Vec<String>, ConfigError> {
    let secrets = text.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|text| !text.is_empty());
    secrets
        .map(|secret| {
            if secret.starts_with("whsec_") {
                Ok(secret.to_owned())
            } else {
                let fix = "each secret starts with whsec_; separate several with commas";
                Err(ConfigError::Wrong("STRIPE_WEBHOOK_SECRET", "(hidden)".to_owned(), fix))
            }
        })
        .collect()
}

fn queue_shards() -> Result<u32, ConfigError> {
    let Some(text) = variable("QUEUE_SHARDS") else { return Ok(1) };
    let shards = text.parse().ok().filter(|shards| (1..=1024).contains(shards));
    shards.ok_or(ConfigError::Wrong(
        "QUEUE_SHARDS",
        text,
        "write a number from 1 to 1024; 1 is enough for one Redis",
    ))
}

fn trusted_proxies() -> Result<u8, ConfigError> {
    let Some(text) = variable("TRUSTED_PROXIES") else { return Ok(0) };
    let fix = "write how many proxies of yours stand before the app, such as 1";
    text.parse().map_err(|_| ConfigError::Wrong("TRUSTED_PROXIES", text, fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_webhook_secrets_and_no_wrong_one() {
        let read = |text: &str| webhook_secrets(Some(text.to_owned())).map_err(|error| error.to_string());
        assert_eq!(read("whsec_a, whsec_b,"), Ok(vec!["whsec_a".to_owned(), "whsec_b".to_owned()]));
        let error = read("whsec_a,sk_live_secret").err().unwrap_or_default();
        assert!(error.contains("STRIPE_WEBHOOK_SECRET") && !error.contains("sk_live"), "{error}");
        assert_eq!(webhook_secrets(None).map_err(|error| error.to_string()), Ok(Vec::new()));
    }
}
