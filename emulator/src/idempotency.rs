//! Idempotency keys: the same POST under the same key is done once and answered alike. The answer is stored in
//! the transaction that did it; keys live 24 hours and survive a restart.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::state::{Kind, Tx};

/// What makes two requests the same one.
#[derive(Clone, Debug)]
pub struct Key {
    pub key: String,
    path: String,
    fingerprint: String,
}

/// An answer as it was given the first time.
#[derive(Clone, Debug)]
pub struct Stored {
    pub status: u16,
    pub body: Body,
    /// The id of the request that was answered so.
    pub request_id: String,
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub enum Body {
    Json(Value),
    /// JSON that is written already: a page of a list.
    Written(Bytes),
}

impl Body {
    /// `null` for one that is written already.
    pub fn json(&self) -> &Value {
        match self {
            Body::Json(value) => value,
            Body::Written(_) => &Value::Null,
        }
    }

    pub fn into_bytes(self) -> serde_json::Result<Bytes> {
        match self {
            Body::Json(value) => serde_json::to_vec(&value).map(Bytes::from),
            Body::Written(bytes) => Ok(bytes),
        }
    }
}

impl Key {
    /// Reads the header's value. 400 if it is empty or longer than 255 characters.
    pub fn new(key: &str, path: &str, params: &Value) -> Result<Key, ApiError> {
        if key.is_empty() || key.len() > 255 {
            let message = "Idempotency-Key must have between 1 and 255 characters.";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "idempotency_error", message));
        }
        let fingerprint = hex::encode(Sha256::digest(format!("{path} {params}")));
        Ok(Key { key: key.to_owned(), path: path.to_owned(), fingerprint })
    }

    /// The answer stored under this key. 400 idempotency_error if it was for another request.
    pub fn stored(&self, tx: &Tx) -> Result<Option<Stored>, ApiError> {
        let Some(known) = tx.find(Kind::IdempotencyKey, &self.key) else {
            return Ok(None);
        };
        if let Some(path) = known["path"].as_str().filter(|path| *path != self.path) {
            let message = format!(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{}' vs \
                 '{path}'). Try using a key other than '{}' if you meant to execute a different request.",
                self.path, self.key
            );
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "idempotency_error", message));
        }
        if known["fingerprint"] != self.fingerprint {
            let message = format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                 Try using a key other than '{}' if you meant to execute a different request.",
                self.key
            );
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "idempotency_error", message));
        }
        let status = known["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
        let request_id = known["request_id"].as_str().unwrap_or_default().to_owned();
        Ok(Some(Stored { status, body: Body::Json(known["body"].clone()), request_id }))
    }

    pub fn store(&self, tx: &mut Tx, answer: &Stored) {
        let record = json!({
            "id": self.key,
            "path": self.path,
            "fingerprint": self.fingerprint,
            "status": answer.status,
            "body": answer.body.json(),
            "request_id": answer.request_id,
            // Keys live by the emulator's clock, also where the request was about a customer with another.
            "created": tx.store().clock.now(),
        });
        tx.put(Kind::IdempotencyKey, record);
    }
}

/// The keys of requests that are running now.
#[derive(Clone, Debug, Default)]
pub struct InUse(Arc<Mutex<HashSet<String>>>);

/// Held while a request runs; frees the key when dropped.
#[derive(Debug)]
pub struct Claim {
    key: String,
    in_use: InUse,
}

/// The code of a conflict between two requests with one key.
pub const IN_USE: &str = "idempotency_key_in_use";

/// Stripe's 409 for a key that another request holds.
pub fn in_use(key: Option<&str>) -> ApiError {
    let named = key.map(|key| format!(": {key}")).unwrap_or_default();
    let message = format!(
        "There is currently another in-progress request using this Idempotent Key (that probably means you \
         submitted twice, and the other request is still going through){named}. Please try again later."
    );
    let error = ApiError::new(StatusCode::CONFLICT, "idempotency_error", message);
    error.code(IN_USE).header("stripe-should-retry", "true")
}

impl InUse {
    /// Takes the key, or 409 if another request holds it.
    pub fn claim(&self, key: &str) -> Result<Claim, ApiError> {
        if !self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned()) {
            return Err(in_use(Some(key)));
        }
        Ok(Claim { key: key.to_owned(), in_use: self.clone() })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.in_use.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
