//! Lengths of time as people write them, `1mo`, `3d`, `1y6mo`, by the calendar in UTC: a month from 31 January is
//! 28 or 29 February. Arithmetic only.

use time::{Date, Month, OffsetDateTime};

const UNITS: &str = "s, min, h, d, w, mo or y";

/// One or more numbers, each with its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span(Vec<(i64, Unit)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Seconds(i64),
    Months(i64),
}

impl Span {
    /// Reads `1y6mo`. The error says which units there are.
    pub fn parse(text: &str) -> Result<Span, String> {
        let mut rest = text.trim();
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, after) = rest.split_at(digits);
            let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            let (word, after) = after.split_at(letters);
            let number = number.parse().map_err(|_| format!("a number goes before each of {UNITS}"))?;
            parts.push((number, unit(word)?));
            rest = after;
        }
        if parts.is_empty() { Err(format!("a number and {UNITS}, for example 1mo")) } else { Ok(Span(parts)) }
    }

    /// The moment so much after `start`, both in seconds since 1970; `None` beyond all calendars.
    pub fn after(&self, start: i64) -> Option<i64> {
        self.0.iter().try_fold(start, |at, (count, unit)| match unit {
            Unit::Seconds(seconds) => at.checked_add(count.checked_mul(*seconds)?),
            Unit::Months(months) => add_months(at, count.checked_mul(*months)?),
        })
    }
}

fn unit(word: &str) -> Result<Unit, String> {
    match word {
        "s" => Ok(Unit::Seconds(1)),
        "min" => Ok(Unit::Seconds(60)),
        "h" => Ok(Unit::Seconds(3600)),
        "d" => Ok(Unit::Seconds(86_400)),
        "w" => Ok(Unit::Seconds(7 * 86_400)),
        "mo" => Ok(Unit::Months(1)),
        "y" => Ok(Unit::Months(12)),
        "m" => Err("m could be minutes or months: write min or mo".to_owned()),
        "" => Err(format!("a unit goes behind each number: {UNITS}")),
        other => Err(format!("{other} is no unit; there are {UNITS}")),
    }
}

fn add_months(start: i64, months: i64) -> Option<i64> {
    let start = OffsetDateTime::from_unix_timestamp(start).ok()?;
    let total =
        (i64::from(start.year()) * 12 + i64::from(u8::from(start.month())) - 1).checked_add(months)?;
    let month = Month::try_from(u8::try_from(total.rem_euclid(12) + 1).ok()?).ok()?;
    let year = i32::try_from(total.div_euclid(12)).ok()?;
    let date = Date::from_calendar_date(year, month, start.day().min(month.length(year))).ok()?;
    Some(start.replace_date(date).unix_timestamp())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::Span;

    /// 31 January 2027, 09:30 UTC.
    const START: i64 = 1_801_387_800;

    #[test]
    fn months_and_years_go_by_the_calendar() {
        let after = |text: &str| Span::parse(text).unwrap().after(START).unwrap() - START;
        assert_eq!(after("1mo"), 28 * 86_400);
        assert_eq!(after("1y"), 365 * 86_400);
        assert_eq!(after("2mo"), 59 * 86_400);
        assert_eq!(after("1w2d3h4min5s"), 9 * 86_400 + 3 * 3600 + 4 * 60 + 5);
        assert_eq!(after("1mo1d"), 29 * 86_400);
    }

    #[test]
    fn what_is_no_span_is_refused_with_the_units() {
        for text in ["", "1", "mo", "1m", "1 fortnight", "-1d", "99999999999999999999d"] {
            let error = Span::parse(text).unwrap_err();
            assert!(error.contains("mo"), "{text}: {error}");
        }
        assert_eq!(Span::parse("9999999999999y").unwrap().after(START), None);
    }
}
