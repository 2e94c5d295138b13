//! How a rebuild begins: it goes on with one that was interrupted, and begins anew where the store
//! has lost what that one kept.

use std::collections::BTreeSet;

use super::{Halt, Rebuild, Told};
use crate::error::{Error, StoreError};
use crate::ports::{RebuildCounts, RebuildProgress, RebuildStep, random_token};
use crate::service::Billing;

/// Seconds. Well below a ticket's life of a day: an older rebuild would be refused every value.
const RESUMED_FOR: i64 = 20 * 3600;
/// How often one run begins anew. A store that loses more is not one to rebuild into.
const ANEW: u32 = 3;

impl<'a> Rebuild<'a> {
    /// Takes over from whoever has rebuilt before, dead or alive.
    pub(super) async fn begin(billing: &'a Billing, told: Told<'a>, run: &str) -> Result<Self, Error> {
        let (interrupted, begun_anew) = match billing.store.adopt_rebuild(run).await {
            Err(error @ StoreError::Unreadable { .. }) => {
                tracing::warn!(%error, "the rebuild that was interrupted can't be read: it begins anew");
                (None, 1)
            }
            found => (found?, 0),
        };
        let resumed = interrupted.filter(|it| billing.now() - it.began < RESUMED_FOR);
        let progress = match resumed {
            Some(progress) => with_lister(progress, run),
            None => fresh(billing, run.to_owned()).await?,
        };
        let rebuild = Self { billing, progress, told, run: run.to_owned(), begun_anew };
        rebuild.save().await?;
        Ok(rebuild)
    }

    /// From the first page, under names that nothing was kept under.
    pub(super) async fn begin_anew(&mut self, why: &str) -> Result<(), Error> {
        if self.begun_anew == ANEW {
            tracing::error!(why, "the rebuild has begun anew {ANEW} times, and does no more");
            return Err(Error::StoreForgets);
        }
        self.begun_anew += 1;
        self.progress = fresh(self.billing, random_token()).await?;
        // A late run finds nothing either: its successor has tidied up.
        self.save().await?;
        tracing::warn!(why, "Redis has lost what the rebuild kept: it begins anew");
        Ok(())
    }

    /// Only as long as the progress is this run's.
    pub(super) async fn save(&self) -> Result<(), Error> {
        let saved = self.billing.store.save_rebuild(&self.run, &self.progress).await?;
        if saved { Ok(()) } else { Err(Error::RebuildRuns) }
    }

    /// A Redis that has failed over or restarted may have lost its last writes, and nothing that is
    /// missing afterwards tells.
    pub(super) async fn ensure_same_history(&self) -> Result<(), Halt> {
        if self.billing.store.replication_ids().await? == self.progress.replication_ids {
            return Ok(());
        }
        Err(Halt::Lost("Redis has failed over or restarted".to_owned()))
    }
}

/// Who goes on listing customers does so under a name of its own.
fn with_lister(mut progress: RebuildProgress, run: &str) -> RebuildProgress {
    if matches!(progress.step, RebuildStep::Customers { .. }) {
        progress.runs.push((progress.pages, run.to_owned()));
    }
    progress
}

async fn fresh(billing: &Billing, tickets: String) -> Result<RebuildProgress, Error> {
    let now = billing.now();
    Ok(RebuildProgress {
        token: format!("rebuild-{}", random_token()),
        runs: vec![(0, tickets)],
        replication_ids: billing.store.replication_ids().await?,
        began: now,
        listed_since: now,
        step: RebuildStep::Customers { after: None },
        pages: 0,
        unreadable: BTreeSet::new(),
        conflicts: Vec::new(),
        counts: RebuildCounts::default(),
    })
}
