//! POST /v1/subscriptions: a subscription without checkout, paid with a card that the customer has.

use serde_json::{Value, json};

use super::checkout_sessions::{read_billing_mode, read_trial_settings};
use super::discounts::{self, Sale};
use super::subscription_change::read_quantity;
use super::subscriptions::ensure_own_method;
use super::{Call, collection};
use crate::billing::customer;
use crate::billing::discount::Applied;
use crate::billing::payment::{self, Authentication, Charged, Order};
use crate::billing::purchase::{self, Settlement, Unpaid};
use crate::billing::sending;
use crate::billing::subscription::{Draft, Line};
use crate::error::{ApiError, Place};
use crate::params::{Change, Params};
use crate::state::{Kind, Tx, text};

/// What to do when the first payment does not succeed at once.
pub const BEHAVIORS: &[&str] =
    &["allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"];
const UNSUPPORTED: &[&str] = &[
    "add_invoice_items",
    "application_fee_percent",
    "automatic_tax",
    "backdate_start_date",
    "billing_cycle_anchor",
    "billing_cycle_anchor_config",
    "billing_schedules",
    "billing_thresholds",
    "cancel_at",
    "default_source",
    "default_tax_rates",
    "invoice_settings",
    "on_behalf_of",
    "payment_settings",
    "pending_invoice_item_interval",
    "transfer_data",
    "trial_from_plan",
];

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    let customer_id = params.required_text("customer")?;
    let customer = call.tx.require(Kind::Customer, &customer_id, Place::Param("customer"))?;
    let at_period_end = params.boolean("cancel_at_period_end")?.unwrap_or(false);
    let behavior = params.one_of("payment_behavior", BEHAVIORS)?;
    let days = collection::read(&mut params, None)?.flatten();
    params.one_of("proration_behavior", &["always_invoice", "create_prorations", "none"])?;
    params.boolean("off_session")?;
    let mut draft = read_draft(call.tx, &mut params, customer_id)?;
    draft.discounts = read_discounts(call.tx, &mut params, &draft)?;
    params.finish()?;
    if let Some(days) = days {
        return begin_with_invoice(call.tx, &customer, &draft, days, at_period_end);
    }
    let method = draft.default_payment_method.clone().or_else(|| {
        let default = &customer["invoice_settings"]["default_payment_method"];
        default.as_str().map(str::to_owned)
    });
    let settlement = settle(call.tx, &draft, method, behavior.as_deref().unwrap_or("allow_incomplete"))?;
    let purchase = purchase::begin(call.tx, &draft, settlement);
    purchase.announce_charge(call.tx);
    customer::announce_currency(call.tx, &customer);
    purchase.announce(call.tx);
    Ok(end_with_period(call.tx, purchase.subscription, at_period_end))
}

/// One whose customer is sent invoices: it begins at once, whatever `payment_behavior` says.
fn begin_with_invoice(
    tx: &mut Tx,
    customer: &Value,
    draft: &Draft,
    days: i64,
    at_period_end: bool,
) -> Result<Value, ApiError> {
    sending::ensure_address(customer)?;
    let subscription = sending::begin(tx, draft, days);
    customer::announce_currency(tx, customer);
    Ok(end_with_period(tx, subscription, at_period_end))
}

fn end_with_period(tx: &mut Tx, mut subscription: Value, is_wanted: bool) -> Value {
    if is_wanted {
        let (_, end) = crate::billing::subscription::period_ends(&subscription);
        subscription["cancel_at"] = json!(end);
        subscription["cancel_at_period_end"] = json!(true);
        subscription["canceled_at"] = json!(tx.now());
        subscription["cancellation_details"]["reason"] = json!("cancellation_requested");
        tx.update(Kind::Subscription, subscription.clone(), "customer.subscription.updated");
    }
    subscription
}

/// What a subscription will be, without its discounts.
pub fn read_draft(tx: &Tx, params: &mut Params, customer: String) -> Result<Draft, ApiError> {
    let lines = read_items(tx, params)?;
    let method = params.text("default_payment_method")?;
    if let Some(id) = &method {
        ensure_own_method(tx, id, &customer)?;
    }
    Ok(Draft {
        customer,
        lines,
        trial_end: read_trial(tx, params)?,
        metadata: params.metadata(&json!({}))?,
        description: params.clearable("description")?.map_or(Value::Null, Change::into_json),
        default_payment_method: method,
        missing_payment_method: read_trial_settings(params)?.unwrap_or_else(|| "create_invoice".to_owned()),
        billing_reason: "subscription_create",
        discounts: Vec::new(),
    })
}

fn read_discounts(tx: &Tx, params: &mut Params, draft: &Draft) -> Result<Vec<Applied>, ApiError> {
    let parts = draft.parts();
    let sale = Sale { customer: Some(&draft.customer), currency: draft.currency(), parts: &parts, most: 20 };
    discounts::read(tx, params, &sale)
}

fn read_items(tx: &Tx, params: &mut Params) -> Result<Vec<Line>, ApiError> {
    read_billing_mode(params)?;
    let items = params.list("items")?.ok_or_else(|| ApiError::missing_param("items"))?;
    let mut lines = Vec::new();
    for mut item in items {
        item.refuse(&["billing_thresholds", "discounts", "metadata", "plan", "price_data", "tax_rates"])?;
        let param = item.full_name("price");
        let price = tx.require(Kind::Price, &item.required_text("price")?, Place::Param(&param))?;
        if price["recurring"].is_null() || price["active"] != true {
            let message = format!("The price `{}` is not an active recurring price.", text(&price, "id"));
            return Err(ApiError::invalid(message).param(param));
        }
        let quantity = read_quantity(&mut item)?.unwrap_or(1);
        item.finish()?;
        lines.push(Line { price, quantity });
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
