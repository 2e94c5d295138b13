//! Addresses, and `shipping` where a payment or a customer has it. Nothing is ever sent there.

use serde_json::{Value, json};

use crate::error::ApiError;
use crate::params::{Change, Params};

/// `shipping` of a customer: a name, an address and perhaps a phone number. An empty text takes it away.
pub fn read(params: &mut Params) -> Result<Value, ApiError> {
    read_with(params, &["phone"])
}

/// `shipping` of a payment, which also knows who carries it.
pub fn of_payment(params: &mut Params) -> Result<Value, ApiError> {
    read_with(params, &["carrier", "phone", "tracking_number"])
}

fn read_with(params: &mut Params, optional: &[&str]) -> Result<Value, ApiError> {
    if matches!(params.clone().clearable("shipping"), Ok(Some(Change::Clear))) {
        params.clearable("shipping")?;
        return Ok(Value::Null);
    }
    let Some(mut shipping) = params.children("shipping")? else {
        return Ok(Value::Null);
    };
    let param = shipping.full_name("address");
    let address = shipping.children("address")?.ok_or_else(|| ApiError::missing_param(&param))?;
    let mut value = json!({ "address": read_address(address)?, "name": shipping.required_text("name")? });
    for field in optional {
        value[*field] = shipping.clearable(field)?.map_or(Value::Null, Change::into_json);
    }
    shipping.finish()?;
    Ok(value)
}

pub fn read_address(mut address: Params) -> Result<Value, ApiError> {
    let mut value = json!({});
    for field in ["city", "country", "line1", "line2", "postal_code", "state"] {
        value[field] = address.clearable(field)?.map_or(Value::Null, Change::into_json);
    }
    address.finish()?;
    Ok(value)
}
