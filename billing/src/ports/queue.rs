//! The queue of due customers as the verbs see it: a level, not a log. Every method is atomic, and
//! safe to repeat after an error.

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::clock::UnixMillis;
use crate::error::StoreError;
use crate::id::{CustomerId, EventId, SubscriptionId};

/// A trigger: this customer may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub customer: CustomerId,
    pub due: Due,
    /// A subscription that the next fetch must contain.
    pub expects: Option<SubscriptionId>,
    /// The event that brought it, kept with the mark for people to read.
    pub received: Option<Received>,
}

impl Mark {
    /// A trigger without an event.
    #[must_use]
    pub fn of(customer: CustomerId, due: Due) -> Self {
        Self { customer, due, expects: None, received: None }
    }
}

/// When a marked customer is due, and which sync is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// At this time; any sync that begins after the mark will do.
    By(UnixMillis),
    /// Only a sync that begins at this time or later will do: what is marked is about to happen.
    From(UnixMillis),
}

/// A due customer, lent to one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub customer: CustomerId,
    pub generation: u64,
    pub lease: String,
    /// Failures since the last success.
    pub attempts: u32,
    /// When the oldest mark that this claim will serve was to be served; `None` where it is only the
    /// customer's next known change.
    pub since: Option<UnixMillis>,
}

/// How much there is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// Customers whose time has not come.
    pub scheduled: u64,
    pub due: u64,
    pub in_flight: u64,
    /// Customers whose last sync failed, wherever they are.
    pub failing: u64,
    pub oldest_due: Option<UnixMillis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    Due,
    Scheduled,
    InFlight,
}

/// A customer in the queue, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub customer: CustomerId,
    pub state: EntryState,
    /// When it is due, or when its lease runs out.
    pub at: UnixMillis,
    /// Failures since the last success.
    pub attempts: u32,
    pub last_error: Option<String>,
    /// When the oldest unserved mark was to be served.
    pub since: Option<UnixMillis>,
}

/// A sync that succeeded, to be reported to the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub customer: CustomerId,
    /// The generation that was marked or claimed before the fetch began.
    pub generation: u64,
    /// The claim's lease; `None` where the sync ran without one, as the success page's does.
    pub lease: Option<String>,
    /// The next known change at Stripe.
    pub next: Option<UnixMillis>,
    /// The subscriptions that the fetch contained. Where a mark expects another one, the customer
    /// stays due for a few more tries: Stripe's list may lag behind its events.
    pub listed: Vec<SubscriptionId>,
}

/// The set of customers that are due. A level, not a log: a thousand events are one entry.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Returns the mark's generation.
    async fn mark(&self, mark: &Mark) -> Result<u64, StoreError>;
    async fn claim(&self, most: usize) -> Result<Vec<Claim>, StoreError>;
    /// Extends leases that are still held. Returns those that are lost.
    async fn renew(&self, claims: &[Claim]) -> Result<Vec<String>, StoreError>;
    /// Returns when the oldest mark that the sync has served was to be served. A late report with
    /// an old lease or generation changes nothing and serves none.
    async fn done(&self, done: &Done) -> Result<Option<UnixMillis>, StoreError>;
    async fn failed(&self, claim: &Claim, error: &str, retry_at: UnixMillis) -> Result<(), StoreError>;
    /// Gives leases back: due at once, without a failure. A late one changes nothing.
    async fn release(&self, claims: &[Claim]) -> Result<(), StoreError>;
    /// Yields whenever a customer may be due earlier than `next_due` has said. Never ends.
    fn wakes(&self) -> BoxStream<'static, ()>;
    /// When the next customer is due or its lease runs out.
    async fn next_due(&self) -> Result<Option<UnixMillis>, StoreError>;
    /// Whether a sync of this customer is under way, about to begin, or failing.
    async fn is_waiting(&self, customer: &CustomerId) -> Result<bool, StoreError>;
    async fn stats(&self) -> Result<QueueStats, StoreError>;
    /// The failing ones first, then those in flight, then by when they are due.
    async fn entries(&self, most: usize) -> Result<Vec<Entry>, StoreError>;
    /// Keeps an event that marks nobody for people to read, in a short capped list.
    async fn record(&self, received: &Received) -> Result<(), StoreError>;
    /// The last events, newest first.
    async fn received(&self, most: usize) -> Result<Vec<Received>, StoreError>;
}

/// A received event and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    pub id: EventId,
    #[serde(rename = "type")]
    pub kind: String,
    pub customer: Option<CustomerId>,
    /// Unix milliseconds.
    pub at: i64,
    pub outcome: String,
}
