//! One call of Stripe's API over a pooled client: through the gate, with authentication, API
//! version, time-outs, and retries under one idempotency key. May not know what a call means.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::Rng;
use reqwest::{Client, Url};
use serde::de::DeserializeOwned;
use stripe_client_core::{RequestBuilder, StripeMethod, VERSION};

use super::answers::{self, without_emails};
use super::gate::{Gate, Patience};
use super::refusal::Failed;
use super::settings::{StripeConfigError, StripeSettings, key_mode};
use super::stripe_time::StripeTime;
use super::{endpoint, measures, retry};
use crate::error::{StripeError, StripeErrorKind};
use crate::ports::{AccountMode, Budget, Clock, Priority, random_token};

const STRIPE: &str = "https://api.stripe.com";

/// A pooled client of one Stripe account.
#[derive(Clone)]
pub struct Transport {
    client: Client,
    base: String,
    key: String,
    settings: StripeSettings,
    gate: Gate,
    pub(super) time: StripeTime,
}

/// A body, and since when Stripe can have read it.
type Answered = (Bytes, Option<i64>);

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Transport {
    /// `base` without `/v1`; `None` is Stripe's own.
    ///
    /// # Errors
    /// `StripeConfigError`, which names the variable.
    pub fn new(key: &str, base: Option<&str>, settings: StripeSettings) -> Result<Self, StripeConfigError> {
        let base = base.unwrap_or(STRIPE).trim_end_matches('/');
        Url::parse(base).map_err(|error| StripeConfigError::Base(error.to_string()))?;
        if key_mode(key)? == AccountMode::Live && base != STRIPE {
            return Err(StripeConfigError::LiveKeyElsewhere(base.to_owned()));
        }
        let client = Client::builder()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .pool_idle_timeout(Duration::from_secs(60))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("unsplit/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| StripeConfigError::Client(error.to_string()))?;
        let gate = Gate::new(&settings);
        let time = StripeTime::default();
        Ok(Self { client, base: base.to_owned(), key: key.to_owned(), settings, gate, time })
    }

    /// Asks this budget before each try, and tells it what Stripe refuses.
    #[must_use]
    pub fn with_budget(self, budget: Arc<dyn Budget>) -> Self {
        Self { gate: self.gate.with_budget(budget), ..self }
    }

    /// Compares Stripe's clock with this one.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { time: StripeTime::by(clock), ..self }
    }

    /// Looks what time it is at an emulator, whose clock people move. Not for Stripe's own, which
    /// has no such path; its answers say it all the time.
    pub async fn look_at_the_clock(&self) {
        let (asked, began) = (self.time.ours(), Instant::now());
        let answer = self.client.get(format!("{}/_emulator/clock", self.base)).send().await;
        let Ok(answer) = answer.and_then(reqwest::Response::error_for_status) else { return };
        let body = answer.bytes().await.unwrap_or_default();
        if let Ok(clock) = serde_json::from_slice::<answers::Clock>(&body) {
            self.time.compare(clock.now, asked, began.elapsed());
        }
    }

    /// Whether this is not Stripe's own address.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.base != STRIPE
    }

    /// Calls Stripe and reads the answer. A POST goes out under `idempotency_key`, or a random
    /// one, so that its retries are one call.
    ///
    /// # Errors
    /// `StripeError`, after the retries.
    pub async fn call<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        idempotency_key: Option<&str>,
    ) -> Result<T, StripeError> {
        Ok(self.ask(request, idempotency_key).await?.0)
    }

    /// `call`, and the earliest time at which Stripe can have read what it answers, by its own clock, in
    /// Unix seconds.
    ///
    /// # Errors
    /// `StripeError`, after the retries.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        idempotency_key: Option<&str>,
    ) -> Result<(T, Option<i64>), StripeError> {
        let random = random_token();
        let key = idempotency_key.unwrap_or(&random);
        let (body, date) = self.try_patiently(&request, key).await?;
        match serde_json::from_slice(&body) {
            Ok(read) => Ok((read, date)),
            Err(error) => {
                let why = without_emails(&error.to_string());
                let message = format!("{} answered what cannot be read: {why}", request.path);
                Err(StripeError::new(StripeErrorKind::Unreadable, message))
            }
        }
    }

    async fn try_patiently(&self, request: &RequestBuilder, key: &str) -> Result<Answered, StripeError> {
        let endpoint = endpoint::name(&request.method, &request.path);
        let priority = Priority::current();
        let mut patience = Patience(self.settings.patience(priority));
        let mut attempt = 0;
        loop {
            let under_way = self.gate.pass(&endpoint, priority, &mut patience).await?;
            let began = Instant::now();
            let tried = self.try_once(request, key).await;
            drop(under_way);
            let result = tried.as_ref().map_or_else(|failed| failed.result, |_| "ok");
            measures::tried(&endpoint, result, began.elapsed());
            let failed = match tried {
                Ok(answered) => return Ok(answered),
                Err(failed) => failed,
            };
            let slowdown = failed.slowdown();
            if let Some(why) = slowdown {
                let pause = failed.error.retry_after.unwrap_or(self.settings.rate_limit_pause);
                self.gate.slow_down(&endpoint, why, pause).await;
            }
            let dice = rand::rng().random::<f64>();
            let Some(wait) = retry::next_try(&self.settings, &failed, priority, attempt, dice) else {
                return Err(failed.error);
            };
            tracing::debug!(endpoint, attempt, error = %failed.error, "calling Stripe again");
            if slowdown.is_none() {
                tokio::time::sleep(wait).await;
            } else if patience.wait(wait).await.is_err() {
                return Err(failed.error);
            }
            attempt += 1;
        }
    }

    /// One try: the body, and the answer's date less what the try took.
    async fn try_once(&self, request: &RequestBuilder, key: &str) -> Result<Answered, Failed> {
        let url = format!("{}/v1{}", self.base, request.path);
        let mut builder = match request.method {
            StripeMethod::Get => self.client.get(url),
            StripeMethod::Post => self.client.post(url).header("Idempotency-Key", key),
            StripeMethod::Delete => self.client.delete(url),
        };
        if let Some(query) = &request.query {
            builder = builder.query(&form_urlencoded::parse(query.as_bytes()).collect::<Vec<_>>());
        }
        if let Some(body) = &request.body {
            builder = builder.header("Content-Type", "application/x-www-form-urlencoded").body(body.clone());
        }
        let (asked, began) = (self.time.ours(), Instant::now());
        let sent = builder.bearer_auth(&self.key).header("Stripe-Version", VERSION.as_str()).send().await;
        let response = sent.map_err(|error| Failed::no_answer(&error))?;
        self.time.observe(response.headers(), asked, began.elapsed());
        if !response.status().is_success() {
            return Err(Failed::read(response).await);
        }
        let date = retry::read_since(response.headers(), began.elapsed());
        let body = response.bytes().await.map_err(|error| Failed::no_answer(&error))?;
        Ok((body, date))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_live_key_goes_nowhere_else() {
        let open = |key: &str, base| Transport::new(key, base, StripeSettings::default());
        assert!(matches!(
            open("sk_live_1", Some("http://127.0.0.1:12111")),
            Err(StripeConfigError::LiveKeyElsewhere(_))
        ));
        assert!(matches!(
            open("rk_live_1", Some("https://example.com")),
            Err(StripeConfigError::LiveKeyElsewhere(_))
        ));
        assert!(open("sk_live_1", None).is_ok());
        assert!(open("sk_test_1", Some("http://127.0.0.1:12111/")).is_ok());
        for key in ["", "pk_live_1", "sk_live_", "whsec_1"] {
            assert!(matches!(open(key, None), Err(StripeConfigError::Key)), "{key}");
        }
        assert!(matches!(open("sk_test_1", Some("here")), Err(StripeConfigError::Base(_))));
    }

    #[test]
    fn debug_shows_no_key() {
        let transport = Transport::new("sk_test_secret", None, StripeSettings::default()).unwrap();
        assert!(!format!("{transport:?}").contains("secret"));
    }
}
