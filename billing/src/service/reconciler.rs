//! Reconciles on start and every few minutes, one process at a time, and watches whether Redis has
//! failed over. It decides nothing: what a pass does is in `reconcile`.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::time::{Instant, sleep};

use super::Billing;
use super::turn::{IfLost, Turn};
use crate::error::Error;
use crate::ports::Priority;

/// A loop beside the worker.
pub struct Reconciler {
    billing: Arc<Billing>,
    turn: Turn,
}

impl Reconciler {
    #[must_use]
    pub fn new(billing: Arc<Billing>) -> Self {
        Self { turn: Turn::of(&billing, "reconcile"), billing }
    }

    /// Runs until `stop` resolves. A pass may be cut off anywhere: the next one begins again.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = stop => {}
            () = Priority::Background.scope(self.go_on()) => {}
        }
        self.turn.end().await;
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
        if !self.turn.take().await? {
            return Ok(None);
        }
        // Two at once would only ask Stripe twice.
        let done = self.turn.hold(work, IfLost::GoOn).await;
        self.turn.end().await;
        done.transpose()
    }
}
