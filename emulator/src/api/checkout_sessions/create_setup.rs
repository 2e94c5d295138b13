//! POST /v1/checkout/sessions in setup mode: a page where a buyer saves a card. Sells nothing, and refuses what
//! is about selling.

use serde_json::{Value, json};

use super::create::{build, read_customer, read_expiry, read_urls, refuse_of_other_modes};
use super::line_items::Start;
use super::looks;
use crate::api::Call;
use crate::api::prices::read_currency;
use crate::billing::setup::{self, Plan};
use crate::error::ApiError;
use crate::params::{Change, Params};
use crate::state::Kind;

/// What Stripe takes in other modes only.
const OF_OTHER_MODES: &[&str] = &[
    "allow_promotion_codes",
    "discounts",
    "invoice_creation",
    "line_items",
    "payment_intent_data",
    "payment_method_collection",
    "submit_type",
    "subscription_data",
];

pub fn create(call: &mut Call, mut params: Params) -> Result<Value, ApiError> {
    refuse_of_other_modes(&params, OF_OTHER_MODES, "setup")?;
    let customer = read_customer(call.tx, &mut params)?;
    let email = params.text("customer_email")?;
    let plan = Plan {
        customer: customer.as_ref().and_then(|customer| customer["id"].as_str()).map(str::to_owned),
        ..read_data(&mut params)?
    };
    let mut session = build(call.tx, customer.as_ref(), email, &[], Start::Paid);
    session["currency"] = params
        .has("currency")
        .then(|| read_currency(&mut params))
        .transpose()?
        .map_or(Value::Null, Value::from);
    let nothing = ["amount_subtotal", "amount_total", "customer_creation"];
    nothing.iter().for_each(|field| session[*field] = Value::Null);
    session["mode"] = json!("setup");
    session["payment_status"] = json!("no_payment_required");
    read_urls(&mut params, &mut session)?;
    session["expires_at"] = json!(read_expiry(call.tx, &mut params)?);
    session["metadata"] = params.metadata(&json!({}))?;
    looks::read(&mut params, &mut session)?;
    params.finish()?;
    let intent = setup::build(call.tx, plan);
    let id = intent["id"].as_str().unwrap_or_default();
    let notes = json!({ "checkout_session": session["id"] });
    call.tx.put_with(Kind::SetupIntent, id, intent.clone(), notes);
    call.tx.emit("setup_intent.created", &intent);
    session["setup_intent"] = intent["id"].clone();
    call.tx.put(Kind::CheckoutSession, session.clone());
    Ok(session)
}

/// `setup_intent_data`: what the session's intent will have.
fn read_data(params: &mut Params) -> Result<Plan, ApiError> {
    let mut data = params.children("setup_intent_data")?.unwrap_or_default();
    data.refuse(&["on_behalf_of"])?;
    let description = data.clearable("description")?.map_or(Value::Null, Change::into_json);
    let metadata = data.metadata(&json!({}))?;
    data.finish()?;
    let usage = "off_session".to_owned();
    Ok(Plan { customer: None, payment_method: None, description, metadata, usage })
}
