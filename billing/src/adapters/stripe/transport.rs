//! One call of Stripe's API over a pooled client: authentication, API version, time-outs,
//! retries under one idempotency key, and errors that keep their status, code and request id.
//! May not know what a call means.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rand::Rng;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use stripe_client_core::{RequestBuilder, StripeMethod, VERSION};

use super::retry;
use crate::error::{StripeError, StripeErrorKind};
use crate::ports::AccountMode;

/// The transport's durations and limits.
#[derive(Debug, Clone)]
pub struct StripeSettings {
    pub connect_timeout: Duration,
    /// For one try, from the first byte sent to the last byte read.
    pub timeout: Duration,
    pub retries: u32,
    /// After a 409: the same call is under way elsewhere, and has an answer for us in a moment.
    pub conflict_retries: u32,
    pub backoff_base: Duration,
    pub backoff_cap: Duration,
    /// A Retry-After above this is handed to the caller instead of being waited for.
    pub longest_wait: Duration,
}

impl Default for StripeSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            retries: 2,
            conflict_retries: 10,
            backoff_base: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(4),
            longest_wait: Duration::from_secs(5),
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

const STRIPE: &str = "https://api.stripe.com";

/// A pooled client of one Stripe account.
#[derive(Clone)]
pub struct Transport {
    client: Client,
    base: String,
    key: String,
    settings: StripeSettings,
}

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
        Ok(Self { client, base: base.to_owned(), key: key.to_owned(), settings })
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
        let random = format!("{:032x}", rand::rng().random::<u128>());
        let key = idempotency_key.unwrap_or(&random);
        let mut attempt = 0;
        let body = loop {
            let (error, retries) = match self.try_once(&request, key).await {
                Ok(body) => break body,
                Err(failed) => failed,
            };
            let dice = rand::rng().random::<f64>();
            let wait = retry::delay(&self.settings, attempt, error.retry_after, dice);
            let Some(wait) = wait.filter(|_| attempt < retries) else {
                return Err(error);
            };
            tracing::debug!(path = request.path, attempt, error = %error, "calling Stripe again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        };
        serde_json::from_slice(&body).map_err(|error| {
            StripeError::new(
                StripeErrorKind::Unreadable,
                format!("{} answered what cannot be read: {error}", request.path),
            )
        })
    }

    /// One try. An error comes with how many others it is worth.
    async fn try_once(&self, request: &RequestBuilder, key: &str) -> Result<Bytes, (StripeError, u32)> {
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
        let sent = builder.bearer_auth(&self.key).header("Stripe-Version", VERSION.as_str()).send().await;
        let response = sent.map_err(|error| (no_answer(&error), self.settings.retries))?;
        if response.status().is_success() {
            return response.bytes().await.map_err(|error| (no_answer(&error), self.settings.retries));
        }
        let retries = match response.status() {
            status if !retry::is_retried(status, response.headers()) => 0,
            StatusCode::CONFLICT => self.settings.conflict_retries,
            _ => self.settings.retries,
        };
        Err((refusal(response).await, retries))
    }
}

fn no_answer(error: &reqwest::Error) -> StripeError {
    let what = if error.is_timeout() { "no answer in time" } else { "no connection" };
    StripeError::new(StripeErrorKind::Unavailable, what)
}

#[derive(Deserialize, Default)]
struct Body {
    #[serde(default)]
    error: BodyError,
}

#[derive(Deserialize, Default)]
struct BodyError {
    code: Option<String>,
    param: Option<String>,
    message: Option<String>,
}

async fn refusal(response: Response) -> StripeError {
    let status = response.status();
    let request_id = response.headers().get("request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let retry_after = retry::retry_after(response.headers(), SystemTime::now());
    let bytes = response.bytes().await.unwrap_or_default();
    let body = serde_json::from_slice::<Body>(&bytes).unwrap_or_default().error;
    let kind = kind(status, body.code.as_deref());
    let message =
        body.message.filter(|_| kind != StripeErrorKind::Unauthorized).map(|text| without_emails(&text));
    StripeError {
        message: format!("{status}{}", message.map(|text| format!(": {text}")).unwrap_or_default()),
        kind,
        code: body.code,
        param: body.param,
        request_id,
        retry_after,
    }
}

/// Stripe's messages may quote what was sent, and errors are logged.
fn without_emails(message: &str) -> String {
    let words = message.split(' ').map(|word| if word.contains('@') { "(e-mail)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn kind(status: StatusCode, code: Option<&str>) -> StripeErrorKind {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => StripeErrorKind::Unauthorized,
        StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS => StripeErrorKind::Unavailable,
        _ if status.is_server_error() => StripeErrorKind::Failed,
        _ if code == Some("resource_missing") => StripeErrorKind::Missing,
        _ => StripeErrorKind::Refused,
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
    fn no_email_gets_into_an_error() {
        let message = without_emails("Invalid email address: ada@example.com. See the docs");
        assert_eq!(message, "Invalid email address: (e-mail) See the docs");
    }

    #[test]
    fn debug_shows_no_key() {
        let transport = Transport::new("sk_test_secret", None, StripeSettings::default()).unwrap();
        assert!(!format!("{transport:?}").contains("secret"));
    }
}
