//! How payments decide a subscription's status: late when an invoice is not paid, in good standing when it is,
//! and ended when all tries have failed. The retries are fixed days, where Stripe's smart ones are a secret.

use serde_json::{Value, json};

use super::invoice::Occasion;
use super::{ending, invoice, pending_update, sending};
use crate::state::{AfterRetries, Kind, Tx, number, text};

const DAY: i64 = 86_400;

/// When an invoice that was not paid is tried again; `None` if it is not. Of a subscription that has not begun
/// the first invoice is not, nor is one that nobody collects by itself.
pub fn next_attempt(tx: &Tx, invoice: &Value) -> Option<i64> {
    let subscription = tx.find(Kind::Subscription, invoice::subscription_of(invoice))?;
    let begins = subscription["status"] == "incomplete" || pending_update::waits_for(&subscription, invoice);
    if begins || invoice["auto_advance"] != true || sending::is_sent(invoice) {
        return None;
    }
    let tried = usize::try_from(number(invoice, "attempt_count")).ok()?.checked_sub(1)?;
    let days = *tx.billing_settings().retry_days.get(tried)?;
    Some(tx.now() + days * DAY)
}

/// The invoice is paid. That the customer is not delinquent then says Stripe of any invoice, whatever they owe for
/// another one.
pub fn paid(tx: &mut Tx, invoice: &Value) {
    set_delinquent(tx, text(invoice, "customer"), false);
    settled(tx, invoice);
}

/// Nothing is owed for the invoice any more: it is paid, void or given up.
pub fn settled(tx: &mut Tx, invoice: &Value) {
    let Some(mut subscription) = tx.copy(Kind::Subscription, invoice::subscription_of(invoice)) else {
        return;
    };
    if pending_update::waits_for(&subscription, invoice) {
        if invoice["status"] != "paid" {
            return pending_update::expire(tx, subscription);
        }
        subscription = pending_update::happen(tx, subscription);
    }
    let is_its_first = subscription["latest_invoice"] == invoice["id"];
    let is_resumed = subscription["status"] == "paused";
    let goes_on = match text(&subscription, "status") {
        "incomplete" => is_its_first && invoice["status"] == "paid",
        "paused" => is_its_first && invoice["status"] != "void",
        "past_due" | "unpaid" => is_latest(tx, &subscription, invoice),
        _ => false,
    };
    if goes_on {
        subscription["status"] = json!("active");
        tx.update(Kind::Subscription, subscription.clone(), "customer.subscription.updated");
        if is_resumed {
            tx.emit("customer.subscription.resumed", &subscription);
        }
    }
}

/// Whether no later invoice says how the subscription stands: it is late by its latest finalised one, whatever an
/// older one does. Where nobody pays, the drafts that pile up count too.
fn is_latest(tx: &Tx, subscription: &Value, invoice: &Value) -> bool {
    let says_nothing = |it: &Value| match text(it, "status") {
        "void" => true,
        "draft" => subscription["status"] != "unpaid",
        _ => pending_update::waits_for(subscription, it),
    };
    let all = tx.of_customer(Kind::Invoice, text(invoice, "customer"));
    let mut ours = all.iter().filter(|it| invoice::subscription_of(it) == text(subscription, "id"));
    ours.find(|it| it["id"] == invoice["id"] || !says_nothing(it)).is_none_or(|it| it["id"] == invoice["id"])
}

/// Somebody has given up what was owed: an invoice is uncollectible because they say so.
pub fn forgiven(tx: &mut Tx, invoice: &Value) {
    set_delinquent(tx, text(invoice, "customer"), false);
    settled(tx, invoice);
}

/// The date has passed by which the invoice was to be paid.
pub fn overdue(tx: &mut Tx, invoice: &Value) {
    set_delinquent(tx, text(invoice, "customer"), true);
    if let Some(subscription) = tx.copy(Kind::Subscription, invoice::subscription_of(invoice)) {
        become_late(tx, subscription, invoice);
    }
}

/// Late by its latest invoice. Gives the subscription as it then is.
fn become_late(tx: &mut Tx, mut subscription: Value, invoice: &Value) -> Value {
    let was_good = matches!(text(&subscription, "status"), "active" | "trialing");
    if was_good && is_latest(tx, &subscription, invoice) {
        subscription["status"] = json!("past_due");
        tx.update(Kind::Subscription, subscription.clone(), "customer.subscription.updated");
    }
    subscription
}

/// The invoice could not be paid. Only the automatic tries make a customer delinquent, says Stripe; and who is sent
/// an invoice has time until it is due.
pub fn failed(tx: &mut Tx, invoice: &Value, occasion: Occasion) {
    if sending::is_sent(invoice) {
        return;
    }
    let subscription = tx.copy(Kind::Subscription, invoice::subscription_of(invoice));
    if subscription.as_ref().is_some_and(|it| pending_update::waits_for(it, invoice)) {
        return;
    }
    let subscription = subscription.map(|it| become_late(tx, it, invoice)).unwrap_or_default();
    if occasion == Occasion::Automatic {
        set_delinquent(tx, text(invoice, "customer"), true);
    }
    let tries = i64::try_from(tx.billing_settings().retry_days.len()).unwrap_or(i64::MAX);
    let tried_all = number(invoice, "attempt_count") > tries && invoice["next_payment_attempt"].is_null();
    if subscription["status"] == "past_due" && tried_all && invoice["auto_advance"] == true {
        give_up(tx, subscription);
    }
}

/// All tries have failed.
fn give_up(tx: &mut Tx, mut subscription: Value) {
    match tx.billing_settings().after_retries {
        AfterRetries::Cancel => {
            ending::cancel(tx, subscription, Some("payment_failed"));
        }
        AfterRetries::MarkUnpaid => {
            subscription["status"] = json!("unpaid");
            tx.update(Kind::Subscription, subscription, "customer.subscription.updated");
        }
        AfterRetries::LeavePastDue => {}
    }
}

fn set_delinquent(tx: &mut Tx, customer: &str, delinquent: bool) {
    if let Some(mut customer) = tx.copy(Kind::Customer, customer).filter(|it| it["deleted"] != true) {
        customer["delinquent"] = json!(delinquent);
        tx.update(Kind::Customer, customer, "customer.updated");
    }
}
