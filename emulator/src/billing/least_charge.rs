//! The least and the most that can be charged, by currency, as Stripe publishes them
//! (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts). Amounts are in the currency's smallest
//! unit.
//!
//! At Stripe the least amount is that of the currency in which an account is paid out, after conversion; here a
//! currency that is not in the list has none.

use crate::error::ApiError;

/// The most that one charge can be.
pub const MOST: i64 = 99_999_999;

/// Currency, least amount, and that amount as Stripe's errors write it.
const LEAST: &[(&str, i64, &str)] = &[
    ("aed", 200, "2.00 \u{62f}.\u{625}"),
    ("aud", 50, "$0.50"),
    ("bgn", 100, "\u{43b}\u{432}1.00"),
    ("brl", 50, "R$0.50"),
    ("cad", 50, "$0.50"),
    ("chf", 50, "0.50 Fr"),
    ("czk", 1500, "15.00K\u{10d}"),
    ("dkk", 250, "2.50 kr."),
    ("eur", 50, "\u{20ac}0.50"),
    ("gbp", 30, "\u{a3}0.30"),
    ("hkd", 400, "$4.00"),
    ("huf", 17_500, "175.00 Ft"),
    ("inr", 50, "\u{20b9}0.50"),
    ("jpy", 50, "\u{a5}50"),
    ("mxn", 1000, "$10.00"),
    ("myr", 200, "RM2.00"),
    ("nok", 300, "3.00 kr."),
    ("nzd", 50, "$0.50"),
    ("pln", 200, "2.00 z\u{142}"),
    ("ron", 200, "lei2.00"),
    ("sek", 300, "3.00 kr."),
    ("sgd", 50, "$0.50"),
    ("thb", 1000, "\u{e3f}10.00"),
    ("usd", 50, "$0.50"),
];

/// The least amount as Stripe's errors write it, where `amount` is below it.
pub fn missed(amount: i64, currency: &str) -> Option<String> {
    let known = LEAST.iter().find(|(code, least, _)| *code == currency && amount < *least);
    known.map(|(_, _, words)| format!("{words} {currency}"))
}

/// What can be asked for now of an amount that is owed.
pub fn due(owed: i64, currency: &str) -> i64 {
    if owed <= 0 || missed(owed, currency).is_some() { 0 } else { owed }
}

/// Refuses what cannot be charged, as a parameter of a request.
pub fn ensure_chargeable(amount: i64, currency: &str, param: &str) -> Result<(), ApiError> {
    if amount < 1 {
        let error = ApiError::invalid("This value must be greater than or equal to 1.");
        return Err(error.code("parameter_invalid_integer").param(param));
    }
    if let Some(least) = missed(amount, currency) {
        let error = ApiError::invalid(format!("Amount must be at least {least}"));
        return Err(error.code("amount_too_small").param(param));
    }
    if amount > MOST {
        let most = super::money::format(MOST, currency);
        let error = ApiError::invalid(format!("Amount must be no more than {most}"));
        return Err(error.code("amount_too_large").param(param));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::missed;

    #[test]
    fn the_least_amount_itself_can_be_charged() {
        assert_eq!(missed(49, "usd").as_deref(), Some("$0.50 usd"));
        assert_eq!(missed(50, "usd"), None);
        assert_eq!(missed(17_499, "huf").as_deref(), Some("175.00 Ft huf"));
        assert_eq!(missed(1, "isk"), None, "a currency without a published amount");
    }
}
