//! Planning that a subscription ends, and taking that back, by API as on the customer portal. Ending it now is
//! `ending`'s business.

use serde_json::{Value, json};

use crate::state::Tx;

/// Why a customer leaves, in the words that Stripe has for it.
pub const FEEDBACK: &[&str] = &[
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
];

/// Plans that the subscription ends at a time, or with `None` that it goes on. Stores nothing.
pub fn plan(tx: &Tx, subscription: &mut Value, at: Option<i64>, at_period_end: bool) {
    let canceled_at = if subscription["canceled_at"].is_null() {
        json!(tx.now())
    } else {
        subscription["canceled_at"].clone()
    };
    subscription["cancel_at"] = json!(at);
    subscription["cancel_at_period_end"] = json!(at_period_end);
    subscription["canceled_at"] = if at.is_some() { canceled_at } else { Value::Null };
    let reason = at.map(|_| "cancellation_requested");
    subscription["cancellation_details"]["reason"] = json!(reason);
}
