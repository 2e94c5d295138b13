//! A schedule as time passes: it makes its subscription, goes from phase to phase, tells that its end is near,
//! and ends. Runs at the second at which each of these is due.

use serde_json::{Value, json};

use super::{TOLD, ending, enter, phases, set_cancellation};
use crate::billing::subscription::{self, Draft, Line, period_ends};
use crate::billing::{customer, invoice, purchase, renewal, sending};
use crate::error::ApiError;
use crate::state::{Kind, Tx, due, number, text};

/// Does what is due.
pub fn go_on(tx: &mut Tx, mut schedule: Value) {
    let id = text(&schedule, "id").to_owned();
    match text(&schedule, "status") {
        "not_started" => {
            start(tx, &mut schedule);
            tx.update(Kind::SubscriptionSchedule, schedule, "subscription_schedule.updated");
        }
        _ if number(&schedule["current_phase"], "end_date") <= tx.now() => {
            if let Err(error) = next(tx, schedule) {
                tracing::error!(schedule = id, error = error.message(), "a phase cannot be entered");
            }
        }
        _ => {}
    }
    announce(tx, &id);
}

/// Makes the subscription of the first phase, and notes it in the schedule, which the caller stores. The first
/// invoice waits an hour as a draft, and nobody is charged before.
pub fn start(tx: &mut Tx, schedule: &mut Value) {
    let phase = phases::get(schedule, 0).unwrap_or_default();
    let draft = draft(tx, schedule, &phase);
    let status = if draft.trial_end.is_some() { "trialing" } else { "active" };
    let mut subscription = subscription::build(tx, &draft, status);
    subscription["schedule"] = schedule["id"].clone();
    sending::set(&mut subscription, phases::days_until_due(schedule, &phase));
    enter::mark_items(&mut subscription, &phase);
    set_cancellation(&mut subscription, enter::planned_end(schedule), tx.now());
    let mut first = invoice::draft(tx, &draft, &subscription);
    first["automatically_finalizes_at"] = json!(tx.now() + renewal::DRAFT);
    subscription["latest_invoice"] = first["id"].clone();
    schedule["status"] = json!("active");
    schedule["subscription"] = subscription["id"].clone();
    schedule["current_phase"] = phases::dates(&phase);
    tx.create(Kind::Subscription, subscription, "customer.subscription.created");
    tx.create(Kind::Invoice, first, "invoice.created");
    let before = tx.copy(Kind::Customer, &draft.customer).unwrap_or_default();
    purchase::set_currency(tx, &draft);
    customer::announce_currency(tx, &before);
}

fn draft(tx: &Tx, schedule: &Value, phase: &Value) -> Draft {
    let items = phase["items"].as_array().into_iter().flatten();
    let lines = items.filter_map(|item| {
        let price = tx.copy(Kind::Price, text(item, "price"))?;
        Some(Line { price, quantity: number(item, "quantity") })
    });
    let method = phases::setting(schedule, phase, "default_payment_method");
    let mut metadata = json!({});
    enter::merge_metadata(&mut metadata, &phase["metadata"]);
    Draft {
        customer: text(schedule, "customer").to_owned(),
        lines: lines.collect(),
        trial_end: phases::trial_end(phase),
        metadata,
        description: phases::setting(schedule, phase, "description"),
        default_payment_method: method.as_str().map(str::to_owned),
        missing_payment_method: "create_invoice".to_owned(),
        billing_reason: "subscription_create",
        discounts: Vec::new(),
    }
}

/// The present phase is over: the next one begins, or the schedule is complete.
pub fn next(tx: &mut Tx, mut schedule: Value) -> Result<(), ApiError> {
    let next = phases::current(&schedule).and_then(|at| phases::get(&schedule, at + 1));
    let Some(phase) = next else {
        ending::complete(tx, schedule);
        return Ok(());
    };
    schedule["current_phase"] = phases::dates(&phase);
    tx.update(Kind::SubscriptionSchedule, schedule.clone(), "subscription_schedule.updated");
    enter::begin(tx, &schedule, &phase)
}

/// Tells that the end is near, in the second in which a week is left. When a phase begins in that second too, it
/// is told of after that.
fn announce(tx: &mut Tx, id: &str) {
    let schedule = tx.copy(Kind::SubscriptionSchedule, id).unwrap_or_default();
    let (end, now) = (phases::end(&schedule), tx.now());
    let is_told = tx.private(Kind::SubscriptionSchedule, id)[TOLD].as_i64() == Some(end);
    if schedule["status"] != "active" || is_told || end - due::EXPIRY_NOTICE > now {
        return;
    }
    if end - due::EXPIRY_NOTICE == now {
        tx.emit("subscription_schedule.expiring", &schedule);
    }
    super::note_told(tx, id, schedule, end);
}

/// The invoice that the end of a subscription's period will bring, where its schedule enters another phase in
/// that second. Does it, and takes it back.
pub fn foresee(tx: &mut Tx, subscription: &Value) -> Option<Value> {
    let schedule = super::managing(tx, subscription)?;
    let (end, _) = period_ends(subscription);
    if number(&schedule["current_phase"], "end_date") != end || schedule["status"] != "active" {
        return None;
    }
    let (before, now) = (tx.savepoint(), tx.now());
    tx.set_time(Some(end));
    let entered = next(tx, schedule);
    let after = tx.copy(Kind::Subscription, text(subscription, "id")).unwrap_or_default();
    let invoice = tx.copy(Kind::Invoice, text(&after, "latest_invoice"));
    tx.roll_back_to(&before);
    tx.set_time(Some(now));
    entered.ok()?;
    invoice.filter(|_| after["latest_invoice"] != subscription["latest_invoice"])
}
