//! What a rebuild keeps in the store while it lists all of Stripe, so that it can be resumed after
//! a crash. Everything here may be thrown away: a rebuild that is begun again gives the same.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::Ticket;
use crate::error::StoreError;
use crate::fold::ListedSubscription;
use crate::id::{CustomerId, SubscriptionId, UserId};

/// How far a rebuild has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RebuildProgress {
    /// Names what it keeps.
    pub token: String,
    /// Unix seconds, Stripe's or ours, whichever is earlier.
    pub began: i64,
    pub step: RebuildStep,
    /// Pages of customers kept so far.
    pub pages: u64,
    pub counts: RebuildCounts,
    /// Customers with a subscription that could not be read.
    #[serde(default)]
    pub unreadable: BTreeSet<CustomerId>,
    /// Users with several customers, found so far.
    #[serde(default)]
    pub conflicts: Vec<StagedConflict>,
}

/// Each step goes through all pages, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "name")]
pub enum RebuildStep {
    /// Lists customers: takes a ticket of each, and keeps who belongs to which user.
    Customers { after: Option<CustomerId> },
    /// Lists subscriptions, and keeps them by customer.
    Subscriptions { after: Option<SubscriptionId> },
    /// Folds and writes the values, page by page.
    Values { page: u64 },
    /// Binds users, page by page.
    Bindings { page: u64 },
    /// Throws away what was kept, page by page.
    Cleanup { page: u64 },
}

/// What a rebuild has seen and done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RebuildCounts {
    pub calls: u64,
    pub customers: u64,
    pub subscriptions: u64,
    /// Values that say something else than before.
    pub changed: u64,
    pub unchanged: u64,
    /// Customers with a sync of their own since the rebuild began: left to a worker.
    pub marked: u64,
    /// What could not be read, with a warning in the log.
    pub failed: u64,
    pub bound: u64,
    /// Users with several customers.
    pub conflicts: u64,
}

/// A user with several customers, best access first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StagedConflict {
    pub user: UserId,
    pub bound: CustomerId,
    pub customers: Vec<CustomerId>,
}

/// A customer as a page keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StagedCustomer {
    pub id: CustomerId,
    /// The token of the ticket: that of the run which has listed the customer, so that one which was
    /// interrupted and wakes late can't give a used ticket back to its successor.
    pub ticket: String,
    pub user: Option<UserId>,
}

/// The store's side of a rebuild. Each method may be repeated.
#[async_trait]
pub trait Staging: Send + Sync {
    async fn rebuild_progress(&self) -> Result<Option<RebuildProgress>, StoreError>;
    async fn save_rebuild_progress(&self, progress: &RebuildProgress) -> Result<(), StoreError>;
    /// Forgets the progress: the rebuild is over.
    async fn end_rebuild(&self) -> Result<(), StoreError>;

    /// `Snapshots::begin` with a given token; another ticket with this token moves up.
    async fn begin_as(&self, customer: &CustomerId, token: &str) -> Result<Ticket, StoreError>;

    async fn save_page(&self, token: &str, page: u64, customers: &[StagedCustomer])
    -> Result<(), StoreError>;
    /// Empty where the page was dropped already.
    async fn page(&self, token: &str, page: u64) -> Result<Vec<StagedCustomer>, StoreError>;
    async fn drop_page(&self, token: &str, page: u64) -> Result<(), StoreError>;

    /// Adds to what is kept of a customer, by subscription: the same one twice is one.
    async fn stage(
        &self,
        token: &str,
        customer: &CustomerId,
        listed: &[ListedSubscription],
    ) -> Result<(), StoreError>;
    async fn staged(&self, token: &str, customer: &CustomerId)
    -> Result<Vec<ListedSubscription>, StoreError>;
    async fn unstage(&self, token: &str, customer: &CustomerId) -> Result<(), StoreError>;

    /// Adds to the customers that name this user in their metadata.
    async fn stage_user(&self, token: &str, user: &UserId, customer: &CustomerId) -> Result<(), StoreError>;
    async fn staged_user(&self, token: &str, user: &UserId) -> Result<Vec<CustomerId>, StoreError>;
    async fn unstage_user(&self, token: &str, user: &UserId) -> Result<(), StoreError>;
}
