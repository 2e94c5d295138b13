//! What a change in the middle of a period costs and gives back: each item's share of the time that is left, to
//! the second, rounded to the smallest unit, half away from nothing. `debits` knows what there is to give back, and
//! `charges` what the time that is left costs. Pure arithmetic over stored objects.

use serde_json::Value;

use super::discount::lines::Taken;
use crate::state::number;

/// A credit for time that is not used, or the price of the time that remains.
#[derive(Clone, Debug, PartialEq)]
pub struct Proration {
    /// The item as it was, or as it is.
    pub item: Value,
    /// In the currency's smallest unit, less discounts; below nothing for a credit.
    pub amount: i64,
    /// What discounts took of it, which a credit does not give back: below nothing then.
    pub discounts: Taken,
    pub period: (i64, i64),
    /// What a credit gives back, as Stripe's `credited_items`.
    pub credited: Value,
}

impl Proration {
    pub fn is_credit(&self) -> bool {
        self.amount < 0
    }

    /// Without discounts.
    pub fn gross(&self) -> i64 {
        self.amount + self.discounts.iter().map(|(_, amount)| amount).sum::<i64>()
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

#[cfg(test)]
mod tests {
    use super::share;

    const MONTH: i64 = 30 * 86_400;

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
