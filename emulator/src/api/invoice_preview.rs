//! POST /v1/invoices/create_preview: what a customer would be billed next, or for a change, without doing it.

use serde_json::{Value, json};

use super::subscription_change;
use super::{Call, subscriptions_create};
use crate::billing::change::{self, Planned, Prorate};
use crate::billing::schedule::{phases, time};
use crate::billing::{invoice, invoice_item, preview, proration, renewal, subscription, update};
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, ids, text};

const UNSUPPORTED: &[&str] = &[
    "automatic_tax",
    "customer_account",
    "customer_details",
    "discounts",
    "invoice_items",
    "issuer",
    "on_behalf_of",
    "schedule_details",
];
const UNSUPPORTED_DETAILS: &[&str] = &[
    "billing_mode",
    "billing_schedules",
    "cancel_at",
    "default_tax_rates",
    "pause",
    "resume_at",
    "start_date",
];

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    params.one_of("preview_mode", &["next"])?;
    params.text("currency")?;
    let customer = params.text("customer")?;
    let id = params.text("subscription")?;
    let schedule = params.text("schedule")?;
    let details = params.children("subscription_details")?.unwrap_or_default();
    params.finish()?;
    details.refuse(UNSUPPORTED_DETAILS)?;
    let before = call.tx.savepoint();
    let invoice = match (id, customer) {
        (id, customer) if schedule.is_some() => {
            let others = [id.is_some(), details.names().next().is_some()];
            of_schedule(call.tx, &schedule.unwrap_or_default(), customer, others)
        }
        (Some(id), customer) => {
            let subscription = call.tx.require(Kind::Subscription, &id, Place::Param("subscription"))?;
            if customer.is_some_and(|customer| subscription["customer"] != *customer) {
                return Err(ApiError::no_such(Kind::Subscription, &id, Place::Param("subscription")));
            }
            of_subscription(call.tx, subscription, details)
        }
        (None, Some(customer)) => of_customer(call.tx, customer, details),
        (None, None) => Err(ApiError::missing_param("customer")),
    };
    call.tx.roll_back_to(&before);
    let mut invoice = invoice?;
    invoice["id"] = json!(ids::new("upcoming_in_"));
    for line in invoice["lines"]["data"].as_array_mut().into_iter().flatten() {
        line["invoice"] = Value::Null;
    }
    Ok(invoice)
}

/// Of a schedule: the first invoice, or the next one of its subscription.
fn of_schedule(
    tx: &mut Tx,
    id: &str,
    customer: Option<String>,
    [has_subscription, has_details]: [bool; 2],
) -> Result<Value, ApiError> {
    let place = Place::Param("schedule");
    let mut schedule = tx.require(Kind::SubscriptionSchedule, id, place)?;
    if has_subscription || has_details {
        let message = "You may only specify one of these parameters: schedule, subscription.";
        return Err(ApiError::invalid(message).param("schedule"));
    }
    if customer.is_some_and(|customer| schedule["customer"] != *customer) {
        return Err(ApiError::no_such(Kind::SubscriptionSchedule, id, place));
    }
    match text(&schedule, "status") {
        "active" => {
            let subscription = tx.require(Kind::Subscription, text(&schedule, "subscription"), place)?;
            of_subscription(tx, subscription, Params::default())
        }
        "not_started" => {
            let start = phases::start(&schedule);
            tx.set_time(Some(start));
            time::start(tx, &mut schedule);
            let subscription = tx.copy(Kind::Subscription, text(&schedule, "subscription"));
            let first = subscription.and_then(|it| tx.copy(Kind::Invoice, text(&it, "latest_invoice")));
            Ok(renewal::as_upcoming(first.unwrap_or_default(), start))
        }
        _ => Err(nothing(text(&schedule, "customer"))),
    }
}

/// Of somebody who subscribes to these items, or to what they have already.
fn of_customer(tx: &mut Tx, customer: String, mut details: Params) -> Result<Value, ApiError> {
    tx.require(Kind::Customer, &customer, Place::Param("customer"))?;
    if details.has("items") {
        details.refuse(&["billing_cycle_anchor", "cancel_at_period_end", "cancel_now", "proration_date"])?;
        details.one_of("proration_behavior", &["always_invoice", "create_prorations", "none"])?;
        let draft = subscriptions_create::read_draft(tx, &mut details, customer)?;
        details.finish()?;
        let status = if draft.trial_end.is_some() { "trialing" } else { "active" };
        let subscription = subscription::build(tx, &draft, status);
        let mut invoice = invoice::draft(tx, &draft, &subscription);
        // There is no such subscription.
        invoice["parent"] = Value::Null;
        for line in invoice["lines"]["data"].as_array_mut().into_iter().flatten() {
            line["subscription"] = Value::Null;
            line["parent"]["subscription_item_details"]["subscription"] = Value::Null;
        }
        return Ok(invoice);
    }
    let live = tx.of_customer(Kind::Subscription, &customer);
    let live = live.into_iter().find(|it| matches!(text(it, "status"), "active" | "past_due" | "trialing"));
    match live {
        Some(subscription) => of_subscription(tx, subscription, details),
        None => Err(nothing(&customer)),
    }
}

fn of_subscription(tx: &mut Tx, subscription: Value, mut details: Params) -> Result<Value, ApiError> {
    let customer = text(&subscription, "customer").to_owned();
    let changes_nothing = details.names().next().is_none();
    let cancel_now = details.boolean("cancel_now")?.unwrap_or(false);
    let at_end = details.boolean("cancel_at_period_end")?;
    let mut change = subscription_change::read(tx, &mut details)?;
    change.items = subscription_change::read_items(tx, &mut details)?;
    details.finish()?;
    let subscription = subscription_change::make_way(tx, subscription)?;
    if cancel_now {
        return Ok(of_cancellation(tx, &subscription, change.prorate));
    }
    let planned = change::plan(tx, &subscription, &change);
    let planned = planned.map_err(|error| error.within("subscription_details"))?;
    let preview = preview::of_change(tx, &planned, change.prorate);
    if let Some(now) = preview.now {
        return Ok(now);
    }
    let (_, period_end) = subscription::period_ends(&subscription);
    let is_last = |at: i64| at <= period_end;
    let ends = at_end.unwrap_or_else(|| subscription["cancel_at"].as_i64().is_some_and(is_last));
    let next = if changes_nothing { renewal::foreseen(tx, &subscription) } else { preview.next };
    if !ends {
        return Ok(next);
    }
    let last = closing(tx, &planned.subscription, &change::invoice_items(tx, &planned));
    match last["lines"]["total_count"] == 0 {
        true => Err(nothing(&customer)),
        false => Ok(renewal::as_upcoming(last, period_end)),
    }
}

/// What is given back to somebody who leaves now.
fn of_cancellation(tx: &Tx, subscription: &Value, prorate: Prorate) -> Value {
    let now = tx.now();
    let items = change::items_of(subscription);
    let unused = items.iter().filter(|_| prorate != Prorate::Never);
    let unused = unused.filter_map(|item| proration::unused(item, now));
    let credits: Vec<Value> = unused.map(|one| invoice_item::of_proration(tx, subscription, &one)).collect();
    closing(tx, subscription, &credits)
}

/// The last invoice of a subscription: what waits, and these items.
fn closing(tx: &Tx, subscription: &Value, items: &[Value]) -> Value {
    let planned =
        Planned { subscription: subscription.clone(), prorations: Vec::new(), begins_period: false };
    let waiting = invoice_item::pending(tx, text(subscription, "customer"), text(subscription, "id"));
    let mut last = update::draft(tx, &planned, &[&waiting[..], items].concat());
    last["billing_reason"] = json!("upcoming");
    last
}

fn nothing(customer: &str) -> ApiError {
    let message = format!("No upcoming invoices for customer: {customer}");
    ApiError::new(axum::http::StatusCode::NOT_FOUND, "invalid_request_error", message)
        .code("invoice_upcoming_none")
}
