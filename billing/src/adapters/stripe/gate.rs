//! What a call passes before it goes out: the budget that all processes share, and a bound on how
//! many this process has under way. May not know what is called.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::measures;
use super::settings::StripeSettings;
use crate::error::{StripeError, StripeErrorKind};
use crate::ports::{Budget, Leave, Priority, Slowdown};

/// How long one call may still be held back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience(pub Duration);

impl Patience {
    /// Waits, where that can be waited for.
    ///
    /// # Errors
    /// `retry_after`, where it can't.
    pub async fn wait(&mut self, wait: Duration) -> Result<(), Duration> {
        self.0 = self.0.checked_sub(wait).ok_or(wait)?;
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

/// A call that is under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    _background: Option<OwnedSemaphorePermit>,
    _any: Option<OwnedSemaphorePermit>,
}

#[derive(Clone)]
pub(super) struct Gate {
    budget: Option<Arc<dyn Budget>>,
    any: Arc<Semaphore>,
    /// Smaller than `any`: the difference is left for people.
    background: Arc<Semaphore>,
}

impl Gate {
    pub fn new(settings: &StripeSettings) -> Self {
        let any = settings.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        let background = any.saturating_sub(settings.concurrency_for_people).max(1);
        Self {
            budget: None,
            any: Arc::new(Semaphore::new(any)),
            background: Arc::new(Semaphore::new(background)),
        }
    }

    pub fn with_budget(self, budget: Arc<dyn Budget>) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Waits until one call may go out.
    ///
    /// # Errors
    /// `Unavailable` where that takes longer than the caller's patience.
    pub async fn pass(
        &self,
        endpoint: &str,
        priority: Priority,
        patience: &mut Patience,
    ) -> Result<UnderWay, StripeError> {
        if let Some(budget) = &self.budget {
            let before = patience.0;
            let booked = book(budget.as_ref(), endpoint, priority, patience).await;
            let waited = before.saturating_sub(patience.0);
            if !waited.is_zero() {
                measures::held_back(endpoint, priority, waited);
            }
            booked.map_err(used_up)?;
        }
        // After the budget, so that nobody holds a place while they only wait for it.
        let place = tokio::time::timeout(patience.0, self.place(priority)).await;
        place.map_err(|_| {
            StripeError::new(StripeErrorKind::Unavailable, "too many calls to Stripe are under way")
        })
    }

    async fn place(&self, priority: Priority) -> UnderWay {
        // Neither is ever closed, so neither refuses.
        let background = match priority {
            Priority::Waiting => None,
            Priority::Background => self.background.clone().acquire_owned().await.ok(),
        };
        UnderWay { _background: background, _any: self.any.clone().acquire_owned().await.ok() }
    }

    /// Stripe has refused a call: all processes hear of it.
    pub async fn slow_down(&self, endpoint: &str, why: Slowdown, wait: Duration) {
        let Some(budget) = &self.budget else { return };
        if let Err(error) = budget.slow_down(endpoint, why, wait).await {
            tracing::debug!(%error, "the others don't hear that Stripe has asked to go slower");
        }
    }
}

fn used_up(wait: Duration) -> StripeError {
    let error = StripeError::new(StripeErrorKind::Unavailable, "the budget of calls to Stripe is used up");
    StripeError { retry_after: Some(wait), ..error }
}

/// Books one call and waits until it may be made. The error is how long that would take.
async fn book(
    budget: &dyn Budget,
    endpoint: &str,
    priority: Priority,
    patience: &mut Patience,
) -> Result<(), Duration> {
    loop {
        match budget.take(endpoint, priority).await {
            Ok(Leave::After(wait)) if wait.is_zero() => return Ok(()),
            Ok(Leave::After(wait)) => return patience.wait(wait).await,
            Ok(Leave::AskAgain(wait)) => {
                // Those who were told the same time must not all come back at the same time.
                let jitter = Duration::from_millis(1) + wait.mul_f64(rand::rng().random::<f64>() / 4.0);
                patience.wait(wait.saturating_add(jitter)).await.map_err(|_| wait)?;
            }
            Err(error) => {
                // The budget only saves refusals. Stripe's own limit still holds.
                tracing::debug!(%error, "the budget of calls to Stripe can't be asked");
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
