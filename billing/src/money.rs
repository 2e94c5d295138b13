//! Amounts and currencies as Stripe counts them: integers in the currency's minor unit.
//! Formatting for people is the pages' business.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A three-letter currency code, lower case as Stripe writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("currency {0:?} is not a three-letter code such as \"usd\"")]
    Currency(String),
    #[error("amount {0:?} is not a number such as \"12\" or \"12.50\"")]
    Amount(String),
    #[error("amount {amount:?} has more decimals than {currency} knows ({decimals})")]
    Decimals { amount: String, currency: String, decimals: u32 },
    /// https://docs.stripe.com/currencies#special-cases, #three-decimal
    #[error("amount {amount:?} is finer than Stripe charges in {currency}: round it")]
    TooFine { amount: String, currency: String },
}

/// https://docs.stripe.com/currencies#zero-decimal
const ZERO_DECIMAL: [&str; 15] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];
/// https://docs.stripe.com/currencies#three-decimal
const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

impl Currency {
    /// # Errors
    /// `MoneyError::Currency` where the text is not three letters.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        if text.len() == 3 && text.chars().all(|c| c.is_ascii_alphabetic()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(MoneyError::Currency(text.to_owned()))
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many decimals the minor unit stands for: 2 for usd, 0 for jpy, 3 for kwd.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        if ZERO_DECIMAL.contains(&self.0.as_str()) {
            0
        } else if THREE_DECIMAL.contains(&self.0.as_str()) {
            3
        } else {
            2
        }
    }

    /// Reads an amount as people write it ("12.50") into the minor unit (1250).
    ///
    /// # Errors
    /// `MoneyError` where it is no number, negative, or has decimals the currency does not know.
    pub fn minor_units(&self, text: &str) -> Result<i64, MoneyError> {
        let bad = || MoneyError::Amount(text.to_owned());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
            return Err(bad());
        }
        let decimals = self.decimals();
        let given = u32::try_from(fraction.len()).map_err(|_| bad())?;
        if given > decimals {
            return Err(MoneyError::Decimals { amount: text.to_owned(), currency: self.0.clone(), decimals });
        }
        let padding = "0".repeat((decimals - given) as usize);
        let minor: i64 = format!("{whole}{fraction}{padding}").parse().map_err(|_| bad())?;
        if minor % self.step() != 0 {
            return Err(MoneyError::TooFine { amount: text.to_owned(), currency: self.0.clone() });
        }
        Ok(minor)
    }

    /// Stripe charges whole krónur and shillings though they have two decimals, and no
    /// thousandths of a dinar.
    fn step(&self) -> i64 {
        match self.0.as_str() {
            "isk" | "ugx" => 100,
            _ if self.decimals() == 3 => 10,
            _ => 1,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.0
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_become_minor_units() {
        let cases = [
            ("usd", "12", Ok(1200)),
            ("USD", "12.5", Ok(1250)),
            ("usd", "0.07", Ok(7)),
            ("jpy", "1200", Ok(1200)),
            ("kwd", "1.5", Ok(1500)),
        ];
        for (currency, text, expected) in cases {
            assert_eq!(Currency::parse(currency).unwrap().minor_units(text), expected, "{currency} {text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for (currency, text) in [
            ("jpy", "12.5"),
            ("usd", "1.234"),
            ("usd", "-1"),
            ("usd", "1."),
            ("usd", ""),
            ("usd", "1,5"),
            ("isk", "5.50"),
            ("kwd", "1.555"),
        ] {
            assert!(Currency::parse(currency).unwrap().minor_units(text).is_err(), "{currency} {text}");
        }
        assert!(Currency::parse("dollars").is_err());
    }
}
