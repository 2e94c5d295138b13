//! Charges, to read and to describe. They come of payments; what is given back of one is a refund.

use serde_json::{Value, json};

use super::{Call, shipping};
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::state::{Key, Kind, text};

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::Charge, call.id(), Place::Path)
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut charge = call.tx.require(Kind::Charge, call.id(), Place::Path)?;
    params.refuse(&["customer", "transfer_group"])?;
    for field in ["description", "receipt_email"] {
        if let Some(change) = params.clearable(field)? {
            charge[field] = change.into_json();
        }
    }
    if params.has("shipping") {
        charge["shipping"] = shipping::of_payment(&mut params)?;
    }
    if let Some(mut details) = params.children("fraud_details")? {
        let report = details.one_of("user_report", &["fraudulent", "safe"])?;
        details.finish()?;
        charge["fraud_details"] = report.map_or(json!({}), |report| json!({ "user_report": report }));
    }
    charge["metadata"] = params.metadata(&charge["metadata"])?;
    params.finish()?;
    call.tx.update(Kind::Charge, charge.clone(), "charge.updated");
    Ok(charge)
}

/// Every charge here is a payment intent's, and Stripe captures those by their intent only.
pub fn capture(call: &mut Call) -> Result<Value, ApiError> {
    let params = call.take_params();
    let charge = call.tx.require(Kind::Charge, call.id(), Place::Path)?;
    params.refuse(&["application_fee", "application_fee_amount", "transfer_data", "transfer_group"])?;
    if charge["captured"] == true {
        let message = format!("Charge {} has already been captured.", text(&charge, "id"));
        return Err(ApiError::invalid(message).code("charge_already_captured"));
    }
    let message = format!(
        "This uncaptured Charge was created by a PaymentIntent ({}). You must capture the PaymentIntent instead.",
        text(&charge, "payment_intent")
    );
    Err(ApiError::invalid(message))
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    params.refuse(&["transfer_group"])?;
    let customer = params.text("customer")?;
    let intent = params.text("payment_intent")?;
    params.finish()?;
    page.named(call.tx, Kind::Charge, "/v1/charges", Key::Customer.of(customer.as_deref()), |charge| {
        intent.as_ref().is_none_or(|intent| charge["payment_intent"] == **intent)
    })
}
