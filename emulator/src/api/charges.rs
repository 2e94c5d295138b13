//! Charges, to read. They come of payments; what is given back of one is a refund.

use serde_json::Value;

use super::Call;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::state::{Key, Kind};

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::Charge, call.id(), Place::Path)
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
