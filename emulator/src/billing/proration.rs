//! What a change in the middle of a period costs and gives back: each item's share of the time that is left, to
//! the second, rounded to the smallest unit, half away from nothing. Pure arithmetic over stored objects.

use serde_json::Value;

use crate::state::{number, text};

/// A credit for time that is not used, or the price of the time that remains.
#[derive(Clone, Debug, PartialEq)]
pub struct Proration {
    /// The item as it was, or as it is.
    pub item: Value,
    /// In the currency's smallest unit; below nothing for a credit.
    pub amount: i64,
    pub period: (i64, i64),
}

impl Proration {
    pub fn is_credit(&self) -> bool {
        self.amount < 0
    }
}

/// `amount` times the part of `start..end` that is left at `from`.
pub fn share(amount: i64, start: i64, end: i64, from: i64) -> i64 {
    let length = i128::from(end - start);
    if length <= 0 {
        return 0;
    }
    let left = i128::from((end - from).clamp(0, end - start));
    let product = i128::from(amount) * left;
    let rounded = (2 * product.abs() + length) / (2 * length);
    let rounded = i64::try_from(rounded).unwrap_or(i64::MAX);
    if product < 0 { -rounded } else { rounded }
}

/// What all of an item's periods cost.
pub fn cost(item: &Value) -> i64 {
    number(&item["price"], "unit_amount") * number(item, "quantity")
}

/// The credit for what is left of an item's period.
pub fn unused(item: &Value, from: i64) -> Option<Proration> {
    left(item, -cost(item), from)
}

/// The price of what is left of an item's period.
pub fn remaining(item: &Value, from: i64) -> Option<Proration> {
    left(item, cost(item), from)
}

fn left(item: &Value, amount: i64, from: i64) -> Option<Proration> {
    let (start, end) = (number(item, "current_period_start"), number(item, "current_period_end"));
    let amount = share(amount, start, end, from);
    (amount != 0).then(|| Proration { item: item.clone(), amount, period: (from, end) })
}

/// What the items that differ give back and cost, in the order of the items.
pub fn between(before: &[Value], after: &[Value], from: i64) -> Vec<Proration> {
    let differs = |one: &Value, other: &Value| {
        one["price"]["id"] != other["price"]["id"] || one["quantity"] != other["quantity"]
    };
    let of = |items: &[Value], id: &str| items.iter().find(|item| text(item, "id") == id).cloned();
    let mut found = Vec::new();
    for old in before {
        let new = of(after, text(old, "id"));
        if new.as_ref().is_none_or(|new| differs(old, new)) {
            found.extend(unused(old, from));
            found.extend(new.and_then(|new| remaining(&new, from)));
        }
    }
    let added = after.iter().filter(|new| of(before, text(new, "id")).is_none());
    found.extend(added.filter_map(|new| remaining(new, from)));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{between, share};

    const MONTH: i64 = 30 * 86_400;

    fn item(id: &str, price: &str, amount: i64, quantity: i64) -> Value {
        json!({
            "id": id, "quantity": quantity, "price": { "id": price, "unit_amount": amount },
            "current_period_start": 0, "current_period_end": MONTH,
        })
    }

    /// Stripe's example: from 10 to 20 dollars in the middle of the month costs 5 dollars more.
    /// https://docs.stripe.com/billing/subscriptions/prorations
    #[test]
    fn half_a_month_costs_half_the_difference() {
        let found = between(&[item("si_1", "ten", 1000, 1)], &[item("si_1", "twenty", 2000, 1)], MONTH / 2);
        assert_eq!(found.iter().map(|one| one.amount).collect::<Vec<_>>(), [-500, 1000]);
        assert!(found[0].is_credit() && !found[1].is_credit());
        assert_eq!(found[0].period, (MONTH / 2, MONTH));
    }

    #[test]
    fn what_stays_costs_nothing_and_what_comes_or_goes_costs_its_share() {
        let (stays, goes) = (item("si_1", "a", 1000, 1), item("si_2", "b", 300, 2));
        let comes = item("si_3", "c", 900, 1);
        let found = between(&[stays.clone(), goes], &[stays.clone(), comes], MONTH / 3);
        assert_eq!(found.iter().map(|one| one.amount).collect::<Vec<_>>(), [-400, 600]);
        assert!(between(std::slice::from_ref(&stays), std::slice::from_ref(&stays), 5).is_empty());
    }

    #[test]
    fn shares_are_rounded_half_away_from_nothing_and_never_more_than_the_whole() {
        assert_eq!((share(1, 0, 2, 1), share(-1, 0, 2, 1)), (1, -1));
        assert_eq!((share(1, 0, 3, 2), share(2, 0, 3, 2)), (0, 1));
        assert_eq!((share(1000, 0, 10, -5), share(1000, 0, 10, 15), share(1000, 5, 5, 5)), (1000, 0, 0));
        assert_eq!(share(i64::MAX, 0, 3, 0), i64::MAX);
    }

    /// However often a subscription changes, each second is paid at the price that was in force, but for the
    /// rounding of each credit and each charge.
    #[test]
    fn any_sequence_of_changes_costs_the_time_that_was_used() {
        let prices = [1000, 2999, 1, 0, 123_457];
        for seed in 0..2_000_i64 {
            let mut at = 0;
            let mut price = prices[usize::try_from(seed % 5).unwrap_or_default()];
            let (mut paid, mut used, mut parts) = (price, 0.0, 0);
            while at < MONTH {
                let next = (at + 1 + (seed * 7_919 + at * 31) % (MONTH / 3)).min(MONTH);
                used += price as f64 * (next - at) as f64 / MONTH as f64;
                let to = prices[usize::try_from((seed + next) % 5).unwrap_or_default()];
                paid += share(to, 0, MONTH, next) - share(price, 0, MONTH, next);
                parts += 2;
                (at, price) = (next, to);
            }
            assert!((paid as f64 - used).abs() <= 0.5 * f64::from(parts) + 0.01, "{seed}: {paid} {used}");
        }
    }
}
