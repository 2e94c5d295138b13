//! Who has had a trial, and which cards: what of that the store keeps for ever. It is no part of a
//! customer's value: a trial is used up by a user, whatever becomes of their customers.

use async_trait::async_trait;

use crate::error::StoreError;
use crate::id::{CardHash, CustomerId, InvoiceId, PaymentMethodId, UserId};

/// How a user's one trial stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrialMark {
    /// They have had it.
    Used,
    /// It is kept for this customer's checkout. One that is never completed uses up nothing.
    Reserved {
        customer: CustomerId,
        /// Earlier customers of the same user, whose checkouts have not been looked at yet: one of
        /// them may still become a trial, or has just become one.
        from: Vec<CustomerId>,
    },
}

/// The cards that an open invoice was tried with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedCards {
    pub invoice: InvoiceId,
    pub cards: Vec<PaymentMethodId>,
}

#[async_trait]
pub trait Trials: Send + Sync {
    async fn trial(&self, user: &UserId) -> Result<Option<TrialMark>, StoreError>;
    /// Reserves the trial by `next` where it stands as `current`; returns how it stands afterwards.
    async fn swap_trial(
        &self,
        user: &UserId,
        current: Option<&TrialMark>,
        next: &TrialMark,
    ) -> Result<Option<TrialMark>, StoreError>;
    /// For ever, whatever was there before.
    async fn use_trial(&self, user: &UserId) -> Result<(), StoreError>;
    /// Notes whose trial a card was the first to be used for; returns the customer that is noted.
    async fn claim_card(&self, card: &CardHash, customer: &CustomerId) -> Result<CustomerId, StoreError>;
    async fn tried_cards(&self, customer: &CustomerId) -> Result<Option<TriedCards>, StoreError>;
    async fn set_tried_cards(&self, customer: &CustomerId, tried: &TriedCards) -> Result<(), StoreError>;
}
