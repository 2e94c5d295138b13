//! Payment intents, to read. They come of payments; this emulator makes none by API.

use serde_json::Value;

use super::Call;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::state::{Key, Kind};

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::PaymentIntent, call.id(), Place::Path)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let customer = params.text("customer")?;
    params.finish()?;
    page.named(
        call.tx,
        Kind::PaymentIntent,
        "/v1/payment_intents",
        Key::Customer.of(customer.as_deref()),
        |_| true,
    )
}
