//! POST /v1/checkout/sessions. Takes what a subscription checkout needs and refuses the rest.

use serde_json::{Value, json};

use super::line_items::{self, Start};
use crate::api::Call;
use crate::billing::subscription::Line;
use crate::error::{ApiError, Place};
use crate::params::{Change, Params};
use crate::state::{Kind, Tx, ids};

/// Parameters that Stripe has and that this emulator would have to ignore.
const UNSUPPORTED: &[&str] = &[
    "after_expiration",
    "automatic_tax",
    "consent_collection",
    "custom_fields",
    "custom_text",
    "discounts",
    "invoice_creation",
    "managed_payments",
    "optional_items",
    "payment_intent_data",
    "payment_method_configuration",
    "payment_method_data",
    "permissions",
    "return_url",
    "redirect_on_completion",
    "setup_intent_data",
    "shipping_address_collection",
    "shipping_options",
];
const DAY: i64 = 86_400;
const HALF_AN_HOUR: i64 = 1_800;

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    read_mode(&mut params)?;
    let customer = read_customer(call.tx, &mut params)?;
    let customer_email = params.text("customer_email")?;
    if customer.is_some() && customer_email.is_some() {
        let message = "You may only specify one of these parameters: customer, customer_email.";
        return Err(ApiError::invalid(message).param("customer_email"));
    }
    let lines = line_items::read(call.tx, &mut params)?;
    let data = params.children("subscription_data")?.map(|data| read_data(call.tx, data)).transpose()?;
    let data = data.unwrap_or_else(|| json!({ "metadata": {} }));
    ensure_one_currency(customer.as_ref(), &lines)?;
    let on_trial = !data["trial_period_days"].is_null() || !data["trial_end"].is_null();
    let start = if on_trial { Start::Trial } else { Start::Paid };
    let mut session = build(call.tx, customer.as_ref(), customer_email, &lines, start);
    let private = json!({
        "line_items": line_items::build(call.tx, &lines, start),
        "subscription_data": data,
        "customer_update": read_customer_update(&mut params)?,
    });
    read_urls(&mut params, &mut session)?;
    session["expires_at"] = json!(read_expiry(call.tx, &mut params)?);
    session["metadata"] = params.metadata(&json!({}))?;
    read_looks(&mut params, &mut session)?;
    params.finish()?;
    let id = session["id"].as_str().unwrap_or_default().to_owned();
    call.tx.put_with(Kind::CheckoutSession, &id, session.clone(), private);
    Ok(session)
}

fn build(
    tx: &Tx,
    customer: Option<&Value>,
    customer_email: Option<String>,
    lines: &[Line],
    start: Start,
) -> Value {
    let id = ids::new("cs_test_");
    let total = if start == Start::Trial { 0 } else { lines.iter().map(Line::amount).sum::<i64>() };
    let email =
        customer.map(|customer| customer["email"].clone()).or(customer_email.clone().map(Value::from));
    let details = email.map(|email| {
        json!({
            "address": null, "business_name": null, "email": email, "individual_name": null, "name": null,
            "phone": null, "tax_exempt": "none", "tax_ids": null,
        })
    });
    json!({
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": { "enabled": false },
        "after_expiration": null,
        "allow_promotion_codes": null,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "billing_address_collection": null,
        "cancel_url": null,
        "client_reference_id": null,
        "client_secret": null,
        "collected_information": null,
        "consent": null,
        "consent_collection": null,
        "created": tx.now(),
        "currency": lines.first().map(|line| line.price["currency"].clone()),
        "currency_conversion": null,
        "custom_fields": [],
        "custom_text": { "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null },
        "customer": customer.map(|customer| customer["id"].clone()),
        "customer_account": null,
        "customer_creation": if customer.is_none() { json!("always") } else { Value::Null },
        "customer_details": details,
        "customer_email": customer_email,
        "discounts": [],
        "integration_identifier": null,
        "invoice": null,
        "invoice_creation": null,
        "livemode": false,
        "locale": null,
        "mode": "subscription",
        "origin_context": null,
        "payment_intent": null,
        "payment_link": null,
        "payment_method_collection": "always",
        "payment_method_configuration_details": null,
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": null,
        "phone_number_collection": { "enabled": false },
        "recovered_from": null,
        "saved_payment_method_options": { "allow_redisplay_filters": ["always"], "payment_method_remove": "disabled", "payment_method_save": null },
        "setup_intent": null,
        "shipping_address_collection": null,
        "shipping_cost": null,
        "shipping_options": [],
        "status": "open",
        "submit_type": null,
        "subscription": null,
        "success_url": null,
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "ui_mode": "hosted_page",
        "url": format!("{}/c/pay/{id}", tx.settings().base_url),
        "wallet_options": null,
    })
}

fn read_mode(params: &mut Params) -> Result<(), ApiError> {
    match params.one_of("mode", &["payment", "setup", "subscription"])?.as_deref() {
        Some("subscription") => {}
        Some(_) => {
            return Err(ApiError::invalid("stripe-emulator supports `mode` subscription only.").param("mode"));
        }
        None => return Err(ApiError::missing_param("mode")),
    }
    match params.one_of("ui_mode", &["elements", "embedded_page", "form", "hosted_page"])?.as_deref() {
        None | Some("hosted_page") => Ok(()),
        Some(_) => {
            Err(ApiError::invalid("stripe-emulator supports `ui_mode` hosted_page only.").param("ui_mode"))
        }
    }
}

fn read_customer(tx: &Tx, params: &mut Params) -> Result<Option<Value>, ApiError> {
    let id = params.text("customer")?;
    id.map(|id| tx.require(Kind::Customer, &id, Place::Param("customer"))).transpose()
}

fn ensure_one_currency(customer: Option<&Value>, lines: &[Line]) -> Result<(), ApiError> {
    let theirs = customer.map_or(&Value::Null, |customer| &customer["currency"]);
    let wanted = lines.first().map_or(&Value::Null, |line| &line.price["currency"]);
    if theirs.is_null() || theirs == wanted {
        return Ok(());
    }
    let message = format!(
        "You cannot combine currencies on a single customer. This customer has had a subscription or invoice in {}.",
        theirs.as_str().unwrap_or_default()
    );
    Err(ApiError::invalid(message).param("line_items"))
}

fn read_urls(params: &mut Params, session: &mut Value) -> Result<(), ApiError> {
    let success = params.required_text("success_url")?;
    let cancel = params.text("cancel_url")?;
    for (name, url) in [("success_url", Some(&success)), ("cancel_url", cancel.as_ref())] {
        if url.is_some_and(|url| !(url.starts_with("http://") || url.starts_with("https://"))) {
            return Err(ApiError::invalid("Not a valid URL").code("url_invalid").param(name));
        }
    }
    session["success_url"] = json!(success);
    session["cancel_url"] = json!(cancel);
    Ok(())
}

fn read_expiry(tx: &Tx, params: &mut Params) -> Result<i64, ApiError> {
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

/// What a subscription that comes of this session will have.
fn read_data(tx: &Tx, mut data: Params) -> Result<Value, ApiError> {
    let metadata = data.metadata(&json!({}))?;
    let days_name = data.full_name("trial_period_days");
    let days = data.integer("trial_period_days")?;
    if days.is_some_and(|days| !(1..=730).contains(&days)) {
        let error = ApiError::invalid("The trial must have at least 1 and at most 730 days.");
        return Err(error.code("parameter_invalid_integer").param(days_name));
    }
    let end_name = data.full_name("trial_end");
    let end = data.integer("trial_end")?;
    if end.is_some_and(|end| end < tx.now() + 2 * DAY) {
        let message = "The `trial_end` date has to be at least 2 days in the future.";
        return Err(ApiError::invalid(message).param(end_name));
    }
    if days.is_some() && end.is_some() {
        let message = "You may only specify one of these parameters: trial_end, trial_period_days.";
        return Err(ApiError::invalid(message).param(end_name));
    }
    let description = data.clearable("description")?.map_or(Value::Null, Change::into_json);
    let missing = read_trial_settings(&mut data)?;
    read_billing_mode(&mut data)?;
    data.finish()?;
    Ok(json!({
        "metadata": metadata,
        "trial_period_days": days,
        "trial_end": end,
        "description": description,
        "missing_payment_method": missing,
    }))
}

/// `trial_settings[end_behavior][missing_payment_method]`.
pub fn read_trial_settings(params: &mut Params) -> Result<Option<String>, ApiError> {
    let Some(mut settings) = params.children("trial_settings")? else {
        return Ok(None);
    };
    let mut behavior = settings.children("end_behavior")?.unwrap_or_default();
    let missing = behavior.one_of("missing_payment_method", &["cancel", "create_invoice", "pause"])?;
    behavior.finish()?;
    settings.finish()?;
    Ok(missing)
}

/// `billing_mode[type]`: only flexible, the default.
pub fn read_billing_mode(params: &mut Params) -> Result<(), ApiError> {
    if let Some(mut mode) = params.children("billing_mode")? {
        mode.one_of("type", &["flexible"])?;
        mode.finish()?;
    }
    Ok(())
}

fn read_customer_update(params: &mut Params) -> Result<Value, ApiError> {
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

/// What changes only the look of the page or is shown back as it was given.
fn read_looks(params: &mut Params, session: &mut Value) -> Result<(), ApiError> {
    if let Some(allow) = params.boolean("allow_promotion_codes")? {
        session["allow_promotion_codes"] = json!(allow);
    }
    for field in ["client_reference_id", "integration_identifier", "locale"] {
        if let Some(text) = params.text(field)? {
            session[field] = json!(text);
        }
    }
    let words = [
        ("billing_address_collection", &["auto", "required"][..]),
        ("payment_method_collection", &["always", "if_required"][..]),
        ("submit_type", &["auto", "book", "donate", "pay", "subscribe"][..]),
        ("origin_context", &["mobile_app", "web"][..]),
        ("customer_creation", &["always", "if_required"][..]),
    ];
    for (field, words) in words {
        if let Some(word) = params.one_of(field, words)? {
            session[field] = json!(word);
        }
    }
    for field in ["allowed_payment_method_types", "excluded_payment_method_types"] {
        if let Some(types) = params.texts(field)? {
            session[field] = json!(types);
        }
    }
    for field in ["adaptive_pricing", "name_collection", "phone_number_collection", "tax_id_collection"] {
        if let Some(mut switch) = params.children(field)? {
            session[field] = json!({ "enabled": switch.boolean("enabled")?.unwrap_or(false) });
            switch.finish()?;
        }
    }
    read_saved_methods(params, session)
}

fn read_saved_methods(params: &mut Params, session: &mut Value) -> Result<(), ApiError> {
    let Some(mut options) = params.children("saved_payment_method_options")? else {
        return Ok(());
    };
    let switch = &["disabled", "enabled"];
    for field in ["payment_method_remove", "payment_method_save"] {
        if let Some(word) = options.one_of(field, switch)? {
            session["saved_payment_method_options"][field] = json!(word);
        }
    }
    if let Some(filters) = options.texts("allow_redisplay_filters")? {
        session["saved_payment_method_options"]["allow_redisplay_filters"] = json!(filters);
    }
    options.finish()
}
