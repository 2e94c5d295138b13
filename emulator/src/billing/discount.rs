//! What a discount does: which lines it takes how much from (`lines`, `split`), whether a coupon or code may be
//! redeemed (`validity`), and how one is redeemed and taken away (`redeem`). Everything in this file is arithmetic on JSON
//! and stores nothing.
//!
//! What Stripe does is known from its SDK's types and documents, but not in every detail. Not sure: that a
//! percentage is rounded half up for each line; which line gets the last cent of a fixed amount; that a discount
//! that is used up (`once`) is gone from the subscription as soon as its first invoice with an amount exists, and
//! that no event tells of that.

pub mod lines;
pub mod redeem;
pub mod session;
pub mod split;
pub mod validity;

use serde_json::Value;

use self::split::Off;
use super::period;
use crate::state::text;

/// A discount that a purchase begins with or an invoice is reduced by.
#[derive(Clone, Debug)]
pub struct Applied {
    /// `di_…`
    pub id: String,
    /// The coupon as it was when it was redeemed, with `applies_to`.
    pub coupon: Value,
    pub promotion_code: Option<String>,
    pub checkout_session: Option<String>,
}

/// One line, as far as a discount asks: what is sold, and for how much in the currency's smallest unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub product: String,
    pub amount: i64,
}

impl Applied {
    fn off(&self) -> Off {
        match self.coupon["amount_off"].as_i64() {
            Some(amount) => Off::Amount(amount),
            None => Off::percent(&self.coupon["percent_off"]),
        }
    }

    fn covers(&self, product: &str) -> bool {
        covers(&self.coupon, product)
    }
}

/// Whether a coupon, with its `applies_to`, reduces the price of this product.
pub fn covers(coupon: &Value, product: &str) -> bool {
    let products = coupon["applies_to"]["products"].as_array();
    products.is_none_or(|products| products.iter().any(|one| one == product))
}

/// What each discount takes from each line, one list a discount. The second one reduces what the first one left.
pub fn amounts(discounts: &[Applied], parts: &[Part]) -> Vec<Vec<i64>> {
    let mut left: Vec<i64> = parts.iter().map(|part| part.amount).collect();
    let mut all = Vec::new();
    for discount in discounts {
        let covered = parts.iter().zip(&left);
        let base: Vec<i64> =
            covered.map(|(part, left)| if discount.covers(&part.product) { *left } else { 0 }).collect();
        let taken = split::split(&discount.off(), &base);
        for (left, taken) in left.iter_mut().zip(&taken) {
            *left -= taken;
        }
        all.push(taken);
    }
    all
}

/// What all discounts take together.
#[cfg(test)]
fn total(discounts: &[Applied], parts: &[Part]) -> i64 {
    amounts(discounts, parts).iter().flatten().sum()
}

/// When a discount that begins at `start` ends, in seconds since 1970; only a repeating one does.
pub fn end(coupon: &Value, start: i64) -> Option<i64> {
    let months = coupon["duration_in_months"].as_i64().filter(|_| coupon["duration"] == "repeating")?;
    Some(period::after(start, "month", months, 1))
}

/// What is off, in words for the buyer: `25.5%` or `$5.00`.
pub fn words(coupon: &Value) -> String {
    match coupon["amount_off"].as_i64() {
        Some(amount) => super::money::format(amount, text(coupon, "currency")),
        None => format!("{}%", coupon["percent_off"]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Applied, Part, amounts, end, total};

    fn applied(id: &str, coupon: Value) -> Applied {
        Applied { id: id.to_owned(), coupon, promotion_code: None, checkout_session: None }
    }

    fn part(product: &str, amount: i64) -> Part {
        Part { product: product.to_owned(), amount }
    }

    #[test]
    fn only_covered_products_are_reduced() {
        let half = applied("di_1", json!({"percent_off": 50, "applies_to": {"products": ["b"]}}));
        let parts = [part("a", 1000), part("b", 301)];
        assert_eq!(amounts(std::slice::from_ref(&half), &parts), [[0, 151]]);
        let fixed = applied("di_2", json!({"amount_off": 500, "applies_to": {"products": ["b"]}}));
        assert_eq!(total(&[fixed], &parts), 301, "never more than what it covers");
    }

    #[test]
    fn the_second_discount_reduces_what_the_first_left() {
        let both = [applied("di_1", json!({"percent_off": 50})), applied("di_2", json!({"amount_off": 400}))];
        assert_eq!(amounts(&both, &[part("a", 1000)]), [[500], [400]]);
        assert_eq!(total(&both, &[part("a", 600)]), 600);
    }

    #[test]
    fn a_repeating_discount_ends_by_the_calendar() {
        let january = 1_801_387_800; // 31 January 2027, 09:30
        let repeating = json!({"duration": "repeating", "duration_in_months": 1});
        assert_eq!(end(&repeating, january), Some(january + 28 * 86_400));
        assert_eq!(end(&json!({"duration": "forever", "duration_in_months": null}), january), None);
    }
}
