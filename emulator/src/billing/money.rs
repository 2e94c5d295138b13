//! Amounts as people read them. Amounts are integers in the currency's smallest unit, as Stripe has them;
//! currencies without decimals are their own smallest unit.

/// The greatest amount of a price or an invoice item. Stripe's documents speak of at most eight digits.
pub const MOST_AMOUNT: i64 = 99_999_999;
/// The greatest quantity. Not sure: what Stripe's is; with this one no sum of an invoice leaves its integers.
pub const MOST_QUANTITY: i64 = 999_999;

const ZERO_DECIMAL: &[&str] = &[
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof",
    "xpf",
];
const THREE_DECIMAL: &[&str] = &["bhd", "jod", "kwd", "omr", "tnd"];

/// How many decimals amounts of the currency are written with.
pub fn decimals(currency: &str) -> u32 {
    match currency {
        code if ZERO_DECIMAL.contains(&code) => 0,
        code if THREE_DECIMAL.contains(&code) => 3,
        _ => 2,
    }
}

/// `1200, "usd"` becomes `$12.00`, `980, "jpy"` becomes `¥980`, `1200, "sek"` becomes `SEK 12.00`.
pub fn format(amount: i64, currency: &str) -> String {
    let decimals = decimals(currency);
    let unit = 10_u64.pow(decimals);
    let absolute = amount.unsigned_abs();
    let sign = if amount < 0 { "-" } else { "" };
    let whole = grouped(absolute / unit);
    let fraction = match decimals {
        0 => String::new(),
        width => format!(".{:0width$}", absolute % unit, width = width as usize),
    };
    let symbol = match currency {
        "usd" => "$".to_owned(),
        "eur" => "€".to_owned(),
        "gbp" => "£".to_owned(),
        "jpy" => "¥".to_owned(),
        other => format!("{} ", other.to_uppercase()),
    };
    format!("{sign}{symbol}{whole}{fraction}")
}

/// `month, 1` becomes `month`, `month, 3` becomes `3 months`.
pub fn per(interval: &str, count: i64) -> String {
    if count == 1 { interval.to_owned() } else { format!("{count} {interval}s") }
}

fn grouped(whole: u64) -> String {
    let digits = whole.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn amounts_read_right_in_every_kind_of_currency() {
        assert_eq!(format(1200, "usd"), "$12.00");
        assert_eq!(format(123_456_705, "usd"), "$1,234,567.05");
        assert_eq!(format(9800, "jpy"), "¥9,800");
        assert_eq!(format(5, "sek"), "SEK 0.05");
        assert_eq!(format(1234, "kwd"), "KWD 1.234");
    }
}
