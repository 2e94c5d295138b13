//! What people may look at: the queue, the last events, the budget, how safe Redis is. Reads, and
//! never changes anything.

use super::reconcile::{KEPT, secs};
use super::{Billing, Synced};
use crate::error::{Error, StoreError};
use crate::event::{Event, Subject};
use crate::id::CustomerId;
use crate::ports::{Durability, Entry, Limit, QueueStats, Received};
use crate::subscription::Snapshot;

/// So many pages of deleted customers are looked through.
const MOST_PAGES: usize = 10;

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

    /// Customers that a webhook should have brought and did not, since ever, by all processes' count.
    ///
    /// # Errors
    /// `StoreError`.
    pub async fn drift(&self) -> Result<u64, StoreError> {
        Ok(self.store.cursor().await?.map_or(0, |cursor| cursor.drift))
    }

    /// Whether Stripe has the customer. An empty list does not say: a sync of a mistyped id finds none
    /// as well. Who has a subscription is there without a question.
    ///
    /// # Errors
    /// `Error` where Stripe does not answer.
    pub async fn is_at_stripe(&self, customer: &CustomerId, synced: &Synced) -> Result<bool, Error> {
        if !synced.listed.is_empty() {
            return Ok(true);
        }
        self.patiently(async { Ok(self.stripe.customer(customer).await?.is_some()) }).await
    }

    /// Whether Stripe's events of the last days say that the customer was deleted.
    ///
    /// # Errors
    /// `Error` where Stripe does not answer.
    pub async fn was_deleted(&self, customer: &CustomerId) -> Result<bool, Error> {
        let is_theirs = |event: &Event| match &event.subject {
            Subject::Customer { customer: deleted, .. } => deleted == customer,
            Subject::Nobody | Subject::Untracked => false,
        };
        self.patiently(async {
            let (since, mut after) = (self.now() - secs(KEPT), None);
            for _ in 0..MOST_PAGES {
                let page = self.stripe.events(since, &["customer.deleted"], after.as_deref()).await?;
                if page.items.iter().any(is_theirs) {
                    return Ok(true);
                }
                after = page.after;
                if after.is_none() {
                    break;
                }
            }
            Ok(false)
        })
        .await
    }

    /// What is stored of a customer; `None` where nothing is, or nothing that can be read.
    ///
    /// # Errors
    /// `StoreError`.
    pub async fn stored(&self, customer: &CustomerId) -> Result<Option<Snapshot>, StoreError> {
        self.readable(customer).await
    }
}
