//! Leaving, staying after all, and taking back what was planned. Stripe does it, and a sync says what
//! came of it.

use super::Billing;
use crate::change::{Refusal, Step, Steps, Wish, decide};
use crate::error::{Error, StripeErrorKind};
use crate::id::{CustomerId, SubscriptionId, UserId};
use crate::ports::Reason;
use crate::subscription::{Snapshot, Subscription};

/// Which end somebody has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    AtPeriodEnd,
    Now,
}

impl Billing {
    /// Ends the subscription, now or with its period.
    ///
    /// # Errors
    /// `Error::Refused` where there is nothing to end so; else Stripe or the store does not answer.
    pub async fn cancel(&self, user: &UserId, end: Farewell, reason: &Reason) -> Result<Snapshot, Error> {
        let wish = match end {
            Farewell::AtPeriodEnd => Wish::CancelLater,
            Farewell::Now => Wish::CancelNow,
        };
        self.grant(user, &wish, reason).await
    }

    /// Takes a planned end back.
    ///
    /// # Errors
    /// As `cancel`.
    pub async fn stay(&self, user: &UserId) -> Result<Snapshot, Error> {
        self.grant(user, &Wish::Keep, &Reason::default()).await
    }

    /// Takes a planned change of plan back.
    ///
    /// # Errors
    /// As `cancel`.
    pub async fn drop_planned_change(&self, user: &UserId) -> Result<Snapshot, Error> {
        self.grant(user, &Wish::DropPlanned, &Reason::default()).await
    }

    /// Gives up a change that waits for its payment.
    ///
    /// # Errors
    /// As `cancel`.
    pub async fn drop_waiting_change(&self, user: &UserId) -> Result<Snapshot, Error> {
        self.grant(user, &Wish::DropWaiting, &Reason::default()).await
    }

    /// Goes on after a pause, with a new period.
    ///
    /// # Errors
    /// As `cancel`.
    pub async fn resume(&self, user: &UserId) -> Result<Snapshot, Error> {
        self.grant(user, &Wish::Resume, &Reason::default()).await
    }

    /// Ends, at once, another live subscription of the same customer than the one that is shown.
    ///
    /// # Errors
    /// `Error::Refused` where it is not one of them.
    pub async fn cancel_other(&self, user: &UserId, other: &SubscriptionId) -> Result<Snapshot, Error> {
        self.patiently(async {
            let (customer, shown) = self.shown(user).await?;
            let theirs = shown.others.iter().any(|it| it.subscription_id == *other);
            if !theirs {
                return Err(Refusal::NoSubscription.into());
            }
            self.acting(&customer, async {
                gone_is_done(self.stripe.cancel_now(other, &Reason::default()).await)
            })
            .await
        })
        .await
    }

    /// The customer, and what Stripe says of their subscription now.
    async fn shown(&self, user: &UserId) -> Result<(CustomerId, Subscription), Error> {
        self.ensure_account().await?;
        let customer = self.customer_of(user).await?.ok_or(Refusal::NoSubscription)?;
        let synced = self.sync_now(&customer).await?;
        let subscription = synced.snapshot.subscription.ok_or(Refusal::NoSubscription)?;
        Ok((customer, subscription))
    }

    async fn grant(&self, user: &UserId, wish: &Wish, reason: &Reason) -> Result<Snapshot, Error> {
        self.patiently(async {
            let (customer, subscription) = self.shown(user).await?;
            let steps = decide(Some(&subscription), wish, &self.catalog, self.now())?;
            self.acting(&customer, self.take(&subscription, &steps, reason)).await
        })
        .await
    }

    async fn take(&self, subscription: &Subscription, steps: &Steps, reason: &Reason) -> Result<(), Error> {
        self.clear_the_way(steps).await?;
        let id = &subscription.subscription_id;
        match steps.then {
            Step::CancelLater => Ok(self.stripe.cancel_at_period_end(id, reason).await?),
            Step::CancelNow => gone_is_done(self.stripe.cancel_now(id, reason).await),
            Step::Keep(end) => Ok(self.stripe.keep(id, end).await?),
            Step::Resume => Ok(self.stripe.resume(id).await?),
            Step::Nothing | Step::ChangeNow | Step::ChangeInTrial | Step::ChangeLater => Ok(()),
        }
    }
}

/// Somebody else was faster.
fn gone_is_done(answer: Result<(), crate::error::StripeError>) -> Result<(), Error> {
    match answer {
        Err(error) if error.kind == StripeErrorKind::Missing => Ok(()),
        answer => Ok(answer?),
    }
}
