//! Reading what a request wants changed about a subscription's items, period and trial, and how that is to be
//! billed. The subscription's own endpoint, those of its items and the preview share it.

use serde_json::Value;

use super::discounts::{self, Sale};
use super::price_data::{self, Sold};
use crate::billing::change::{Anchor, Change, ItemChange, Prorate, items_of};
use crate::billing::discount::lines::names;
use crate::billing::discount::redeem::{self, Owner};
use crate::billing::discount::{Applied, Part};
use crate::billing::money::MOST_QUANTITY;
use crate::billing::payment::Authentication;
use crate::billing::pending_update;
use crate::billing::proration::cost;
use crate::billing::subscription::ids_of;
use crate::billing::update::{Behavior, How};
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, number, text};

/// Parameters of an item that Stripe has and that this emulator would have to ignore.
pub const UNSUPPORTED_OF_ITEMS: &[&str] =
    &["billing_thresholds", "clear_usage", "current_trial", "plan", "tax_rates"];
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

/// `items[]`. New discounts are stored, and told of when the change happens.
pub fn read_items(
    tx: &mut Tx,
    params: &mut Params,
    subscription: &Value,
) -> Result<Vec<ItemChange>, ApiError> {
    let mut changes = Vec::new();
    for mut item in params.list("items")?.unwrap_or_default() {
        item.refuse(UNSUPPORTED_OF_ITEMS)?;
        let id = item.text("id")?;
        let deleted = item.boolean("deleted")?.unwrap_or(false);
        let change = read_change(tx, &mut item, subscription, id)?;
        item.finish()?;
        changes.push(ItemChange { deleted, ..change });
    }
    Ok(changes)
}

/// What is wanted of one item, but whether it is to go.
pub fn read_change(
    tx: &mut Tx,
    item: &mut Params,
    subscription: &Value,
    id: Option<String>,
) -> Result<ItemChange, ApiError> {
    let known = items_of(subscription).into_iter().find(|one| id.as_deref() == one["id"].as_str());
    let customer = text(subscription, "customer");
    let said = read_item(tx, item, customer, &known.unwrap_or_default())?;
    let discounts = said.discounts.map(|discounts| {
        let owner = Owner { customer, subscription: subscription["id"].as_str(), ..Owner::default() };
        redeem::store(tx, &discounts, owner);
        ids_of(&discounts)
    });
    let (price, quantity, metadata) = (said.price, said.quantity, said.metadata);
    Ok(ItemChange { id, price, quantity, deleted: false, discounts, metadata })
}

/// What a request says of one item.
pub struct Said {
    pub price: Option<Value>,
    pub quantity: Option<i64>,
    pub discounts: Option<Vec<Applied>>,
    pub metadata: Option<Value>,
}

/// Reads it, where `known` is the item as it is, or `null`.
pub fn read_item(tx: &mut Tx, item: &mut Params, customer: &str, known: &Value) -> Result<Said, ApiError> {
    let price = match price_data::read(tx, item, Sold::Again)? {
        Some(price) => Some(price),
        None => read_price(tx, item)?,
    };
    let quantity = read_quantity(item)?;
    let sold = price.as_ref().unwrap_or(&known["price"]);
    let amount = number(sold, "unit_amount") * quantity.or(known["quantity"].as_i64()).unwrap_or(1);
    let part = Part { product: text(sold, "product").to_owned(), amount };
    let ids = names(&known["discounts"]);
    let currency = text(sold, "currency");
    let sale = Sale { customer: Some(customer), currency, parts: &[part], most: 20, known: &ids };
    let discounts = discounts::read_change(tx, item, &sale)?;
    let metadata = if item.has("metadata") { Some(item.metadata(&known["metadata"])?) } else { None };
    Ok(Said { price, quantity, discounts, metadata })
}

/// `discounts` of the subscription itself. New ones are stored, and told of when the change happens.
pub fn read_discounts(tx: &mut Tx, params: &mut Params, subscription: &mut Value) -> Result<(), ApiError> {
    let items = items_of(subscription);
    let part =
        |item: &Value| Part { product: text(&item["price"], "product").to_owned(), amount: cost(item) };
    let parts: Vec<Part> = items.iter().map(part).collect();
    let known = names(&subscription["discounts"]);
    let customer = text(subscription, "customer").to_owned();
    let currency = text(subscription, "currency");
    let sale = Sale { customer: Some(&customer), currency, parts: &parts, most: 20, known: &known };
    let Some(discounts) = discounts::read_change(tx, params, &sale)? else {
        return Ok(());
    };
    let id = subscription["id"].as_str().map(str::to_owned);
    redeem::store(
        tx,
        &discounts,
        Owner { customer: &customer, subscription: id.as_deref(), ..Owner::default() },
    );
    subscription["discounts"] = ids_of(&discounts);
    Ok(())
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
