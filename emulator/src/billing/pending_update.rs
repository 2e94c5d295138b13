//! A change that waits until its invoice is paid. Until then the subscription is what it was; the change expires
//! after 23 hours, or with the period.

use serde_json::{Value, json};

use super::change::{self, Planned, items_of};
use super::collect::Collected;
use super::discount::redeem;
use super::payment::Authentication;
use super::subscription::period_ends;
use super::{invoice, renewal, schedule, update};
use crate::state::due::INCOMPLETE;
use crate::state::{Kind, Tx, text};

/// The note that has the invoice of a change of which it was told that it waits.
const TOLD: &str = "pending_told";
/// The note that has the invoice that was the latest before that of the change.
const LATEST: &str = "pending_latest";

/// Tries to have the invoice of a change paid. Paid at once, it has happened; otherwise it waits.
pub fn begin(tx: &mut Tx, planned: &Planned, draft: Value, authentication: Authentication) {
    let id = text(&planned.subscription, "id").to_owned();
    let before = tx.copy(Kind::Subscription, &id).unwrap_or_default();
    let mut waiting = before.clone();
    waiting["latest_invoice"] = draft["id"].clone();
    waiting["pending_update"] = waiting_update(tx, &before, &planned.subscription);
    renewal::note(tx, &before, LATEST, before["latest_invoice"].clone());
    // Nobody hears of it before it is known whether it has to wait.
    tx.put(Kind::Subscription, waiting.clone());
    let invoice = update::open(tx, draft);
    match update::collect(tx, invoice, authentication) {
        Collected::Paid => {}
        _ => {
            renewal::note(tx, &before, TOLD, waiting["latest_invoice"].clone());
            tx.update(Kind::Subscription, waiting, "customer.subscription.updated");
        }
    }
}

fn waiting_update(tx: &Tx, before: &Value, after: &Value) -> Value {
    let changed =
        |field: &str| if before[field] == after[field] { Value::Null } else { after[field].clone() };
    let (period_end, _) = period_ends(before);
    json!({
        "billing_cycle_anchor": changed("billing_cycle_anchor"),
        "cancel_at_period_end": null,
        "discount": null,
        "discounts": null,
        "expires_at": (tx.now() + INCOMPLETE).min(period_end),
        "metadata": null,
        "subscription_items": items_of(after),
        "trial_end": changed("trial_end"),
        "trial_from_plan": null,
    })
}

/// Whether it is for a change that this invoice is to be paid.
pub fn waits_for(subscription: &Value, invoice: &Value) -> bool {
    !subscription["pending_update"].is_null() && subscription["latest_invoice"] == invoice["id"]
}

/// The invoice is paid: the change happens.
pub fn happen(tx: &mut Tx, mut subscription: Value) -> Value {
    let wanted = subscription["pending_update"].take();
    let was_told = is_told(tx, &subscription);
    if !was_told {
        // It was never there for anybody, and the invoice is news.
        let mut seen = subscription.clone();
        seen["latest_invoice"] = tx.private(Kind::Subscription, text(&seen, "id"))[LATEST].clone();
        tx.put(Kind::Subscription, seen);
    }
    change::set_items(
        &mut subscription,
        wanted["subscription_items"].as_array().cloned().unwrap_or_default(),
    );
    for field in ["billing_cycle_anchor", "trial_end"] {
        if !wanted[field].is_null() {
            subscription[field] = wanted[field].clone();
        }
    }
    if subscription["status"] == "trialing"
        && subscription["trial_end"].as_i64().is_some_and(|end| end <= tx.now())
    {
        subscription["status"] = json!("active");
    }
    change::end_with_period(&mut subscription);
    let before = tx.copy(Kind::Subscription, text(&subscription, "id")).unwrap_or_default();
    redeem::follow(tx, &before, &subscription);
    if let Some(invoice) = tx.copy(Kind::Invoice, text(&subscription, "latest_invoice")) {
        update::use_discounts(tx, &mut subscription, &invoice);
    }
    tx.update(Kind::Subscription, subscription.clone(), "customer.subscription.updated");
    schedule::follow(tx, text(&subscription, "id"));
    if was_told {
        tx.emit("customer.subscription.pending_update_applied", &subscription);
    }
    subscription
}

/// Whether an event has told that the change waits.
fn is_told(tx: &Tx, subscription: &Value) -> bool {
    let notes = tx.private(Kind::Subscription, text(subscription, "id"));
    notes[TOLD].is_string() && notes[TOLD] == subscription["latest_invoice"]
}

/// Forgets a change that waits, as its subscription ends. The caller stores that. Whether Stripe voids the invoice
/// then is not known; paid later, it would change what has ended.
pub fn forget(tx: &mut Tx, subscription: &mut Value) {
    if subscription["pending_update"].take().is_null() {
        return;
    }
    invoice::void_if_open(tx, text(subscription, "latest_invoice"));
}

/// Nobody has paid in time: everything stays as it was.
pub fn expire(tx: &mut Tx, mut subscription: Value) {
    subscription["pending_update"] = Value::Null;
    tx.update(Kind::Subscription, subscription.clone(), "customer.subscription.updated");
    tx.emit("customer.subscription.pending_update_expired", &subscription);
    invoice::void_if_open(tx, text(&subscription, "latest_invoice"));
}
