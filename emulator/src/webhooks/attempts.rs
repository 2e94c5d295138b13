//! What came of one try to deliver, as the delivery remembers it for people and tests. It keeps the beginning of
//! an answer and a bounded number of tries, because an endpoint may answer anything and be down for days. It
//! decides nothing: whether to try again is `dispatch`'s business.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How many bytes of an answer are kept.
const BYTES: usize = 500;
/// How long the bytes may take once the status is there.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many tries are kept: the first, from which the giving up is counted, and the newest.
const KEPT: usize = 20;

/// One try: when by the machine's clock in seconds, how long it took, and what was answered.
#[derive(Debug)]
pub struct Attempt {
    at: i64,
    took: Duration,
    outcome: Result<Answer, String>,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    beginning: String,
}

impl Attempt {
    /// Sends the request and waits for what is kept of the answer.
    pub async fn make(request: reqwest::RequestBuilder, at: i64) -> Attempt {
        let began = Instant::now();
        let outcome = match request.send().await {
            Ok(response) => Ok(read(response).await),
            Err(error) => Err(reason(&error)),
        };
        Attempt { at, took: began.elapsed(), outcome }
    }

    /// Seconds since 1970.
    pub fn at(&self) -> i64 {
        self.at
    }

    pub fn is_delivered(&self) -> bool {
        matches!(&self.outcome, Ok(Answer { status: 200..=299, .. }))
    }

    /// Adds it to a delivery's `attempts`, and counts it in `tried`.
    pub fn add_to(self, delivery: &mut Value) {
        let one = self.into_json();
        let Some(attempts) = delivery["attempts"].as_array_mut() else { return };
        attempts.push(one);
        let known = attempts.len();
        if known > KEPT {
            attempts.remove(1);
        }
        let tried = delivery["tried"].as_u64().map_or(known as u64, |tried| tried + 1);
        delivery["tried"] = json!(tried);
    }

    fn into_json(self) -> Value {
        let took = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        match self.outcome {
            Ok(Answer { status, beginning }) => {
                json!({ "at": self.at, "took_ms": took, "status": status, "answer": beginning })
            }
            Err(error) => json!({ "at": self.at, "took_ms": took, "error": error }),
        }
    }
}

async fn read(mut response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let mut bytes = Vec::new();
    let reading = async {
        while bytes.len() < BYTES
            && let Ok(Some(chunk)) = response.chunk().await
        {
            bytes.extend_from_slice(&chunk);
        }
    };
    // Late or broken, what came is what is shown: the status alone decides.
    let _ = tokio::time::timeout(PATIENCE, reading).await;
    bytes.truncate(BYTES);
    Answer { status, beginning: String::from_utf8_lossy(&bytes).into_owned() }
}

fn reason(error: &reqwest::Error) -> String {
    let word = if error.is_timeout() { "timed out" } else { "could not connect" };
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{word}{cause}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Attempt, KEPT};

    #[test]
    fn the_first_and_the_newest_tries_are_kept_and_all_are_counted() {
        let mut delivery = json!({ "attempts": [] });
        for at in 0..100 {
            let outcome = Err("could not connect".to_owned());
            Attempt { at, took: Duration::ZERO, outcome }.add_to(&mut delivery);
        }
        let attempts = delivery["attempts"].as_array().cloned().unwrap_or_default();
        assert_eq!((attempts.len(), delivery["tried"].as_u64()), (KEPT, Some(100)));
        assert_eq!((attempts[0]["at"].as_i64(), attempts[1]["at"].as_i64()), (Some(0), Some(81)));
        assert_eq!(attempts[KEPT - 1]["at"], 99);
    }
}
