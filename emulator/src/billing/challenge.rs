//! Asking a card's owner, with 3-D Secure: the challenge's id, and where the intent sends them. What the challenge is
//! about, whoever opens it stores.
//!
//! Not sure: what `next_action` holds for Stripe's own scripts; here it is the address.

use serde_json::{Value, json};

use crate::state::{Tx, ids};

/// The id of a new challenge, and the intent's `next_action`.
pub fn open(tx: &Tx, return_url: Option<&str>) -> (String, Value) {
    let id = ids::new("3ds_");
    let url = format!("{}/c/3ds/{id}", tx.settings().base_url);
    let next_action = match return_url {
        Some(back) => {
            json!({ "type": "redirect_to_url", "redirect_to_url": { "return_url": back, "url": url } })
        }
        None => json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": { "type": "three_d_secure_redirect", "stripe_js": url },
        }),
    };
    (id, next_action)
}
