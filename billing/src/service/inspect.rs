//! What people may look at: the queue, the last events, the budget, how safe Redis is. Reads, and
//! never changes anything.

use super::Billing;
use crate::error::StoreError;
use crate::id::CustomerId;
use crate::ports::{Durability, Entry, Limit, QueueStats, Received};
use crate::subscription::Snapshot;

/// A received event, and whether the customer's value is younger than it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedEvent {
    pub received: Received,
    pub stored_since: bool,
}

impl Billing {
    /// # Errors
    /// `StoreError`.
    pub async fn queue_stats(&self) -> Result<QueueStats, StoreError> {
        self.store.stats().await
    }

    /// Failing customers first, then those in flight, then by when they are due.
    ///
    /// # Errors
    /// `StoreError`.
    pub async fn queue_entries(&self, most: usize) -> Result<Vec<Entry>, StoreError> {
        self.store.entries(most).await
    }

    /// The last events that webhooks brought, newest first.
    ///
    /// # Errors
    /// `StoreError`.
    pub async fn received_events(&self, most: usize) -> Result<Vec<ReceivedEvent>, StoreError> {
        let mut events = Vec::new();
        for received in self.store.received(most).await? {
            let stored = match &received.customer {
                Some(customer) => self.readable(customer).await?,
                None => None,
            };
            // Seconds: a sync of the same second may have begun before.
            let stored_since = stored.is_some_and(|stored| stored.synced_at > received.at.div_euclid(1000));
            events.push(ReceivedEvent { received, stored_since });
        }
        Ok(events)
    }

    /// The limits on calls to Stripe that were used lately.
    ///
    /// # Errors
    /// `StoreError`.
    pub async fn stripe_limits(&self) -> Result<Vec<Limit>, StoreError> {
        self.store.limits().await
    }

    /// How safe an acknowledged mark is.
    ///
    /// # Errors
    /// `StoreError`.
    pub async fn durability(&self) -> Result<Durability, StoreError> {
        self.store.durability().await
    }

    /// What is stored of a customer; `None` where nothing is, or nothing that can be read.
    ///
    /// # Errors
    /// `StoreError`.
    pub async fn stored(&self, customer: &CustomerId) -> Result<Option<Snapshot>, StoreError> {
        self.readable(customer).await
    }
}
