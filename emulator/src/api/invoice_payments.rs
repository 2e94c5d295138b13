//! The records of what paid an invoice, to read.

use serde_json::Value;

use super::Call;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::Params;
use crate::state::{Key, Kind};

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::InvoicePayment, call.id(), Place::Path)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let invoice = params.text("invoice")?;
    let status = params.one_of("status", &["canceled", "open", "paid"])?;
    let paid_by = params.children("payment")?.map(read_payment).transpose()?;
    params.finish()?;
    let key = Key::Invoice.of(invoice.as_deref());
    page.of(call.tx, Kind::InvoicePayment, "/v1/invoice_payments", key, |payment| {
        status.as_ref().is_none_or(|status| payment["status"] == **status)
            && paid_by.as_ref().is_none_or(|(kind, id)| payment["payment"][kind] == **id)
    })
}

/// `payment[type]=payment_intent&payment[payment_intent]=…`. Payments that Stripe has not made are recorded nowhere
/// here, so that no invoice payment has a `payment_record`.
fn read_payment(mut payment: Params) -> Result<(String, String), ApiError> {
    let name = payment.full_name("type");
    let kind = payment.one_of("type", &["payment_intent", "payment_record"])?;
    let kind = kind.ok_or_else(|| ApiError::missing_param(&name))?;
    let id = payment.required_text(&kind)?;
    payment.finish()?;
    Ok((kind, id))
}
