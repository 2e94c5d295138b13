//! The store as the verbs see it. Every method is atomic, and safe to repeat after an error.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::id::{AccountId, CheckoutSessionId, CustomerId, PlanId, PriceId, SubscriptionId, UserId};
use crate::plan::Interval;
use crate::policy::TrialTerms;
use crate::ports::{Announcements, Budget, InvoiceCopies, Queue, Reconciliation, Staging, Trials};
use crate::subscription::Snapshot;

/// Leave to write one customer's value once, taken before Stripe is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    pub seq: u64,
    pub token: String,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Accepted,
    /// The ticket is torn up: a fetch that began later has been written, or the store has lost
    /// the ticket's history.
    Refused,
}

/// The one value of each customer, under the rule of docs/sync.md.
#[async_trait]
pub trait Snapshots: Send + Sync {
    async fn begin(&self, customer: &CustomerId) -> Result<Ticket, StoreError>;
    async fn write(
        &self,
        customer: &CustomerId,
        ticket: &Ticket,
        value: &Snapshot,
    ) -> Result<Written, StoreError>;
    async fn snapshot(&self, customer: &CustomerId) -> Result<Option<Snapshot>, StoreError>;
    /// The stored text, to the letter.
    async fn snapshot_json(&self, customer: &CustomerId) -> Result<Option<String>, StoreError>;
}

/// An attempt to create a user's customer, shared by all who try at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerAttempt {
    /// Goes up when Stripe has stored a failure under the attempt's idempotency key.
    pub number: u32,
    /// Unix milliseconds.
    pub started_at: i64,
    /// The deleted customer that this one replaces.
    pub replaces: Option<CustomerId>,
}

/// Which customer belongs to which user.
#[async_trait]
pub trait Bindings: Send + Sync {
    async fn customer_of(&self, user: &UserId) -> Result<Option<CustomerId>, StoreError>;
    /// Binds if the binding is still `expected`; returns the customer that is bound afterwards.
    async fn bind(
        &self,
        user: &UserId,
        customer: &CustomerId,
        expected: Option<&CustomerId>,
    ) -> Result<CustomerId, StoreError>;
    /// Starts `proposed` where no attempt runs; returns the one that runs.
    async fn customer_attempt(
        &self,
        user: &UserId,
        proposed: &CustomerAttempt,
    ) -> Result<CustomerAttempt, StoreError>;
    /// Puts `next` in the place of `current`, if that still runs.
    async fn replace_customer_attempt(
        &self,
        user: &UserId,
        current: &CustomerAttempt,
        next: &CustomerAttempt,
    ) -> Result<(), StoreError>;
    /// Which Stripe account this store belongs to, if any has come yet.
    async fn account(&self) -> Result<Option<Account>, StoreError>;
    /// Records which Stripe account this store belongs to, once; returns the recorded one.
    async fn claim_account(&self, account: &Account) -> Result<Account, StoreError>;
}

/// Which account of Stripe, and in which mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub account: AccountId,
    pub mode: AccountMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountMode {
    Test,
    Live,
}

/// A customer's one checkout: first without a session, then with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckoutAttempt {
    /// Random; the session's idempotency key is made from it.
    pub token: String,
    pub user: UserId,
    pub plan: PlanId,
    pub interval: Interval,
    pub price: PriceId,
    /// `None` where the subscription begins with its first payment.
    #[serde(default)]
    pub trial: Option<TrialTerms>,
    /// Unix seconds.
    pub expires_at: i64,
    pub session: Option<CheckoutSessionId>,
}

/// The checkout that a customer has open, at most one.
#[async_trait]
pub trait Checkouts: Send + Sync {
    async fn checkout_attempt(&self, customer: &CustomerId) -> Result<Option<CheckoutAttempt>, StoreError>;
    /// Puts `next` in the place of `current`, if that is still what is stored; returns what is
    /// stored afterwards.
    async fn swap_checkout_attempt(
        &self,
        customer: &CustomerId,
        current: Option<&CheckoutAttempt>,
        next: Option<&CheckoutAttempt>,
    ) -> Result<Option<CheckoutAttempt>, StoreError>;
    /// For which live subscription the customer's open checkouts have all been closed.
    async fn checkouts_closed_for(&self, customer: &CustomerId)
    -> Result<Option<SubscriptionId>, StoreError>;
    async fn set_checkouts_closed_for(
        &self,
        customer: &CustomerId,
        subscription: &SubscriptionId,
    ) -> Result<(), StoreError>;
}

/// Everything a store must do.
pub trait Store:
    Snapshots
    + Bindings
    + Checkouts
    + Trials
    + InvoiceCopies
    + Queue
    + Budget
    + Staging
    + Reconciliation
    + Announcements
{
}
impl<T> Store for T where
    T: Snapshots
        + Bindings
        + Checkouts
        + Trials
        + InvoiceCopies
        + Queue
        + Budget
        + Staging
        + Reconciliation
        + Announcements
{
}
