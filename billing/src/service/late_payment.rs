//! A payment that failed, and a card that came afterwards: the open invoice is paid with it, once, as
//! a reaction to a written value. What a card says to it is no error: the next sync shows it.

use super::{Billing, Reacted, Synced};
use crate::error::{Error, StripeErrorKind};
use crate::id::{CustomerId, InvoiceId, PaymentMethodId};
use crate::ports::TriedCards;
use crate::subscription::{Status, Subscription};

impl Billing {
    /// Tries the newest card that the open invoice was not tried with: the subscription's own, or a
    /// default card of the customer's that was not there when the payment failed, which then becomes
    /// the subscription's. Safe to repeat: a card is charged under a key of invoice and card.
    pub(super) async fn retry_payment(
        &self,
        customer: &CustomerId,
        synced: &Synced,
    ) -> Result<Reacted, Error> {
        let Some((subscription, invoice)) = overdue(synced) else { return Ok(Reacted::Nothing) };
        let own = subscription.payment_method.as_ref().and_then(|method| method.id.as_ref());
        let mut tried = match self.store.tried_cards(customer).await? {
            Some(tried) if tried.invoice == *invoice => tried,
            _ => self.first_sight(customer, invoice, own, synced).await?,
        };
        let cards = [own, synced.default_card.as_ref()].into_iter().flatten();
        let Some(card) = cards.into_iter().find(|card| !tried.cards.contains(card)) else {
            return Ok(Reacted::Nothing);
        };
        if Some(card) != own {
            self.stripe.use_card(&subscription.subscription_id, card).await?;
        }
        let key = format!("unsplit-pay-{invoice}-{card}");
        match self.stripe.pay_invoice(invoice, card, &key).await {
            Err(error) if tells_nothing(error.kind) => return Err(error.into()),
            // It was declined, needs its owner, or is paid already.
            Err(error) => {
                tracing::info!(%customer, %invoice, %error, "another card did not pay the open invoice")
            }
            Ok(()) => tracing::info!(%customer, %invoice, "another card has paid the open invoice"),
        }
        tried.cards.push(card.clone());
        self.store.set_tried_cards(customer, &tried).await?;
        Ok(Reacted::Changed)
    }

    /// Nobody has looked since the payment failed: Stripe says which card that was. A default card
    /// beside the subscription's own was there for other things, and is not charged unasked.
    async fn first_sight(
        &self,
        customer: &CustomerId,
        invoice: &InvoiceId,
        own: Option<&PaymentMethodId>,
        synced: &Synced,
    ) -> Result<TriedCards, Error> {
        let failed = self.stripe.failed_card(invoice).await?.or_else(|| own.cloned());
        let default = synced.default_card.clone().filter(|card| own.is_some_and(|own| own != card));
        let cards = failed.into_iter().chain(default).collect();
        let tried = TriedCards { invoice: invoice.clone(), cards };
        self.store.set_tried_cards(customer, &tried).await?;
        Ok(tried)
    }
}

/// The shown subscription, where its newest invoice waits for a card.
fn overdue(synced: &Synced) -> Option<(&Subscription, &InvoiceId)> {
    let late = |it: &&Subscription| matches!(it.status, Status::PastDue | Status::Unpaid);
    let subscription = synced.fetched.subscription.as_ref().filter(late)?;
    let invoice = subscription.latest_invoice.as_ref().filter(|invoice| invoice.is_open())?;
    Some((subscription, invoice.id.as_ref()?))
}

/// Whether the card may have been asked or not, and asking again under the same key will tell.
fn tells_nothing(kind: StripeErrorKind) -> bool {
    matches!(kind, StripeErrorKind::Unavailable | StripeErrorKind::Unauthorized)
}
