//! Reading `collection_method` and `days_until_due`: whether a subscription, a phase or an invoice is charged by itself
//! or sent to its customer. In which words Stripe refuses what does not go together is not known.

use serde_json::Value;

use crate::billing::sending::{self, WORD};
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, text};

pub const METHODS: &[&str] = &["charge_automatically", WORD];
/// What a customer has to pay at the latest, in days: ten years.
const MOST_DAYS: i64 = 3_653;

/// What a request wants: `None` if it says nothing, the days of an invoice that is sent, or no days where the customer
/// is charged. `known` are the days that there are already.
pub fn read(params: &mut Params, known: Option<i64>) -> Result<Option<Option<i64>>, ApiError> {
    let method = params.one_of("collection_method", METHODS)?;
    let days = params.integer_within("days_until_due", 0, MOST_DAYS)?;
    let is_sent = method.as_deref().map_or(known.is_some(), |method| method == WORD);
    let name = params.full_name("days_until_due");
    match (is_sent, days.or(known)) {
        (true, None) => {
            let message = "You must specify `days_until_due` if `collection_method` is `send_invoice`.";
            Err(ApiError::invalid(message).code("parameter_missing").param(name))
        }
        (false, _) if days.is_some() => {
            let message = "You can only specify `days_until_due` if `collection_method` is `send_invoice`.";
            Err(ApiError::invalid(message).param(name))
        }
        _ if method.is_none() && days.is_none() => Ok(None),
        (is_sent, days) => Ok(Some(days.filter(|_| is_sent))),
    }
}

/// Changes how a subscription's invoices to come are paid.
pub fn read_into(tx: &Tx, params: &mut Params, subscription: &mut Value) -> Result<(), ApiError> {
    let known = subscription["days_until_due"].as_i64();
    let Some(days) = read(params, known)? else {
        return Ok(());
    };
    if days.is_some() {
        let id = text(subscription, "customer");
        sending::ensure_address(&tx.require(Kind::Customer, id, Place::Param("customer"))?)?;
    }
    sending::set(subscription, days);
    Ok(())
}
