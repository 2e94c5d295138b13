//! A customer as Stripe shows a new one.

use serde_json::{Value, json};

use crate::shapes::{self, Shape};
use crate::state::{Tx, ids};

/// A new customer object with an e-mail or `null`. It is not stored.
pub fn build(tx: &Tx, email: Value) -> Value {
    shapes::filled(
        Shape::Customer,
        json!({
            "id": ids::new("cus_"),
            "created": tx.now(),
            "email": email,
            "invoice_prefix": ids::random(8).to_uppercase(),
        }),
    )
}
