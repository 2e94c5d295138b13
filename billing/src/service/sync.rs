//! `sync`: the one function that writes a customer's value. docs/sync.md says why it is right.

use super::Billing;
use crate::clock::UnixMillis;
use crate::error::Error;
use crate::id::{CustomerId, SubscriptionId};
use crate::ports::{Done, Due, Mark, Written};
use crate::subscription::{ListedSubscription, Snapshot, fold};

/// What a sync found, or, where a later one was faster, what that one wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    pub snapshot: Snapshot,
    pub written: Written,
    /// The ids of all subscriptions that the fetch contained.
    pub(super) listed: Vec<SubscriptionId>,
}

impl Billing {
    /// Fetches a customer's subscriptions and writes the one value.
    ///
    /// # Errors
    /// `Error` where Stripe or the store does not answer: nothing was written.
    pub async fn sync(&self, customer: &CustomerId) -> Result<Synced, Error> {
        let ticket = self.store.begin(customer).await?;
        let began = self.clock.now().secs();
        let listed = self.stripe.subscriptions(customer).await?;
        let plans = self.plan_directory(&listed).await?;
        let snapshot = fold(&listed, &plans, began);
        let written = self.store.write(customer, &ticket, &snapshot).await?;
        self.report(customer, &listed, &snapshot, written).await;
        let stored = match written {
            Written::Accepted => None,
            Written::Refused => self.store.snapshot(customer).await?,
        };
        Ok(Synced {
            snapshot: stored.unwrap_or(snapshot),
            written,
            listed: listed.into_iter().map(|subscription| subscription.id).collect(),
        })
    }

    /// Syncs for someone who is waiting: marks, fetches without a lease, and reports the mark
    /// done. Where this fails, or the process dies, the customer stays due.
    ///
    /// # Errors
    /// As `sync`.
    pub async fn sync_now(&self, customer: &CustomerId) -> Result<Synced, Error> {
        // A worker is to take the mark over only if this sync has died.
        let grace = Due::By(self.clock.now().plus(self.settings.eager_grace));
        let mark = |due| Mark { customer: customer.clone(), due, expects: None };
        let generation = self.mark(&mark(grace)).await?;
        let synced = match self.sync(customer).await {
            Ok(synced) => synced,
            Err(error) => {
                self.mark(&mark(Due::By(self.clock.now()))).await?;
                return Err(error);
            }
        };
        if synced.written == Written::Accepted {
            self.settle(customer, generation, None, &synced.snapshot).await?;
        }
        self.after_sync(customer, &synced.snapshot).await;
        Ok(synced)
    }

    /// Reports a sync done; the customer stays due at its next known change.
    pub(super) async fn settle(
        &self,
        customer: &CustomerId,
        generation: u64,
        lease: Option<String>,
        snapshot: &Snapshot,
    ) -> Result<(), Error> {
        let next = snapshot.next_change(self.clock.now().secs()).map(UnixMillis::from_secs);
        let done = Done { customer: customer.clone(), generation, lease, next };
        self.store.done(&done).await?;
        Ok(())
    }

    /// What a person must look at; none of it stops the sync.
    async fn report(
        &self,
        customer: &CustomerId,
        listed: &[ListedSubscription],
        snapshot: &Snapshot,
        written: Written,
    ) {
        let subscription = snapshot.subscription.as_ref();
        tracing::info!(
            %customer,
            subscriptions = listed.len(),
            status = subscription.map(|it| tracing::field::debug(&it.status)),
            written = ?written,
            "synced"
        );
        if let Some(it) = subscription
            && it.plan.is_none()
            && it.status.is_live()
        {
            tracing::warn!(%customer, product = ?it.product_id, "the product has no metadata.plan of plans.toml: it gives no access");
        }
        if subscription.is_some_and(|it| !it.others.is_empty()) {
            tracing::warn!(%customer, "the customer has more than one live subscription");
        }
        let Some(user) = listed.iter().find_map(|it| it.user.as_ref()) else {
            return;
        };
        match self.store.customer_of(user).await {
            Ok(Some(bound)) if bound != *customer => {
                tracing::warn!(%customer, %bound, "the customer's metadata.userId belongs to a user with another customer");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%customer, %error, "the binding could not be compared"),
        }
    }
}
