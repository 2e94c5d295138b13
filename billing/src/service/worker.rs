//! Syncs the customers that are due. Any number of workers in any number of processes may run:
//! the store's leases share the work out, and docs/sync.md says why it is right without them.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use rand::Rng;
use tokio::task::JoinSet;

use super::Billing;
use crate::error::Error;
use crate::ports::{Claim, Due, Mark, Written};

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
            let claims = self.claim(free).await;
            let found = !claims.is_empty();
            for claim in claims {
                let billing = self.billing.clone();
                running.spawn(async move { billing.work(claim).await });
            }
            if found {
                continue;
            }
            let pause = self.pause().await;
            tokio::select! {
                () = &mut stop => break,
                () = self.billing.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn claim(&self, free: usize) -> Vec<Claim> {
        match self.billing.store.claim(free).await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::warn!(%error, "no due customers could be claimed");
                Vec::new()
            }
        }
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
        let Err(error) = self.sync_claimed(&claim).await else {
            return;
        };
        let wait = self.retry_delay(claim.attempts, error.retry_after());
        tracing::warn!(customer = %claim.customer, attempts = claim.attempts + 1, %error, "the sync failed and will be tried again");
        let failed = self.store.failed(&claim, &error.to_string(), self.clock.now().plus(wait)).await;
        if let Err(error) = failed {
            tracing::warn!(customer = %claim.customer, %error, "the failure was not stored: the lease will run out");
        }
    }

    async fn sync_claimed(&self, claim: &Claim) -> Result<(), Error> {
        let mut synced = self.sync(&claim.customer).await?;
        if let Some(expected) = claim.expects.as_ref().filter(|id| !synced.listed.contains(id)) {
            tracing::info!(customer = %claim.customer, subscription = %expected, "the fetch lacks what an event named: once more");
            tokio::time::sleep(self.settings.recheck).await;
            synced = self.sync(&claim.customer).await?;
        }
        if synced.written == Written::Refused {
            // Overtaken by a sync that began later, or the ticket's history is lost: we cannot
            // tell, so the customer stays due.
            let due = Due::By(self.clock.now());
            self.mark(&Mark { customer: claim.customer.clone(), due, expects: None }).await?;
        }
        self.after_sync(&claim.customer, &synced.snapshot).await;
        self.settle(&claim.customer, claim.generation, Some(claim.lease.clone()), &synced.snapshot).await
    }

    /// Exponential with full jitter, at least as long as Stripe asks.
    fn retry_delay(&self, attempts: u32, asked: Option<Duration>) -> Duration {
        let ceiling =
            self.settings.retry_base.saturating_mul(1 << attempts.min(20)).min(self.settings.retry_cap);
        let delay = ceiling.mul_f64(rand::rng().random::<f64>());
        asked.map_or(delay, |asked| asked.max(delay))
    }
}
