//! One trial a user for ever, and one a card. A trial is reserved before a session is opened with it,
//! and used up when a sync has seen it; what follows from a card that has had one is a reaction to a
//! written value, and never part of a sync.

use super::{Billing, Reacted, Synced};
use crate::error::{Error, StoreError, StripeErrorKind};
use crate::fold::ListedSubscription;
use crate::id::{CardHash, CustomerId, SubscriptionId, UserId};
use crate::policy::ReusedCard;
use crate::ports::{CheckoutStatus, StagedCustomer, TrialMark};
use crate::subscription::Status;

/// How often two requests of one user may overtake each other before one gives up.
const ROUNDS: usize = 8;

/// A trial, running or over, as a sync has listed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenTrial {
    subscription: SubscriptionId,
    status: Status,
    user: Option<UserId>,
    card: Option<CardHash>,
    /// It came from a checkout of ours. Any other one is the seller's own present.
    bought: bool,
    noted: bool,
    refused: bool,
}

impl SeenTrial {
    pub(super) fn all_of(listed: &[ListedSubscription]) -> Vec<Self> {
        let seen = |it: &ListedSubscription| Self {
            subscription: it.id.clone(),
            status: it.status.clone(),
            user: it.user.clone(),
            card: it.card.clone(),
            bought: it.checkout.is_some(),
            noted: it.trial_noted,
            refused: it.trial_refused,
        };
        listed.iter().filter(|it| it.had_trial()).map(seen).collect()
    }
}

impl Billing {
    /// Whether a user has had their one trial, as far as the store knows.
    ///
    /// # Errors
    /// `StoreError`.
    pub async fn trial_is_used(&self, user: &UserId) -> Result<bool, StoreError> {
        Ok(self.store.trial(user).await? == Some(TrialMark::Used))
    }

    /// Keeps the user's trial for this customer's checkouts, of which only one is open at a time. False
    /// where there is none to keep. Who takes it over from another customer of the same user looks at
    /// what that one has open, after it is taken: who opened a session before is then found, and who
    /// opens one later finds the trial gone.
    pub(super) async fn reserve_trial(&self, user: &UserId, customer: &CustomerId) -> Result<bool, Error> {
        for _ in 0..ROUNDS {
            let mark = self.store.trial(user).await?;
            let from = match &mark {
                Some(TrialMark::Used) => return Ok(false),
                Some(TrialMark::Reserved { customer: holder, from }) if holder == customer => {
                    if from.is_empty() {
                        return Ok(true);
                    }
                    match self.close_earlier(from).await? {
                        Earlier::Closed => Vec::new(),
                        Earlier::Unknown => return Ok(false),
                        Earlier::HadTrial => {
                            self.store.use_trial(user).await?;
                            return Ok(false);
                        }
                    }
                }
                Some(TrialMark::Reserved { customer: holder, from }) => {
                    let others = from.iter().filter(|it| *it != customer);
                    std::iter::once(holder).chain(others).cloned().collect()
                }
                None => Vec::new(),
            };
            let next = TrialMark::Reserved { customer: customer.clone(), from };
            self.store.swap_trial(user, mark.as_ref(), &next).await?;
        }
        Err(Error::Busy)
    }

    /// Ends what other customers of the user have open.
    async fn close_earlier(&self, customers: &[CustomerId]) -> Result<Earlier, Error> {
        for customer in customers {
            let synced = self.sync(customer).await?;
            let sessions = self.stripe.checkouts(customer).await?;
            // The subscription of somebody who was deleted may not be listed any more.
            let lost = sessions.iter().any(|session| {
                let listed = session.subscription.as_ref().is_some_and(|id| synced.status_of(id).is_some());
                session.status == CheckoutStatus::Complete && !listed
            });
            if lost || !synced.trials.is_empty() {
                return Ok(Earlier::HadTrial);
            }
            if !self.expire_open(&sessions, None).await? {
                return Ok(Earlier::Unknown);
            }
        }
        Ok(Earlier::Closed)
    }

    /// The store's mark, and the one in the customer's metadata (`noted`), are made to say the same:
    /// each may have been lost, with a Redis or with a customer.
    pub(super) async fn level_trial(
        &self,
        user: &UserId,
        customer: &CustomerId,
        noted: Noted,
    ) -> Result<(), Error> {
        if !self.catalog.has_trials() {
            return Ok(());
        }
        match noted {
            Noted::Used => self.store.use_trial(user).await?,
            Noted::Nothing if self.trial_is_used(user).await? => self.stripe.note_trial(customer).await?,
            Noted::Nothing => {}
        }
        Ok(())
    }

    /// A reaction: whoever has had a trial has had it for ever, and Stripe knows it too.
    pub(super) async fn note_trials(&self, customer: &CustomerId, synced: &Synced) -> Result<(), Error> {
        let user = synced.trials.iter().find_map(|trial| trial.user.as_ref());
        if let Some(user) = user {
            self.store.use_trial(user).await?;
        }
        // Without a user the customer is deleted, or was never ours.
        if user.is_some() && synced.trials.iter().any(|trial| !trial.noted) {
            self.stripe.note_trial(customer).await?;
        }
        Ok(())
    }

    /// A reaction: a card's first trial is noted, and a second one is dealt with as the policy says.
    /// Again until it is done, as long as the trial runs. What the seller has made in the Dashboard
    /// is theirs to give, also to a trial that was refused before.
    pub(super) async fn judge_trials(
        &self,
        customer: &CustomerId,
        synced: &Synced,
    ) -> Result<Reacted, Error> {
        let mut reacted = Reacted::Nothing;
        for trial in synced.trials.iter().filter(|trial| trial.status == Status::Trialing) {
            let Some(card) = &trial.card else { continue };
            if !trial.refused && self.store.claim_card(card, customer).await? == *customer {
                continue;
            }
            if trial.bought && self.refuse(customer, trial).await? {
                reacted = Reacted::Changed;
            }
        }
        Ok(reacted)
    }

    async fn refuse(&self, customer: &CustomerId, trial: &SeenTrial) -> Result<bool, Error> {
        let id = &trial.subscription;
        let done = match self.catalog.policy().reused_card {
            ReusedCard::Allow => return Ok(false),
            ReusedCard::EndTrial if trial.refused => return Ok(false),
            ReusedCard::EndTrial => {
                // All who judge at the same time end it once. Stripe keeps a failure under its key, so
                // that a later try needs another.
                let key = format!("unsplit-trial-refused-{id}-{}", self.now().div_euclid(60));
                self.stripe.end_refused_trial(id, &key).await
            }
            // First why, so that who finds it canceled can say so.
            ReusedCard::Cancel => match self.stripe.refuse_trial(id).await {
                Ok(()) => self.stripe.cancel_now(id, &crate::ports::Reason::default()).await,
                Err(error) => Err(error),
            },
        };
        match done {
            // It is over by now, one way or the other: the next fetch says which.
            Err(error) if matches!(error.kind, StripeErrorKind::Missing | StripeErrorKind::Refused) => {
                tracing::warn!(%customer, subscription = %id, %error, "a trial on a used card could not be ended");
                Ok(false)
            }
            Err(error) => Err(error.into()),
            Ok(()) => {
                tracing::info!(%customer, subscription = %id, "a trial was ended: its card has had one before");
                Ok(true)
            }
        }
    }

    /// What a rebuild has listed of a customer's trials. A card that is refused another trial is not
    /// noted: it is somebody else's.
    pub(super) async fn restore_trials(
        &self,
        customer: &StagedCustomer,
        listed: &[ListedSubscription],
    ) -> Result<(), StoreError> {
        let trials = SeenTrial::all_of(listed);
        if let Some(user) = customer.user.as_ref().filter(|_| customer.trial_used || !trials.is_empty()) {
            self.store.use_trial(user).await?;
        }
        for card in trials.iter().filter(|trial| !trial.refused).filter_map(|trial| trial.card.as_ref()) {
            self.store.claim_card(card, &customer.id).await?;
        }
        if !customer.trial_used && !trials.is_empty() {
            // Stripe does not know it yet: a worker's reaction tells.
            self.mark_now(&customer.id).await?;
        }
        Ok(())
    }
}

/// What a customer's metadata say of the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    Used,
    Nothing,
}

impl From<&crate::ports::Customer> for Noted {
    fn from(customer: &crate::ports::Customer) -> Self {
        if customer.trial_used { Self::Used } else { Self::Nothing }
    }
}

/// What has become of the checkouts of a user's earlier customers.
enum Earlier {
    Closed,
    HadTrial,
    /// One can't be ended: a doubt is no reason to give a second trial.
    Unknown,
}
