//! The transactions of a customer's credit balance: made by hand as adjustments, read, listed; only their notes
//! change. What an invoice makes of the balance is `billing::balance`'s business.

use serde_json::{Value, json};

use super::Call;
use crate::billing::balance::{self, Reason};
use crate::billing::money::MOST_AMOUNT;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::state::{Key, Kind, text};

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut customer = call.tx.require(Kind::Customer, call.id(), Place::Path)?;
    let amount = read_amount(&mut params, "amount")?.ok_or_else(|| ApiError::missing_param("amount"))?;
    let currency = super::prices::read_currency(&mut params)?;
    let mut reason = Reason::adjustment(&currency);
    reason.description = params.clearable("description")?.map_or(Value::Null, Change::into_json);
    reason.metadata = params.metadata(&json!({}))?;
    params.finish()?;
    if customer["currency"].as_str().is_some_and(|own| own != currency) {
        let message = format!(
            "stripe-emulator keeps a balance in the customer's own currency only, which is {}.",
            text(&customer, "currency")
        );
        return Err(ApiError::invalid(message).param("currency"));
    }
    let transaction = balance::change(call.tx, &mut customer, amount, reason);
    call.tx.update(Kind::Customer, customer, "customer.updated");
    Ok(transaction)
}

/// An amount of a balance, in the currency's smallest unit, with its sign.
pub fn read_amount(params: &mut Params, name: &str) -> Result<Option<i64>, ApiError> {
    params.integer_within(name, -MOST_AMOUNT, MOST_AMOUNT)
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    require(call)
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut transaction = require(call)?;
    if let Some(description) = params.clearable("description")? {
        transaction["description"] = description.into_json();
    }
    transaction["metadata"] = params.metadata(&transaction["metadata"])?;
    params.finish()?;
    call.tx.put(Kind::CustomerBalanceTransaction, transaction.clone());
    Ok(transaction)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let customer = text(&call.tx.require(Kind::Customer, call.id(), Place::Path)?, "id").to_owned();
    let page = Page::read_with_created(&mut params)?;
    let invoice = params.text("invoice")?;
    params.finish()?;
    let url = format!("/v1/customers/{customer}/balance_transactions");
    page.of(call.tx, Kind::CustomerBalanceTransaction, &url, Key::Customer.of(Some(&customer)), |it| {
        invoice.as_ref().is_none_or(|invoice| it["invoice"] == **invoice)
    })
}

/// The transaction in the path, which must be the customer's.
fn require(call: &Call) -> Result<Value, ApiError> {
    let customer = call.tx.require(Kind::Customer, call.id(), Place::Path)?;
    let id = call.path.get(1).map_or("", String::as_str);
    let transaction = call.tx.require(Kind::CustomerBalanceTransaction, id, Place::Path)?;
    if transaction["customer"] == customer["id"] {
        Ok(transaction)
    } else {
        Err(ApiError::no_such(Kind::CustomerBalanceTransaction, id, Place::Path))
    }
}
