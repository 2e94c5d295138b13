//! What a discount does: which lines it takes how much from (`split`), whether a coupon or code may be redeemed
//! (`validity`), and how one is redeemed and taken away (`redeem`). Everything in this file is arithmetic on JSON
//! and stores nothing.
//!
//! What Stripe does is known from its SDK's types and documents, but not in every detail. Not sure: that a
//! percentage is rounded half up for each line; which line gets the last cent of a fixed amount; that a discount
//! that is used up (`once`) is gone from the subscription as soon as its first invoice with an amount exists, and
//! that no event tells of that.

pub mod redeem;
pub mod session;
pub mod split;
pub mod validity;

use serde_json::{Value, json};

use self::split::Off;
use super::{invoice, period};
use crate::state::{number, text};

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
pub fn total(discounts: &[Applied], parts: &[Part]) -> i64 {
    amounts(discounts, parts).iter().flatten().sum()
}

/// Reduces a draft invoice, which has `lines`, `subtotal` and `total` without discounts.
pub fn put_on_invoice(invoice: &mut Value, discounts: &[Applied]) {
    if discounts.is_empty() {
        return;
    }
    let parts: Vec<Part> =
        invoice["lines"]["data"].as_array().into_iter().flatten().map(part_of_line).collect();
    let taken = amounts(discounts, &parts);
    for (at, part) in parts.iter().enumerate() {
        let of_line = discounts.iter().zip(&taken).filter(|(discount, _)| discount.covers(&part.product));
        let amounts: Value = of_line.map(|(discount, taken)| entry(discount, taken[at])).collect();
        invoice["lines"]["data"][at]["discount_amounts"] = amounts;
    }
    let of_all = discounts.iter().zip(&taken);
    invoice["total_discount_amounts"] =
        of_all.map(|(discount, taken)| entry(discount, taken.iter().sum())).collect();
    invoice["discounts"] = discounts.iter().map(|discount| json!(discount.id)).collect();
    invoice::add_up(invoice);
}

/// A line that says `discountable: false` is left alone.
fn part_of_line(line: &Value) -> Part {
    let amount = if line["discountable"] == false { 0 } else { number(line, "amount") };
    Part { product: text(&line["pricing"]["price_details"], "product").to_owned(), amount }
}

fn entry(discount: &Applied, amount: i64) -> Value {
    json!({ "amount": amount, "discount": discount.id })
}

/// The ids of those discounts that go on after an invoice over `subtotal`. One that is good for one invoice is
/// used up, unless there was nothing to reduce, as in a trial.
pub fn left_after(discounts: &[Applied], subtotal: i64) -> Value {
    let goes_on = |discount: &&Applied| discount.coupon["duration"] != "once" || subtotal == 0;
    discounts.iter().filter(goes_on).map(|discount| json!(discount.id)).collect()
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

    use super::{Applied, Part, amounts, end, left_after, put_on_invoice, total};

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
    fn an_invoice_says_what_was_taken_where() {
        let line = |product: &str, amount: i64| json!({"amount": amount, "pricing": {"price_details": {"product": product}}});
        let mut invoice = json!({
            "lines": {"data": [line("a", 1000), line("b", 500)]}, "subtotal": 1500, "total": 1500,
            "amount_due": 1500, "amount_remaining": 1500, "total_excluding_tax": 1500,
        });
        let coupon = json!({"percent_off": 10, "duration": "once", "applies_to": {"products": ["a"]}});
        let discounts = [applied("di_1", coupon)];
        put_on_invoice(&mut invoice, &discounts);
        assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(1500), &json!(1400)));
        assert_eq!(invoice["amount_due"], 1400);
        assert_eq!(invoice["total_discount_amounts"], json!([{"amount": 100, "discount": "di_1"}]));
        let lines = &invoice["lines"]["data"];
        assert_eq!(lines[0]["discount_amounts"], json!([{"amount": 100, "discount": "di_1"}]));
        assert_eq!(lines[1]["discount_amounts"], json!([]));
        assert_eq!(left_after(&discounts, 1500), json!([]));
        assert_eq!(left_after(&discounts, 0), json!(["di_1"]));
    }

    #[test]
    fn a_repeating_discount_ends_by_the_calendar() {
        let january = 1_801_387_800; // 31 January 2027, 09:30
        let repeating = json!({"duration": "repeating", "duration_in_months": 1});
        assert_eq!(end(&repeating, january), Some(january + 28 * 86_400));
        assert_eq!(end(&json!({"duration": "forever", "duration_in_months": null}), january), None);
    }
}
