//! The log of requests to `/v1`, newest last, for tests and for people: in memory only, and capped. Card
//! numbers never get into it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};

const KEPT: usize = 2000;

/// One request as it was answered.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Logged {
    pub method: String,
    pub path: String,
    /// The query as it came, without the question mark.
    pub query: String,
    /// The form, or for GET the query, as JSON.
    pub params: Value,
    /// The status of the answer; 0 if the connection was cut.
    pub status: u16,
    /// The message of an error.
    pub error: Option<String>,
    /// How many stored objects were looked at to answer; 0 for an answer that is not a success.
    pub looked_at: u64,
    pub request_id: String,
    pub idempotency_key: Option<String>,
    /// Seconds since 1970 by the emulator's clock.
    pub at: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Requests(Arc<Mutex<VecDeque<Logged>>>);

impl Requests {
    pub fn push(&self, mut logged: Logged) {
        if let Some(card) = logged.params.get_mut("card") {
            *card = json!("(not logged)");
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(logged);
    }

    pub fn newest(&self, limit: usize) -> Vec<Logged> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().rev().take(limit).cloned().collect()
    }

    /// The request with this id, while it is in the log.
    pub fn find(&self, request_id: &str) -> Option<Logged> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().rev().find(|logged| logged.request_id == request_id).cloned()
    }

    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
