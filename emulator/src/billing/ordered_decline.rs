//! A decline that somebody orders for the next renewal of a subscription, whatever its card. It strikes once; the
//! retries that follow go as the card goes. Nothing is like it at Stripe, where one has to change the card.

use serde_json::{Value, json};

use super::cards::Decline;
use super::invoice;
use crate::state::{Kind, Store, Tx, text};

/// The note beside the subscription, with the word of the decline.
const NOTE: &str = "decline_next";

/// Orders it.
pub fn order(tx: &mut Tx, subscription: &str, decline: Decline) {
    let mut notes = tx.private(Kind::Subscription, subscription).clone();
    notes[NOTE] = json!(decline.word());
    let value = tx.copy(Kind::Subscription, subscription).unwrap_or_default();
    tx.put_with(Kind::Subscription, subscription, value, notes);
}

/// The word of the decline that is ordered for a subscription.
pub fn ordered<'s>(store: &'s Store, subscription: &str) -> Option<&'s str> {
    store.find(Kind::Subscription, subscription)?.private()[NOTE].as_str()
}

/// What is ordered for the payment of this invoice, if anything is. From then on it is not.
pub fn take(tx: &mut Tx, invoice: &Value) -> Option<Decline> {
    let id = invoice::subscription_of(invoice).to_owned();
    let ordered = Decline::by_word(text(tx.private(Kind::Subscription, &id), NOTE))?;
    if invoice["billing_reason"] != "subscription_cycle" {
        return None;
    }
    let value = tx.copy(Kind::Subscription, &id)?;
    let mut notes = tx.private(Kind::Subscription, &id).clone();
    notes.as_object_mut()?.remove(NOTE);
    tx.put_with(Kind::Subscription, &id, value, notes);
    Some(ordered)
}
