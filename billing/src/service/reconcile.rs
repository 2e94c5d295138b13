//! Reconciliation: goes through Stripe's own record of events and marks every customer whose
//! stored value is not younger than what happened to them, whether a webhook came or not. It marks,
//! and never writes a value. docs/sync.md says what it heals.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use super::{Billing, telemetry};
use crate::error::{Error, StoreError};
use crate::event::{Event, Subject, TRACKED};
use crate::id::CustomerId;
use crate::ports::{Cursor, PastPass, Priority};

/// When reconciliation runs, and how far back it looks.
#[derive(Debug, Clone, Copy)]
pub struct ReconcileSettings {
    pub every: Duration,
    /// How often Redis is asked whether it has failed over.
    pub watch_every: Duration,
    /// How far before the cursor each pass begins: what Stripe lists late is not missed.
    pub overlap: Duration,
    /// What is marked again after a failover of Redis, as its last writes may be lost.
    pub failover_window: Duration,
    /// How long after an event a fetch may have been made and still not show it: a fetch is as old as
    /// Stripe's clock, or ours, says at the most.
    pub margin: Duration,
    /// A webhook may take this long before its customer counts as drift.
    pub patience: Duration,
}

impl Default for ReconcileSettings {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(5 * 60),
            watch_every: Duration::from_secs(30),
            overlap: Duration::from_secs(5 * 60),
            failover_window: Duration::from_secs(15 * 60),
            margin: Duration::from_secs(2),
            patience: Duration::from_secs(60),
        }
    }
}

/// What one pass has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Unix seconds.
    pub since: i64,
    pub events: u64,
    /// Customers that the events name.
    pub customers: u64,
    pub marked: u64,
    /// Of these, such that a webhook should have brought long ago.
    pub drift: u64,
    pub rebuild_due: Option<String>,
}

/// Which customers of the events are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whom {
    /// Those whose value may be older than the event.
    Stale,
    /// All: Redis may have lost the mark, the value or the date of the next sync.
    Everybody,
}

/// Stripe lists events for 30 days: https://docs.stripe.com/api/events
pub(super) const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Stripe takes at most so many types a call.
const TYPES: usize = 20;

/// What a pass begins with.
struct Start {
    /// What was stored; `None` where this store has never been reconciled.
    stored: Option<Cursor>,
    cursor: Cursor,
}

/// A pass on its way.
struct Pass {
    whom: Whom,
    /// Customers that the events name, and those of them that were marked.
    seen: HashSet<CustomerId>,
    marked: HashSet<CustomerId>,
    report: Reconciled,
    /// Stripe's clock at the first answer, Unix seconds.
    stripe_time: Option<i64>,
}

impl Billing {
    /// Goes through Stripe's events since the cursor and moves it.
    ///
    /// # Errors
    /// `Error` where Stripe or the store does not answer: the cursor stays, and the next pass
    /// begins where this one did.
    pub async fn reconcile(&self) -> Result<Reconciled, Error> {
        let start = self.start().await?;
        let since = start.cursor.events_until - secs(self.settings.reconcile.overlap);
        self.pass(start, since, Whom::Stale).await
    }

    /// Reconciles, unless another process has done so this short a time ago.
    pub(super) async fn reconcile_unless_done(
        &self,
        recently: Duration,
    ) -> Result<Option<Reconciled>, Error> {
        if let Some(cursor) = self.store.cursor().await?
            && let Some(last) = cursor.passes.last()
            && (0..secs(recently)).contains(&(self.clock.now().secs() - last.at))
        {
            // What another process has found is this one's to tell as well, also that a rebuild has run.
            telemetry::reconciled(last.at, cursor.rebuild_due.is_some());
            return Ok(None);
        }
        Ok(Some(self.reconcile().await?))
    }

    /// Where this store has never been reconciled, it begins now: what was before, only a rebuild
    /// can know.
    async fn start(&self) -> Result<Start, Error> {
        if let Some(cursor) = self.store.cursor().await? {
            return Ok(Start { stored: Some(cursor.clone()), cursor });
        }
        let events_until = self.now();
        let sold = !self.stripe.all_subscriptions(None).await?.items.is_empty();
        let why = "this Redis was never reconciled, and Stripe has subscriptions already";
        let rebuild_due = sold.then(|| why.to_owned());
        Ok(Start { stored: None, cursor: Cursor { events_until, rebuild_due, ..Cursor::default() } })
    }

    async fn pass(&self, start: Start, since: i64, whom: Whom) -> Result<Reconciled, Error> {
        self.ensure_account().await?;
        let Start { stored, cursor } = start;
        let began = self.now();
        let rebuild_due = cursor.rebuild_due.clone().or_else(|| too_old(since, began));
        let report = Reconciled { since, rebuild_due: rebuild_due.clone(), ..Reconciled::default() };
        let mut pass = Pass { whom, seen: HashSet::new(), marked: HashSet::new(), report, stripe_time: None };
        let heard = Priority::Background.scope(self.hear(&mut pass)).await;
        let Pass { mut report, seen, stripe_time, .. } = pass;
        let drift = cursor.drift + report.drift;
        if heard.is_err() && report.drift > 0 {
            self.keep(stored.as_ref(), &Cursor { drift, ..cursor.clone() }, report.drift).await?;
        }
        heard?;
        let ended = self.clock.now().secs();
        report.customers = u64::try_from(seen.len()).unwrap_or(u64::MAX);
        let next = Cursor {
            events_until: stripe_time.unwrap_or(began).min(began),
            rebuild_due,
            drift,
            passes: self.recent_passes(&cursor, ended, since),
        };
        self.keep(stored.as_ref(), &next, report.drift).await?;
        telemetry::reconciled(ended, report.rebuild_due.is_some());
        if report.drift > 0 {
            tracing::warn!(drift = report.drift, "customers had changed, and no webhook had said so");
        }
        Ok(report)
    }

    /// Keeps what a pass has come to, also one that failed: whom it has marked is fresh at the next one,
    /// and counts no more. A rebuild that has ended meanwhile knows better, and a store that was flushed
    /// meanwhile must not seem reconciled: of these only the drift is added, or nothing.
    async fn keep(&self, start: Option<&Cursor>, next: &Cursor, drift: u64) -> Result<(), StoreError> {
        match self.store.cursor().await? {
            stored if stored.as_ref() == start => self.store.save_cursor(next).await,
            Some(other) if drift > 0 => {
                self.store.save_cursor(&Cursor { drift: other.drift + drift, ..other }).await
            }
            _ => Ok(()),
        }
    }

    /// What a failover must go through again: the marks of these passes may be lost, also where the
    /// cursor that stands for them is not. A pass marks until its end.
    fn recent_passes(&self, cursor: &Cursor, ended: i64, since: i64) -> Vec<PastPass> {
        let window = ended - secs(self.settings.reconcile.failover_window);
        let mut passes: Vec<_> = cursor.passes.iter().filter(|pass| pass.at >= window).copied().collect();
        passes.push(PastPass { at: ended, since });
        passes
    }

    /// Marks page by page: what is cut off has still said what it has heard.
    async fn hear(&self, pass: &mut Pass) -> Result<(), Error> {
        let types: Vec<&str> = TRACKED.iter().map(|(kind, _)| *kind).collect();
        for types in types.chunks(TYPES) {
            let mut after: Option<String> = None;
            loop {
                let page = self.stripe.events(pass.report.since, types, after.as_deref()).await?;
                pass.stripe_time = pass.stripe_time.or(page.stripe_time);
                for event in page.items {
                    pass.report.events += 1;
                    self.compare(pass, &event).await?;
                }
                after = page.after;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn compare(&self, pass: &mut Pass, event: &Event) -> Result<(), Error> {
        let Subject::Customer { customer, .. } = &event.subject else { return Ok(()) };
        // Each list begins with the newest, and a mark is enough for all of a customer's events.
        let first = pass.seen.insert(customer.clone());
        if pass.marked.contains(customer) {
            return Ok(());
        }
        let settings = self.settings.reconcile;
        let fetched = self.readable(customer).await?.map(|snapshot| snapshot.synced_at);
        let stale = fetched.is_none_or(|at| at <= event.created + secs(settings.margin));
        let marks = if pass.whom == Whom::Everybody { first } else { stale };
        if !marks {
            return Ok(());
        }
        pass.marked.insert(customer.clone());
        // A webhook that came has brought a fetch from after the event.
        let missed = fetched.is_none_or(|at| at + secs(settings.margin) < event.created);
        let late = self.now() - event.created >= secs(settings.patience);
        if missed && late && pass.whom == Whom::Stale && !self.store.is_waiting(customer).await? {
            pass.report.drift += 1;
            tracing::warn!(%customer, event = %event.id, r#type = event.kind, "no webhook has brought this change");
        }
        self.mark_now(customer).await?;
        pass.report.marked += 1;
        Ok(())
    }

    /// The replication ids of Redis, where they are not those of the last time.
    ///
    /// # Errors
    /// `Error` where the store does not answer.
    pub(super) async fn another_history(&self) -> Result<Option<BTreeSet<String>>, Error> {
        let ids = self.store.replication_ids().await?;
        let known = self.store.known_replication_ids().await?;
        if known.is_empty() {
            self.store.save_replication_ids(&ids).await?;
            return Ok(None);
        }
        Ok(Some(ids).filter(|ids| *ids != known))
    }

    /// Redis has failed over, or was restarted: its last writes may be lost, so that the last minutes
    /// are marked again.
    pub(super) async fn recover_from_failover(&self, ids: &BTreeSet<String>) -> Result<Reconciled, Error> {
        let start = self.start().await?;
        let settings = self.settings.reconcile;
        let back = secs(settings.failover_window);
        let (window, recent) = (self.now() - back, self.clock.now().secs() - back);
        let passes = start.cursor.passes.iter().filter(|pass| pass.at >= recent).map(|pass| pass.since);
        let cursor = start.cursor.events_until - secs(settings.overlap);
        let since = passes.chain([window, cursor]).min().unwrap_or(window);
        let report = self.pass(start, since, Whom::Everybody).await?;
        self.store.save_replication_ids(ids).await?;
        telemetry::failover();
        tracing::warn!(
            marked = report.marked,
            "Redis has failed over or restarted: the last minutes are marked again"
        );
        Ok(report)
    }
}

pub(super) fn secs(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn too_old(since: i64, now: i64) -> Option<String> {
    (now - since > secs(KEPT)).then(|| {
        format!(
            "the last reconciliation ended {} days ago, and Stripe lists events for 30",
            (now - since) / 86_400
        )
    })
}
