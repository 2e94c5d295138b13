//! A customer as Stripe shows a new one.

use serde_json::{Value, json};

use crate::state::{Tx, ids};

/// A new customer object with an e-mail or `null`. It is not stored.
pub fn build(tx: &Tx, email: Value) -> Value {
    json!({
        "id": ids::new("cus_"),
        "object": "customer",
        "address": null,
        "balance": 0,
        "created": tx.now(),
        "currency": null,
        "customer_account": null,
        "default_source": null,
        "delinquent": false,
        "description": null,
        "discount": null,
        "email": email,
        "invoice_prefix": ids::random(8).to_uppercase(),
        "invoice_settings": {
            "custom_fields": null,
            "default_payment_method": null,
            "footer": null,
            "rendering_options": null,
        },
        "livemode": false,
        "metadata": {},
        "name": null,
        "next_invoice_sequence": 1,
        "phone": null,
        "preferred_locales": [],
        "shipping": null,
        "tax_exempt": "none",
        "test_clock": null,
    })
}
