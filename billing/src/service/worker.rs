//! Syncs the customers that are due. Any number of workers in any number of processes may run:
//! the store's leases share the work out, and docs/sync.md says why it is right without them.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use rand::Rng;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::{Billing, Reacted, Settings, telemetry};
use crate::error::Error;
use crate::ports::{Claim, Priority, Written};

/// A loop that claims and syncs until it is told to stop.
pub struct Worker {
    billing: Arc<Billing>,
    running: JoinSet<String>,
    /// What is lent to us, by lease.
    held: HashMap<String, (Claim, AbortHandle)>,
    renewed: Instant,
}

/// What to do next.
enum Next {
    Look,
    Renew,
    Stop,
}

impl Worker {
    #[must_use]
    pub fn new(billing: Arc<Billing>) -> Self {
        Self { billing, running: JoinSet::new(), held: HashMap::new(), renewed: Instant::now() }
    }

    /// Runs until `stop` resolves. Syncs that are under way may finish; what takes too long is
    /// cut off and given back, so that another process has it at once.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        let mut wakes = self.billing.store.wakes();
        // Looked at between two claims, and never in one: a claim that is cut off costs a lease.
        while (&mut stop).now_or_never().is_none() {
            let pause = self.claim().await;
            match self.next(&mut stop, &mut wakes, pause).await {
                Next::Look => {}
                Next::Renew => self.renew().await,
                Next::Stop => break,
            }
        }
        self.drain().await;
    }

    /// Starts as many syncs as there is room for. Returns how long there is nothing to do.
    async fn claim(&mut self) -> Duration {
        while let Some(ended) = self.running.try_join_next() {
            self.forget(ended.ok().as_ref());
        }
        if self.billing.book.take_stale() {
            let billing = self.billing.clone();
            tokio::spawn(async move { Priority::Background.scope(billing.refresh_products()).await });
        }
        let free = self.billing.settings.concurrency.saturating_sub(self.running.len());
        if free == 0 {
            return self.billing.settings.poll;
        }
        match self.billing.store.claim(free).await {
            Ok(claims) => {
                let full = claims.len() == free;
                claims.into_iter().for_each(|claim| self.start(claim));
                if full { self.billing.settings.poll } else { self.until_due().await }
            }
            Err(error) => {
                tracing::warn!(%error, "no due customers could be claimed");
                self.billing.settings.retry_base
            }
        }
    }

    fn start(&mut self, claim: Claim) {
        if self.held.is_empty() {
            self.renewed = Instant::now();
        }
        let (billing, lease, lent) = (self.billing.clone(), claim.lease.clone(), claim.clone());
        let task = self.running.spawn(async move {
            Priority::Background.scope(billing.work(lent)).await;
            lease
        });
        self.held.insert(claim.lease.clone(), (claim, task));
    }

    fn forget(&mut self, lease: Option<&String>) {
        match lease {
            Some(lease) => drop(self.held.remove(lease)),
            // Cut off.
            None => self.held.retain(|_, (_, task)| !task.is_finished()),
        }
    }

    /// Until the next customer is due. A store that wakes us makes it as long as we like; without
    /// that, as where pub/sub is forbidden, this is how late a trigger of another process can be.
    async fn until_due(&self) -> Duration {
        let poll = self.billing.settings.poll;
        match self.billing.store.next_due().await {
            Ok(Some(due)) => self.billing.clock.now().until(due).clamp(Duration::from_millis(5), poll),
            Ok(None) | Err(_) => poll,
        }
    }

    async fn next(
        &mut self,
        stop: &mut (impl Future<Output = ()> + Unpin),
        wakes: &mut BoxStream<'static, ()>,
        pause: Duration,
    ) -> Next {
        let full = self.running.len() >= self.billing.settings.concurrency;
        let renewal = self.renewed + self.billing.settings.renew_every;
        tokio::select! {
            () = stop => Next::Stop,
            Some(ended) = self.running.join_next(), if !self.running.is_empty() => {
                self.forget(ended.ok().as_ref());
                Next::Look
            }
            () = tokio::time::sleep_until(renewal), if !self.held.is_empty() => Next::Renew,
            Some(()) = wakes.next(), if !full => Next::Look,
            () = sleep(pause), if !full => Next::Look,
        }
    }

    /// Says that we are still at work. Who has lost a lease stops: somebody else is at it.
    async fn renew(&mut self) {
        self.renewed = Instant::now();
        let claims: Vec<Claim> = self.held.values().map(|(claim, _)| claim.clone()).collect();
        match self.billing.store.renew(&claims).await {
            Ok(lost) => {
                // Whoever has just come to the end has no lease either.
                self.held.retain(|_, (_, task)| !task.is_finished());
                for (claim, task) in lost.iter().filter_map(|lease| self.held.remove(lease)) {
                    tracing::warn!(customer = %claim.customer, "the lease is lost: another worker syncs this customer");
                    task.abort();
                }
            }
            Err(error) => tracing::warn!(%error, "leases could not be renewed"),
        }
    }

    async fn drain(&mut self) {
        let ended = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(self.billing.settings.drain, ended).await.is_ok() {
            return;
        }
        self.running.abort_all();
        // What ended in the meantime is not held any more, and giving it back changes nothing.
        let claims: Vec<Claim> = self.held.drain().map(|(_, (claim, _))| claim).collect();
        while self.running.join_next().await.is_some() {}
        match self.billing.store.release(&claims).await {
            Ok(()) => tracing::info!(customers = claims.len(), "syncs were cut off and given back"),
            Err(error) => tracing::warn!(%error, "syncs were cut off: their leases will run out"),
        }
    }
}

impl Billing {
    async fn work(&self, claim: Claim) {
        // A sync must end, one way or the other.
        let sync = AssertUnwindSafe(self.sync_claimed(&claim)).catch_unwind();
        let (why, asked) = match tokio::time::timeout(self.settings.sync_deadline, sync).await {
            Ok(Ok(Ok(()))) => return,
            Ok(Ok(Err(error))) => (error.to_string(), error.retry_after()),
            Ok(Err(_)) => ("the sync panicked".to_owned(), None),
            Err(_) => ("the sync took too long".to_owned(), None),
        };
        telemetry::sync_failed();
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
        // The value is written: what fails after it is tried again soon, and holds no trigger up.
        let again = match self.react(&claim.customer, &synced).await {
            Ok(Reacted::Nothing) => None,
            Ok(Reacted::Changed) => Some(self.clock.now()),
            Err(error) => {
                tracing::warn!(customer = %claim.customer, %error, "what follows a sync could not be done yet");
                Some(self.clock.now().plus(self.settings.eager_grace))
            }
        };
        self.settle(&claim.customer, claim.generation, Some(claim.lease.clone()), &synced, again).await
    }

    /// How long until the next try.
    pub(super) fn retry_delay(&self, attempts: u32, asked: Option<Duration>) -> Duration {
        backoff(&self.settings, attempts, asked, rand::rng().random())
    }
}

/// Exponential with full jitter (`dice` in 0..1), at least as long as Stripe asks.
fn backoff(settings: &Settings, attempts: u32, asked: Option<Duration>, dice: f64) -> Duration {
    let ceiling = settings.retry_base.saturating_mul(1 << attempts.min(20)).min(settings.retry_cap);
    let delay = ceiling.mul_f64(dice);
    asked.map_or(delay, |asked| asked.max(delay))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Duration = Duration::from_secs(15 * 60);

    fn wait(attempts: u32, asked: Option<u64>, dice: f64) -> Duration {
        backoff(&Settings::new("", ""), attempts, asked.map(Duration::from_secs), dice)
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour_and_no_further() {
        let longest =
            [0, 1, 5, 9, 10, 31, 32, 64, u32::MAX].map(|attempts| wait(attempts, None, 1.0).as_secs());
        assert_eq!(longest, [1, 2, 32, 512, 900, 900, 900, 900, 900]);
    }

    #[test]
    fn waits_are_spread_over_all_that_is_allowed() {
        for attempts in [0, 4, 40] {
            let (none, half, all) =
                (wait(attempts, None, 0.0), wait(attempts, None, 0.5), wait(attempts, None, 1.0));
            assert_eq!((none, half * 2), (Duration::ZERO, all), "after {attempts}");
        }
        let mut rng = rand::rng();
        let mut quarters = [0; 4];
        for _ in 0..1000 {
            let wait = wait(40, None, rng.random());
            assert!(wait < CAP);
            let quarter = (0..3).filter(|part| wait >= CAP / 4 * (part + 1)).count();
            quarters[quarter] += 1;
        }
        assert!(quarters.iter().all(|times| (150..350).contains(times)), "{quarters:?}");
    }

    #[test]
    fn no_wait_is_shorter_than_stripe_asks() {
        assert_eq!(wait(0, Some(60), 1.0), Duration::from_secs(60));
        assert_eq!(wait(40, Some(60), 0.0), Duration::from_secs(60));
        assert_eq!(wait(40, Some(60), 0.5), CAP / 2, "who has failed for long waits longer");
        assert_eq!(wait(0, Some(900), 0.5), CAP);
    }
}
