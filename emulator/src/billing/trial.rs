//! A trial's last days: the notice before its end, and what then happens with and without a card.

use serde_json::{Value, json};

use super::change::{self, Anchor, Change, Prorate};
use super::payment::Authentication;
use super::update::{self, Behavior, How};
use super::{ending, invoice, renewal, sending};
use crate::error::ApiError;
use crate::state::{Kind, Tx, text};

/// Tells that the trial ends soon.
pub fn announce(tx: &mut Tx, subscription: &Value) {
    tx.emit("customer.subscription.trial_will_end", subscription);
    renewal::note(tx, subscription, "trial_told", subscription["trial_end"].clone());
}

/// The trial is over: from now on the subscription costs something, if there is a card or it does not need one.
pub fn end(tx: &mut Tx, mut subscription: Value) {
    let policy = subscription["trial_settings"]["end_behavior"]["missing_payment_method"].clone();
    match policy.as_str() {
        Some("cancel") if !has_method(tx, &subscription) => {
            ending::cancel(tx, subscription, None);
        }
        Some("pause") if !has_method(tx, &subscription) => {
            subscription["status"] = json!("paused");
            tx.update(Kind::Subscription, subscription.clone(), "customer.subscription.updated");
            tx.emit("customer.subscription.paused", &subscription);
        }
        _ => {
            let before = subscription.clone();
            subscription["status"] = json!("active");
            renewal::renew_from(tx, &before, subscription);
        }
    }
}

/// A paused subscription begins its first paid period now. It stays paused until the invoice is paid.
/// An invoice of an earlier resumption that is still open gives way; whether Stripe does so is not known.
pub fn resume(tx: &mut Tx, before: &Value) -> Result<Value, ApiError> {
    invoice::void_if_open(tx, text(before, "latest_invoice"));
    let change = Change {
        items: Vec::new(),
        prorate: Prorate::Never,
        date: None,
        anchor: Anchor::Now,
        trial_end: None,
    };
    let how = How {
        prorate: Prorate::Never,
        behavior: Behavior::Allow,
        authentication: Authentication::OffSession,
    };
    let planned = change::plan(tx, before, &change)?;
    update::apply(tx, &planned, how)
}

/// Whoever is sent their invoices needs none.
fn has_method(tx: &Tx, subscription: &Value) -> bool {
    if sending::is_sent(subscription) {
        return true;
    }
    let customer = tx.find(Kind::Customer, text(subscription, "customer"));
    let of_customer = customer.is_some_and(|it| !it["invoice_settings"]["default_payment_method"].is_null());
    of_customer || !subscription["default_payment_method"].is_null()
}
