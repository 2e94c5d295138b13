//! Rebuild: everything that Redis knows of Stripe, made again from Stripe alone, a hundred objects
//! a call. It is a sync of all customers at once, under the same rule: each customer's ticket is
//! taken before their subscriptions are listed, and a value that another sync has written since
//! is left alone, and that customer marked. docs/sync.md says why this suffices.

mod start;
mod writing;

use std::collections::HashMap;

use futures::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::Billing;
use super::turn::{IfLost, Turn};
use crate::error::{Error, StoreError};
use crate::fold::ListedSubscription;
use crate::id::{CustomerId, SubscriptionId, UserId};
use crate::ports::{Priority, RebuildCounts, RebuildProgress, RebuildStep, StagedCustomer};
use crate::subscription::Snapshot;

/// A user with several customers at Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub user: UserId,
    /// The customer that the user has now.
    pub bound: CustomerId,
    /// All of them with what is stored, best access first.
    pub customers: Vec<(CustomerId, Option<Snapshot>)>,
}

/// A rebuild that has come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    pub counts: RebuildCounts,
    pub conflicts: Vec<Conflict>,
    /// Unix seconds.
    pub began: i64,
}

type Told<'a> = &'a (dyn Fn(&RebuildProgress) + Send + Sync);

/// How often a page is asked for again before the rebuild ends, to be gone on with by hand.
const OUTAGES: u32 = 8;

impl Billing {
    /// Rebuilds, or goes on with a rebuild that was interrupted. `told` hears of each page.
    ///
    /// # Errors
    /// `Error` where Stripe or the store does not answer: call it again, and it goes on there.
    pub async fn rebuild(&self, told: &(dyn Fn(&RebuildProgress) + Send + Sync)) -> Result<Rebuilt, Error> {
        self.ensure_account().await?;
        let turn = self.turn_to_rebuild().await?;
        let work = async { Rebuild::begin(self, told, turn.name()).await?.run().await };
        let done = turn.hold(Priority::Background.scope(work), IfLost::Stop).await;
        turn.end().await;
        done.unwrap_or(Err(Error::RebuildRuns))
    }

    /// One that was killed a moment ago still has the turn, for a while.
    async fn turn_to_rebuild(&self) -> Result<Turn, Error> {
        let turn = Turn::of(self, "rebuild");
        if turn.take().await? {
            return Ok(turn);
        }
        tracing::warn!("another rebuild is under way, or was interrupted: waiting for its turn to end");
        let until = Instant::now() + self.settings.turn + self.settings.retry_base;
        while Instant::now() < until {
            sleep(self.settings.retry_base).await;
            if turn.take().await? {
                return Ok(turn);
            }
        }
        Err(Error::RebuildRuns)
    }
}

struct Rebuild<'a> {
    billing: &'a Billing,
    progress: RebuildProgress,
    told: Told<'a>,
    /// Whose progress it is: two rebuilds must not work on one.
    run: String,
    /// How often it has begun anew.
    begun_anew: u32,
}

/// Why a step was not done.
enum Halt {
    /// The store has lost what the rebuild kept in it, and how that shows.
    Lost(String),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// An answer about what was kept: what can't be read is as good as lost.
fn kept<T>(answer: Result<T, StoreError>) -> Result<T, Halt> {
    answer.map_err(|error| match error {
        StoreError::Unreadable { .. } => Halt::Lost(error.to_string()),
        StoreError::Unavailable(_) => error.into(),
    })
}

impl Rebuild<'_> {
    async fn run(mut self) -> Result<Rebuilt, Error> {
        loop {
            match self.go_on().await {
                Ok(rebuilt) => return Ok(rebuilt),
                Err(Halt::Failed(error)) => return Err(error),
                Err(Halt::Lost(why)) => self.begin_anew(&why).await?,
            }
        }
    }

    async fn go_on(&mut self) -> Result<Rebuilt, Halt> {
        while let Some(next) = self.patient_step().await? {
            self.progress.step = next;
            self.save().await?;
            (self.told)(&self.progress);
        }
        let conflicts = self.conflicts().await?;
        self.end().await?;
        Ok(Rebuilt { counts: self.progress.counts.clone(), conflicts, began: self.progress.began })
    }

    /// A short outage, and a budget that others use up, are waited for.
    async fn patient_step(&mut self) -> Result<Option<RebuildStep>, Halt> {
        let before = self.progress.clone();
        for attempt in 0.. {
            let error = match self.step().await {
                Err(Halt::Failed(Error::Stripe(error))) if error.is_outage() && attempt < OUTAGES => error,
                done => return done,
            };
            self.progress = before.clone();
            let wait =
                self.billing.retry_delay(attempt, error.retry_after).min(self.billing.settings.turn / 2);
            tracing::warn!(%error, wait_secs = wait.as_secs(), "the rebuild waits for Stripe");
            sleep(wait).await;
        }
        Ok(None)
    }

    /// One page of the current step. `None` at the end.
    async fn step(&mut self) -> Result<Option<RebuildStep>, Halt> {
        Ok(Some(match self.progress.step.clone() {
            RebuildStep::Customers { after } => self.customers(after).await?,
            RebuildStep::Subscriptions { after } => self.subscriptions(after).await?,
            RebuildStep::Values { page } => self.values(page).await?,
            RebuildStep::Strangers => self.strangers().await?,
            RebuildStep::Bindings { page } => self.bindings(page).await?,
            RebuildStep::Cleanup { page } => return self.cleanup(page).await,
        }))
    }

    /// A page of customers: the tickets are taken here, before any subscription is listed.
    async fn customers(&mut self, after: Option<CustomerId>) -> Result<RebuildStep, Halt> {
        let page = self.billing.stripe.all_customers(after.as_ref().map(CustomerId::as_str)).await?;
        self.progress.counts.calls += 1;
        // Events are compared with it: never younger than Stripe's clock says.
        self.progress.began = self.progress.began.min(page.stripe_time.unwrap_or(self.progress.began));
        let staged: Vec<_> = page
            .items
            .into_iter()
            .map(|it| StagedCustomer { id: it.id, user: it.user, trial_used: it.trial_used })
            .collect();
        let (store, token) = (&self.billing.store, &self.progress.token);
        let tickets = self.tickets_of(self.progress.pages)?;
        // A page at the same time: it has at most a hundred.
        try_join_all(staged.iter().map(|it| async move {
            store.begin_as(&it.id, tickets).await?;
            match &it.user {
                Some(user) => store.stage_user(token, user, &it.id).await,
                None => Ok(()),
            }
        }))
        .await?;
        if !staged.is_empty() {
            store.save_page(tickets, self.progress.pages, &staged).await?;
            self.progress.pages += 1;
            self.progress.counts.customers += count(staged.len());
        }
        if let Some(after) = page.after.map(CustomerId::parse).transpose()? {
            return Ok(RebuildStep::Customers { after: Some(after) });
        }
        // Before the first list, so that it also stands for one that nobody knows to have begun.
        self.progress.listed_since = self.billing.now();
        Ok(RebuildStep::Subscriptions { after: None })
    }

    async fn subscriptions(&mut self, after: Option<SubscriptionId>) -> Result<RebuildStep, Halt> {
        let after = after.as_ref().map(SubscriptionId::as_str);
        let page = self.billing.stripe.all_subscriptions(after).await?;
        self.progress.counts.calls += 1;
        // A clock of ours that is ahead must not make the values younger.
        let since = self.progress.listed_since;
        self.progress.listed_since = since.min(page.stripe_time.unwrap_or(since));
        let mut by_customer: HashMap<CustomerId, Vec<ListedSubscription>> = HashMap::new();
        for listed in page.items {
            match listed.map(|it| (it.customer.clone(), it)) {
                Ok((Some(customer), listed)) => {
                    self.progress.counts.subscriptions += 1;
                    by_customer.entry(customer).or_default().push(listed);
                }
                Ok((None, listed)) => self.unreadable(None, &format!("{} has no customer", listed.id)),
                Err(error) => {
                    // There is nothing to keep of it, but a stranger must be known as one.
                    if let Some(customer) = error.customer.clone() {
                        by_customer.entry(customer).or_default();
                    }
                    self.unreadable(error.customer, &error.reason);
                }
            }
        }
        self.stage(by_customer).await?;
        Ok(match page.after.map(SubscriptionId::parse).transpose()? {
            Some(after) => RebuildStep::Subscriptions { after: Some(after) },
            None => RebuildStep::Values { page: 0 },
        })
    }

    async fn stage(&self, listed: HashMap<CustomerId, Vec<ListedSubscription>>) -> Result<(), Halt> {
        let (store, token) = (&self.billing.store, &self.progress.token);
        try_join_all(listed.iter().map(|(customer, listed)| store.stage(token, customer, listed))).await?;
        // By the run that came to the list's end: each of its tickets is of a page that was saved. An
        // earlier one may have died with the ticket of somebody who was gone when the page was listed again.
        let tickets = self.tickets_of(self.progress.pages)?;
        let customers: Vec<_> = listed.into_keys().collect();
        store.stage_strangers(token, tickets, &customers).await?;
        Ok(())
    }

    /// The name of the tickets of a page's customers.
    fn tickets_of(&self, page: u64) -> Result<&str, Halt> {
        let nobody = || Halt::Lost(format!("nobody has listed its page {page}"));
        self.progress.tickets_of(page).ok_or_else(nobody)
    }

    /// A value made from a part of the list would be wrong: that customer is left to a worker.
    fn unreadable(&mut self, customer: Option<CustomerId>, reason: &str) {
        tracing::warn!(
            customer = customer.as_ref().map(CustomerId::as_str),
            reason,
            "a subscription can't be read"
        );
        self.progress.counts.failed += 1;
        self.progress.unreadable.extend(customer);
    }
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
