//! Subscriptions after they began: reading, changing, canceling. `subscriptions_create` makes them.

use serde_json::{Value, json};

use super::added_items::{self, Added, Buyer};
use super::subscription_begin::{read_invoice_settings, read_payment_settings};
use super::subscription_change::read_anchor;
use super::{Call, collection, subscription_change};
use crate::billing::cancellation::{self, FEEDBACK};
use crate::billing::subscription::{has_ended, period_ends};
use crate::billing::{change, ending, schedule, trial, update};
use crate::error::{ApiError, Place};
use crate::list::{Page, Range};
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
    "application_fee_percent",
    "automatic_tax",
    "billing_schedules",
    "billing_thresholds",
    "default_source",
    "default_tax_rates",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "transfer_data",
    "trial_from_plan",
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
    let clock = params.text("test_clock")?;
    let starts = Range::read(&mut params, "current_period_start")?;
    let ends = Range::read(&mut params, "current_period_end")?;
    params.finish()?;
    page.named(
        call.tx,
        Kind::Subscription,
        "/v1/subscriptions",
        Key::Customer.of(customer.as_deref()),
        |subscription| {
            has_status(text(subscription, "status"), status.as_deref())
                && price.as_ref().is_none_or(|price| sells(subscription, price))
                && collection.as_ref().is_none_or(|method| subscription["collection_method"] == **method)
                && clock.as_ref().is_none_or(|clock| subscription["test_clock"] == **clock)
                && has_period(subscription, &starts, &ends)
        },
    )
}

/// Whether one of its items is in such a period.
fn has_period(subscription: &Value, starts: &Range, ends: &Range) -> bool {
    if starts.is_everything() && ends.is_everything() {
        return true;
    }
    let items = subscription["items"]["data"].as_array().into_iter().flatten();
    let fits =
        |item: &Value| starts.has(&item["current_period_start"]) && ends.has(&item["current_period_end"]);
    items.into_iter().any(fits)
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
    subscription_change::ensure_may_wait(&params)?;
    let only_notes = has_ended(&subscription);
    if only_notes && params.names().any(|name| !matches!(name, "cancellation_details" | "metadata")) {
        let message = "A canceled subscription can only update its cancellation_details and metadata.";
        return Err(ApiError::invalid(message));
    }
    if params.has("cancel_at") || params.has("cancel_at_period_end") {
        schedule::ensure_unmanaged(call.tx, &subscription)?;
    }
    if subscription_change::is_wanted(&params) {
        subscription = subscription_change::make_way(call.tx, subscription)?;
    }
    subscription["metadata"] = params.metadata(&subscription["metadata"])?;
    if let Some(description) = params.clearable("description")? {
        subscription["description"] = description.into_json();
    }
    read_default_payment_method(call.tx, &mut params, &mut subscription)?;
    collection::read_into(call.tx, &mut params, &mut subscription)?;
    read_cancellation(call.tx, &mut params, &mut subscription)?;
    read_cancellation_details(&mut params, &mut subscription)?;
    read_trial_settings(&mut params, &mut subscription)?;
    read_pause(call.tx, &mut params, &mut subscription)?;
    read_invoicing(&mut params, &mut subscription)?;
    subscription_change::read_discounts(call.tx, &mut params, &mut subscription)?;
    let mut change = subscription_change::read(call.tx, &mut params)?;
    change.items = subscription_change::read_items(call.tx, &mut params, &subscription)?;
    let how = subscription_change::read_how(&mut params, change.prorate)?;
    let added = read_added(call.tx, &mut params, &subscription)?;
    params.finish()?;
    added_items::wait(call.tx, added, &subscription);
    let planned = change::plan(call.tx, &subscription, &change)?;
    update::apply(call.tx, &planned, how)
}

fn read_invoicing(params: &mut Params, subscription: &mut Value) -> Result<(), ApiError> {
    if let Some(settings) = read_payment_settings(params, Some(&subscription["payment_settings"]))? {
        subscription["payment_settings"] = settings;
    }
    if let Some(settings) = read_invoice_settings(params, Some(&subscription["invoice_settings"]))? {
        subscription["invoice_settings"] = settings;
    }
    Ok(())
}

fn read_added(tx: &mut Tx, params: &mut Params, subscription: &Value) -> Result<Added, ApiError> {
    let (customer, currency) = (text(subscription, "customer"), text(subscription, "currency"));
    let period = (tx.now(), period_ends(subscription).0.max(tx.now()));
    added_items::read(tx, params, &Buyer { customer, currency, period })
}

pub fn cancel(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut subscription = call.tx.require(Kind::Subscription, call.id(), Place::Path)?;
    if has_ended(&subscription) {
        return Err(ApiError::no_such(Kind::Subscription, call.id(), Place::Path));
    }
    read_cancellation_details(&mut params, &mut subscription)?;
    let prorate = params.boolean("prorate")?.unwrap_or(false);
    let invoice_now = params.boolean("invoice_now")?.unwrap_or(false);
    params.finish()?;
    if prorate {
        ending::credit_unused(call.tx, &subscription);
    } else if !invoice_now {
        ending::forget_prorations(call.tx, &subscription);
    }
    if invoice_now {
        ending::bill_what_waits(call.tx, &mut subscription);
    }
    Ok(ending::cancel(call.tx, subscription, Some("cancellation_requested")))
}

/// A paused subscription begins a new period, and goes on when that is paid.
pub fn resume(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let subscription = call.tx.require(Kind::Subscription, call.id(), Place::Path)?;
    // The other words would have to keep a period that went by unpaid.
    read_anchor(&mut params, &["now"])?;
    params.one_of("proration_behavior", &["always_invoice", "create_prorations", "none"])?;
    params.refuse(&["proration_date"])?;
    params.finish()?;
    if subscription["status"] != "paused" {
        let message = "You can only resume a subscription whose status is paused.";
        return Err(ApiError::invalid(message));
    }
    trial::resume(call.tx, &subscription)
}

/// `pause_collection`: what becomes of the invoices meanwhile, and until when; an empty one ends it.
fn read_pause(tx: &Tx, params: &mut Params, subscription: &mut Value) -> Result<(), ApiError> {
    if params.peek("pause_collection") == Some("") {
        params.clearable("pause_collection")?;
        subscription["pause_collection"] = Value::Null;
        return Ok(());
    }
    let Some(mut pause) = params.children("pause_collection")? else {
        return Ok(());
    };
    let behavior = pause.one_of("behavior", &["keep_as_draft", "mark_uncollectible", "void"])?;
    let behavior = behavior.ok_or_else(|| ApiError::missing_param("pause_collection[behavior]"))?;
    let resumes_at = pause.integer("resumes_at")?;
    pause.finish()?;
    if resumes_at.is_some_and(|at| at <= tx.now()) {
        let message = "`resumes_at` must be in the future.";
        return Err(ApiError::invalid(message).param("pause_collection[resumes_at]"));
    }
    subscription["pause_collection"] = json!({ "behavior": behavior, "resumes_at": resumes_at });
    Ok(())
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
pub fn read_cancellation(tx: &Tx, params: &mut Params, subscription: &mut Value) -> Result<(), ApiError> {
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
    cancellation::plan(tx, subscription, at, flag);
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
