//! GET /v1/account: whose Stripe this is. The id is made at the first start and kept.

use serde_json::{Value, json};

use super::Call;
use crate::error::ApiError;
use crate::state::Kind;

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let id = call.tx.store().account_id();
    let created = call.tx.find(Kind::Account, &id).map(|account| account["created"].clone());
    Ok(json!({
        "id": id,
        "object": "account",
        "business_profile": { "mcc": null, "minority_owned_business_designation": null, "name": "Stripe emulator", "product_description": null, "specified_commercial_transactions_act_url": null, "support_address": null, "support_email": null, "support_phone": null, "support_url": null, "url": null },
        "business_type": null,
        "capabilities": { "card_payments": "active", "transfers": "active" },
        "charges_enabled": true,
        "controller": { "type": "account" },
        "country": "US",
        "created": created,
        "default_currency": "usd",
        "details_submitted": true,
        "email": null,
        "metadata": {},
        "payouts_enabled": true,
        "type": "standard",
    }))
}
