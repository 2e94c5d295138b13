//! Whether a failed call is made again, and when. Pure: the dice are thrown by the caller.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::transport::StripeSettings;

/// Retry-After as seconds or as a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).ok(),
    }
}

/// What the official SDKs do (stripe-node `RequestSender._shouldRetry`): Stripe's own word first,
/// then conflicts and failures of the server. A 429 is not repeated unless Stripe says so.
pub(super) fn is_retried(status: StatusCode, headers: &HeaderMap) -> bool {
    match headers.get("stripe-should-retry").and_then(|value| value.to_str().ok()) {
        Some("true") => true,
        Some("false") => false,
        _ => status == StatusCode::CONFLICT || status.is_server_error(),
    }
}

/// How long to wait before try `attempt` + 1: exponential with full jitter (`dice` in 0..1), but
/// at least as long as Stripe asks. `None` where Stripe asks for more than a caller can wait.
pub(super) fn delay(
    settings: &StripeSettings,
    attempt: u32,
    asked: Option<Duration>,
    dice: f64,
) -> Option<Duration> {
    let ceiling = settings.backoff_base.saturating_mul(1 << attempt.min(16)).min(settings.backoff_cap);
    let delay = ceiling.mul_f64(dice);
    match asked {
        Some(asked) if asked > settings.longest_wait => None,
        Some(asked) => Some(delay.max(asked)),
        None => Some(delay),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(
            reqwest::header::HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )])
    }

    #[test]
    fn stripes_word_goes_first() {
        let (yes, no) = (headers("stripe-should-retry", "true"), headers("stripe-should-retry", "false"));
        let none = HeaderMap::new();
        for (status, headers, expected) in [
            (429, &none, false),
            (429, &yes, true),
            (409, &none, true),
            (409, &no, false),
            (500, &none, true),
            (503, &no, false),
            (400, &none, false),
            (404, &none, false),
        ] {
            let code = StatusCode::from_u16(status).unwrap_or_default();
            assert_eq!(is_retried(code, headers), expected, "{status}");
        }
    }

    #[test]
    fn a_wait_is_read_as_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_776);
        assert_eq!(retry_after(&headers("retry-after", "3"), now), Some(Duration::from_secs(3)));
        let date = headers("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry_after(&date, now), Some(Duration::from_secs(1)));
        assert_eq!(retry_after(&headers("retry-after", "soon"), now), None);
    }

    #[test]
    fn waits_grow_up_to_the_cap_and_are_as_long_as_asked() {
        let settings = StripeSettings {
            backoff_base: Duration::from_millis(100),
            backoff_cap: Duration::from_millis(300),
            longest_wait: Duration::from_secs(5),
            ..StripeSettings::default()
        };
        let wait = |attempt, asked, dice| delay(&settings, attempt, asked, dice).map(|d| d.as_millis());
        assert_eq!(wait(0, None, 1.0), Some(100));
        assert_eq!(wait(1, None, 0.5), Some(100));
        assert_eq!(wait(9, None, 1.0), Some(300));
        assert_eq!(wait(0, Some(Duration::from_secs(2)), 0.1), Some(2000));
        assert_eq!(wait(0, Some(Duration::from_secs(6)), 0.1), None);
    }
}
