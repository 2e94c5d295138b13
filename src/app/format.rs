//! Money and dates in the words of the pages. Pure; dates are UTC, as Stripe's are.

use time::{Date, OffsetDateTime};
use unsplit_billing::money::Currency;

/// Signs that come before the amount. Other currencies are named by their code: "CHF 12".
const SIGNS: [(&str, &str); 18] = [
    ("aud", "A$"),
    ("brl", "R$"),
    ("cad", "CA$"),
    ("cny", "CN¥"),
    ("eur", "€"),
    ("gbp", "£"),
    ("hkd", "HK$"),
    ("ils", "₪"),
    ("inr", "₹"),
    ("jpy", "¥"),
    ("krw", "₩"),
    ("mxn", "MX$"),
    ("nzd", "NZ$"),
    ("php", "₱"),
    ("sgd", "S$"),
    ("twd", "NT$"),
    ("usd", "$"),
    ("vnd", "₫"),
];

/// An amount in the currency's minor unit as people read it: "$12", "$1,212.50", "¥1,200".
/// Decimals are left out where they are zero.
#[must_use]
pub fn format_money(amount_minor: i64, currency: &Currency) -> String {
    let decimals = currency.decimals();
    let unit = 10_u64.pow(decimals);
    let (whole, rest) = (amount_minor.unsigned_abs() / unit, amount_minor.unsigned_abs() % unit);
    let minus = if amount_minor < 0 { "-" } else { "" };
    let sign = SIGNS.iter().find(|(code, _)| *code == currency.as_str()).map_or_else(
        || format!("{}\u{a0}", currency.as_str().to_ascii_uppercase()),
        |(_, sign)| (*sign).to_owned(),
    );
    let whole = grouped(whole);
    if rest == 0 {
        format!("{minus}{sign}{whole}")
    } else {
        format!("{minus}{sign}{whole}.{rest:0width$}", width = decimals as usize)
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn day(unix: i64) -> Option<Date> {
    OffsetDateTime::from_unix_timestamp(unix).ok().map(OffsetDateTime::date)
}

/// "3 March 2027" for a time in Unix seconds.
#[must_use]
pub fn format_date(unix: i64) -> String {
    day(unix).map_or_else(
        || "a day far away".to_owned(),
        |day| format!("{} {} {}", day.day(), day.month(), day.year()),
    )
}

/// A day inside a sentence, seen from `now`: "today", "tomorrow", "yesterday", "3 March 2027".
#[must_use]
pub fn relative_day(unix: i64, now: i64) -> String {
    let distance = day(unix).zip(day(now)).map(|(day, today)| (day - today).whole_days());
    match distance {
        Some(0) => "today".to_owned(),
        Some(1) => "tomorrow".to_owned(),
        Some(-1) => "yesterday".to_owned(),
        _ => format_date(unix),
    }
}

/// The same with the preposition that belongs to it: "today", "on 3 March 2027".
#[must_use]
pub fn on_day(unix: i64, now: i64) -> String {
    let day = relative_day(unix, now);
    if day.starts_with(|c: char| c.is_ascii_digit()) { format!("on {day}") } else { day }
}

/// How many days are left: begun ones count. "1 day", "5 days".
#[must_use]
pub fn days_left(unix: i64, now: i64) -> String {
    const DAY: i64 = 24 * 60 * 60;
    match unix.saturating_sub(now).max(0).saturating_add(DAY - 1) / DAY {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// How often, after an amount: "a month", "every 3 months". `None` for an interval Stripe may add.
#[must_use]
pub fn format_interval(interval: &str, count: u32) -> Option<String> {
    if !["day", "week", "month", "year"].contains(&interval) {
        return None;
    }
    Some(if count <= 1 { format!("a {interval}") } else { format!("every {count} {interval}s") })
}

/// What is charged, and how often: "$12 a month". `None` for an interval Stripe may add.
#[must_use]
pub fn format_price(amount_minor: i64, currency: &Currency, interval: &str, count: u32) -> Option<String> {
    let interval = format_interval(interval, count)?;
    Some(format!("{} {interval}", format_money(amount_minor, currency)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    /// 3 March 2027, 12:00 UTC.
    const NOON: i64 = 1_804_075_200;
    const DAY: i64 = 86_400;

    #[test]
    fn money_by_currency() {
        let cases = [
            (1200, "usd", "$12"),
            (1250, "usd", "$12.50"),
            (7, "usd", "$0.07"),
            (0, "usd", "$0"),
            (121_250, "usd", "$1,212.50"),
            (12_345_678_900, "usd", "$123,456,789"),
            (-500, "usd", "-$5"),
            (1200, "jpy", "¥1,200"),
            (5, "krw", "₩5"),
            (1200, "eur", "€12"),
            (1500, "kwd", "KWD\u{a0}1.500"),
            (1000, "kwd", "KWD\u{a0}1"),
            (1205, "chf", "CHF\u{a0}12.05"),
            (i64::MIN, "jpy", "-¥9,223,372,036,854,775,808"),
        ];
        for (amount, currency, expected) in cases {
            assert_eq!(format_money(amount, &Currency::parse(currency).unwrap()), expected);
        }
    }

    #[test]
    fn days() {
        assert_eq!(format_date(NOON), "3 March 2027");
        assert_eq!(format_date(0), "1 January 1970");
        assert_eq!(format_date(i64::MAX), "a day far away");
        assert_eq!(on_day(NOON + DAY / 2 - 1, NOON), "today");
        assert_eq!(on_day(NOON + DAY / 2, NOON), "tomorrow");
        assert_eq!(on_day(NOON - DAY, NOON), "yesterday");
        assert_eq!(on_day(NOON + 2 * DAY, NOON), "on 5 March 2027");
        for (seconds, left) in
            [(1, "1 day"), (DAY, "1 day"), (DAY + 1, "2 days"), (14 * DAY, "14 days"), (-5, "0 days")]
        {
            assert_eq!(days_left(NOON + seconds, NOON), left);
        }
    }

    #[test]
    fn intervals() {
        assert_eq!(format_interval("month", 1).unwrap(), "a month");
        assert_eq!(format_interval("month", 3).unwrap(), "every 3 months");
        assert!(format_interval("fortnight", 1).is_none());
    }
}
