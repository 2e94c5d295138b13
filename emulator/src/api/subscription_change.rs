//! Reading what a request wants changed about a subscription's items, period and trial, and how that is to be
//! billed. The subscription's own endpoint, those of its items and the preview share it.

use serde_json::Value;

use crate::billing::change::{Anchor, Change, ItemChange, Prorate};
use crate::billing::money::MOST_QUANTITY;
use crate::billing::payment::Authentication;
use crate::billing::pending_update;
use crate::billing::update::{Behavior, How};
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, text};

/// Parameters of an item that Stripe has and that this emulator would have to ignore.
pub const UNSUPPORTED_OF_ITEMS: &[&str] = &[
    "billing_thresholds",
    "clear_usage",
    "current_trial",
    "discounts",
    "metadata",
    "plan",
    "price_data",
    "tax_rates",
];
const PRORATION: &[&str] = &["always_invoice", "create_prorations", "none"];
/// What may be said together with `pending_if_incomplete`
/// (https://docs.stripe.com/billing/subscriptions/pending-updates-reference#supported-attributes).
const MAY_WAIT: &[&str] = &[
    "billing_cycle_anchor",
    "items",
    "off_session",
    "payment_behavior",
    "proration_behavior",
    "proration_date",
    "trial_end",
];

/// Whether the request wants any such change.
pub fn is_wanted(params: &Params) -> bool {
    ["items", "billing_cycle_anchor", "trial_end"].iter().any(|name| params.has(name))
}

/// Everything but the items.
pub fn read(tx: &Tx, params: &mut Params) -> Result<Change, ApiError> {
    let prorate = match params.one_of("proration_behavior", PRORATION)?.as_deref() {
        Some("always_invoice") => Prorate::Always,
        Some("none") => Prorate::Never,
        _ => Prorate::Create,
    };
    let anchor = match read_anchor(params, &["now", "unchanged"])?.as_deref() {
        Some("now") => Anchor::Now,
        _ => Anchor::Unchanged,
    };
    let date = params.integer("proration_date")?;
    let trial_end = match params.text("trial_end")?.as_deref() {
        None => None,
        Some("now") => Some(tx.now()),
        Some(end) => {
            let end = params.parse_integer("trial_end", end)?;
            if end <= tx.now() {
                let message = "`trial_end` must be in the future, or `now`.";
                return Err(ApiError::invalid(message).param(params.full_name("trial_end")));
            }
            Some(end)
        }
    };
    Ok(Change { items: Vec::new(), prorate, date, anchor, trial_end })
}

/// `billing_cycle_anchor` as a word, or as `billing_cycle_anchor[type]`, which is how Stripe's libraries write it now.
pub fn read_anchor(params: &mut Params, words: &[&str]) -> Result<Option<String>, ApiError> {
    let name = "billing_cycle_anchor";
    if !params.has(name) || params.peek(name).is_some() {
        return params.one_of(name, words);
    }
    let Some(mut anchor) = params.children(name)? else {
        return Ok(None);
    };
    let param = anchor.full_name("type");
    let word = anchor.one_of("type", words)?.ok_or_else(|| ApiError::missing_param(&param))?;
    anchor.finish()?;
    Ok(Some(word))
}

/// `items[]`.
pub fn read_items(tx: &Tx, params: &mut Params) -> Result<Vec<ItemChange>, ApiError> {
    let items = params.list("items")?.unwrap_or_default();
    items
        .into_iter()
        .map(|mut item| {
            item.refuse(UNSUPPORTED_OF_ITEMS)?;
            let change = ItemChange {
                id: item.text("id")?,
                price: read_price(tx, &mut item)?,
                quantity: read_quantity(&mut item)?,
                deleted: item.boolean("deleted")?.unwrap_or(false),
            };
            item.finish()?;
            Ok(change)
        })
        .collect()
}

pub fn read_price(tx: &Tx, item: &mut Params) -> Result<Option<Value>, ApiError> {
    let param = item.full_name("price");
    let Some(id) = item.text("price")? else {
        return Ok(None);
    };
    let price = tx.require(Kind::Price, &id, Place::Param(&param))?;
    if price["recurring"].is_null() || price["active"] != true {
        let message = format!("The price `{id}` is not an active recurring price.");
        return Err(ApiError::invalid(message).param(param));
    }
    Ok(Some(price))
}

pub fn read_quantity(item: &mut Params) -> Result<Option<i64>, ApiError> {
    item.integer_within("quantity", 0, MOST_QUANTITY)
}

/// How it is to be billed and paid.
pub fn read_how(params: &mut Params, prorate: Prorate) -> Result<How, ApiError> {
    let behavior = match params.one_of("payment_behavior", super::subscriptions_create::BEHAVIORS)?.as_deref()
    {
        Some("default_incomplete") => Behavior::Wait,
        Some("error_if_incomplete") => Behavior::Refuse,
        Some("pending_if_incomplete") => Behavior::Pend,
        _ => Behavior::Allow,
    };
    let off_session = params.boolean("off_session")?.unwrap_or(false);
    let authentication = if off_session { Authentication::OffSession } else { Authentication::NotYet };
    Ok(How { prorate, behavior, authentication })
}

/// Refuses what cannot wait for a payment.
pub fn ensure_may_wait(params: &Params) -> Result<(), ApiError> {
    if params.peek("payment_behavior") != Some("pending_if_incomplete") {
        return Ok(());
    }
    match params.names().find(|name| !MAY_WAIT.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!(
                "You can't set `{name}` with `payment_behavior=pending_if_incomplete`: only {} can wait for a payment.",
                MAY_WAIT.join(", ")
            );
            Err(ApiError::invalid(message).param(name))
        }
    }
}

/// A subscription that has begun and has not ended can be changed. A change that waits gives way to the new one.
pub fn make_way(tx: &mut Tx, subscription: Value) -> Result<Value, ApiError> {
    if matches!(text(&subscription, "status"), "incomplete" | "canceled" | "incomplete_expired") {
        let message = format!(
            "You can't change the items of a subscription whose status is {}.",
            text(&subscription, "status")
        );
        return Err(ApiError::invalid(message));
    }
    if subscription["pending_update"].is_null() {
        return Ok(subscription);
    }
    let id = text(&subscription, "id").to_owned();
    pending_update::expire(tx, subscription);
    tx.require(Kind::Subscription, &id, Place::Path)
}
