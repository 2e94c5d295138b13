//! What time it is at Stripe, as the `Date` of its answers says. It is Stripe's clock that says when a
//! trial ends and what a session's `expires_at` may be; ours may be wrong, and an emulator's is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap};

use crate::clock::{UnixMillis, millis};
use crate::ports::{Clock, SystemClock};

/// Milliseconds. Clocks this close to each other agree: `Date` has whole seconds, and answers take time.
const AGREE: i64 = 5_000;

/// How far Stripe's clock is ahead of ours.
#[derive(Clone)]
pub(super) struct StripeTime {
    clock: Arc<dyn Clock>,
    ahead: Arc<AtomicI64>,
}

impl Default for StripeTime {
    fn default() -> Self {
        Self::by(Arc::new(SystemClock))
    }
}

impl StripeTime {
    pub fn by(clock: Arc<dyn Clock>) -> Self {
        Self { clock, ahead: Arc::default() }
    }

    pub fn ours(&self) -> UnixMillis {
        self.clock.now()
    }

    /// Milliseconds, below zero where ours is ahead; 0 where they agree, and before the first answer.
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// `asked` by our clock, and how long the answer took. An answer without a date says nothing.
    pub fn observe(&self, headers: &HeaderMap, asked: UnixMillis, took: Duration) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else { return };
        let Ok(date) = date.duration_since(SystemTime::UNIX_EPOCH) else { return };
        self.compare(millis(date) / 1000, asked, took);
    }

    /// The same for a time that was told otherwise, Unix seconds.
    pub fn compare(&self, told: i64, asked: UnixMillis, took: Duration) {
        // Told at some moment of that second, and of the time that we waited.
        let (sent, ours) = (told.saturating_mul(1000) + 500, asked.0 + millis(took) / 2);
        let ahead = sent - ours;
        let ahead = if ahead.abs() <= AGREE + millis(took) / 2 { 0 } else { ahead };
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn a_date_says_how_far_stripes_clock_is_ahead() {
        let time = StripeTime::default();
        let date = HeaderMap::from_iter([(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"))]);
        let told = 784_111_777_000;
        let at = |asked, took| {
            time.observe(&date, UnixMillis(asked), Duration::from_millis(took));
            time.ahead()
        };
        assert_eq!(at(told - 86_400_000, 0), 86_400_500);
        assert_eq!(at(told + 60_000, 2_000), -60_500);
        assert_eq!(at(told - 4_000, 0), 0, "a few seconds are no difference");
        assert_eq!(at(told - 12_000, 15_000), 0, "an answer that took so long says less");
        at(told - 86_400_000, 0);
        time.observe(&HeaderMap::new(), UnixMillis(told), Duration::ZERO);
        assert_eq!(time.ahead(), 86_400_500);
    }
}
