//! Whether a failed call is made again, and when. Pure: the dice are thrown by the caller.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::refusal::Failed;
use super::settings::StripeSettings;
use crate::ports::Priority;

/// A longer Retry-After is not believed: it is as long as a sync's own backoff gets, and one broken
/// header must not silence all calls for a day.
const LONGEST_ASKED: Duration = Duration::from_secs(15 * 60);

/// Retry-After as seconds or as a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).ok()?,
    };
    Some(asked.min(LONGEST_ASKED))
}

/// Before when nothing of an answer can have been read, by the clock of who gave it; Unix seconds. Its
/// Date is when it was sent, and it was read after it was asked for, `took` earlier.
pub(super) fn read_since(headers: &HeaderMap, took: Duration) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let whole = took.as_secs() + u64::from(took.subsec_nanos() > 0);
    i64::try_from(date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs().saturating_sub(whole)).ok()
}

/// How long to wait before try `attempt` + 1; `None` where there is none.
pub(super) fn next_try(
    settings: &StripeSettings,
    failed: &Failed,
    priority: Priority,
    attempt: u32,
    dice: f64,
) -> Option<Duration> {
    let tries = match &failed.answer {
        None => settings.retries,
        Some(answer) => tries(settings, answer.status, &answer.headers, priority),
    };
    let told = failed.answer.as_ref().is_some_and(|answer| told_to_retry(&answer.headers).is_some());
    let asked = match failed.slowdown() {
        Some(_) if !told => failed.error.retry_after.or(Some(settings.rate_limit_pause)),
        _ => failed.error.retry_after,
    };
    delay(settings, attempt, asked, dice).filter(|_| attempt < tries)
}

fn told_to_retry(headers: &HeaderMap) -> Option<bool> {
    headers.get("stripe-should-retry")?.to_str().ok()?.parse().ok()
}

/// What the official SDKs do (stripe-node `RequestSender._shouldRetry`): Stripe's own word first,
/// then conflicts and failures of the server. They leave a 429 alone; we repeat it for somebody who
/// waits, after the pause that everybody makes.
fn tries(settings: &StripeSettings, status: StatusCode, headers: &HeaderMap, priority: Priority) -> u32 {
    match (told_to_retry(headers), status) {
        (Some(false), _) => 0,
        (_, StatusCode::CONFLICT) => settings.conflict_retries,
        (Some(true), _) => settings.retries,
        (None, StatusCode::TOO_MANY_REQUESTS) if priority == Priority::Waiting => settings.rate_limit_retries,
        (None, status) if status.is_server_error() => settings.retries,
        (None, _) => 0,
    }
}

/// How long to wait before try `attempt` + 1: exponential with full jitter (`dice` in 0..1), but
/// at least as long as Stripe asks. `None` where Stripe asks for more than a caller can wait.
fn delay(settings: &StripeSettings, attempt: u32, asked: Option<Duration>, dice: f64) -> Option<Duration> {
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
        let settings = StripeSettings {
            retries: 2,
            conflict_retries: 10,
            rate_limit_retries: 3,
            ..StripeSettings::default()
        };
        for (status, headers, waiting, background) in [
            (429, &none, 3, 0),
            (429, &yes, 2, 2),
            (429, &no, 0, 0),
            (409, &none, 10, 10),
            (409, &yes, 10, 10),
            (409, &no, 0, 0),
            (500, &none, 2, 2),
            (503, &no, 0, 0),
            (400, &yes, 2, 2),
            (400, &none, 0, 0),
            (404, &none, 0, 0),
        ] {
            let code = StatusCode::from_u16(status).unwrap_or_default();
            let tries = |priority| tries(&settings, code, headers, priority);
            let found = (tries(Priority::Waiting), tries(Priority::Background));
            assert_eq!(found, (waiting, background), "{status}");
        }
    }

    #[test]
    fn a_wait_is_read_as_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_776);
        assert_eq!(retry_after(&headers("retry-after", "3"), now), Some(Duration::from_secs(3)));
        let date = headers("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry_after(&date, now), Some(Duration::from_secs(1)));
        assert_eq!(retry_after(&headers("retry-after", "soon"), now), None);
        for too_long in ["86400", "Mon, 06 Nov 1995 08:49:37 GMT"] {
            assert_eq!(retry_after(&headers("retry-after", too_long), now), Some(LONGEST_ASKED));
        }
    }

    #[test]
    fn an_answer_may_be_as_old_as_its_question() {
        let sent = headers("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let read = |millis| read_since(&sent, Duration::from_millis(millis));
        assert_eq!(read(0), Some(784_111_777));
        assert_eq!(read(1), Some(784_111_776), "the Date may be of just after a second's end");
        assert_eq!((read(3000), read(3001)), (Some(784_111_774), Some(784_111_773)));
        assert_eq!(read_since(&HeaderMap::new(), Duration::ZERO), None);
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
