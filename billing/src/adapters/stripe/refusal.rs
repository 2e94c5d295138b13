//! A try that failed: what Stripe said, or that it said nothing, and what that means for the next
//! one. May not wait or call.

use std::time::SystemTime;

use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use super::answers::without_emails;
use super::retry;
use crate::error::{StripeError, StripeErrorKind};
use crate::ports::Slowdown;

/// Why a try failed.
pub(super) struct Failed {
    pub error: StripeError,
    /// `None` where no answer came.
    pub answer: Option<Answer>,
    /// For the metrics.
    pub result: &'static str,
}

/// The answer of a failure, without its body.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
}

impl Failed {
    pub fn no_answer(error: &reqwest::Error) -> Self {
        let (what, result) = if error.is_timeout() {
            ("no answer in time", "timeout")
        } else {
            ("no connection", "unavailable")
        };
        let error = StripeError::new(StripeErrorKind::Unavailable, what);
        Self { error, answer: None, result }
    }

    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap_or_default();
        let error = refusal(status, &headers, &bytes);
        let result = result(status, error.kind);
        Self { error, answer: Some(Answer { status, headers }), result }
    }

    /// Stripe asks everybody to go slower.
    pub fn slowdown(&self) -> Option<Slowdown> {
        let answer = self.answer.as_ref().filter(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS)?;
        Some(slowdown(&answer.headers))
    }
}

/// Only an endpoint's own limit says so; a lock_timeout gives no reason at all.
fn slowdown(headers: &HeaderMap) -> Slowdown {
    match headers.get("stripe-rate-limited-reason").and_then(|reason| reason.to_str().ok()) {
        Some("endpoint-rate" | "endpoint-concurrency") => Slowdown::Endpoint,
        _ => Slowdown::Account,
    }
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

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> StripeError {
    let request_id = headers.get("request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let body = serde_json::from_slice::<Body>(body).unwrap_or_default().error;
    let kind = kind(status, body.code.as_deref());
    let message =
        body.message.filter(|_| kind != StripeErrorKind::Unauthorized).map(|text| without_emails(&text));
    StripeError {
        message: format!("{status}{}", message.map(|text| format!(": {text}")).unwrap_or_default()),
        kind,
        code: body.code,
        param: body.param,
        request_id,
        retry_after: retry::retry_after(headers, SystemTime::now()),
    }
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

/// A failure's name in the metrics.
fn result(status: StatusCode, kind: StripeErrorKind) -> &'static str {
    match (status, kind) {
        (StatusCode::TOO_MANY_REQUESTS, _) => "rate_limited",
        (StatusCode::CONFLICT, _) => "conflict",
        (_, StripeErrorKind::Unauthorized) => "unauthorized",
        (_, StripeErrorKind::Failed) => "failed",
        (_, StripeErrorKind::Missing) => "missing",
        _ => "refused",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_failure_has_its_kind_and_its_name() {
        use StripeErrorKind::*;
        for (status, code, expected) in [
            (400, None, (Refused, "refused")),
            (402, Some("card_declined"), (Refused, "refused")),
            (404, Some("resource_missing"), (Missing, "missing")),
            (400, Some("resource_missing"), (Missing, "missing")),
            (401, None, (Unauthorized, "unauthorized")),
            (403, None, (Unauthorized, "unauthorized")),
            (409, None, (Unavailable, "conflict")),
            (429, Some("lock_timeout"), (Unavailable, "rate_limited")),
            (503, None, (Failed, "failed")),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let kind = kind(status, code);
            assert_eq!((kind, result(status, kind)), expected, "{status}");
        }
    }

    #[test]
    fn only_an_endpoints_own_limit_slows_one_endpoint_down() {
        for (reason, expected) in [
            (Some("endpoint-rate"), Slowdown::Endpoint),
            (Some("endpoint-concurrency"), Slowdown::Endpoint),
            (Some("global-rate"), Slowdown::Account),
            (Some("global-concurrency"), Slowdown::Account),
            (Some("resource-specific"), Slowdown::Account),
            (None, Slowdown::Account),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(reason) = reason {
                headers.insert("stripe-rate-limited-reason", reason.parse().unwrap());
            }
            assert_eq!(slowdown(&headers), expected, "{reason:?}");
        }
    }
}
