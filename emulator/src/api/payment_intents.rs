//! Payment intents, to read. They come of payments; this emulator makes none by API.

use serde_json::Value;

use super::Call;
use crate::error::{ApiError, Place};
use crate::list::{Page, Range};
use crate::state::{Kind, number};

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::PaymentIntent, call.id(), Place::Path)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read(&mut params)?;
    let customer = params.text("customer")?;
    let created = Range::read(&mut params, "created")?;
    params.finish()?;
    page.of(call.tx, Kind::PaymentIntent, "/v1/payment_intents", customer.as_deref(), |intent| {
        created.contains(number(intent, "created"))
    })
}
