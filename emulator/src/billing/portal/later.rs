//! Changes that a customer chooses in the portal and that happen when the period ends: downgrades, where the
//! configuration's `schedule_at_period_end` says so. They are planned with a subscription schedule of the portal's
//! own, which gives way to whatever the customer chooses next.
//!
//! Not sure how Stripe compares: here `decreasing_item_amount` is true where the price times the quantity gets
//! less, whatever the intervals, and `shortening_interval` where the new interval is the shorter one. Not sure
//! either what Stripe's schedule looks like: here its second phase lasts for one interval and is not prorated, and
//! then it lets the subscription go.

use serde_json::{Value, json};

use super::wish::Wish;
use super::{Visit, visit};
use crate::billing::change::Prorate;
use crate::billing::period;
use crate::billing::schedule::{self, ending, phases};
use crate::error::ApiError;
use crate::state::{Kind, Tx, number, text};

/// What a customer may put before a change is one for later, in Stripe's words.
pub const CONDITIONS: &[&str] = &["decreasing_item_amount", "shortening_interval"];

/// The note beside a schedule that the portal made.
const OWN: &str = "portal";

/// A change that is planned.
#[derive(Clone, Debug)]
pub struct Coming {
    pub price: Value,
    pub quantity: i64,
    /// When it happens.
    pub at: i64,
}

/// When the change happens, if it is not to happen now.
pub fn when(configuration: &Value, subscription: &Value, price: &Value, quantity: i64) -> Option<i64> {
    let feature = &configuration["features"]["subscription_update"]["schedule_at_period_end"];
    let has = &subscription["items"]["data"][0];
    let amount = |price: &Value, quantity: i64| number(price, "unit_amount").saturating_mul(quantity);
    let is_met = |condition: &Value| match text(condition, "type") {
        "decreasing_item_amount" => amount(price, quantity) < amount(&has["price"], number(has, "quantity")),
        "shortening_interval" => length(price) < length(&has["price"]),
        _ => false,
    };
    let conditions = feature["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(is_met).then(|| number(has, "current_period_end"))
}

/// How long a price's interval is, in seconds, counted from 1970.
fn length(price: &Value) -> i64 {
    period::after(0, text(&price["recurring"], "interval"), number(&price["recurring"], "interval_count"), 1)
}

/// Plans the change for the end of the period.
pub fn plan(tx: &mut Tx, subscription: &Value, wish: &Wish) -> Result<(), ApiError> {
    let price = tx.copy(Kind::Price, &wish.price).unwrap_or_default();
    let mut planned = schedule::take_over(tx, subscription);
    let begins = phases::end(&planned);
    let recurring = &price["recurring"];
    let items = vec![phases::item(&wish.price, wish.quantity)];
    let mut phase = phases::plain(text(subscription, "currency"), items);
    phase["start_date"] = json!(begins);
    phase["end_date"] =
        json!(period::after(begins, text(recurring, "interval"), number(recurring, "interval_count"), 1));
    phase["proration_behavior"] = json!("none");
    if let Some(all) = planned["phases"].as_array_mut() {
        all.push(phase);
    }
    let planned = schedule::revise(tx, planned, Prorate::Never)?;
    let id = text(&planned, "id").to_owned();
    let mut notes = tx.private(Kind::SubscriptionSchedule, &id).clone();
    notes[OWN] = json!(true);
    tx.put_with(Kind::SubscriptionSchedule, &id, planned, notes);
    Ok(())
}

/// The schedule, if the portal made it.
fn own(tx: &Tx, subscription: &Value) -> Option<Value> {
    let schedule = schedule::managing(tx, subscription)?;
    (tx.private(Kind::SubscriptionSchedule, text(&schedule, "id"))[OWN] == true).then_some(schedule)
}

/// Whether a schedule that is not the portal's manages the subscription.
pub fn is_managed(tx: &Tx, subscription: &Value) -> bool {
    !subscription["schedule"].is_null() && own(tx, subscription).is_none()
}

/// What is planned in the portal and has not happened yet.
pub fn coming(tx: &Tx, subscription: &Value) -> Option<Coming> {
    let schedule = own(tx, subscription)?;
    let next = phases::get(&schedule, phases::current(&schedule)? + 1)?;
    let item = &next["items"][0];
    Some(Coming {
        price: tx.copy(Kind::Price, text(item, "price"))?,
        quantity: number(item, "quantity"),
        at: number(&next, "start_date"),
    })
}

/// Takes back what is planned, if the portal planned it. Gives the subscription as it then is.
pub fn let_go(tx: &mut Tx, subscription: Value) -> Value {
    let Some(schedule) = own(tx, &subscription) else {
        return subscription;
    };
    ending::release(tx, schedule, false);
    tx.copy(Kind::Subscription, text(&subscription, "id")).unwrap_or(subscription)
}

/// The customer keeps what they have. Who keeps it already does so again.
pub fn keep(tx: &mut Tx, session: &str, id: &str) -> Result<String, ApiError> {
    let visit: Visit = visit(tx, session)?;
    visit.ensure("subscription_update")?;
    let subscription = visit.own(tx, Kind::Subscription, id)?;
    let_go(tx, subscription);
    Ok(visit.finish(tx, "subscription_keep", "kept"))
}
