//! Changing to another plan or quantity in the portal, as the configuration offers it.
//!
//! What is to be paid at once must be paid, or nothing changes: as with `payment_behavior=error_if_incomplete`.
//! How Stripe's portal treats a payment that fails there is not known. What is confirmed is billed as it was
//! shown: the page's proration date comes back with its form, and holds for as long as a session is open. What the
//! configuration wants at the period's end is `later`'s business, codes that make it cheaper are `promotion`'s.

use serde_json::{Value, json};

use super::configuration::products;
use super::wish::Wish;
use super::{LIFE, Outcome, Visit, later, promotion, visit};
use crate::billing::change::{self as changing, Anchor, Change, ItemChange, Planned, Prorate};
use crate::billing::discount::redeem;
use crate::billing::money::MOST_QUANTITY;
use crate::billing::payment::Authentication;
use crate::billing::preview::{self, Preview};
use crate::billing::update::{self, Behavior, How};
use crate::error::ApiError;
use crate::state::{Kind, Tx, ids, number, text};

const FEATURE: &str = "subscription_update";

/// A price that one may change to, or that one has.
#[derive(Clone, Debug)]
pub struct Offer {
    pub price: Value,
    /// The product that the configuration offers it with; `null` if it offers it no more.
    pub product: Value,
}

/// A change as it would be billed.
#[derive(Clone, Debug)]
pub struct Look {
    pub planned: Planned,
    pub preview: Preview,
    pub date: i64,
    /// When it happens, if not now. Then nothing is billed before.
    pub at: Option<i64>,
    /// The id of the discount of the wish's code.
    discount: Option<String>,
}

/// Why the portal cannot change this subscription, if it cannot.
pub fn obstacle(tx: &Tx, subscription: &Value) -> Option<&'static str> {
    let items = subscription["items"]["data"].as_array().map_or(0, Vec::len);
    match text(subscription, "status") {
        "active" | "past_due" | "trialing" => {}
        _ => return Some("it is neither active nor in a trial"),
    }
    match () {
        () if items != 1 => Some("it contains multiple products"),
        () if !subscription["cancel_at"].is_null() => Some("it is set to be canceled"),
        () if later::is_managed(tx, subscription) => Some("it is managed by a subscription schedule"),
        () if !subscription["pending_update"].is_null() => Some("it has a pending update"),
        () if subscription["collection_method"] != "charge_automatically" => Some("it is paid by invoice"),
        () => None,
    }
}

/// What one may change to, the prices of one product after another. What one has is among them if it is offered.
pub fn offers(tx: &Tx, configuration: &Value, subscription: &Value) -> Vec<Offer> {
    let has = &subscription["items"]["data"][0]["price"];
    let may_switch = may(configuration, "price");
    let mut found = Vec::new();
    for product in products(tx, text(configuration, "id")) {
        for id in product["prices"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let price = tx.copy(Kind::Price, id).unwrap_or_default();
            let is_sold = price["active"] == true && price["currency"] == subscription["currency"];
            if price["id"] == has["id"] || (may_switch && is_sold) {
                found.push(Offer { price, product: product.clone() });
            }
        }
    }
    found
}

/// Whether `default_allowed_updates` has this word.
pub fn may(configuration: &Value, update: &str) -> bool {
    let allowed = configuration["features"][FEATURE]["default_allowed_updates"].as_array();
    allowed.is_some_and(|allowed| allowed.iter().any(|word| word == update))
}

/// The least and the greatest quantity of an offer, if it may be chosen.
pub fn quantities(configuration: &Value, offer: &Offer) -> Option<(i64, Option<i64>)> {
    let adjustable = &offer.product["adjustable_quantity"];
    if adjustable["enabled"] == true {
        return Some((number(adjustable, "minimum"), adjustable["maximum"].as_i64().or(Some(MOST_QUANTITY))));
    }
    may(configuration, "quantity").then_some((1, Some(MOST_QUANTITY)))
}

/// Refuses what the configuration does not offer.
pub fn ensure_offered(
    tx: &Tx,
    configuration: &Value,
    subscription: &Value,
    wish: &Wish,
) -> Result<(), ApiError> {
    let offers = offers(tx, configuration, subscription);
    let Some(offer) = offers.iter().find(|offer| offer.price["id"] == *wish.price) else {
        let message = format!(
            "This subscription cannot be updated because the price `{}` is not in the portal configuration's \
             `features[subscription_update][products]`.",
            wish.price
        );
        return Err(ApiError::invalid(message));
    };
    if subscription["items"]["data"][0]["quantity"] == wish.quantity {
        return Ok(());
    }
    match quantities(configuration, offer) {
        None => {
            let message = "The quantity cannot be updated because the portal configuration's \
                           `features[subscription_update][default_allowed_updates]` does not include `quantity`.";
            Err(ApiError::invalid(message))
        }
        Some((least, most)) if wish.quantity < least || most.is_some_and(|most| wish.quantity > most) => {
            let most = most.map(|most| format!(" and at most {most}")).unwrap_or_default();
            Err(ApiError::invalid(format!("The quantity must be at least {least}{most}.")))
        }
        Some(_) => Ok(()),
    }
}

/// Works out what the change would cost. Stores nothing.
pub fn look(tx: &mut Tx, visit: &Visit, subscription: &Value, wish: &Wish) -> Result<Look, ApiError> {
    let before = tx.savepoint();
    let looked = work_out(tx, visit, subscription, wish);
    tx.roll_back_to(&before);
    looked
}

/// The same, with what the change gives way to gone, and the discount that it brings stored.
fn work_out(tx: &mut Tx, visit: &Visit, subscription: &Value, wish: &Wish) -> Result<Look, ApiError> {
    visit.ensure(FEATURE)?;
    if let Some(why) = obstacle(tx, subscription) {
        return Err(ApiError::invalid(format!("This subscription cannot be updated because {why}.")));
    }
    ensure_offered(tx, &visit.configuration, subscription, wish)?;
    let mut subscription = later::let_go(tx, subscription.clone());
    let price = tx.copy(Kind::Price, &wish.price).unwrap_or_default();
    let at = later::when(&visit.configuration, &subscription, &price, wish.quantity);
    let wish = &Wish { code: wish.code.clone().filter(|_| at.is_none()), ..wish.clone() };
    let discount = promotion::put_on(tx, visit, &mut subscription, wish)?;
    let date = date(visit, &subscription, wish);
    let change = change_of(tx, visit, &subscription, wish, date);
    let planned = changing::plan(tx, &subscription, &change)?;
    let preview = preview::of_change(tx, &planned, change.prorate);
    Ok(Look { planned, preview, date, at, discount })
}

/// The date that was shown, if it still holds.
fn date(visit: &Visit, subscription: &Value, wish: &Wish) -> i64 {
    let start = number(&subscription["items"]["data"][0], "current_period_start");
    let holds = |date: &i64| (visit.now - LIFE..=visit.now).contains(date) && *date >= start;
    wish.date.filter(holds).unwrap_or(visit.now)
}

fn change_of(tx: &Tx, visit: &Visit, subscription: &Value, wish: &Wish, date: i64) -> Change {
    let feature = &visit.configuration["features"][FEATURE];
    let item = ItemChange {
        id: subscription["items"]["data"][0]["id"].as_str().map(str::to_owned),
        price: tx.copy(Kind::Price, &wish.price),
        quantity: Some(wish.quantity),
        deleted: false,
    };
    let ends_trial = subscription["status"] == "trialing" && feature["trial_update_behavior"] == "end_trial";
    Change {
        items: vec![item],
        prorate: prorate(visit),
        date: Some(date),
        anchor: if feature["billing_cycle_anchor"] == "now" { Anchor::Now } else { Anchor::Unchanged },
        trial_end: ends_trial.then_some(visit.now),
    }
}

fn prorate(visit: &Visit) -> Prorate {
    match text(&visit.configuration["features"][FEATURE], "proration_behavior") {
        "always_invoice" => Prorate::Always,
        "create_prorations" => Prorate::Create,
        _ => Prorate::Never,
    }
}

/// The customer confirms. One who has it already just goes on.
pub fn confirm(tx: &mut Tx, session: &str, id: &str, wish: &Wish) -> Result<Outcome, ApiError> {
    let visit = visit(tx, session)?;
    proceed(tx, &visit, id, wish, Authentication::NotYet)
}

/// The challenge for the payment of a change is passed.
pub fn conclude(tx: &mut Tx, visit: &Visit, id: &str, challenge: &Value) -> Result<Outcome, ApiError> {
    let date = challenge["date"].as_i64();
    let (price, quantity) = (text(challenge, "price").to_owned(), number(challenge, "quantity"));
    let wish = Wish { price, quantity, date, code: challenge["code"].as_str().map(str::to_owned) };
    proceed(tx, visit, id, &wish, Authentication::Passed)
}

fn proceed(
    tx: &mut Tx,
    visit: &Visit,
    id: &str,
    wish: &Wish,
    authentication: Authentication,
) -> Result<Outcome, ApiError> {
    visit.ensure(FEATURE)?;
    let subscription = visit.own(tx, Kind::Subscription, id)?;
    if wish.is_as_it_is(&subscription) {
        return Ok(Outcome::Done(visit.finish(tx, FEATURE, "updated")));
    }
    if later::coming(tx, &subscription).is_some_and(|coming| wish.is_what_comes(&coming)) {
        return Ok(Outcome::Done(visit.finish(tx, FEATURE, "scheduled")));
    }
    let before = tx.savepoint();
    let look = work_out(tx, visit, &subscription, wish)?;
    if look.at.is_some() {
        let subscription = tx.copy(Kind::Subscription, id).unwrap_or(subscription);
        later::plan(tx, &subscription, wish)?;
        return Ok(Outcome::Done(visit.finish(tx, FEATURE, "scheduled")));
    }
    if let Some(discount) = &look.discount {
        redeem::announce(tx, &json!({ "discounts": [discount] }));
    }
    let how = How { prorate: prorate(visit), behavior: Behavior::Refuse, authentication };
    let Err(error) = update::apply(tx, &look.planned, how) else {
        return Ok(Outcome::Done(visit.finish(tx, FEATURE, "updated")));
    };
    tx.roll_back_to(&before);
    match () {
        () if error.has_code("subscription_payment_intent_requires_action") => {
            Ok(Outcome::Challenge(challenge(tx, visit, id, wish, look.date)))
        }
        () if error.has_code("resource_missing") => {
            Ok(Outcome::Refused("There is no card to charge. Add one first.".to_owned()))
        }
        () => Ok(Outcome::Refused(error.message().to_owned())),
    }
}

/// What the owner of the card is asked, and what then is to be done.
fn challenge(tx: &mut Tx, visit: &Visit, id: &str, wish: &Wish, date: i64) -> String {
    let challenge = ids::new("3ds_");
    let (price, quantity) = (&wish.price, wish.quantity);
    let value = json!({
        "id": challenge,
        "portal_session": visit.session["id"],
        "page": format!("/subscriptions/{id}/update/confirm?{}", wish.query()),
        "subscription": id,
        "price": price,
        "quantity": quantity,
        "date": date,
        "code": wish.code,
    });
    tx.put(Kind::Challenge, value);
    challenge
}
