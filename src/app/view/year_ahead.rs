//! The example feature: every payment of the next twelve months, from what is stored.
//! It stands where an adopter's own product goes.

use time::{Date, OffsetDateTime};
use unsplit_billing::plan::Catalog;
use unsplit_billing::subscription::Subscription;

use super::YearAheadView;
use super::wording::Wording;
use crate::app::format::{format_date, format_money};

/// No more than a payment a week: a daily price would make a list that nobody reads.
const MOST: u32 = 53;

/// Seconds. To somebody who has just bought, Stripe's clock may be ahead of ours: the payment on
/// the same day a year from now belongs to their year.
const CLOCKS_DIFFER_BY: i64 = 3600;

/// `now` in Unix seconds.
#[must_use]
pub fn year_ahead(subscription: &Subscription, catalog: &Catalog, now: i64) -> YearAheadView {
    let wording = Wording::new(subscription, catalog, now);
    let days = payment_days(&wording);
    let charge = wording.charge().unwrap_or_else(|| "Depends on use".to_owned());
    let quantity = i64::try_from(subscription.quantity.unwrap_or(1)).unwrap_or(1);
    let count = i64::try_from(days.len()).unwrap_or(0);
    let total = subscription.amount.zip(subscription.currency.as_ref()).map_or_else(
        || charge.clone(),
        |(amount, currency)| format_money(amount.saturating_mul(quantity).saturating_mul(count), currency),
    );
    YearAheadView {
        plan_name: wording.name.clone(),
        notice: None,
        payments: days.into_iter().map(|day| (format_date(day), charge.clone())).collect(),
        total,
        note: wording.ending().map(|end| format!("{} ends {}.", wording.title(), wording.on(end))),
    }
}

/// Unix seconds of each payment that is due within a year, oldest first.
fn payment_days(wording: &Wording) -> Vec<i64> {
    let Some(first) = wording.next_charge_at() else {
        return Vec::new();
    };
    let year = later(wording.now, "year", 1).unwrap_or(i64::MAX);
    let horizon = year.saturating_add(CLOCKS_DIFFER_BY);
    let end = wording.subscription.ends_at().unwrap_or(i64::MAX);
    let step = wording.subscription.interval_count.unwrap_or(1).max(1);
    let interval = wording.subscription.interval.as_deref().unwrap_or_default();
    (0..MOST)
        .map_while(|index| later(first, interval, index * step))
        .take_while(|at| *at < horizon && *at < end)
        .filter(|at| *at > wording.now)
        .collect()
}

/// `count` intervals after `start`. A month without that day has its last one instead.
fn later(start: i64, interval: &str, count: u32) -> Option<i64> {
    if count == 0 {
        return Some(start);
    }
    let days = match interval {
        "day" => count,
        "week" => count * 7,
        "month" => return months_later(start, count),
        "year" => return months_later(start, count * 12),
        _ => return None,
    };
    Some(start.saturating_add(i64::from(days) * 86_400))
}

fn months_later(start: i64, months: u32) -> Option<i64> {
    let start = OffsetDateTime::from_unix_timestamp(start).ok()?;
    let counted = u32::from(u8::from(start.month())) - 1 + months;
    let year = start.year().checked_add(i32::try_from(counted / 12).ok()?)?;
    let month = time::Month::try_from(u8::try_from(counted % 12 + 1).ok()?).ok()?;
    let day = start.day().min(month.length(year));
    let date = Date::from_calendar_date(year, month, day).ok()?;
    Some(start.replace_date(date).unix_timestamp())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    /// 31 January 2027, 12:00 UTC.
    const START: i64 = 1_801_396_800;

    fn view(extra: &serde_json::Value) -> YearAheadView {
        view_at(START - 86_400, extra)
    }

    fn view_at(now: i64, extra: &serde_json::Value) -> YearAheadView {
        let mut value = json!({
            "subscriptionId": "sub_1", "status": "active", "priceId": "price_1", "plan": "pro",
            "currentPeriodStart": 1, "currentPeriodEnd": START, "cancelAtPeriodEnd": false,
            "paymentMethod": null, "amount": 1200, "currency": "usd", "interval": "month",
        });
        for (key, field) in extra.as_object().unwrap() {
            value[key] = field.clone();
        }
        let plan = json!({"id": "pro", "name": "Pro", "tagline": "", "features": [], "recommended": true,
            "trial_days": null, "trial_card": "required", "limits": {}, "prices": [
            {"lookup_key": "p", "interval": "month", "amount": 1200, "currency": "usd"}]});
        let catalog = Catalog::new(vec![serde_json::from_value(plan).unwrap()]).unwrap();
        year_ahead(&serde_json::from_value(value).unwrap(), &catalog, now)
    }

    #[test]
    fn twelve_months_of_payments() {
        let view = view(&json!({}));
        let days: Vec<_> = view.payments.iter().map(|(day, _)| day.as_str()).collect();
        assert_eq!(days.len(), 12);
        assert_eq!(days[..3], ["31 January 2027", "28 February 2027", "31 March 2027"]);
        assert_eq!(view.total, "$144");
    }

    #[test]
    fn who_has_just_bought_sees_a_whole_year() {
        let (monthly, bought) = (json!({}), START - 31 * 86_400);
        for now in [bought - 1, bought, bought + 1, bought + 20 * 86_400] {
            assert_eq!(view_at(now, &monthly).payments.len(), 12, "{}", now - bought);
        }
        let (yearly, bought) = (json!({"interval": "year"}), START - 365 * 86_400);
        for now in [bought - 1, bought, bought + 1] {
            assert_eq!(view_at(now, &yearly).payments.len(), 1, "{}", now - bought);
        }
    }

    #[test]
    fn nothing_after_the_end_and_seats_count() {
        assert_eq!(view(&json!({"cancelAtPeriodEnd": true})).payments, []);
        let yearly = view(&json!({"interval": "year", "quantity": 5}));
        assert_eq!(yearly.payments, [("31 January 2027".to_owned(), "$60".to_owned())]);
        let until = view(&json!({"cancelAt": START + 40 * 86_400}));
        assert_eq!(until.payments.len(), 2);
    }
}
