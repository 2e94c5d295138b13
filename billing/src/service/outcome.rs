//! What a buyer who comes back from Stripe is told. Only Stripe's word counts: an empty list of
//! subscriptions alone never means that nothing was charged.

use super::{Billing, checkout};
use crate::error::Error;
use crate::id::{CustomerId, PlanId, UserId};
use crate::ports::{CheckoutSession, CheckoutStatus};
use crate::subscription::{Snapshot, Status, Subscription};

/// The end of a purchase, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Active or trialing.
    Subscribed(Box<Subscription>),
    /// The subscription is there and waits for the buyer: a failed first payment, a 3DS challenge.
    NeedsPayment(Box<Subscription>),
    /// The checkout is complete and its subscription or payment is on its way.
    Processing { plan: Option<PlanId> },
    /// No checkout was completed.
    NotPaid,
    /// Stripe or the store does not answer; the sync stays due.
    Unreachable,
}

impl Billing {
    /// Syncs eagerly and says how the purchase stands. Waits for no webhook.
    pub async fn purchase_outcome(&self, user: &UserId, customer: &CustomerId) -> Outcome {
        match self.try_outcome(user, customer).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(%customer, %error, "the outcome of a purchase is not known yet");
                Outcome::Unreachable
            }
        }
    }

    async fn try_outcome(&self, user: &UserId, customer: &CustomerId) -> Result<Outcome, Error> {
        // Before the sync: afterwards the record of a paid checkout is gone.
        let attempt = self.store.checkout_attempt(customer).await?;
        let synced = self.sync_now(customer).await?;
        if let Some(outcome) = by_subscription(&synced.snapshot) {
            return Ok(outcome);
        }
        let session = match attempt.and_then(|attempt| attempt.session) {
            Some(id) => Some(self.stripe.checkout(&id).await?),
            None => self.stripe.checkouts(customer).await?.into_iter().next(),
        };
        let ours = session.filter(|session| session.metadata.as_ref().is_some_and(|it| it.user == *user));
        Ok(by_session(ours.as_ref(), &synced.snapshot))
    }
}

fn by_subscription(snapshot: &Snapshot) -> Option<Outcome> {
    let subscription = snapshot.subscription.as_ref()?;
    match &subscription.status {
        Status::Active | Status::Trialing => Some(Outcome::Subscribed(Box::new(subscription.clone()))),
        Status::Incomplete | Status::PastDue | Status::Unpaid | Status::Paused => {
            Some(Outcome::NeedsPayment(Box::new(subscription.clone())))
        }
        Status::Unknown(_) => Some(Outcome::Processing { plan: subscription.plan.clone() }),
        Status::IncompleteExpired | Status::Canceled => None,
    }
}

/// A completed session whose subscription Stripe does not list yet is on its way; one whose
/// subscription has ended since is an old story.
fn by_session(session: Option<&CheckoutSession>, snapshot: &Snapshot) -> Outcome {
    let Some(session) = session.filter(|session| session.status == CheckoutStatus::Complete) else {
        return Outcome::NotPaid;
    };
    let ended = snapshot.subscription.as_ref().map(|it| &it.subscription_id);
    if session.subscription.is_some() && session.subscription.as_ref() == ended {
        return Outcome::NotPaid;
    }
    Outcome::Processing { plan: checkout::plan_of(session).cloned() }
}
