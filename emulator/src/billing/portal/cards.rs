//! A customer's cards in the portal: one is added, made the default, chosen for a subscription, or removed.
//!
//! As at Stripe, the default is the customer's own (`invoice_settings.default_payment_method`); a subscription
//! that has a card of its own, as all from the checkout have, goes on with that one until it is given another.
//! Whether Stripe's portal gives it to subscriptions too is not known. A card is checked without a setup intent.

use serde_json::{Value, json};

use super::{Outcome, Visit, visit};
use crate::billing::cards::Behaviour;
use crate::billing::payment_method::{self, CardDetails};
use crate::billing::subscription::has_ended;
use crate::error::ApiError;
use crate::state::{Kind, Tx, ids, text};

const FEATURE: &str = "payment_method_update";

/// A card that somebody typed.
#[derive(Clone, Debug)]
pub struct NewCard {
    pub details: CardDetails,
    pub make_default: bool,
    /// Which form it was typed into: each adds one card, however often it is sent.
    pub form: String,
}

/// Gives the customer another card.
pub fn add(tx: &mut Tx, session: &str, card: &NewCard) -> Result<Outcome, ApiError> {
    let visit = visit(tx, session)?;
    visit.ensure(FEATURE)?;
    if was_sent(tx, &visit, &card.form) {
        return Ok(Outcome::Done(visit.finish(tx, FEATURE, "card_added")));
    }
    let before = tx.savepoint();
    let method = payment_method::create(tx, &card.details, json!({}));
    let id = text(&method, "id").to_owned();
    match payment_method::behaviour(tx, &id) {
        Behaviour::Declines(decline) => {
            tx.roll_back_to(&before);
            Ok(Outcome::Declined(decline))
        }
        Behaviour::Authenticates | Behaviour::AuthenticatesOnSetup | Behaviour::AuthenticatesThenFails(_) => {
            let challenge = ids::new("3ds_");
            let value = json!({
                "id": challenge,
                "portal_session": visit.session["id"],
                "page": "/cards",
                "payment_method": id,
                "make_default": card.make_default,
                "form": card.form,
            });
            tx.put(Kind::Challenge, value);
            Ok(Outcome::Challenge(challenge))
        }
        Behaviour::Succeeds | Behaviour::FailsToCharge(_) => {
            Ok(Outcome::Done(keep(tx, &visit, &id, card.make_default, &card.form)))
        }
    }
}

/// The challenge for a new card is passed.
pub fn conclude(tx: &mut Tx, visit: &Visit, challenge: &Value) -> Result<String, ApiError> {
    visit.ensure(FEATURE)?;
    let form = text(challenge, "form");
    if was_sent(tx, visit, form) {
        return Ok(visit.finish(tx, FEATURE, "card_added"));
    }
    let make_default = challenge["make_default"] == true;
    Ok(keep(tx, visit, text(challenge, "payment_method"), make_default, form))
}

fn keep(tx: &mut Tx, visit: &Visit, id: &str, make_default: bool, form: &str) -> String {
    let attached = payment_method::attach(tx, id, text(&visit.customer, "id"));
    tx.emit("payment_method.attached", &attached);
    let in_flow = visit.in_flow && visit.session["flow"]["type"] == FEATURE;
    if make_default || in_flow || default_card(&visit.customer).is_none() {
        set_default(tx, visit, id);
    }
    let mut sent = sent_forms(tx, visit);
    sent.push(json!(form));
    visit.note(tx, "forms", json!(sent));
    visit.finish(tx, FEATURE, "card_added")
}

fn sent_forms(tx: &Tx, visit: &Visit) -> Vec<Value> {
    let notes = tx.private(Kind::PortalSession, text(&visit.session, "id"));
    notes["forms"].as_array().cloned().unwrap_or_default()
}

fn was_sent(tx: &Tx, visit: &Visit, form: &str) -> bool {
    !form.is_empty() && sent_forms(tx, visit).iter().any(|sent| sent == form)
}

/// The customer's default card.
pub fn default_card(customer: &Value) -> Option<&str> {
    customer["invoice_settings"]["default_payment_method"].as_str()
}

fn set_default(tx: &mut Tx, visit: &Visit, card: &str) {
    let mut customer = visit.customer.clone();
    customer["invoice_settings"]["default_payment_method"] = json!(card);
    tx.update(Kind::Customer, customer, "customer.updated");
}

/// Makes one of the customer's cards the default.
pub fn make_default(tx: &mut Tx, session: &str, card: &str) -> Result<String, ApiError> {
    let visit = visit(tx, session)?;
    visit.ensure(FEATURE)?;
    visit.own(tx, Kind::PaymentMethod, card)?;
    set_default(tx, &visit, card);
    Ok(visit.finish(tx, FEATURE, "default_changed"))
}

/// From now on the subscription is charged to this card of the customer's.
pub fn use_for(tx: &mut Tx, session: &str, subscription: &str, card: &str) -> Result<String, ApiError> {
    let visit = visit(tx, session)?;
    visit.ensure(FEATURE)?;
    visit.own(tx, Kind::PaymentMethod, card)?;
    let mut subscription = visit.own(tx, Kind::Subscription, subscription)?;
    if has_ended(&subscription) {
        return Err(ApiError::invalid("This subscription has ended."));
    }
    subscription["default_payment_method"] = json!(card);
    tx.update(Kind::Subscription, subscription, "customer.subscription.updated");
    Ok(visit.finish(tx, "subscription_card", "card_chosen"))
}

/// Takes a card away, unless something is charged to it. One that is gone already stays gone.
pub fn remove(tx: &mut Tx, session: &str, card: &str) -> Result<String, ApiError> {
    let visit = visit(tx, session)?;
    visit.ensure(FEATURE)?;
    let is_gone = tx.find(Kind::PaymentMethod, card).is_some_and(|card| card["customer"].is_null());
    if !is_gone {
        let method = visit.own(tx, Kind::PaymentMethod, card)?;
        if is_needed(tx, &visit, card) {
            let message = "A subscription is charged to this card. Choose another card for it first.";
            return Err(ApiError::invalid(message));
        }
        payment_method::detach(tx, method, text(&visit.customer, "id"));
    }
    Ok(visit.finish(tx, "card_removed", "card_removed"))
}

/// Whether a subscription that goes on is charged to the card. Stripe too lets nobody remove the card that an
/// active subscription needs (https://support.stripe.com/questions/billing-customer-portal).
pub fn is_needed(tx: &Tx, visit: &Visit, card: &str) -> bool {
    visit.subscriptions(tx).iter().any(|it| charged_to(it, &visit.customer) == Some(card))
}

/// The card that a subscription's next invoice is charged to.
pub fn charged_to<'v>(subscription: &'v Value, customer: &'v Value) -> Option<&'v str> {
    subscription["default_payment_method"].as_str().or_else(|| default_card(customer))
}
