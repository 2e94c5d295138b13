//! Subscriptions after they began: reading, changing, canceling. `subscriptions_create` makes them.

use serde_json::{Value, json};

use super::Call;
use crate::billing::ending;
use crate::billing::subscription::period_ends;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::state::{Key, Kind, Tx, text};

const STATUSES: &[&str] = &[
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
];
/// Parameters that Stripe has and that this emulator would have to ignore.
const UNSUPPORTED: &[&str] = &[
    "add_invoice_items",
    "application_fee_percent",
    "automatic_tax",
    "billing_cycle_anchor",
    "billing_schedules",
    "billing_thresholds",
    "collection_method",
    "days_until_due",
    "default_source",
    "default_tax_rates",
    "discounts",
    "invoice_settings",
    "items",
    "on_behalf_of",
    "pause_collection",
    "payment_settings",
    "pending_invoice_item_interval",
    "proration_date",
    "transfer_data",
    "trial_end",
    "trial_from_plan",
];
const FEEDBACK: &[&str] = &[
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
];

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::Subscription, call.id(), Place::Path)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let customer = params.text("customer")?;
    let status = params.one_of("status", STATUSES)?;
    let price = params.text("price")?;
    let collection = params.one_of("collection_method", &["charge_automatically", "send_invoice"])?;
    params.finish()?;
    page.of(
        call.tx,
        Kind::Subscription,
        "/v1/subscriptions",
        Key::Customer.of(customer.as_deref()),
        |subscription| {
            has_status(text(subscription, "status"), status.as_deref())
                && price.as_ref().is_none_or(|price| sells(subscription, price))
                && collection.as_ref().is_none_or(|method| subscription["collection_method"] == **method)
        },
    )
}

fn has_status(actual: &str, wanted: Option<&str>) -> bool {
    match wanted {
        None => actual != "canceled",
        Some("all") => true,
        Some("ended") => matches!(actual, "canceled" | "incomplete_expired"),
        Some(wanted) => actual == wanted,
    }
}

fn sells(subscription: &Value, price: &str) -> bool {
    let items = subscription["items"]["data"].as_array().into_iter().flatten();
    items.into_iter().any(|item| item["price"]["id"] == *price)
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut subscription = call.tx.require(Kind::Subscription, call.id(), Place::Path)?;
    params.refuse(UNSUPPORTED)?;
    let only_notes = matches!(text(&subscription, "status"), "canceled" | "incomplete_expired");
    let touches_more = ["cancel_at", "cancel_at_period_end", "default_payment_method", "description"]
        .iter()
        .any(|name| params.has(name));
    if only_notes && touches_more {
        let message = "A canceled subscription can only update its cancellation_details and metadata.";
        return Err(ApiError::invalid(message));
    }
    subscription["metadata"] = params.metadata(&subscription["metadata"])?;
    if let Some(description) = params.clearable("description")? {
        subscription["description"] = description.into_json();
    }
    read_default_payment_method(call.tx, &mut params, &mut subscription)?;
    read_cancellation(call.tx, &mut params, &mut subscription)?;
    read_cancellation_details(&mut params, &mut subscription)?;
    read_trial_settings(&mut params, &mut subscription)?;
    // These two say how to bill a change of items, of which there is none here.
    params.one_of("proration_behavior", &["always_invoice", "create_prorations", "none"])?;
    params.one_of("payment_behavior", super::subscriptions_create::BEHAVIORS)?;
    params.boolean("off_session")?;
    params.finish()?;
    call.tx.update(Kind::Subscription, subscription.clone(), "customer.subscription.updated");
    Ok(subscription)
}

pub fn cancel(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut subscription = call.tx.require(Kind::Subscription, call.id(), Place::Path)?;
    if matches!(text(&subscription, "status"), "canceled" | "incomplete_expired") {
        return Err(ApiError::no_such(Kind::Subscription, call.id(), Place::Path));
    }
    read_cancellation_details(&mut params, &mut subscription)?;
    for name in ["invoice_now", "prorate"] {
        if params.clone().boolean(name)? == Some(true) {
            return Err(ApiError::unsupported(name));
        }
        params.boolean(name)?;
    }
    params.finish()?;
    Ok(ending::cancel(call.tx, subscription, Some("cancellation_requested")))
}

fn read_default_payment_method(
    tx: &Tx,
    params: &mut Params,
    subscription: &mut Value,
) -> Result<(), ApiError> {
    let param = "default_payment_method";
    match params.clearable(param)? {
        None => Ok(()),
        Some(Change::Clear) => {
            subscription[param] = Value::Null;
            Ok(())
        }
        Some(Change::Set(id)) => {
            ensure_own_method(tx, &id, text(subscription, "customer"))?;
            subscription[param] = json!(id);
            Ok(())
        }
    }
}

/// A customer's subscriptions are paid with their own cards only.
pub fn ensure_own_method(tx: &Tx, id: &str, customer: &str) -> Result<(), ApiError> {
    let param = "default_payment_method";
    let method = tx.require(Kind::PaymentMethod, id, Place::Param(param))?;
    if method["customer"] == *customer {
        return Ok(());
    }
    let message = format!("The customer does not have a payment method with the ID {id}.");
    Err(ApiError::invalid(message).code("resource_missing").param(param))
}

/// `cancel_at_period_end` and `cancel_at`, of which a request may say one.
fn read_cancellation(tx: &Tx, params: &mut Params, subscription: &mut Value) -> Result<(), ApiError> {
    let at_period_end = params.boolean("cancel_at_period_end")?;
    let at = params.clearable("cancel_at")?;
    let (earliest, latest) = period_ends(subscription);
    let (at, flag) = match (at_period_end, at) {
        (None, None) => return Ok(()),
        (Some(true), Some(_)) => {
            let message = "You may only specify one of these parameters: cancel_at, cancel_at_period_end.";
            return Err(ApiError::invalid(message).param("cancel_at"));
        }
        (Some(true), None) => (Some(latest), true),
        (_, Some(Change::Set(word))) if word == "min_period_end" => (Some(earliest), false),
        (_, Some(Change::Set(word))) if word == "max_period_end" => (Some(latest), false),
        (_, Some(Change::Set(text))) => (Some(params.parse_integer("cancel_at", &text)?), false),
        (Some(false) | None, Some(Change::Clear)) | (Some(false), None) => (None, false),
    };
    if at.is_some_and(|at| at <= tx.now()) {
        let message = "`cancel_at` must be in the future; to cancel now, delete the subscription.";
        return Err(ApiError::invalid(message).param("cancel_at"));
    }
    let canceled_at = if subscription["canceled_at"].is_null() {
        json!(tx.now())
    } else {
        subscription["canceled_at"].clone()
    };
    subscription["cancel_at"] = json!(at);
    subscription["cancel_at_period_end"] = json!(flag);
    subscription["canceled_at"] = if at.is_some() { canceled_at } else { Value::Null };
    let reason = at.map(|_| "cancellation_requested");
    subscription["cancellation_details"]["reason"] = json!(reason);
    Ok(())
}

fn read_cancellation_details(params: &mut Params, subscription: &mut Value) -> Result<(), ApiError> {
    let Some(mut details) = params.children("cancellation_details")? else {
        return Ok(());
    };
    if let Some(comment) = details.clearable("comment")? {
        subscription["cancellation_details"]["comment"] = comment.into_json();
    }
    if let Some(feedback) = details.one_of("feedback", FEEDBACK)? {
        subscription["cancellation_details"]["feedback"] = json!(feedback);
    }
    details.finish()
}

fn read_trial_settings(params: &mut Params, subscription: &mut Value) -> Result<(), ApiError> {
    if let Some(missing) = super::checkout_sessions::read_trial_settings(params)? {
        subscription["trial_settings"]["end_behavior"]["missing_payment_method"] = json!(missing);
    }
    Ok(())
}
