//! POST /v1/checkout/sessions. Takes what a subscription checkout needs and refuses the rest; the other modes have
//! files of their own.

use serde_json::{Value, json};

use super::line_items::{self, Item, Mode, Start};
use super::{create_payment, create_setup, looks, subscription_data};
use crate::api::discounts::{self, Sale};
use crate::api::{Call, urls};
use crate::billing::checkout::quantities::is_trial;
use crate::billing::discount::session as discounted;
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, ids};

/// Parameters that Stripe has and that this emulator would have to ignore.
const UNSUPPORTED: &[&str] = &[
    "after_expiration",
    "automatic_tax",
    "consent_collection",
    "custom_fields",
    "custom_text",
    "managed_payments",
    "optional_items",
    "payment_method_configuration",
    "payment_method_data",
    "permissions",
    "return_url",
    "redirect_on_completion",
    "shipping_address_collection",
    "shipping_options",
];
/// What Stripe takes in other modes only.
const OF_OTHER_MODES: &[&str] =
    &["customer_creation", "invoice_creation", "payment_intent_data", "setup_intent_data"];
const DAY: i64 = 86_400;
const HALF_AN_HOUR: i64 = 1_800;

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    match read_mode(&mut params)?.as_str() {
        "setup" => return create_setup::create(call, params),
        "payment" => return create_payment::create(call, params),
        _ => refuse_of_other_modes(&params, OF_OTHER_MODES, "subscription")?,
    }
    let (customer, customer_email) = read_buyer(call.tx, &mut params)?;
    let items = line_items::read(call.tx, &mut params, Mode::Subscription)?;
    let data = params
        .children("subscription_data")?
        .map(|data| subscription_data::read(call.tx, data))
        .transpose()?;
    let data = data.unwrap_or_else(|| json!({ "metadata": {} }));
    ensure_one_currency(customer.as_ref(), &items)?;
    let start = if is_trial(&data) { Start::Trial } else { Start::Paid };
    let mut session = build(call.tx, customer.as_ref(), customer_email, &items, start);
    let mut line_items = line_items::build(call.tx, &items, start);
    read_discounts(call.tx, &mut params, &mut session, &mut line_items)?;
    let private = json!({
        "line_items": line_items,
        "subscription_data": data,
        "customer_update": read_customer_update(&mut params)?,
    });
    finish(call.tx, params, session, private)
}

/// What every session says, whatever it is for; then it is stored.
pub fn finish(
    tx: &mut Tx,
    mut params: Params,
    mut session: Value,
    private: Value,
) -> Result<Value, ApiError> {
    read_urls(&mut params, &mut session)?;
    session["expires_at"] = json!(read_expiry(tx, &mut params)?);
    session["metadata"] = params.metadata(&json!({}))?;
    looks::read(&mut params, &mut session)?;
    params.finish()?;
    let id = session["id"].as_str().unwrap_or_default().to_owned();
    tx.put_with(Kind::CheckoutSession, &id, session.clone(), private);
    Ok(session)
}

pub fn refuse_of_other_modes(params: &Params, names: &[&str], mode: &str) -> Result<(), ApiError> {
    match names.iter().find(|name| params.has(name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!("You can not pass `{name}` in `{mode}` mode.");
            Err(ApiError::invalid(message).param(*name))
        }
    }
}

/// `customer` or `customer_email`.
pub fn read_buyer(tx: &Tx, params: &mut Params) -> Result<(Option<Value>, Option<String>), ApiError> {
    let customer = read_customer(tx, params)?;
    let customer_email = params.text("customer_email")?;
    if customer.is_some() && customer_email.is_some() {
        let message = "You may only specify one of these parameters: customer, customer_email.";
        return Err(ApiError::invalid(message).param("customer_email"));
    }
    Ok((customer, customer_email))
}

/// One discount, or a field on the page for a code of the buyer's own.
pub fn read_discounts(
    tx: &Tx,
    params: &mut Params,
    session: &mut Value,
    line_items: &mut Value,
) -> Result<(), ApiError> {
    if params.has("discounts") && params.has("allow_promotion_codes") {
        let message = "You may only specify one of these parameters: allow_promotion_codes, discounts.";
        return Err(ApiError::invalid(message).param("allow_promotion_codes"));
    }
    let parts = discounted::parts(line_items);
    let sale = Sale {
        customer: session["customer"].as_str(),
        currency: session["currency"].as_str().unwrap_or_default(),
        parts: &parts,
        most: 1,
    };
    let applied = discounts::read(tx, params, &sale)?;
    discounted::put_on_session(session, line_items, &applied);
    Ok(())
}

pub fn build(
    tx: &Tx,
    customer: Option<&Value>,
    customer_email: Option<String>,
    items: &[Item],
    start: Start,
) -> Value {
    let id = ids::new("cs_test_");
    let total = line_items::total(items, start);
    let email =
        customer.map(|customer| customer["email"].clone()).or(customer_email.clone().map(Value::from));
    let details = email.map(|email| {
        json!({
            "address": null, "business_name": null, "email": email, "individual_name": null, "name": null,
            "phone": null, "tax_exempt": "none", "tax_ids": null,
        })
    });
    shapes::filled(
        Shape::CheckoutSession,
        json!({
            "id": id,
            "amount_subtotal": total,
            "amount_total": total,
            "created": tx.now(),
            "currency": items.first().map(|item| item.line.price["currency"].clone()),
            "customer": customer.map(|customer| customer["id"].clone()),
            "customer_creation": if customer.is_none() { json!("always") } else { Value::Null },
            "customer_details": details,
            "customer_email": customer_email,
            "url": format!("{}/c/pay/{id}", tx.settings().base_url),
        }),
    )
}

/// `subscription`, `payment` or `setup`.
fn read_mode(params: &mut Params) -> Result<String, ApiError> {
    let mode = params.one_of("mode", &["payment", "setup", "subscription"])?;
    let mode = mode.ok_or_else(|| ApiError::missing_param("mode"))?;
    match params.one_of("ui_mode", &["elements", "embedded_page", "form", "hosted_page"])?.as_deref() {
        None | Some("hosted_page") => Ok(mode),
        Some(_) => {
            Err(ApiError::invalid("stripe-emulator supports `ui_mode` hosted_page only.").param("ui_mode"))
        }
    }
}

pub fn read_customer(tx: &Tx, params: &mut Params) -> Result<Option<Value>, ApiError> {
    let id = params.text("customer")?;
    id.map(|id| tx.require(Kind::Customer, &id, Place::Param("customer"))).transpose()
}

fn ensure_one_currency(customer: Option<&Value>, items: &[Item]) -> Result<(), ApiError> {
    let theirs = customer.map_or(&Value::Null, |customer| &customer["currency"]);
    let wanted = items.first().map_or(&Value::Null, |item| &item.line.price["currency"]);
    if theirs.is_null() || theirs == wanted {
        return Ok(());
    }
    let message = format!(
        "You cannot combine currencies on a single customer. This customer has had a subscription or invoice in {}.",
        theirs.as_str().unwrap_or_default()
    );
    Err(ApiError::invalid(message).param("line_items"))
}

pub fn read_urls(params: &mut Params, session: &mut Value) -> Result<(), ApiError> {
    let success = params.required_text("success_url")?;
    let cancel = params.text("cancel_url")?;
    for (name, url) in [("success_url", Some(&success)), ("cancel_url", cancel.as_ref())] {
        url.map_or(Ok(()), |url| urls::ensure_web(url, name))?;
    }
    session["success_url"] = json!(success);
    session["cancel_url"] = json!(cancel);
    Ok(())
}

pub fn read_expiry(tx: &Tx, params: &mut Params) -> Result<i64, ApiError> {
    let now = tx.now();
    match params.integer("expires_at")? {
        None => Ok(now + DAY),
        // Stripe allows for a few seconds between the caller's clock and its own.
        Some(at) if at >= now + HALF_AN_HOUR - 60 && at <= now + DAY + 60 => Ok(at),
        Some(at) if at < now + HALF_AN_HOUR => {
            let message =
                "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.";
            Err(ApiError::invalid(message).param("expires_at"))
        }
        Some(_) => {
            let message =
                "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.";
            Err(ApiError::invalid(message).param("expires_at"))
        }
    }
}

pub fn read_customer_update(params: &mut Params) -> Result<Value, ApiError> {
    let Some(mut update) = params.children("customer_update")? else {
        return Ok(Value::Null);
    };
    let mut value = json!({});
    for field in ["address", "name", "shipping"] {
        value[field] = json!(update.one_of(field, &["auto", "never"])?);
    }
    update.finish()?;
    Ok(value)
}
