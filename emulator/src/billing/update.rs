//! A planned change happens: it is stored, told of, billed at once where that is due, and paid as the caller wants
//! it paid. A change that waits for its payment is `pending_update`'s business.

use serde_json::{Value, json};

use super::change::{Planned, Prorate, invoice_items};
use super::collect::{self, Attempt, Collected};
use super::discount::{self, redeem};
use super::invoice::{self, Bill, Occasion, lines};
use super::payment::Authentication;
use super::{invoice_item, pending_update, schedule, sending};
use crate::error::ApiError;
use crate::state::{Kind, Tx, number, text};

/// What happens to a change whose invoice is not paid at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    /// It happens, and the subscription is late.
    Allow,
    /// Nobody is charged; the invoice waits for its owner.
    Wait,
    /// It does not happen.
    Refuse,
    /// It waits for the payment.
    Pend,
}

/// How to go about it.
#[derive(Clone, Copy, Debug)]
pub struct How {
    pub prorate: Prorate,
    pub behavior: Behavior,
    pub authentication: Authentication,
}

/// Does what was planned. Gives the subscription as it then is.
pub fn apply(tx: &mut Tx, planned: &Planned, how: How) -> Result<Value, ApiError> {
    let items = invoice_items(tx, planned);
    let id = text(&planned.subscription, "id").to_owned();
    if !bills_now(planned, how.prorate) {
        for item in items {
            invoice_item::add(tx, item);
        }
        tx.update(Kind::Subscription, planned.subscription.clone(), "customer.subscription.updated");
        return Ok(schedule::follow(tx, &id));
    }
    let mut billed = invoice_item::pending(tx, text(&planned.subscription, "customer"), &id);
    billed.extend(items.iter().cloned());
    let draft = draft(tx, planned, &billed);
    for item in items {
        invoice_item::add(tx, item);
    }
    invoice_item::bill(tx, billed, &draft);
    match how.behavior {
        // Nobody waits for a payment that may take weeks.
        Behavior::Pend if !sending::is_sent(&draft) => {
            pending_update::begin(tx, planned, draft, how.authentication)
        }
        _ => change_and_bill(tx, planned, draft, how)?,
    }
    Ok(schedule::follow(tx, &id))
}

/// Whether the change brings an invoice by itself.
pub fn bills_now(planned: &Planned, prorate: Prorate) -> bool {
    planned.begins_period || (prorate == Prorate::Always && !planned.prorations.is_empty())
}

/// The invoice that a change brings: these items, which are what waits and what the change gives back and costs, and
/// the new period if it begins one.
pub fn draft(tx: &Tx, planned: &Planned, items: &[Value]) -> Value {
    let subscription = &planned.subscription;
    let mut all: Vec<Value> = items.iter().map(invoice_item::line).collect();
    if planned.begins_period {
        all.extend(lines::of_items(tx, subscription, false));
    }
    let now = tx.now();
    let bill = Bill {
        customer: text(subscription, "customer"),
        currency: text(subscription, "currency"),
        subscription,
        reason: "subscription_update",
        period: (now, now),
        lines: all,
    };
    let mut draft = invoice::build(tx, bill);
    discount::put_on_invoice(&mut draft, &redeem::of_subscription(tx, subscription));
    draft
}

fn change_and_bill(tx: &mut Tx, planned: &Planned, draft: Value, how: How) -> Result<(), ApiError> {
    let mut subscription = planned.subscription.clone();
    subscription["latest_invoice"] = draft["id"].clone();
    use_discounts(tx, &mut subscription, &draft);
    let waits =
        how.behavior == Behavior::Wait && number(&draft, "amount_due") > 0 && !sending::is_sent(&draft);
    if waits {
        subscription["status"] = json!("past_due");
    }
    tx.update(Kind::Subscription, subscription, "customer.subscription.updated");
    let invoice = open(tx, draft);
    if waits {
        return Ok(());
    }
    match (how.behavior, collect(tx, invoice, how.authentication)) {
        (Behavior::Refuse, collected) => refuse_unpaid(&collected),
        _ => Ok(()),
    }
}

/// A discount that is good for one invoice is used up by one that it reduces.
pub fn use_discounts(tx: &Tx, subscription: &mut Value, invoice: &Value) {
    let taken = invoice["total_discount_amounts"].as_array().into_iter().flatten();
    let taken = taken.map(|one| number(one, "amount")).sum();
    subscription["discounts"] = discount::left_after(&redeem::of_subscription(tx, subscription), taken);
}

/// Stores a draft, and opens it at once.
pub fn open(tx: &mut Tx, draft: Value) -> Value {
    let mut invoice = draft;
    tx.create(Kind::Invoice, invoice.clone(), "invoice.created");
    invoice::finalize(tx, &mut invoice);
    tx.put(Kind::Invoice, invoice.clone());
    tx.emit("invoice.finalized", &invoice);
    invoice
}

/// The first, automatic try to have the invoice of a change paid.
pub fn collect(tx: &mut Tx, invoice: Value, authentication: Authentication) -> Collected {
    let attempt = Attempt { method: None, occasion: Occasion::Automatic, authentication };
    collect::collect(tx, invoice, &attempt)
}

fn refuse_unpaid(collected: &Collected) -> Result<(), ApiError> {
    match collected {
        Collected::Paid | Collected::Sent => Ok(()),
        Collected::Declined(decline) => {
            Err(ApiError::card(decline.code, decline.decline_code, decline.message))
        }
        Collected::NoMethod => {
            let message = "This customer has no attached payment source or default payment method. Please consider \
                           adding a default payment method.";
            Err(ApiError::invalid(message).code("resource_missing"))
        }
        Collected::NeedsAuthentication(_) => Err(ApiError::card(
            "subscription_payment_intent_requires_action",
            None,
            "Payment requires authentication.",
        )),
    }
}
