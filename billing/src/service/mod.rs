//! The verbs. `Billing` is the only thing that calls Stripe or writes the store, and `sync` the
//! only one of its verbs that writes a customer's value.
//!
//! May import the domain and the ports; it never sees an adapter, a page or a session.

mod account;
mod cancel;
mod catalog;
mod change;
mod checkout;
mod coalesce;
mod customer;
mod inspect;
mod invoices;
mod late_payment;
mod outcome;
mod portal;
mod push;
mod queues;
mod reaction;
mod rebuild;
mod reconcile;
mod reconciler;
mod standing;
mod strangers;
mod sync;
mod telemetry;
mod trials;
mod turn;
mod worker;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use coalesce::Coalescer;
use queues::Queues;
use reaction::Reacted;
use strangers::Strangers;

pub use account::AccountClaim;
pub use cancel::Farewell;
pub use catalog::PlanBook;
pub use change::{ChangePreview, Changed, Confirmed, When};
pub use checkout::{Checkout, CheckoutChoice};
pub use customer::Buyer;
pub use inspect::ReceivedEvent;
pub use invoices::Invoices;
pub use outcome::Outcome;
pub use push::{Change, ChangeKind};
pub use rebuild::{Conflict, Rebuilt};
pub use reconcile::{ReconcileSettings, Reconciled};
pub use reconciler::Reconciler;
pub use standing::Standing;
pub use sync::Synced;
pub use worker::Worker;

use crate::access::AccessPolicy;
use crate::clock::UnixMillis;
use crate::error::{Error, StoreError, StripeError, StripeErrorKind};
use crate::id::{CustomerId, UserId};
use crate::plan::Catalog;
use crate::ports::{AccountMode, Clock, Mark, Store, Stripe};
use crate::subscription::Snapshot;

/// Every duration of the verbs, and the two addresses that Stripe sends a buyer back to.
#[derive(Debug, Clone)]
pub struct Settings {
    pub success_url: String,
    pub cancel_url: String,
    /// How long a Checkout Session stays open; Stripe takes 30 minutes to 24 hours.
    pub checkout_lifetime: Duration,
    /// A sync that somebody waits for is repeated by a worker this long after its start, if the
    /// process that ran it has died.
    pub eager_grace: Duration,
    /// What a worker's sync takes longer than this is given up.
    pub sync_deadline: Duration,
    /// How often a worker says that it is still at work; well below the queue's lease.
    pub renew_every: Duration,
    /// How long syncs that are under way may take after the stop signal.
    pub drain: Duration,
    /// A value that gives access and was fetched this short a time ago is shown to a buyer without
    /// another fetch; as long as the queue's quiet time, after which one follows anyway.
    pub fresh: Duration,
    /// How long somebody who waits is kept waiting for Stripe.
    pub patience: Duration,
    pub retry_base: Duration,
    pub retry_cap: Duration,
    /// How long products and prices are remembered.
    pub catalog_life: Duration,
    /// How long what follows a sync, as closing other checkouts, may take; then it is done by a later one.
    pub reaction: Duration,
    /// A worker looks this often, whether woken or not.
    pub poll: Duration,
    /// How long a process that has died in its turn, as to reconcile or rebuild, keeps the others from
    /// theirs.
    pub turn: Duration,
    pub reconcile: ReconcileSettings,
    pub concurrency: usize,
}

impl Settings {
    /// The defaults, with the two addresses of the app.
    #[must_use]
    pub fn new(success_url: impl Into<String>, cancel_url: impl Into<String>) -> Self {
        Self {
            success_url: success_url.into(),
            cancel_url: cancel_url.into(),
            checkout_lifetime: Duration::from_secs(23 * 3600),
            eager_grace: Duration::from_secs(30),
            sync_deadline: Duration::from_secs(45),
            renew_every: Duration::from_secs(6),
            drain: Duration::from_secs(10),
            fresh: Duration::from_secs(3),
            patience: Duration::from_secs(12),
            retry_base: Duration::from_secs(1),
            retry_cap: Duration::from_secs(15 * 60),
            catalog_life: Duration::from_secs(10 * 60),
            reaction: Duration::from_secs(5),
            poll: Duration::from_secs(10),
            turn: Duration::from_secs(30),
            reconcile: ReconcileSettings::default(),
            concurrency: 8,
        }
    }
}

/// The verbs over one Stripe account and one store.
pub struct Billing {
    stripe: Arc<dyn Stripe>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    catalog: Catalog,
    book: PlanBook,
    settings: Settings,
    coalescer: Coalescer,
    /// Users whose customer is being made.
    buyers: Queues<UserId, ()>,
    strangers: Strangers,
    /// The mode, as long as Stripe has not said which account the key is for.
    unverified: Mutex<Option<AccountMode>>,
}

impl Billing {
    #[must_use]
    pub fn new(
        stripe: Arc<dyn Stripe>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        catalog: Catalog,
        settings: Settings,
    ) -> Self {
        let book = PlanBook::new(settings.catalog_life);
        Self {
            stripe,
            store,
            clock,
            catalog,
            book,
            settings,
            coalescer: Coalescer::default(),
            buyers: Queues::default(),
            strangers: Strangers::default(),
            unverified: Mutex::new(None),
        }
    }

    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    #[must_use]
    pub fn access_policy(&self) -> AccessPolicy {
        self.catalog.policy().access
    }

    /// What time it is at Stripe, Unix seconds: what its objects say is compared with it. When
    /// something is due here is counted by our own clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.stripe_now().secs()
    }

    /// When our clock shows what Stripe's shows at `stripe_time`, Unix seconds.
    fn by_our_clock(&self, stripe_time: i64) -> UnixMillis {
        UnixMillis(UnixMillis::from_secs(stripe_time).0.saturating_sub(self.stripe.ahead()))
    }

    fn stripe_now(&self) -> UnixMillis {
        UnixMillis(self.clock.now().0.saturating_add(self.stripe.ahead()))
    }

    /// Says that a customer may have changed. When this returns, the store has it.
    ///
    /// # Errors
    /// `StoreError` where it could not be stored: the trigger is not taken.
    pub async fn mark(&self, mark: &Mark) -> Result<u64, StoreError> {
        self.store.mark(mark).await
    }

    /// The customer that is bound to a user.
    ///
    /// # Errors
    /// `StoreError`.
    pub async fn customer_of(&self, user: &UserId) -> Result<Option<CustomerId>, StoreError> {
        self.store.customer_of(user).await
    }

    /// Ends a wait for Stripe that nobody would sit through. What is cut off is safe to repeat.
    async fn patiently<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        within(self.settings.patience, Box::pin(work)).await
    }

    /// What the store says of a user, and nothing else is asked.
    ///
    /// # Errors
    /// `StoreError`.
    pub async fn stored_subscription_of(&self, user: &UserId) -> Result<Option<Snapshot>, StoreError> {
        let Some(customer) = self.store.customer_of(user).await? else { return Ok(None) };
        self.readable(&customer).await
    }

    /// What the store says of a user; a value that is missing or can't be read is fetched, and one
    /// that has slept through a renewal is marked.
    ///
    /// # Errors
    /// `Error` where the store, or Stripe for a missing value, does not answer.
    pub async fn subscription_of(&self, user: &UserId) -> Result<Option<Snapshot>, Error> {
        let Some(customer) = self.store.customer_of(user).await? else { return Ok(None) };
        let Some(snapshot) = self.readable(&customer).await? else {
            return Ok(Some(self.patiently(self.sync_now(&customer)).await?.snapshot));
        };
        if snapshot.is_overdue(self.now()) {
            self.mark_now(&customer).await?;
        }
        Ok(Some(snapshot))
    }

    /// The stored value to the letter, for `GET /api/subscription`.
    ///
    /// # Errors
    /// As `subscription_of`.
    pub async fn subscription_json(&self, user: &UserId) -> Result<Option<String>, Error> {
        if self.subscription_of(user).await?.is_none() {
            return Ok(None);
        }
        let Some(customer) = self.store.customer_of(user).await? else { return Ok(None) };
        Ok(self.store.snapshot_json(&customer).await?)
    }

    /// What the received-events list keeps for people to read. Losing one loses no change.
    pub async fn record(&self, received: &crate::ports::Received) {
        if let Err(error) = self.store.record(received).await {
            tracing::warn!(%error, event = %received.id, "the list of received events was not written");
        }
    }
}

/// What takes longer counts as an outage.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(StripeError::new(StripeErrorKind::Unavailable, "no answer in time").into()),
    }
}
