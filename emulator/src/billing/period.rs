//! Billing periods: the arithmetic of days, weeks, months and years in UTC. A period is counted from the
//! anchor and not from the one before, so that 31 January goes over 28 February to 31 March.

use time::{Date, Month, OffsetDateTime};

const DAY: i64 = 86_400;

/// `anchor` plus `steps` times `count` intervals (`day`, `week`, `month` or `year`), in seconds since 1970.
pub fn after(anchor: i64, interval: &str, count: i64, steps: i64) -> i64 {
    match interval {
        "day" => anchor + steps * count * DAY,
        "week" => anchor + steps * count * 7 * DAY,
        "year" => add_months(anchor, steps * count * 12),
        _ => add_months(anchor, steps * count),
    }
}

/// The first boundary of the anchor's periods that is later than `moment`.
pub fn next(anchor: i64, interval: &str, count: i64, moment: i64) -> i64 {
    let is_later = moment >= anchor;
    let step = match interval {
        "day" => DAY,
        "week" => 7 * DAY,
        "month" => {
            if is_later {
                31 * DAY
            } else {
                28 * DAY
            }
        }
        _ => {
            if is_later {
                366 * DAY
            } else {
                365 * DAY
            }
        }
    };
    // Never too late: after the anchor no step is longer, and before it none is shorter.
    let mut steps = (moment - anchor).div_euclid(step * count.max(1));
    loop {
        let boundary = after(anchor, interval, count.max(1), steps);
        if boundary > moment {
            return boundary;
        }
        steps += 1;
    }
}

/// The last boundary of the anchor's periods that is earlier than `moment`.
pub fn before(anchor: i64, interval: &str, count: i64, moment: i64) -> i64 {
    let count = count.max(1);
    // Two intervals and a few days back there is a boundary before the one that is asked for.
    let mut boundary = next(anchor, interval, count, after(moment, interval, count, -2) - 4 * DAY);
    loop {
        let following = next(anchor, interval, count, boundary);
        if following >= moment {
            return boundary;
        }
        boundary = following;
    }
}

fn add_months(anchor: i64, months: i64) -> i64 {
    let Ok(start) = OffsetDateTime::from_unix_timestamp(anchor) else {
        return anchor;
    };
    let total = i64::from(start.year()) * 12 + i64::from(u8::from(start.month())) - 1 + months;
    let month = u8::try_from(total.rem_euclid(12) + 1).ok().and_then(|number| Month::try_from(number).ok());
    let (Ok(year), Some(month)) = (i32::try_from(total.div_euclid(12)), month) else {
        return anchor;
    };
    let day = start.day().min(month.length(year));
    match Date::from_calendar_date(year, month, day) {
        Ok(date) => start.replace_date(date).unix_timestamp(),
        Err(_) => anchor,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use time::{Date, Month, OffsetDateTime, Time};

    use super::{after, before, next};

    fn at(year: i32, month: Month, day: u8) -> i64 {
        let date = Date::from_calendar_date(year, month, day).unwrap();
        OffsetDateTime::new_utc(date, Time::from_hms(9, 30, 0).unwrap()).unix_timestamp()
    }

    #[test]
    fn months_keep_the_day_of_the_anchor() {
        let anchor = at(2027, Month::January, 31);
        assert_eq!(after(anchor, "month", 1, 1), at(2027, Month::February, 28));
        assert_eq!(after(anchor, "month", 1, 2), at(2027, Month::March, 31));
        assert_eq!(after(anchor, "month", 3, 1), at(2027, Month::April, 30));
    }

    #[test]
    fn the_next_boundary_is_counted_from_the_anchor_whichever_side_it_lies() {
        let anchor = at(2027, Month::January, 31);
        let mut boundary = anchor;
        for month in 1..=48 {
            boundary = next(anchor, "month", 1, boundary);
            assert_eq!(boundary, after(anchor, "month", 1, month));
            assert_eq!(next(anchor, "month", 1, boundary - 1), boundary);
            assert_eq!(before(anchor, "month", 1, boundary), after(anchor, "month", 1, month - 1));
            assert_eq!(before(anchor, "month", 1, boundary + 1), boundary);
        }
        assert_eq!(next(anchor, "month", 1, anchor - 1), anchor);
        assert_eq!(next(anchor, "month", 1, at(2026, Month::December, 31)), anchor);
        assert_eq!(next(anchor, "week", 2, anchor + 1), anchor + 14 * 86_400);
        assert_eq!(
            next(at(2028, Month::February, 29), "year", 1, at(2029, Month::March, 1)),
            at(2030, Month::February, 28)
        );
    }

    #[test]
    fn a_leap_day_comes_back_after_four_years() {
        let anchor = at(2028, Month::February, 29);
        assert_eq!(after(anchor, "year", 1, 1), at(2029, Month::February, 28));
        assert_eq!(after(anchor, "year", 1, 4), at(2032, Month::February, 29));
    }
}
