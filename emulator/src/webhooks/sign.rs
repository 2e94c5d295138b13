//! The `Stripe-Signature` header.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// `t=<timestamp>,v1=<hex of HMAC-SHA256 over "timestamp.body">`, with the machine's time.
pub fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    // An HMAC takes a key of any length, so the only error there is cannot happen.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{timestamp}.{body}").as_bytes());
    format!("t={timestamp},v1={}", hex::encode(mac.finalize().into_bytes()))
}
