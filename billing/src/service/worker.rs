//! Syncs the customers that are due. Any number of workers in any number of processes may run:
//! the store's leases share the work out, and docs/sync.md says why it is right without them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use rand::Rng;
use tokio::task::JoinSet;

use super::Billing;
use crate::error::Error;
use crate::ports::{Claim, Written};

/// A loop that claims and syncs until it is told to stop.
pub struct Worker {
    billing: Arc<Billing>,
}

impl Worker {
    #[must_use]
    pub fn new(billing: Arc<Billing>) -> Self {
        Self { billing }
    }

    /// Runs until `stop` resolves; syncs that are under way are finished first.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        let mut running = JoinSet::new();
        // Looked at between two claims, and never in one: a claim that is cut off costs a lease.
        while (&mut stop).now_or_never().is_none() {
            while running.try_join_next().is_some() {}
            let free = self.billing.settings.concurrency.saturating_sub(running.len());
            if free == 0 {
                running.join_next().await;
                continue;
            }
            let pause = match self.billing.store.claim(free).await {
                Ok(claims) if !claims.is_empty() => {
                    for claim in claims {
                        let billing = self.billing.clone();
                        running.spawn(async move { billing.work(claim).await });
                    }
                    continue;
                }
                Ok(_) => self.pause().await,
                Err(error) => {
                    tracing::warn!(%error, "no due customers could be claimed");
                    self.billing.settings.poll
                }
            };
            tokio::select! {
                () = &mut stop => break,
                () = self.billing.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Until the next customer is due, but never long: another process may have marked one.
    async fn pause(&self) -> Duration {
        let poll = self.billing.settings.poll;
        match self.billing.store.next_due().await {
            Ok(Some(due)) => self.billing.clock.now().until(due).clamp(Duration::from_millis(10), poll),
            Ok(None) | Err(_) => poll,
        }
    }
}

impl Billing {
    async fn work(&self, claim: Claim) {
        // A sync must end, one way or the other, before its lease does.
        let sync = AssertUnwindSafe(self.sync_claimed(&claim)).catch_unwind();
        let (why, asked) = match tokio::time::timeout(self.settings.sync_deadline, sync).await {
            Ok(Ok(Ok(()))) => return,
            Ok(Ok(Err(error))) => (error.to_string(), error.retry_after()),
            Ok(Err(_)) => ("the sync panicked".to_owned(), None),
            Err(_) => ("the sync took too long".to_owned(), None),
        };
        let wait = self.retry_delay(claim.attempts, asked);
        tracing::warn!(customer = %claim.customer, attempts = claim.attempts + 1, error = why, "the sync failed and will be tried again");
        if let Err(error) = self.store.failed(&claim, &why, self.clock.now().plus(wait)).await {
            tracing::warn!(customer = %claim.customer, %error, "the failure was not stored: the lease will run out");
        }
    }

    async fn sync_claimed(&self, claim: &Claim) -> Result<(), Error> {
        let synced = self.sync(&claim.customer).await?;
        if synced.written == Written::Refused {
            // Overtaken by a sync that began later, or the ticket's history is lost: we cannot
            // tell, so the customer stays due.
            self.mark_now(&claim.customer).await?;
        }
        self.after_sync(&claim.customer, &synced).await?;
        self.settle(&claim.customer, claim.generation, Some(claim.lease.clone()), &synced).await
    }

    /// Exponential with full jitter, at least as long as Stripe asks.
    fn retry_delay(&self, attempts: u32, asked: Option<Duration>) -> Duration {
        let ceiling =
            self.settings.retry_base.saturating_mul(1 << attempts.min(20)).min(self.settings.retry_cap);
        let delay = ceiling.mul_f64(rand::rng().random::<f64>());
        asked.map_or(delay, |asked| asked.max(delay))
    }
}
