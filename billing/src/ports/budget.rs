//! The budget of calls to Stripe that all processes share. It only saves refusals: Stripe's own
//! limit is the one that counts, and a store that does not answer is no reason not to call.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// Who waits for a call. Part of the budget is kept for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Somebody looks at a page that needs the answer.
    Waiting,
    /// A worker, a reconciliation, a rebuild.
    Background,
}

tokio::task_local! {
    static PRIORITY: Priority;
}

impl Priority {
    /// Whose work this task does; somebody's who waits, unless it was said otherwise.
    #[must_use]
    pub fn current() -> Self {
        PRIORITY.try_with(|priority| *priority).unwrap_or(Priority::Waiting)
    }

    /// Runs `work` with this priority. A task that it spawns starts without.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        PRIORITY.scope(self, work).await
    }
}

/// An answer of the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// The call is booked and may be made after this long; zero is now.
    After(Duration),
    /// Nothing is booked: ask again after this long.
    AskAgain(Duration),
}

/// Why Stripe has asked us to go slower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slowdown {
    /// A 429 of one endpoint (`Stripe-Rate-Limited-Reason: endpoint-rate` or `endpoint-concurrency`).
    Endpoint,
    /// A 429 of the whole account, or one that does not say which, a lock_timeout among them.
    Account,
}

/// The state of one limit, for people and metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// `all`, or an endpoint such as `GET /v1/subscriptions/:id`.
    pub name: String,
    /// Calls a second, as configured.
    pub rate: f64,
    /// Calls a second now; lower after Stripe has refused some, and recovering.
    pub current_rate: f64,
    /// Calls that could be made at once now; negative where some are booked ahead.
    pub available: f64,
    /// No call before then, Unix milliseconds; `None` where nothing is held back.
    pub paused_until: Option<i64>,
}

/// The shared limiter.
#[async_trait]
pub trait Budget: Send + Sync {
    /// Asks for leave to make one call.
    async fn take(&self, endpoint: &str, priority: Priority) -> Result<Leave, StoreError>;
    /// Stripe refused a call: nobody calls before `wait` is over, and all go slower for a while.
    async fn slow_down(&self, endpoint: &str, why: Slowdown, wait: Duration) -> Result<(), StoreError>;
    /// Every limit that was used lately, `all` first.
    async fn limits(&self) -> Result<Vec<Limit>, StoreError>;
}
