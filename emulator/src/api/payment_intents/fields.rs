//! What a request says of a payment intent, wherever it may say it, and how it is to be confirmed. Reads and checks;
//! stores nothing.
//!
//! Not sure: Stripe's words for a `statement_descriptor` on a card, which its documents say is an error, and when it
//! is found; that `return_url` may be absent where Stripe's own scripts go on (`use_stripe_sdk`) or where cards are
//! the only payment methods that are allowed. The session of a customer's own card is not here.

use serde_json::{Value, json};

use super::unexpected;
use crate::api::payment_methods::{ensure_owner, given};
use crate::api::{shipping, urls};
use crate::billing::customer;
use crate::billing::intent::Terms;
use crate::error::{ApiError, Place};
use crate::params::{Change, Params};
use crate::state::{Kind, Tx, text};

/// Parameters that Stripe has and that this emulator would have to ignore.
pub const UNSUPPORTED: &[&str] = &[
    "amount_details",
    "amount_to_confirm",
    "application_fee_amount",
    "confirmation_token",
    "customer_account",
    "final_capture",
    "hooks",
    "mandate",
    "mandate_data",
    "on_behalf_of",
    "payment_details",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "radar_options",
    "transfer_data",
    "transfer_group",
];
const NOT_ALLOWED: &str = "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because \
                           some of these payment methods might redirect your customer off of your page, you must \
                           provide a `return_url`. If you don't want to accept redirect-based payment methods, set \
                           `automatic_payment_methods[enabled]` to `true` and \
                           `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and \
                           Payment Intents.";
const NO_METHOD: &str = "You cannot confirm this PaymentIntent because it's missing a payment method.";

/// What may be said when an intent is made, changed or confirmed.
pub fn read(tx: &mut Tx, params: &mut Params, intent: &mut Value) -> Result<(), ApiError> {
    read_receipt_email(params, intent)?;
    if let Some(method) = params.one_of("capture_method", &["automatic", "automatic_async", "manual"])? {
        intent["capture_method"] = json!(method);
    }
    if matches!(params.clone().clearable("setup_future_usage"), Ok(Some(Change::Clear))) {
        params.clearable("setup_future_usage")?;
        intent["setup_future_usage"] = Value::Null;
    }
    if let Some(usage) = params.one_of("setup_future_usage", &["off_session", "on_session"])? {
        intent["setup_future_usage"] = json!(usage);
    }
    if params.has("shipping") {
        intent["shipping"] = shipping::of_payment(params)?;
    }
    read_types(params, intent)?;
    if let Some(id) = params.text("payment_method")? {
        intent["payment_method"] = json!(given(tx, &id));
    }
    Ok(())
}

/// What may be said when an intent is made or changed.
pub fn read_more(tx: &Tx, params: &mut Params, intent: &mut Value) -> Result<(), ApiError> {
    if let Some(id) = params.text("customer")? {
        tx.require(Kind::Customer, &id, Place::Param("customer"))?;
        intent["customer"] = json!(id);
    }
    if let Some(description) = params.clearable("description")? {
        intent["description"] = description.into_json();
    }
    read_descriptors(params, intent)?;
    intent["metadata"] = params.metadata(&intent["metadata"])?;
    Ok(())
}

pub fn read_receipt_email(params: &mut Params, intent: &mut Value) -> Result<(), ApiError> {
    let param = params.full_name("receipt_email");
    let Some(email) = params.clearable("receipt_email")? else {
        return Ok(());
    };
    intent["receipt_email"] = email.into_json();
    match intent["receipt_email"].as_str() {
        Some(email) if !customer::is_email(email) => {
            let message = format!("Invalid email address: {email}");
            Err(ApiError::invalid(message).code("email_invalid").param(param))
        }
        _ => Ok(()),
    }
}

pub fn read_descriptors(params: &mut Params, intent: &mut Value) -> Result<(), ApiError> {
    for field in ["statement_descriptor", "statement_descriptor_suffix"] {
        let param = params.full_name(field);
        if let Some(words) = params.clearable(field)? {
            intent[field] = words.into_json();
            let words = text(intent, field);
            if words.chars().count() > 22 {
                let message = "The statement descriptor must be at most 22 characters.";
                return Err(ApiError::invalid(message).param(param));
            }
        }
    }
    Ok(())
}

/// Lists of kinds of payment methods, of which only cards are here.
fn read_types(params: &mut Params, intent: &mut Value) -> Result<(), ApiError> {
    let lists = [("allowed_payment_method_types", true), ("excluded_payment_method_types", false)];
    for (field, must_have_cards) in lists {
        let Some(types) = params.texts(field)? else {
            continue;
        };
        if types.iter().any(|one| one == "card") != must_have_cards {
            let message = "stripe-emulator has cards only: a payment without them cannot be made.";
            return Err(ApiError::invalid(message).param(field));
        }
        intent[field] = json!(types);
    }
    Ok(())
}

/// `off_session`, `return_url` and the like. They are about confirming only.
pub fn read_terms(params: &mut Params) -> Result<(Terms, bool), ApiError> {
    let uses_sdk = params.boolean("use_stripe_sdk")?.unwrap_or(false);
    let away = params.one_of("off_session", &["true", "false", "one_off", "recurring"])?;
    let return_url = params.text("return_url")?;
    return_url.as_ref().map_or(Ok(()), |url| urls::ensure_openable(url, "return_url"))?;
    let terms = Terms {
        off_session: away.is_some_and(|word| word != "false"),
        error_on_requires_action: params.boolean("error_on_requires_action")?.unwrap_or(false),
        return_url,
    };
    Ok((terms, uses_sdk))
}

/// Refuses to confirm what has no card, or may lead its owner away and has no way back.
pub fn ensure_confirmable(intent: &Value, terms: &Terms, uses_sdk: bool) -> Result<(), ApiError> {
    if intent["payment_method"].is_null() {
        let way_on = match intent["customer"].as_str() {
            Some(customer) => format!(
                "To confirm the PaymentIntent with {customer}, specify a payment method attached to this customer \
                 along with the customer ID."
            ),
            None => {
                "You can either update the PaymentIntent with a payment method and then confirm it again, or \
                     confirm it again directly with a payment method or ConfirmationToken."
                    .to_owned()
            }
        };
        return Err(unexpected(format!("{NO_METHOD} {way_on}")));
    }
    if !intent["statement_descriptor"].is_null() {
        let message = "The `statement_descriptor` parameter is not supported for card charges. Use \
                       `statement_descriptor_suffix` instead.";
        return Err(ApiError::invalid(message).param("statement_descriptor"));
    }
    let automatic = &intent["automatic_payment_methods"];
    let may_redirect = automatic["enabled"] == true
        && automatic["allow_redirects"] != "never"
        && intent["allowed_payment_method_types"].is_null();
    if may_redirect && terms.return_url.is_none() && !uses_sdk {
        return Err(ApiError::invalid(NOT_ALLOWED).param("return_url"));
    }
    Ok(())
}

/// A card that belongs to a customer pays for that customer only.
pub fn ensure_own(tx: &Tx, intent: &Value) -> Result<(), ApiError> {
    ensure_owner(tx, intent, |id, owner| {
        format!(
            "The `payment_method` parameter supplied {id} belongs to the Customer {owner}. Please include the Customer \
             in the `customer` parameter on the PaymentIntent."
        )
    })
}
