//! POST /v1/payment_intents: a payment of one's own, confirmed at once if wanted.

use serde_json::{Value, json};

use super::change::attempt;
use super::fields::{self, UNSUPPORTED};
use crate::api::Call;
use crate::api::prices::read_currency;
use crate::billing::{intent, least_charge};
use crate::error::ApiError;
use crate::params::Params;
use crate::state::Kind;

/// What is about confirming only.
const OF_CONFIRMING: &[&str] = &["error_on_requires_action", "off_session", "return_url"];

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    let amount = params.integer("amount")?.ok_or_else(|| ApiError::missing_param("amount"))?;
    let currency = read_currency(&mut params)?;
    least_charge::ensure_chargeable(amount, &currency, "amount")?;
    let confirm = params.boolean("confirm")?.unwrap_or(false);
    if let Some(name) = OF_CONFIRMING.iter().find(|name| !confirm && params.has(name)) {
        let message = format!(
            "The parameter `{name}` cannot be passed when creating a PaymentIntent unless `confirm` is set to true."
        );
        return Err(ApiError::invalid(message).code("payment_intent_invalid_parameter").param(*name));
    }
    let mut intent = intent::build(call.tx, amount, &currency);
    intent["automatic_payment_methods"] = read_automatic(&mut params)?;
    params.one_of("confirmation_method", &["automatic"])?;
    fields::read(call.tx, &mut params, &mut intent)?;
    fields::read_more(call.tx, &mut params, &mut intent)?;
    let (terms, uses_sdk) = fields::read_terms(&mut params)?;
    params.finish()?;
    if confirm {
        fields::ensure_confirmable(&intent, &terms, uses_sdk)?;
    }
    fields::ensure_own(call.tx, &intent)?;
    if !intent["payment_method"].is_null() {
        intent["status"] = json!("requires_confirmation");
    }
    call.tx.create(Kind::PaymentIntent, intent.clone(), "payment_intent.created");
    if confirm { attempt(call.tx, &intent, &terms) } else { Ok(intent) }
}

/// `automatic_payment_methods`: on unless the request says otherwise, since version 2023-08-16.
fn read_automatic(params: &mut Params) -> Result<Value, ApiError> {
    let Some(mut automatic) = params.children("automatic_payment_methods")? else {
        return Ok(json!({ "allow_redirects": "always", "enabled": true }));
    };
    let name = automatic.full_name("enabled");
    let enabled = automatic.boolean("enabled")?.ok_or_else(|| ApiError::missing_param(&name))?;
    let redirects = automatic.one_of("allow_redirects", &["always", "never"])?;
    automatic.finish()?;
    Ok(match enabled {
        true => json!({ "allow_redirects": redirects.as_deref().unwrap_or("always"), "enabled": true }),
        false => Value::Null,
    })
}
