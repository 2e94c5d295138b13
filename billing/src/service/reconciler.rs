//! Reconciles on start and every few minutes, one process at a time, and watches whether Redis has
//! failed over. It decides nothing: what a pass does is in `reconcile`.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::time::{Instant, sleep};

use super::{Billing, random_token};
use crate::error::Error;
use crate::ports::Priority;

/// A loop beside the worker.
pub struct Reconciler {
    billing: Arc<Billing>,
    token: String,
}

/// How long a process that has died keeps the others from a turn.
const TURN: Duration = Duration::from_secs(60);
const TURN_OF: &str = "reconcile";

impl Reconciler {
    #[must_use]
    pub fn new(billing: Arc<Billing>) -> Self {
        Self { billing, token: random_token() }
    }

    /// Runs until `stop` resolves. A pass may be cut off anywhere: the next one begins again.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = stop => {}
            () = Priority::Background.scope(self.go_on()) => {}
        }
        if let Err(error) = self.billing.store.end_turn(TURN_OF, &self.token).await {
            tracing::debug!(%error, "the turn to reconcile will run out");
        }
    }

    async fn go_on(&self) {
        let settings = self.billing.settings.reconcile;
        let mut pass = Instant::now();
        // At its start each process looks for itself.
        let mut recently = Duration::ZERO;
        loop {
            if let Err(error) = self.watch().await {
                tracing::warn!(%error, "Redis' history could not be looked at and will be again");
            }
            if Instant::now() >= pass {
                let wait = match self.in_turn(self.billing.reconcile_unless_done(recently)).await {
                    Ok(Some(None)) => settings.every,
                    Ok(Some(Some(report))) => {
                        tracing::info!(events = report.events, marked = report.marked, "reconciled");
                        settings.every
                    }
                    Ok(None) => settings.every.min(TURN),
                    Err(error) => {
                        tracing::warn!(%error, "reconciliation failed and will be tried again");
                        settings.every.min(TURN)
                    }
                };
                recently = settings.every / 2;
                pass = Instant::now() + wait.mul_f64(rand::rng().random_range(0.9..1.1));
            }
            sleep(settings.watch_every).await;
        }
    }

    async fn watch(&self) -> Result<(), Error> {
        if let Some(ids) = self.billing.another_history().await? {
            self.in_turn(self.billing.recover_from_failover(&ids)).await?;
        }
        Ok(())
    }

    /// `None` where it is another process's turn.
    async fn in_turn<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<Option<T>, Error> {
        let store = &self.billing.store;
        if !store.take_turn(TURN_OF, &self.token, TURN).await? {
            return Ok(None);
        }
        let done = work.await;
        store.end_turn(TURN_OF, &self.token).await?;
        done.map(Some)
    }
}
