//! Faults on order: errors, delays and cut connections, for testing what happens when Stripe does not answer.
//! They stand at the gate, before keys and parameters are looked at; only `cut: after` lets the effect happen.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;

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
    pub cut: Option<Cut>,
    /// Use it so often; without it always.
    pub times: Option<u32>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// `Stripe-Should-Retry`.
    pub should_retry: Option<bool>,
    /// The error's code, for example lock_timeout.
    pub code: Option<String>,
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
            None if self.latency_ms.is_none() && self.cut.is_none() => {
                Err("one of status, latency_ms and cut must be given".to_owned())
            }
            _ if self.times == Some(0) => Err("times must be at least 1".to_owned()),
            _ => Ok(()),
        }
    }

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
            429 => ApiError::new(status, "invalid_request_error", LIMITED)
                .code("rate_limit")
                .header("stripe-rate-limited-reason", "global-rate"),
            409 => ApiError::new(status, "invalid_request_error", LOCKED).code("lock_timeout"),
            500..=599 => ApiError::new(status, "api_error", BROKEN),
            _ => ApiError::new(status, "invalid_request_error", "An error ordered by a test."),
        };
        if let Some(code) = &self.code {
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

const BROKEN: &str = "An unknown error occurred (ordered by a test through /_emulator/faults).";
const LIMITED: &str = "Request rate limit exceeded. You can learn more about rate limits here \
                       https://docs.stripe.com/rate-limits.";
const LOCKED: &str = "This object cannot be accessed right now because another API request or Stripe process is \
                      currently accessing it. If you see this error intermittently, retry the request.";

#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    pub fn add(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    pub fn all(&self) -> Vec<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The fault that this request meets, counted as used.
    pub fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|fault| fault.fits(method, path))?;
        let fault = all[at].clone();
        if let Some(times) = all[at].times.as_mut() {
            *times -= 1;
            if *times == 0 {
                all.remove(at);
            }
        }
        Some(fault)
    }
}

/// An answer that closes the connection before a byte of it is sent.
pub fn cut_connection() -> Response {
    let broken = Err::<Bytes, _>(std::io::Error::other("cut by /_emulator/faults"));
    let body = Body::from_stream(futures_util::stream::iter([broken]));
    Response::new(body)
}
