//! Rebuild: everything that Redis knows of Stripe, made again from Stripe alone, a hundred objects
//! a call. It is a sync of all customers at once, under the same rule: each customer's ticket is
//! taken before their subscriptions are listed, and a value that another sync has written since
//! is left alone, and that customer marked. docs/sync.md says why this suffices.

mod writing;

use std::collections::{BTreeSet, HashMap};

use futures::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::{Billing, random_token};
use crate::error::Error;
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

/// Seconds. Well below a ticket's life of a day: an older rebuild would be refused every value.
const RESUMED_FOR: i64 = 20 * 3600;
const TURN_OF: &str = "rebuild";
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
        let mut rebuild = Rebuild { billing: self, progress: self.begin_or_resume().await?, told, turn };
        Priority::Background.scope(rebuild.run()).await
    }

    /// One that was interrupted a moment ago still has the turn, for a while.
    async fn turn_to_rebuild(&self) -> Result<String, Error> {
        let turn = random_token();
        if self.store.take_turn(TURN_OF, &turn, self.settings.turn).await? {
            return Ok(turn);
        }
        tracing::warn!("another rebuild is under way, or was interrupted: waiting for its turn to end");
        let until = Instant::now() + self.settings.turn + self.settings.retry_base;
        while Instant::now() < until {
            sleep(self.settings.retry_base).await;
            if self.store.take_turn(TURN_OF, &turn, self.settings.turn).await? {
                return Ok(turn);
            }
        }
        Err(Error::RebuildRuns)
    }

    async fn begin_or_resume(&self) -> Result<RebuildProgress, Error> {
        let now = self.now();
        if let Some(interrupted) = self.store.rebuild_progress().await?
            && now - interrupted.began < RESUMED_FOR
        {
            return Ok(interrupted);
        }
        Ok(RebuildProgress {
            token: format!("rebuild-{}", random_token()),
            began: now,
            step: RebuildStep::Customers { after: None },
            pages: 0,
            unreadable: BTreeSet::new(),
            conflicts: Vec::new(),
            counts: RebuildCounts::default(),
        })
    }
}

struct Rebuild<'a> {
    billing: &'a Billing,
    progress: RebuildProgress,
    told: &'a (dyn Fn(&RebuildProgress) + Send + Sync),
    /// So that two rebuilds don't work on one progress.
    turn: String,
}

impl Rebuild<'_> {
    async fn run(&mut self) -> Result<Rebuilt, Error> {
        while let Some(next) = self.patient_step().await? {
            self.progress.step = next;
            self.billing.store.save_rebuild_progress(&self.progress).await?;
            (self.told)(&self.progress);
        }
        let conflicts = self.conflicts().await?;
        self.end().await?;
        self.billing.store.end_turn(TURN_OF, &self.turn).await?;
        Ok(Rebuilt { counts: self.progress.counts.clone(), conflicts, began: self.progress.began })
    }

    /// A short outage, and a budget that others use up, are waited for.
    async fn patient_step(&mut self) -> Result<Option<RebuildStep>, Error> {
        let before = self.progress.clone();
        for attempt in 0.. {
            if !self.billing.store.take_turn(TURN_OF, &self.turn, self.billing.settings.turn).await? {
                return Err(Error::RebuildRuns);
            }
            let error = match self.step().await {
                Err(Error::Stripe(error)) if error.is_outage() && attempt < OUTAGES => error,
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
    async fn step(&mut self) -> Result<Option<RebuildStep>, Error> {
        Ok(Some(match self.progress.step.clone() {
            RebuildStep::Customers { after } => self.customers(after).await?,
            RebuildStep::Subscriptions { after } => self.subscriptions(after).await?,
            RebuildStep::Values { page } => self.values(page).await?,
            RebuildStep::Bindings { page } => self.bindings(page).await?,
            RebuildStep::Cleanup { page } => return self.cleanup(page).await,
        }))
    }

    /// A page of customers: the tickets are taken here, before any subscription is listed.
    async fn customers(&mut self, after: Option<CustomerId>) -> Result<RebuildStep, Error> {
        let page = self.billing.stripe.all_customers(after.as_ref().map(CustomerId::as_str)).await?;
        self.progress.counts.calls += 1;
        // Events are compared with it: never younger than Stripe's clock says.
        self.progress.began = self.progress.began.min(page.stripe_time.unwrap_or(self.progress.began));
        let staged: Vec<_> = page
            .items
            .into_iter()
            .map(|it| StagedCustomer { id: it.id, user: it.user, ticket: self.turn.clone() })
            .collect();
        let (store, token) = (&self.billing.store, &self.progress.token);
        // A page at the same time: it has at most a hundred.
        try_join_all(staged.iter().map(|it| async move {
            store.begin_as(&it.id, &it.ticket).await?;
            match &it.user {
                Some(user) => store.stage_user(token, user, &it.id).await,
                None => Ok(()),
            }
        }))
        .await?;
        if !staged.is_empty() {
            store.save_page(token, self.progress.pages, &staged).await?;
            self.progress.pages += 1;
            self.progress.counts.customers += count(staged.len());
        }
        Ok(match page.after.map(CustomerId::parse).transpose()? {
            Some(after) => RebuildStep::Customers { after: Some(after) },
            None => RebuildStep::Subscriptions { after: None },
        })
    }

    async fn subscriptions(&mut self, after: Option<SubscriptionId>) -> Result<RebuildStep, Error> {
        let after = after.as_ref().map(SubscriptionId::as_str);
        let page = self.billing.stripe.all_subscriptions(after).await?;
        self.progress.counts.calls += 1;
        let mut by_customer: HashMap<CustomerId, Vec<ListedSubscription>> = HashMap::new();
        for listed in page.items {
            match listed.map(|it| (it.customer.clone(), it)) {
                Ok((Some(customer), listed)) => {
                    self.progress.counts.subscriptions += 1;
                    by_customer.entry(customer).or_default().push(listed);
                }
                Ok((None, listed)) => self.unreadable(None, &format!("{} has no customer", listed.id)),
                Err(error) => self.unreadable(error.customer, &error.reason),
            }
        }
        let (store, token) = (&self.billing.store, &self.progress.token);
        try_join_all(by_customer.iter().map(|(customer, listed)| store.stage(token, customer, listed)))
            .await?;
        Ok(match page.after.map(SubscriptionId::parse).transpose()? {
            Some(after) => RebuildStep::Subscriptions { after: Some(after) },
            None => RebuildStep::Values { page: 0 },
        })
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
