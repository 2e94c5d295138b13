//! The one source of time. Everything that Stripe would date asks `Clock::now`; only webhook signatures and
//! delivery retries use the machine's own time, as at Stripe.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use time::OffsetDateTime;

/// The id of the setting that keeps the clock over a restart.
pub const CLOCK: &str = "clock";
/// The greatest speed of the clock: a year in half a minute.
pub const FASTEST: i64 = 1_000_000;

/// The machine's time plus an offset that a test may move forward, and a factor by which it runs faster.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Milliseconds ahead of the machine when `since` was.
    offset: i64,
    speed: i64,
    /// When the speed was set, in milliseconds of the machine.
    since: i64,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { offset: 0, speed: 1, since: 0 }
    }
}

impl Clock {
    /// The clock that a setting tells of; what it does not say is as at the machine's clock.
    pub fn of_setting(setting: &Value) -> Clock {
        let field = |name: &str| setting[name].as_i64();
        let offset = field("offset_ms").or(field("offset").map(|seconds| seconds * 1000));
        Clock {
            offset: offset.unwrap_or_default(),
            speed: field("speed").unwrap_or(1).max(1),
            since: field("since_ms").unwrap_or_default(),
        }
    }

    /// As it is stored, to go on after a restart.
    pub fn setting(self) -> Value {
        json!({ "id": CLOCK, "offset_ms": self.offset, "speed": self.speed, "since_ms": self.since })
    }

    /// How many of its seconds pass in one of the machine's.
    pub fn speed(self) -> i64 {
        self.speed
    }

    /// Seconds since 1970, as the emulated Stripe sees them.
    pub fn now(self) -> i64 {
        self.now_at(machine_millis()).div_euclid(1000)
    }

    /// The same clock, so many seconds further.
    #[must_use]
    pub fn advanced(self, seconds: i64) -> Clock {
        Clock { offset: self.offset + seconds * 1000, ..self }
    }

    /// The same clock, from now on with another speed.
    #[must_use]
    pub fn at_speed(self, speed: i64) -> Clock {
        let machine = machine_millis();
        Clock { offset: self.now_at(machine) - machine, speed, since: machine }
    }

    fn now_at(self, machine: i64) -> i64 {
        machine + self.offset + (machine - self.since) * (self.speed - 1)
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
    machine_millis().div_euclid(1000)
}

fn machine_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Clock, http_date, machine_now};

    #[test]
    fn a_clock_goes_on_from_where_it_is_when_its_speed_changes() {
        let ahead = Clock::default().advanced(1_000);
        let fast = ahead.at_speed(86_400);
        assert!((fast.now() - machine_now() - 1_000).abs() <= 86_400);
        assert_eq!(Clock::of_setting(&fast.setting()).offset, fast.offset);
        let hour = 3_600_000;
        assert_eq!(fast.now_at(fast.since + hour), fast.since + 1_000_000 + hour * 86_400);
    }

    #[test]
    fn dates_are_written_as_http_wants_them() {
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(i64::MAX), "");
    }
}
