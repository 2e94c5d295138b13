//! The one source of time. Everything that Stripe would date asks `Clock::now`; only webhook signatures and
//! delivery retries use the machine's own time, as at Stripe.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

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

/// The time as HTTP writes it, for example `Sun, 06 Nov 1994 08:49:37 GMT`; empty for one before or after all
/// years that HTTP can write.
pub fn http_date(at: i64) -> String {
    let Ok(at) = OffsetDateTime::from_unix_timestamp(at) else {
        return String::new();
    };
    let (weekday, month) = (at.weekday().to_string(), at.month().to_string());
    let (hour, minute, second) = at.to_hms();
    let (day, year) = (at.day(), at.year());
    format!("{:.3}, {day:02} {:.3} {year:04} {hour:02}:{minute:02}:{second:02} GMT", weekday, month)
}

/// Seconds since 1970 by the machine's clock, for signatures and retries.
pub fn machine_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::http_date;

    #[test]
    fn dates_are_written_as_http_wants_them() {
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(i64::MAX), "");
    }
}
