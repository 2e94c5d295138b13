//! The one source of time. Everything that Stripe would date asks `Clock::now`; only webhook signatures and
//! delivery retries use the machine's own time, as at Stripe.

use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's time plus an offset that a test may move forward.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    offset: i64,
}

impl Clock {
    /// A clock that is `offset` seconds ahead of the machine's.
    pub fn ahead_by(offset: i64) -> Clock {
        Clock { offset }
    }

    /// Seconds ahead of the machine's clock.
    pub fn offset(self) -> i64 {
        self.offset
    }

    /// Seconds since 1970, as the emulated Stripe sees them.
    pub fn now(self) -> i64 {
        machine_now() + self.offset
    }
}

/// Seconds since 1970 by the machine's clock, for signatures and retries.
pub fn machine_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
