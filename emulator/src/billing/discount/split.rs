//! The arithmetic of a discount: how much it takes from each of several amounts. Whole numbers only, never below
//! zero, and the parts of a fixed amount add up to it exactly.

use std::cmp::Reverse;

use serde_json::Value;

/// What is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// In units of `HUNDRED_PERCENT`.
    Percent(i128),
    /// In the currency's smallest unit.
    Amount(i64),
}

/// A percentage has up to ten decimals.
const DECIMALS: usize = 10;
const HUNDRED_PERCENT: i128 = 1_000_000_000_000;

impl Off {
    /// Reads the number in `percent_off`, digit by digit, because binary fractions round wrongly.
    pub fn percent(value: &Value) -> Off {
        let text = value.to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((text.as_str(), ""));
        let digits: String = decimals.chars().take(DECIMALS).collect();
        let parsed = format!("{whole}{digits:0<DECIMALS$}").parse();
        Off::Percent(parsed.unwrap_or_default())
    }
}

/// What is taken from each amount; nothing from one that is zero or below.
pub fn split(off: &Off, amounts: &[i64]) -> Vec<i64> {
    match *off {
        Off::Percent(percent) => amounts.iter().map(|amount| share(percent, *amount)).collect(),
        Off::Amount(wanted) => in_proportion(wanted, amounts),
    }
}

/// A percentage of one amount, half a unit rounded up.
fn share(percent: i128, amount: i64) -> i64 {
    let exact = i128::from(amount.max(0)) * percent.clamp(0, HUNDRED_PERCENT);
    let rounded = (exact + HUNDRED_PERCENT / 2) / HUNDRED_PERCENT;
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

/// A fixed amount over all, each according to its size. What the division leaves goes, a unit each, to those
/// that it cut the most from.
fn in_proportion(wanted: i64, amounts: &[i64]) -> Vec<i64> {
    let bases: Vec<i128> = amounts.iter().map(|amount| i128::from((*amount).max(0))).collect();
    let sum: i128 = bases.iter().sum();
    if sum == 0 {
        return vec![0; amounts.len()];
    }
    let wanted = i128::from(wanted.max(0)).min(sum);
    let mut shares: Vec<i128> = bases.iter().map(|base| wanted * base / sum).collect();
    let left = wanted - shares.iter().sum::<i128>();
    let mut by_cut: Vec<usize> = (0..bases.len()).collect();
    by_cut.sort_by_key(|at| Reverse(wanted * bases[*at] % sum));
    for at in by_cut.into_iter().take(usize::try_from(left).unwrap_or_default()) {
        shares[at] += 1;
    }
    shares.into_iter().map(|share| i64::try_from(share).unwrap_or(i64::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Off, split};

    /// Many lists of amounts, the same ones every time.
    fn cases() -> impl Iterator<Item = (Vec<i64>, i64)> {
        let mut seed = 42_u64;
        let mut next = move |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((seed >> 33) % below).unwrap_or_default()
        };
        (0..5_000).map(move |_| {
            let lines = next(6) + 1;
            let amounts = (0..lines).map(|_| next(20_000) - 2_000).collect();
            (amounts, next(60_000))
        })
    }

    #[test]
    fn a_fixed_amount_adds_up_and_takes_from_no_line_more_than_it_has() {
        for (amounts, off) in cases() {
            let taken = split(&Off::Amount(off), &amounts);
            let most: i64 = amounts.iter().map(|amount| (*amount).max(0)).sum();
            assert_eq!(taken.iter().sum::<i64>(), off.min(most), "{off} from {amounts:?}: {taken:?}");
            for (amount, taken) in amounts.iter().zip(&taken) {
                assert!((0..=(*amount).max(0)).contains(taken), "{off} from {amounts:?}: {taken}");
                let exact = off.min(most) as f64 * (*amount).max(0) as f64 / most.max(1) as f64;
                assert!((*taken as f64 - exact).abs() < 1.0, "{off} from {amounts:?}: {taken} for {exact}");
            }
        }
    }

    #[test]
    fn a_larger_line_never_bears_less_than_a_smaller_one() {
        for (amounts, off) in cases() {
            for off in [Off::Amount(off), Off::Percent(i128::from(off) * 10_000_000)] {
                let taken = split(&off, &amounts);
                for (i, a) in amounts.iter().enumerate() {
                    for (j, b) in amounts.iter().enumerate() {
                        assert!(a <= b || taken[i] >= taken[j], "{off:?} from {amounts:?}: {taken:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_percentage_is_rounded_for_each_line_and_stays_within_it() {
        for (amounts, percent) in cases() {
            let percent = percent % 101;
            let taken = split(&Off::percent(&json!(percent)), &amounts);
            for (amount, taken) in amounts.iter().zip(&taken) {
                let amount = (*amount).max(0);
                assert_eq!(*taken, (amount * percent + 50) / 100, "{percent}% of {amount}");
                assert!((0..=amount).contains(taken));
            }
        }
    }

    #[test]
    fn decimals_are_read_as_they_are_written() {
        assert_eq!(split(&Off::percent(&json!(25.5)), &[999, 1000, -5]), [255, 255, 0]);
        assert_eq!(split(&Off::percent(&json!(0.01)), &[4_999, 5_000]), [0, 1]);
        assert_eq!(split(&Off::percent(&json!(33.333)), &[100_000]), [33_333]);
        // 1.005 is a little less in binary; half a cent is still rounded up.
        assert_eq!(split(&Off::percent(&json!(1.005)), &[10_000]), [101]);
        assert_eq!(split(&Off::percent(&json!(100)), &[i64::MAX]), [i64::MAX]);
    }

    #[test]
    fn the_last_cent_goes_to_the_line_that_was_cut_most() {
        assert_eq!(split(&Off::Amount(100), &[100, 200]), [33, 67]);
        assert_eq!(split(&Off::Amount(100), &[100, 100, 100]), [34, 33, 33]);
        assert_eq!(split(&Off::Amount(5), &[0, 0]), [0, 0]);
    }
}
