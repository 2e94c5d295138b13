//! `sync`: the one function that writes a customer's value. docs/sync.md says why it is right.

use super::trials::SeenTrial;
use super::{Billing, Reacted, telemetry};
use crate::clock::UnixMillis;
use crate::error::{Error, StoreError};
use crate::fold::{ListedSubscription, fold};
use crate::id::{CustomerId, PaymentMethodId, SubscriptionId};
use crate::ports::{Done, Due, Mark, Written};
use crate::subscription::{Snapshot, Status};

/// What a sync saw and what is stored after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// What is stored now: what was fetched, or, where a later sync was faster, what that wrote.
    pub snapshot: Snapshot,
    pub written: Written,
    /// What this fetch saw itself.
    pub(super) fetched: Snapshot,
    /// Every subscription that the fetch contained, with its status.
    pub(super) listed: Vec<(SubscriptionId, Status)>,
    /// The attempt that the shown subscription was bought by, where it says so.
    pub(super) checkout: Option<String>,
    /// Every trial that the fetch contained, also such as are over.
    pub(super) trials: Vec<SeenTrial>,
    /// The customer's default card.
    pub(super) default_card: Option<PaymentMethodId>,
}

impl Synced {
    /// Whether there is a live subscription by any account: to sell another on a doubt would
    /// charge somebody twice.
    pub(super) fn is_live(&self) -> bool {
        is_live(&self.snapshot) || is_live(&self.fetched)
    }

    pub(super) fn status_of(&self, id: &SubscriptionId) -> Option<&Status> {
        self.listed.iter().find(|(listed, _)| listed == id).map(|(_, status)| status)
    }
}

fn is_live(snapshot: &Snapshot) -> bool {
    snapshot.subscription.as_ref().is_some_and(|it| it.status.is_live())
}

impl Billing {
    /// Fetches a customer's subscriptions and writes the one value.
    ///
    /// # Errors
    /// `Error` where Stripe or the store does not answer: nothing was written.
    pub async fn sync(&self, customer: &CustomerId) -> Result<Synced, Error> {
        self.ensure_account().await?;
        let ticket = self.store.begin(customer).await?;
        let began = self.now();
        let listing = self.stripe.subscriptions(customer).await?;
        let mut listed = listing.subscriptions;
        self.describe_phases(&mut listed).await?;
        // Events are compared with it, so a clock of ours that is ahead must not make it younger.
        let began = began.min(listing.stripe_time.unwrap_or(began));
        let plans = self.plan_directory(&listed).await?;
        let fetched = fold(&listed, &plans, began);
        let written = self.store.write(customer, &ticket, &fetched).await?;
        telemetry::synced(written);
        self.report(customer, &listed, &fetched, written).await;
        let stored = match written {
            Written::Accepted => None,
            Written::Refused => self.readable(customer).await?,
        };
        let shown = fetched.subscription.as_ref().map(|it| &it.subscription_id);
        let checkout = listed.iter().find(|it| Some(&it.id) == shown).and_then(|it| it.checkout.clone());
        Ok(Synced {
            checkout,
            trials: SeenTrial::all_of(&listed),
            default_card: listed.iter().find_map(|it| it.default_card.clone()),
            snapshot: stored.unwrap_or_else(|| fetched.clone()),
            written,
            fetched,
            listed: listed.into_iter().map(|it| (it.id, it.status)).collect(),
        })
    }

    /// The stored value; one that can't be read counts as missing, as a sync will replace it.
    pub(super) async fn readable(&self, customer: &CustomerId) -> Result<Option<Snapshot>, StoreError> {
        match self.store.snapshot(customer).await {
            Err(error @ StoreError::Unreadable { .. }) => {
                tracing::warn!(%customer, %error, "the stored value can't be read and is fetched again");
                Ok(None)
            }
            answer => answer,
        }
    }

    /// Syncs for someone who is waiting: marks, fetches without a lease, and reports the mark
    /// done. Where this fails, or the process dies, the customer stays due. Several who wait at
    /// the same time share.
    ///
    /// # Errors
    /// As `sync`.
    pub async fn sync_now(&self, customer: &CustomerId) -> Result<Synced, Error> {
        // Who waits for a sync is not to be as large as the sync.
        self.coalescer.share(customer, Box::pin(self.sync_eagerly(customer))).await
    }

    async fn sync_eagerly(&self, customer: &CustomerId) -> Result<Synced, Error> {
        // A worker is to take the mark over only if this sync has died.
        let generation = self.mark_for(customer, self.settings.eager_grace).await?;
        let finished = async {
            let mut synced = self.sync(customer).await?;
            let mut reacted = self.react(customer, &synced).await;
            if matches!(reacted, Ok(Reacted::Changed)) {
                // Whoever waits is shown what came of it.
                synced = self.sync(customer).await?;
                reacted = self.react(customer, &synced).await;
            }
            match reacted {
                // Whoever waits is not to pay for it: a worker does the rest.
                Err(error) => {
                    tracing::warn!(%customer, %error, "what follows a sync could not be done yet");
                    self.mark_now(customer).await?;
                }
                Ok(Reacted::Changed) => drop(self.mark_now(customer).await?),
                Ok(Reacted::Nothing) if synced.written == Written::Accepted => {
                    self.settle(customer, generation, None, &synced, None).await?;
                }
                Ok(Reacted::Nothing) => {}
            }
            Ok(synced)
        };
        match finished.await {
            Ok(synced) => Ok(synced),
            Err(error) => {
                self.mark_now(customer).await?;
                Err(error)
            }
        }
    }

    pub(super) async fn mark_now(&self, customer: &CustomerId) -> Result<u64, StoreError> {
        self.mark_for(customer, std::time::Duration::ZERO).await
    }

    pub(super) async fn mark_for(
        &self,
        customer: &CustomerId,
        after: std::time::Duration,
    ) -> Result<u64, StoreError> {
        let due = Due::By(self.clock.now().plus(after));
        self.mark(&Mark::of(customer.clone(), due)).await
    }

    /// Reports a sync done; the customer stays due at its next known change, or at `again` if that
    /// is earlier. One report, so that nothing can come between.
    pub(super) async fn settle(
        &self,
        customer: &CustomerId,
        generation: u64,
        lease: Option<String>,
        synced: &Synced,
        again: Option<UnixMillis>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let change = synced.snapshot.next_change(self.now()).map(|at| self.by_our_clock(at));
        let next = change.into_iter().chain(again).min();
        let listed = synced.listed.iter().map(|(id, _)| id.clone()).collect();
        let done = Done { customer: customer.clone(), generation, lease, next, listed };
        let served = self.store.done(&done).await?;
        // A mark that was to be served later only, as of somebody who waits, says nothing of a delay.
        if let Some(since) = served.filter(|since| *since <= now) {
            telemetry::stored_after(since.until(self.clock.now()));
        }
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
        let Some(shown) = subscription.filter(|it| it.status.is_live()) else { return };
        if shown.plan.is_none() {
            tracing::warn!(%customer, product = ?shown.product_id, "the product has no metadata.plan of plans.toml: it gives no access");
        }
        if !shown.others.is_empty() {
            tracing::warn!(%customer, "the customer has more than one live subscription");
        }
        if let Err(error) = self.compare_binding(customer, listed).await {
            tracing::warn!(%customer, %error, "the binding could not be compared");
        }
    }

    /// The customer's metadata.userId against the binding. A user who has lost it gets it back:
    /// somebody who pays must not be taken for somebody who does not.
    async fn compare_binding(
        &self,
        customer: &CustomerId,
        listed: &[ListedSubscription],
    ) -> Result<(), StoreError> {
        let Some(user) = listed.iter().find_map(|it| it.user.as_ref()) else { return Ok(()) };
        let bound = self.store.bind(user, customer, None).await?;
        if bound != *customer {
            tracing::warn!(%customer, %bound, "the customer's metadata.userId belongs to a user with another customer");
        }
        Ok(())
    }
}
