//! Faults on order or by chance: errors, delays and cut connections, for testing what happens when Stripe does
//! not answer. They stand at the gate, before keys and parameters are looked at; only `cut: after`, `late_ms`
//! and `hold` let the effect happen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::error::ApiError;
use crate::idempotency::{self, IN_USE};

/// When the connection is closed without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cut {
    /// Nothing happens.
    Before,
    /// It happens, and the answer is lost.
    After,
}

/// One rule; the first that fits a request is used.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// Fits paths that begin so; without it all of `/v1`.
    pub path: Option<String>,
    pub method: Option<String>,
    /// Answer with this error status, 400 to 599.
    pub status: Option<u16>,
    /// Wait so long first.
    pub latency_ms: Option<u64>,
    /// Answer at once, and send the answer so much later: a stale reply in flight.
    pub late_ms: Option<u64>,
    /// Answer at once, and send the answer when it is released, or after `late_ms`.
    pub hold: bool,
    pub cut: Option<Cut>,
    /// How likely a request that fits meets it, 0 to 1; without it always.
    pub probability: Option<f64>,
    /// Use it so often; without it always.
    pub times: Option<u32>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// `Stripe-Should-Retry`.
    pub should_retry: Option<bool>,
    /// The error's code, for example lock_timeout.
    pub code: Option<String>,
    /// `Stripe-Rate-Limited-Reason` of a 429.
    pub reason: Option<String>,
}

impl Fault {
    fn fits(&self, method: &str, path: &str) -> bool {
        let prefix = self.path.as_deref().unwrap_or("/v1");
        path.starts_with(prefix)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
    }

    /// What is wrong with it, naming the field.
    pub fn check(&self) -> Result<(), String> {
        match self.status {
            Some(status) if !(400..=599).contains(&status) => Err("status must be 400 to 599".to_owned()),
            None if self.does_nothing() => {
                Err("one of status, latency_ms, late_ms, hold and cut must be given".to_owned())
            }
            _ if self.times == Some(0) => Err("times must be at least 1".to_owned()),
            _ if self.probability.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) => {
                Err("probability must be 0 to 1".to_owned())
            }
            _ => self.check_reason(),
        }
    }

    fn does_nothing(&self) -> bool {
        self.latency_ms.is_none() && self.late_ms.is_none() && !self.hold && self.cut.is_none()
    }

    fn check_reason(&self) -> Result<(), String> {
        match &self.reason {
            Some(_) if self.status != Some(429) => Err("reason goes with status 429 only".to_owned()),
            Some(reason) if !REASONS.contains(&reason.as_str()) => {
                Err(format!("reason must be one of {}", REASONS.join(", ")))
            }
            _ => Ok(()),
        }
    }

    /// What passes before the request is looked at.
    pub async fn wait(&self) {
        if let Some(milliseconds) = self.latency_ms {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
    }

    /// The error to answer with, if this fault is one.
    pub fn error(&self) -> Option<ApiError> {
        let status = StatusCode::from_u16(self.status?).ok()?;
        let lock_timeout = self.code.as_deref() == Some("lock_timeout");
        let mut error = match status.as_u16() {
            429 if lock_timeout => ApiError::new(status, "invalid_request_error", LOCKED),
            429 => rate_limited(self.reason.as_deref().unwrap_or("global-rate")),
            409 if self.code.as_deref() == Some(IN_USE) => idempotency::in_use(None),
            409 => ApiError::new(status, "invalid_request_error", LOCKED).code("lock_timeout"),
            500..=599 => ApiError::new(status, "api_error", BROKEN),
            _ => ApiError::new(status, "invalid_request_error", "An error ordered by a test."),
        };
        if let Some(code) = self.code.as_ref().filter(|code| !error.has_code(code)) {
            error = error.code(code.clone());
        }
        if let Some(seconds) = self.retry_after {
            error = error.header("retry-after", seconds.to_string());
        }
        if let Some(retry) = self.should_retry {
            error = error.header("stripe-should-retry", retry.to_string());
        }
        Some(error)
    }
}

/// The header with which one request orders a fault for itself.
pub const HEADER: &str = "stripe-emulator-fault";

/// The fault that a request orders for itself, as JSON.
pub fn of_header(header: Option<&str>) -> Result<Option<Fault>, ApiError> {
    let Some(text) = header else {
        return Ok(None);
    };
    let fault = serde_json::from_str::<Fault>(text).map_err(|error| error.to_string());
    let checked = fault.and_then(|fault| match fault.path.is_some() || fault.times.is_some() {
        true => Err("path and times make no sense for one request".to_owned()),
        false => fault.check().map(|()| fault),
    });
    checked.map(Some).map_err(|why| ApiError::invalid(format!("The header Stripe-Emulator-Fault: {why}")))
}

/// Stripe's 429, with the limit that was passed.
pub fn rate_limited(reason: &str) -> ApiError {
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "invalid_request_error", LIMITED)
        .code("rate_limit")
        .header("stripe-rate-limited-reason", reason)
}

/// Which limit a 429 may say was passed.
pub const REASONS: [&str; 5] =
    ["global-rate", "endpoint-rate", "global-concurrency", "endpoint-concurrency", "resource-specific"];
const BROKEN: &str = "An unknown error occurred (ordered by a test through /_emulator/faults).";
const LIMITED: &str = "Request rate limit exceeded. You can learn more about rate limits here \
                       https://docs.stripe.com/rate-limits.";
const LOCKED: &str = "This object cannot be accessed right now because another API request or Stripe process is \
                      currently accessing it. If you see this error intermittently, retry the request.";

/// What a request meets on its way; mostly nothing.
#[derive(Debug, Default)]
pub struct Met {
    pub fault: Fault,
    release: Option<watch::Receiver<u64>>,
}

impl Met {
    /// What passes between the answer and its sending.
    pub async fn keep_back(self) {
        let late = self.fault.late_ms.map(Duration::from_millis);
        let Some(mut release) = self.release else {
            return tokio::time::sleep(late.unwrap_or_default()).await;
        };
        match late {
            None => drop(release.changed().await),
            Some(late) => drop(tokio::time::timeout(late, release.changed()).await),
        }
    }
}

/// The rules of this run; clones share them.
#[derive(Clone, Debug)]
pub struct Faults {
    rules: Arc<Mutex<Rules>>,
    /// Counts the releases of held answers.
    releases: Arc<watch::Sender<u64>>,
}

#[derive(Debug, Default)]
struct Rules {
    all: Vec<Rule>,
    seed: u64,
    /// How many rules there ever were since the seed was set.
    added: u64,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    dice: StdRng,
}

impl Rules {
    /// Each rule has dice of its own, so that what one meets does not change another's luck.
    fn next_dice(&mut self) -> StdRng {
        self.added += 1;
        StdRng::seed_from_u64(self.seed.wrapping_add(self.added))
    }
}

impl Default for Faults {
    fn default() -> Faults {
        Faults { rules: Arc::default(), releases: Arc::new(watch::Sender::new(0)) }
    }
}

impl Faults {
    pub fn add(&self, fault: Fault) {
        let mut rules = self.lock();
        let dice = rules.next_dice();
        rules.all.push(Rule { fault, dice });
    }

    pub fn all(&self) -> Vec<Fault> {
        self.lock().all.iter().map(|rule| rule.fault.clone()).collect()
    }

    pub fn seed(&self) -> u64 {
        self.lock().seed
    }

    /// Begins the chances anew: the rules that are there and those to come repeat what they did after the last
    /// time that this seed was set.
    pub fn set_seed(&self, seed: u64) {
        let mut rules = self.lock();
        rules.seed = seed;
        rules.added = 0;
        let mut all = std::mem::take(&mut rules.all);
        all.iter_mut().for_each(|rule| rule.dice = rules.next_dice());
        rules.all = all;
    }

    /// Forgets the rules, and lets held answers go.
    pub fn clear(&self) {
        self.lock().all.clear();
        self.release();
    }

    /// Sends every answer that is held. Gives how many requests were waiting.
    pub fn release(&self) -> usize {
        let waiting = self.releases.receiver_count();
        self.releases.send_modify(|releases| *releases += 1);
        waiting
    }

    /// What this request meets: the fault that it brings along itself, or else one of the rules, counted as used.
    pub fn meet(&self, own: Option<Fault>, method: &str, path: &str) -> Met {
        let fault = own.or_else(|| self.take(method, path)).unwrap_or_default();
        // Listens from now on, so that no release is missed between answering and waiting.
        let release = fault.hold.then(|| self.releases.subscribe());
        Met { fault, release }
    }

    fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut rules = self.lock();
        let meets = |rule: &mut Rule| {
            rule.fault.fits(method, path)
                && rule.fault.probability.is_none_or(|chance| rule.dice.random_bool(chance))
        };
        let at = rules.all.iter_mut().position(meets)?;
        let fault = rules.all[at].fault.clone();
        if let Some(times) = rules.all[at].fault.times.as_mut() {
            *times -= 1;
            if *times == 0 {
                rules.all.remove(at);
            }
        }
        Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer that closes the connection before a byte of it is sent.
pub fn cut_connection() -> Response {
    let broken = Err::<Bytes, _>(std::io::Error::other("cut by /_emulator/faults"));
    let body = Body::from_stream(futures_util::stream::iter([broken]));
    Response::new(body)
}
