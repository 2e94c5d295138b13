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
    /// Which runs have listed customers: the first page of each, and the name of its tickets. Such a
    /// name is used once, so that a run which was interrupted and wakes late can give no used ticket
    /// back to its successor.
    pub runs: Vec<(u64, String)>,
    /// Redis' replication ids at its beginning: with others, what was kept may be lost.
    pub replication_ids: BTreeSet<String>,
    /// Unix seconds, Stripe's or ours, whichever is earlier.
    pub began: i64,
    /// Since when subscriptions are listed, as `began`; until then the same.
    pub listed_since: i64,
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

impl RebuildProgress {
    /// The name of the tickets of this page's customers: that of the run which has listed them.
    #[must_use]
    pub fn tickets_of(&self, page: u64) -> Option<&str> {
        self.runs.iter().rev().find(|(first, _)| *first <= page).map(|(_, tickets)| tickets.as_str())
    }
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
    /// Leaves to a worker whom no page has, and whose subscriptions are listed all the same.
    Strangers,
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
    /// Left to a worker: customers with a sync of their own since the rebuild began, or of whom not
    /// everything is known.
    pub marked: u64,
    /// Of these, customers that Stripe does not list: deleted, or made since.
    #[serde(default)]
    pub strangers: u64,
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
    pub user: Option<UserId>,
    /// `metadata.trial` is `used`.
    #[serde(default)]
    pub trial_used: bool,
}

/// The store's side of a rebuild. Each method may be repeated.
#[async_trait]
pub trait Staging: Send + Sync {
    /// Makes the progress this run's, and returns it. From here on no other run saves or ends it.
    /// `Unreadable` where it can't be read: it is this run's all the same.
    async fn adopt_rebuild(&self, run: &str) -> Result<Option<RebuildProgress>, StoreError>;
    /// False, and nothing is saved, where the progress is not this run's any more.
    async fn save_rebuild(&self, run: &str, progress: &RebuildProgress) -> Result<bool, StoreError>;
    /// Forgets the progress: the rebuild is over. False where it is another run's; true where there is
    /// none, as where this is the second call.
    async fn end_rebuild(&self, run: &str) -> Result<bool, StoreError>;

    /// `Snapshots::begin` with a given token; another ticket with this token moves up.
    async fn begin_as(&self, customer: &CustomerId, token: &str) -> Result<Ticket, StoreError>;

    /// Pages are kept by the name of their tickets: a late run's are not those of its successor.
    async fn save_page(
        &self,
        tickets: &str,
        page: u64,
        customers: &[StagedCustomer],
    ) -> Result<(), StoreError>;
    /// `None` where the page was dropped, or is lost.
    async fn page(&self, tickets: &str, page: u64) -> Result<Option<Vec<StagedCustomer>>, StoreError>;
    async fn drop_page(&self, tickets: &str, page: u64) -> Result<(), StoreError>;

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

    /// Keeps those of these customers who have no ticket of this name. A used ticket is none, so that
    /// not all of them are strangers; but all strangers are kept.
    async fn stage_strangers(
        &self,
        token: &str,
        tickets: &str,
        customers: &[CustomerId],
    ) -> Result<(), StoreError>;
    /// Some of those that are kept, a page's worth; none at the end.
    async fn staged_strangers(&self, token: &str) -> Result<Vec<CustomerId>, StoreError>;
    async fn unstage_strangers(&self, token: &str, customers: &[CustomerId]) -> Result<(), StoreError>;

    /// Adds to the customers that name this user in their metadata.
    async fn stage_user(&self, token: &str, user: &UserId, customer: &CustomerId) -> Result<(), StoreError>;
    async fn staged_user(&self, token: &str, user: &UserId) -> Result<Vec<CustomerId>, StoreError>;
    async fn unstage_user(&self, token: &str, user: &UserId) -> Result<(), StoreError>;
}
