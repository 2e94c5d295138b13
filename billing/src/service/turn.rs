//! A turn: what one process at a time does, as to reconcile or to rebuild. Truth does not need it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Billing;
use crate::error::StoreError;
use crate::ports::{Store, random_token};

/// One who takes turns, by a name of its own.
pub(super) struct Turn {
    store: Arc<dyn Store>,
    of: &'static str,
    name: String,
    lasting: Duration,
}

/// What becomes of the work when the turn has run out and somebody else has taken it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IfLost {
    GoOn,
    Stop,
}

impl Turn {
    pub fn of(billing: &Billing, what: &'static str) -> Self {
        let (store, lasting) = (billing.store.clone(), billing.settings.turn);
        Self { store, of: what, name: random_token(), lasting }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who has it already prolongs it. False where it is somebody else's.
    pub async fn take(&self) -> Result<bool, StoreError> {
        self.store.take_turn(self.of, &self.name, self.lasting).await
    }

    /// Does the work, and prolongs the turn meanwhile. `None` where the turn was lost and the work,
    /// for that reason, cut off.
    pub async fn hold<T>(&self, work: impl Future<Output = T>, if_lost: IfLost) -> Option<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                () = sleep(self.lasting / 3) => match self.take().await {
                    Ok(false) if if_lost == IfLost::Stop => return None,
                    Ok(_) => {}
                    Err(error) => tracing::debug!(%error, of = self.of, "the turn could not be prolonged"),
                }
            }
        }
    }

    /// For the next one to begin at once.
    pub async fn end(&self) {
        if let Err(error) = self.store.end_turn(self.of, &self.name).await {
            tracing::debug!(%error, of = self.of, "the turn will run out");
        }
    }
}
