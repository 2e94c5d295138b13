//! Reconciles on start and every few minutes, one process at a time, and watches whether Redis has
//! failed over. It decides nothing: what a pass does is in `reconcile`.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::time::{Instant, sleep};

use super::{Billing, random_token};
use crate::error::{Error, StoreError};
use crate::ports::Priority;

/// A loop beside the worker.
pub struct Reconciler {
    billing: Arc<Billing>,
    token: String,
}

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
        let soon = settings.every.min(self.billing.settings.turn);
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
                    Ok(None) => soon,
                    Err(error) => {
                        tracing::warn!(%error, "reconciliation failed and will be tried again");
                        soon
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
        if !self.take_turn().await? {
            return Ok(None);
        }
        tokio::pin!(work);
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                () = sleep(self.billing.settings.turn / 3) => {
                    // Two at once would only ask Stripe twice.
                    if let Err(error) = self.take_turn().await {
                        tracing::debug!(%error, "the turn to reconcile could not be prolonged");
                    }
                }
            }
        };
        self.billing.store.end_turn(TURN_OF, &self.token).await?;
        done.map(Some)
    }

    async fn take_turn(&self) -> Result<bool, StoreError> {
        self.billing.store.take_turn(TURN_OF, &self.token, self.billing.settings.turn).await
    }
}
