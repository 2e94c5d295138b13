//! POST /v1/checkout/sessions in payment mode: something is sold once. Reads what the payment and its invoice will
//! say; the intent is made when the buyer pays, as at Stripe.
//!
//! Not sure: that an invoice cannot be made for an amount that is only held, and Stripe's words for it.

use serde_json::{Value, json};

use super::create::{build, finish, read_buyer, read_customer_update, read_discounts, refuse_of_other_modes};
use super::line_items::{self, Mode, Start};
use crate::api::payment_intents::fields;
use crate::api::{Call, shipping};
use crate::billing::checkout::quantities::too_little;
use crate::error::ApiError;
use crate::params::{Change, Params};

/// What Stripe takes in other modes only.
const OF_OTHER_MODES: &[&str] = &["payment_method_collection", "setup_intent_data", "subscription_data"];
/// What is about Connect.
const UNSUPPORTED: &[&str] = &["application_fee_amount", "on_behalf_of", "transfer_data", "transfer_group"];

pub fn create(call: &mut Call, mut params: Params) -> Result<Value, ApiError> {
    refuse_of_other_modes(&params, OF_OTHER_MODES, "payment")?;
    let (customer, email) = read_buyer(call.tx, &mut params)?;
    if customer.is_some() && params.has("customer_creation") {
        let message = "You may only specify one of these parameters: customer, customer_creation.";
        return Err(ApiError::invalid(message).param("customer_creation"));
    }
    let items = line_items::read(call.tx, &mut params, Mode::Payment)?;
    let data = read_data(&mut params)?;
    let mut session = build(call.tx, customer.as_ref(), email, &items, Start::Paid);
    session["mode"] = json!("payment");
    session["customer_creation"] = json!(customer.is_none().then_some("if_required"));
    session["payment_method_collection"] = json!("if_required");
    session["invoice_creation"] = read_invoice(&mut params)?;
    if session["invoice_creation"]["enabled"] == true && data["capture_method"] == "manual" {
        let message = "You can not use `invoice_creation` with a `capture_method` of manual.";
        return Err(ApiError::invalid(message).param("invoice_creation"));
    }
    let mut line_items = line_items::build(call.tx, &items, Start::Paid);
    read_discounts(call.tx, &mut params, &mut session, &mut line_items)?;
    if let Some(message) = too_little(&session) {
        return Err(ApiError::invalid(message));
    }
    let private = json!({
        "line_items": line_items,
        "payment_intent_data": data,
        "customer_update": read_customer_update(&mut params)?,
    });
    finish(call.tx, params, session, private)
}

/// `payment_intent_data`: the fields that the intent will have.
fn read_data(params: &mut Params) -> Result<Value, ApiError> {
    let mut data = params.children("payment_intent_data")?.unwrap_or_default();
    data.refuse(UNSUPPORTED)?;
    let capture = data.one_of("capture_method", &["automatic", "automatic_async", "manual"])?;
    let mut fields = json!({
        "capture_method": capture.as_deref().unwrap_or("automatic_async"),
        "description": data.clearable("description")?.map_or(Value::Null, Change::into_json),
        "metadata": data.metadata(&json!({}))?,
        "setup_future_usage": data.one_of("setup_future_usage", &["off_session", "on_session"])?,
        "shipping": shipping::of_payment(&mut data)?,
    });
    fields::read_receipt_email(&mut data, &mut fields)?;
    fields::read_descriptors(&mut data, &mut fields)?;
    data.finish()?;
    Ok(fields)
}

/// `invoice_creation`, as the session shows it.
fn read_invoice(params: &mut Params) -> Result<Value, ApiError> {
    let Some(mut creation) = params.children("invoice_creation")? else {
        return Ok(json!({ "enabled": false, "invoice_data": read_invoice_data(Params::default())? }));
    };
    let name = creation.full_name("enabled");
    let enabled = creation.boolean("enabled")?.ok_or_else(|| ApiError::missing_param(&name))?;
    let data = creation.children("invoice_data")?.unwrap_or_default();
    creation.finish()?;
    Ok(json!({ "enabled": enabled, "invoice_data": read_invoice_data(data)? }))
}

fn read_invoice_data(mut data: Params) -> Result<Value, ApiError> {
    data.refuse(&["account_tax_ids", "issuer", "rendering_options"])?;
    let text = |change: Option<Change<String>>| change.map_or(Value::Null, Change::into_json);
    let shown = json!({
        "account_tax_ids": null,
        "custom_fields": read_custom_fields(&mut data)?,
        "description": text(data.clearable("description")?),
        "footer": text(data.clearable("footer")?),
        "issuer": null,
        "metadata": data.metadata(&json!({}))?,
        "rendering_options": null,
    });
    data.finish()?;
    Ok(shown)
}

fn read_custom_fields(data: &mut Params) -> Result<Value, ApiError> {
    let mut shown = json!({ "custom_fields": null });
    crate::api::invoice_params::read_custom_fields(data, &mut shown)?;
    Ok(shown["custom_fields"].take())
}
