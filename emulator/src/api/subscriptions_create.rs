//! POST /v1/subscriptions: a subscription without checkout, paid with a card that the customer has.

use serde_json::{Value, json};

use super::added_items::{self, Buyer};
use super::checkout_sessions::read_trial_settings;
use super::discounts::{self, Sale};
use super::subscription_begin;
use super::subscription_change::{UNSUPPORTED_OF_ITEMS, read_item};
use super::subscriptions::ensure_own_method;
use super::{Call, collection};
use crate::billing::change::ONE_INTERVAL;
use crate::billing::customer;
use crate::billing::discount::Applied;
use crate::billing::payment::{self, Authentication, Charged, Order};
use crate::billing::purchase::{self, Settlement, Unpaid};
use crate::billing::sending;
use crate::billing::subscription::{self, Beginning, Draft, Line};
use crate::error::{ApiError, Place};
use crate::params::{Change, Params};
use crate::state::{Kind, Tx, text};

/// What to do when the first payment does not succeed at once.
pub const BEHAVIORS: &[&str] =
    &["allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"];
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

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    // What is charged and what is billed are of one second.
    let now = call.tx.now();
    call.tx.set_time(Some(now));
    let customer_id = params.required_text("customer")?;
    let customer = call.tx.require(Kind::Customer, &customer_id, Place::Param("customer"))?;
    let behavior = params.one_of("payment_behavior", BEHAVIORS)?;
    let days = collection::read(&mut params, None)?.flatten();
    params.boolean("off_session")?;
    let mut draft = read_draft(call.tx, &mut params, customer_id)?;
    let cancellation = read_cancellation(call.tx, &mut params, &draft)?;
    params.finish()?;
    if let Some(days) = days {
        return begin_with_invoice(call.tx, &customer, &draft, days, &cancellation);
    }
    let method = draft.default_payment_method.clone().or_else(|| {
        let default = &customer["invoice_settings"]["default_payment_method"];
        default.as_str().map(str::to_owned)
    });
    if saves_method(&draft) && behavior.as_deref() != Some("default_incomplete") {
        draft.default_payment_method.clone_from(&method);
    }
    let settlement = settle(call.tx, &draft, method, behavior.as_deref().unwrap_or("allow_incomplete"))?;
    let purchase = purchase::begin(call.tx, &draft, settlement);
    purchase.announce_charge(call.tx);
    customer::announce_currency(call.tx, &customer);
    purchase.announce(call.tx);
    Ok(plan_end(call.tx, purchase.subscription, &cancellation))
}

/// One whose customer is sent invoices: it begins at once, whatever `payment_behavior` says.
fn begin_with_invoice(
    tx: &mut Tx,
    customer: &Value,
    draft: &Draft,
    days: i64,
    cancellation: &Value,
) -> Result<Value, ApiError> {
    sending::ensure_address(customer)?;
    let subscription = sending::begin(tx, draft, days);
    customer::announce_currency(tx, customer);
    Ok(plan_end(tx, subscription, cancellation))
}

/// Writes down the fields that a planned end changes, and tells of it.
fn plan_end(tx: &mut Tx, mut subscription: Value, cancellation: &Value) -> Value {
    if !cancellation.is_null() {
        for (field, value) in cancellation.as_object().into_iter().flatten() {
            subscription[field] = value.clone();
        }
        tx.update(Kind::Subscription, subscription.clone(), "customer.subscription.updated");
    }
    subscription
}

/// Whether the card that pays the first invoice becomes the subscription's own.
fn saves_method(draft: &Draft) -> bool {
    let settings = draft.beginning.payment_settings.as_ref();
    settings.is_some_and(|it| it["save_default_payment_method"] == "on_subscription")
}

/// The fields that a planned end changes; `null` if none is planned.
fn read_cancellation(tx: &Tx, params: &mut Params, draft: &Draft) -> Result<Value, ApiError> {
    let mut planned = subscription::build(tx, draft, "active");
    super::subscriptions::read_cancellation(tx, params, &mut planned)?;
    if planned["cancel_at"].is_null() {
        return Ok(Value::Null);
    }
    let fields = ["cancel_at", "cancel_at_period_end", "canceled_at", "cancellation_details"];
    Ok(fields.iter().map(|field| ((*field).to_owned(), planned[*field].clone())).collect())
}

/// What a subscription will be.
pub fn read_draft(tx: &mut Tx, params: &mut Params, customer: String) -> Result<Draft, ApiError> {
    let lines = read_items(tx, params, &customer)?;
    let method = params.text("default_payment_method")?;
    if let Some(id) = &method {
        ensure_own_method(tx, id, &customer)?;
    }
    let mut draft = Draft {
        customer,
        lines,
        trial_end: read_trial(tx, params)?,
        metadata: params.metadata(&json!({}))?,
        description: params.clearable("description")?.map_or(Value::Null, Change::into_json),
        default_payment_method: method,
        missing_payment_method: read_trial_settings(params)?.unwrap_or_else(|| "create_invoice".to_owned()),
        billing_reason: "subscription_create",
        discounts: Vec::new(),
        beginning: Beginning::default(),
    };
    draft.beginning = subscription_begin::read(tx, params, &draft)?;
    ensure_together(params, &draft)?;
    draft.discounts = read_discounts(tx, params, &draft)?;
    let (_, end) = subscription::period_ends(&subscription::build(tx, &draft, "active"));
    let buyer = Buyer { customer: &draft.customer, currency: draft.currency(), period: (tx.now(), end) };
    let (items, named) = added_items::read(tx, params, &buyer)?;
    (draft.beginning.invoice_items, draft.beginning.of_invoice_items) = (items, named);
    Ok(draft)
}

/// The lines have one currency, and in classic billing mode one interval.
fn ensure_together(params: &mut Params, draft: &Draft) -> Result<(), ApiError> {
    if params.text("currency")?.is_some_and(|given| !given.eq_ignore_ascii_case(draft.currency())) {
        let message = format!("The price specified only supports `{}`.", draft.currency());
        return Err(ApiError::invalid(message).param("currency"));
    }
    let is_classic = draft.beginning.billing_mode.as_ref().is_some_and(|mode| mode["type"] == "classic");
    let interval = |line: &Line| {
        let recurring = &line.price["recurring"];
        (recurring["interval"].clone(), recurring["interval_count"].clone())
    };
    let first = draft.lines.first().map(interval);
    let differs = |line: &Line| {
        text(&line.price, "currency") != draft.currency() || (is_classic && Some(interval(line)) != first)
    };
    if draft.lines.iter().any(differs) {
        return Err(ApiError::invalid(ONE_INTERVAL).param("items"));
    }
    Ok(())
}

pub fn read_discounts(tx: &Tx, params: &mut Params, draft: &Draft) -> Result<Vec<Applied>, ApiError> {
    let parts = draft.parts();
    let customer = Some(draft.customer.as_str());
    let sale = Sale { customer, currency: draft.currency(), parts: &parts, most: 20, known: &[] };
    discounts::read(tx, params, &sale)
}

fn read_items(tx: &mut Tx, params: &mut Params, customer: &str) -> Result<Vec<Line>, ApiError> {
    let items = params.list("items")?.ok_or_else(|| ApiError::missing_param("items"))?;
    let mut lines = Vec::new();
    for mut item in items {
        item.refuse(UNSUPPORTED_OF_ITEMS)?;
        let param = item.full_name("price");
        let said = read_item(tx, &mut item, customer, &Value::Null)?;
        let price = said.price.ok_or_else(|| ApiError::missing_param(&param))?;
        item.finish()?;
        lines.push(Line {
            price,
            quantity: said.quantity.unwrap_or(1),
            discounts: said.discounts.unwrap_or_default(),
            metadata: said.metadata.unwrap_or_else(|| json!({})),
        });
    }
    if lines.is_empty() { Err(ApiError::missing_param("items")) } else { Ok(lines) }
}

fn read_trial(tx: &Tx, params: &mut Params) -> Result<Option<i64>, ApiError> {
    let days = params.integer("trial_period_days")?;
    let end = params.text("trial_end")?;
    match (days, end.as_deref()) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: trial_end, trial_period_days.";
            Err(ApiError::invalid(message).param("trial_end"))
        }
        (Some(days), None) if (0..=730).contains(&days) => Ok((days > 0).then(|| tx.now() + days * 86_400)),
        (Some(_), None) => {
            Err(ApiError::invalid("The trial can have at most 730 days.").param("trial_period_days"))
        }
        (None, None | Some("now")) => Ok(None),
        (None, Some(text)) => {
            let end = params.parse_integer("trial_end", text)?;
            if end <= tx.now() {
                return Err(ApiError::invalid("`trial_end` must be in the future.").param("trial_end"));
            }
            Ok(Some(end))
        }
    }
}

fn settle(
    tx: &mut Tx,
    draft: &Draft,
    method: Option<String>,
    behavior: &str,
) -> Result<Settlement, ApiError> {
    if purchase::due_today(tx, draft, &draft.customer) == 0 {
        return Ok(Settlement::Paid(None));
    }
    if behavior == "default_incomplete" {
        return Ok(Settlement::Unpaid(Unpaid::NotTried));
    }
    let Some(method) = method else {
        let message = "This customer has no attached payment source or default payment method. Please consider adding \
                       a default payment method.";
        return Err(ApiError::invalid(message).code("resource_missing"));
    };
    let order = first_payment(tx, draft, method);
    match payment::charge(tx, &order, Authentication::NotYet) {
        Charged::Paid(paid) => Ok(Settlement::Paid(Some(paid))),
        Charged::Declined { decline, .. } if behavior == "error_if_incomplete" => {
            Err(ApiError::card(decline.code, decline.decline_code, decline.message))
        }
        Charged::NeedsAuthentication { .. } if behavior == "error_if_incomplete" => Err(ApiError::card(
            "subscription_payment_intent_requires_action",
            None,
            "Payment requires authentication.",
        )),
        Charged::Declined { intent, .. } => Ok(Settlement::Unpaid(Unpaid::Declined(intent))),
        Charged::NeedsAuthentication { intent } => {
            Ok(Settlement::Unpaid(Unpaid::NeedsAuthentication(intent)))
        }
    }
}

fn first_payment(tx: &Tx, draft: &Draft, payment_method: String) -> Order {
    Order {
        customer: Some(draft.customer.clone()),
        payment_method,
        amount: purchase::due_today(tx, draft, &draft.customer),
        currency: draft.currency().to_owned(),
        description: "Subscription creation".to_owned(),
        intent: None,
    }
}
