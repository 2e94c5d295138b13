//! How Stripe is reached: durations, limits, and which key may go where. Decides nothing else.

use std::time::Duration;

use crate::ports::{AccountMode, Priority};

/// The transport's durations and limits.
#[derive(Debug, Clone)]
pub struct StripeSettings {
    pub connect_timeout: Duration,
    /// For one try, from the first byte sent to the last byte read.
    pub timeout: Duration,
    pub retries: u32,
    /// After a 409: the same call is under way elsewhere, and has an answer for us in a moment.
    pub conflict_retries: u32,
    /// After a 429, for somebody who waits; background work comes back with its queue's backoff.
    pub rate_limit_retries: u32,
    pub backoff_base: Duration,
    pub backoff_cap: Duration,
    /// A Retry-After above this is handed to the caller instead of being waited for; so is a budget
    /// that makes somebody wait for longer.
    pub longest_wait: Duration,
    /// How long background work waits for the budget before it gives its turn back: well below the
    /// lease of a sync.
    pub longest_background_wait: Duration,
    /// How long everybody pauses after a 429 that does not say.
    pub rate_limit_pause: Duration,
    /// Calls that this process has under way at once.
    pub concurrency: usize,
    /// The part of these that is for people who wait.
    pub concurrency_for_people: usize,
}

impl Default for StripeSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            retries: 2,
            conflict_retries: 10,
            rate_limit_retries: 2,
            backoff_base: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(4),
            longest_wait: Duration::from_secs(5),
            longest_background_wait: Duration::from_secs(20),
            rate_limit_pause: Duration::from_secs(1),
            concurrency: 20,
            concurrency_for_people: 4,
        }
    }
}

impl StripeSettings {
    /// How long one call may be held back in all, before a try and between tries.
    pub(super) fn patience(&self, priority: Priority) -> Duration {
        match priority {
            Priority::Waiting => self.longest_wait,
            Priority::Background => self.longest_background_wait,
        }
    }
}

/// Why Stripe cannot be talked to with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum StripeConfigError {
    #[error("STRIPE_API_BASE is not a URL such as https://api.stripe.com: {0}")]
    Base(String),
    #[error("STRIPE_SECRET_KEY is not a secret key: it starts with sk_test_, sk_live_, rk_test_ or rk_live_")]
    Key,
    #[error(
        "a live STRIPE_SECRET_KEY is only ever sent to https://api.stripe.com, and STRIPE_API_BASE is {0}: unset it"
    )]
    LiveKeyElsewhere(String),
    #[error("the HTTP client cannot be built: {0}")]
    Client(String),
}

/// Which mode a secret key is for, by its prefix.
///
/// # Errors
/// `StripeConfigError::Key` where it is no secret key.
pub fn key_mode(key: &str) -> Result<AccountMode, StripeConfigError> {
    let is = |prefixes: [&str; 2]| {
        prefixes.iter().any(|prefix| key.len() > prefix.len() && key.starts_with(prefix))
    };
    if is(["sk_live_", "rk_live_"]) {
        Ok(AccountMode::Live)
    } else if is(["sk_test_", "rk_test_"]) {
        Ok(AccountMode::Test)
    } else {
        Err(StripeConfigError::Key)
    }
}
