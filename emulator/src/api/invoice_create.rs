//! POST /v1/invoices: a draft of somebody's own making, for what waits to be billed.

use serde_json::{Value, json};

use super::subscriptions::ensure_own_method;
use super::{Call, invoice_discounts, invoices};
use crate::billing::discount::redeem;
use crate::billing::invoice::{self, Bill};
use crate::billing::{invoice_item, renewal};
use crate::error::{ApiError, Place};
use crate::params::{Change, Params};
use crate::state::{Kind, text};

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(invoices::UNSUPPORTED)?;
    params.refuse(&["customer_account", "from_invoice"])?;
    let id = params.required_text("customer")?;
    let customer = call.tx.require(Kind::Customer, &id, Place::Param("customer"))?;
    params.one_of("collection_method", &["charge_automatically"])?;
    let subscription = match params.text("subscription")? {
        None => Value::Null,
        Some(id) => call.tx.require(Kind::Subscription, &id, Place::Param("subscription"))?,
    };
    let behavior = params.one_of("pending_invoice_items_behavior", &["exclude", "include"])?;
    let takes = behavior.as_deref() == Some("include") || !subscription.is_null();
    let mut waiting = invoice_item::pending(call.tx, &id, text(&subscription, "id"));
    waiting.retain(|_| takes);
    let currency = read_currency(&mut params, waiting.first().unwrap_or(&customer))?;
    waiting.retain(|item| item["currency"] == *currency);
    let now = call.tx.now();
    let bill = Bill {
        customer: &id,
        currency: &currency,
        subscription: &subscription,
        reason: if subscription.is_null() { "manual" } else { "subscription_update" },
        period: (now, now),
        lines: waiting.iter().map(invoice_item::line).collect(),
    };
    let mut draft = invoice::build(call.tx, bill);
    let new = invoice_discounts::read_new(call.tx, &mut params, &mut draft, &subscription)?;
    draft["metadata"] = params.metadata(&json!({}))?;
    for field in ["description", "footer"] {
        draft[field] = params.clearable(field)?.map_or(Value::Null, Change::into_json);
    }
    if let Some(method) = params.text("default_payment_method")? {
        ensure_own_method(call.tx, &method, &id)?;
        draft["default_payment_method"] = json!(method);
    }
    let auto_advance = params.boolean("auto_advance")?.unwrap_or(false);
    draft["auto_advance"] = json!(auto_advance);
    draft["automatically_finalizes_at"] = json!(auto_advance.then_some(now + renewal::DRAFT));
    params.finish()?;
    invoice_item::bill(call.tx, waiting, &draft);
    redeem::announce(call.tx, &new);
    call.tx.create(Kind::Invoice, draft.clone(), "invoice.created");
    Ok(draft)
}

/// The currency that is asked for, or that of the first thing to bill or of the customer.
fn read_currency(params: &mut Params, known: &Value) -> Result<String, ApiError> {
    let currency = params.text("currency")?;
    Ok(currency.as_deref().or(known["currency"].as_str()).unwrap_or("usd").to_lowercase())
}
