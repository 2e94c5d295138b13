//! The features of a portal configuration, each merged into what it was before.

use serde_json::{Value, json};

use super::products;
use crate::billing::cancellation::FEEDBACK;
use crate::billing::portal::later::CONDITIONS;
use crate::error::ApiError;
use crate::params::Params;
use crate::state::Tx;

const CUSTOMER_UPDATES: &[&str] = &["address", "email", "name", "phone", "shipping", "tax_id"];
const SUBSCRIPTION_UPDATES: &[&str] = &["price", "promotion_code", "quantity"];
const PRORATION: &[&str] = &["always_invoice", "create_prorations", "none"];

/// Whether a configuration is made or changed: what a new one must say, a changed one need not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    New,
    Known,
}

/// Reads `features`. What it does not name stays.
pub fn read(
    tx: &Tx,
    of: Of,
    mut given: Params,
    features: &mut Value,
    offered: &mut Value,
) -> Result<(), ApiError> {
    if let Some(mut update) = given.children("customer_update")? {
        let known = &mut features["customer_update"];
        read_enabled(&mut update, known, of)?;
        read_words(&mut update, "allowed_updates", CUSTOMER_UPDATES, known)?;
        update.finish()?;
    }
    if let Some(mut history) = given.children("invoice_history")? {
        read_enabled(&mut history, &mut features["invoice_history"], Of::New)?;
        history.finish()?;
    }
    if let Some(mut methods) = given.children("payment_method_update")? {
        methods.refuse(&["payment_method_configuration"])?;
        read_enabled(&mut methods, &mut features["payment_method_update"], Of::New)?;
        methods.finish()?;
    }
    if let Some(cancel) = given.children("subscription_cancel")? {
        read_cancel(of, cancel, &mut features["subscription_cancel"])?;
    }
    if let Some(update) = given.children("subscription_update")? {
        read_update(tx, of, update, &mut features["subscription_update"], offered)?;
    }
    given.finish()?;
    let is_on = |feature: &str| features[feature]["enabled"] == true;
    if is_on("subscription_update") && !is_on("payment_method_update") {
        let message = "Cannot enable subscription updates while payment method update is disabled.";
        return Err(ApiError::invalid(message).param("features[subscription_update][enabled]"));
    }
    Ok(())
}

fn read_cancel(of: Of, mut cancel: Params, known: &mut Value) -> Result<(), ApiError> {
    read_enabled(&mut cancel, known, of)?;
    if let Some(mode) = cancel.one_of("mode", &["at_period_end", "immediately"])? {
        known["mode"] = json!(mode);
    }
    if let Some(behavior) = cancel.one_of("proration_behavior", &["create_prorations", "none"])? {
        known["proration_behavior"] = json!(behavior);
    }
    if let Some(mut reason) = cancel.children("cancellation_reason")? {
        reason.refuse(&["feedback_options"])?;
        read_enabled(&mut reason, &mut known["cancellation_reason"], Of::New)?;
        if of == Of::New && !reason.has("options") {
            return Err(ApiError::missing_param(&reason.full_name("options")));
        }
        read_words(&mut reason, "options", FEEDBACK, &mut known["cancellation_reason"])?;
        reason.finish()?;
    }
    cancel.finish()?;
    if known["mode"] == "at_period_end" && known["proration_behavior"] != "none" {
        let message = "`proration_behavior` must be `none` when the `mode` of `subscription_cancel` is `at_period_end`.";
        return Err(ApiError::invalid(message).param("features[subscription_cancel][proration_behavior]"));
    }
    Ok(())
}

fn read_update(
    tx: &Tx,
    of: Of,
    mut update: Params,
    known: &mut Value,
    offered: &mut Value,
) -> Result<(), ApiError> {
    read_enabled(&mut update, known, of)?;
    read_words(&mut update, "default_allowed_updates", SUBSCRIPTION_UPDATES, known)?;
    let words: [(&str, &[&str]); 3] = [
        ("billing_cycle_anchor", &["now", "unchanged"]),
        ("proration_behavior", PRORATION),
        ("trial_update_behavior", &["continue_trial", "end_trial"]),
    ];
    for (name, words) in words {
        if let Some(word) = update.one_of(name, words)? {
            known[name] = json!(word);
        }
    }
    if let Some(changed) = products::read(tx, &mut update)? {
        *offered = changed;
    }
    if let Some(at_end) = update.children("schedule_at_period_end")? {
        read_conditions(at_end, &mut known["schedule_at_period_end"])?;
    }
    update.finish()
}

/// What makes a change one for the period's end; an empty text empties the list.
fn read_conditions(mut at_end: Params, known: &mut Value) -> Result<(), ApiError> {
    if at_end.peek("conditions") == Some("") {
        at_end.clearable("conditions")?;
        known["conditions"] = json!([]);
    } else if let Some(list) = at_end.list("conditions")? {
        let mut conditions = Vec::new();
        for mut condition in list {
            let param = condition.full_name("type");
            let kind = condition.one_of("type", CONDITIONS)?;
            conditions.push(json!({ "type": kind.ok_or_else(|| ApiError::missing_param(&param))? }));
            condition.finish()?;
        }
        known["conditions"] = json!(conditions);
    }
    at_end.finish()
}

fn read_enabled(params: &mut Params, known: &mut Value, of: Of) -> Result<(), ApiError> {
    match params.boolean("enabled")? {
        Some(enabled) => known["enabled"] = json!(enabled),
        None if of == Of::New => return Err(ApiError::missing_param(&params.full_name("enabled"))),
        None => {}
    }
    Ok(())
}

/// A list of words that Stripe knows for this parameter; an empty text empties it.
fn read_words(params: &mut Params, name: &str, words: &[&str], known: &mut Value) -> Result<(), ApiError> {
    if params.peek(name) == Some("") {
        params.clearable(name)?;
        known[name] = json!([]);
        return Ok(());
    }
    let Some(given) = params.texts(name)? else {
        return Ok(());
    };
    if let Some(at) = given.iter().position(|word| !words.contains(&word.as_str())) {
        let full = format!("{}[{at}]", params.full_name(name));
        let message = format!("Invalid {full}: must be one of {}", words.join(", "));
        return Err(ApiError::invalid(message).param(full));
    }
    known[name] = json!(given);
    Ok(())
}
