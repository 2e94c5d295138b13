//! Invoices, to read; `invoice_actions` and `invoice_lines` change them.

use serde_json::Value;

use super::Call;
use crate::error::{ApiError, Place};
use crate::list::{Page, Range};
use crate::state::{Key, Kind};

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::Invoice, call.id(), Place::Path)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let due = Range::read(&mut params, "due_date")?;
    let customer = params.text("customer")?;
    let subscription = params.text("subscription")?;
    let status = params.one_of("status", &["draft", "open", "paid", "uncollectible", "void"])?;
    let collection = params.one_of("collection_method", &["charge_automatically", "send_invoice"])?;
    params.finish()?;
    let is = |value: &Value, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| value == wanted);
    page.named(call.tx, Kind::Invoice, "/v1/invoices", Key::Customer.of(customer.as_deref()), |invoice| {
        is(&invoice["parent"]["subscription_details"]["subscription"], &subscription)
            && is(&invoice["status"], &status)
            && is(&invoice["collection_method"], &collection)
            && due.has(&invoice["due_date"])
    })
}
