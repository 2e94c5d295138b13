//! Leaving, and staying after all, in the portal.
//!
//! Subscriptions in flexible billing mode show a cancellation at the period's end as `cancel_at`, with
//! `cancel_at_period_end` false. Reason and comment come with the cancellation, in one event; whether Stripe's
//! portal sends them with a second one is not known.

use serde_json::{Value, json};

use super::{Visit, later, visit};
use crate::billing::proration::unused;
use crate::billing::subscription::has_ended;
use crate::billing::subscription::period_ends;
use crate::billing::{cancellation, change, ending};
use crate::error::ApiError;
use crate::state::{Kind, Tx, text};

const FEATURE: &str = "subscription_cancel";
const EVENT: &str = "customer.subscription.updated";

/// Why somebody leaves, as far as they say.
#[derive(Clone, Debug, Default)]
pub struct Reason {
    /// One of the configuration's options.
    pub feedback: Option<String>,
    pub comment: Option<String>,
}

/// What canceling would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It ends then.
    At(i64),
    /// It ends now, and so much is credited.
    Now { credit: i64 },
}

/// When the subscription would end, by the configuration. What has no paid period left ends at once.
pub fn leaving(visit: &Visit, subscription: &Value) -> Leaving {
    let feature = &visit.configuration["features"][FEATURE];
    let (_, end) = period_ends(subscription);
    let at_once = feature["mode"] == "immediately" || text(subscription, "status") == "incomplete";
    if !at_once && end > visit.now {
        return Leaving::At(end);
    }
    let is_paid = !matches!(text(subscription, "status"), "trialing" | "paused" | "incomplete");
    if !is_paid || feature["proration_behavior"] == "none" {
        return Leaving::Now { credit: 0 };
    }
    let items = change::items_of(subscription);
    let credits = items.iter().filter_map(|item| unused(item, visit.now));
    Leaving::Now { credit: -credits.map(|one| one.amount).sum::<i64>() }
}

/// Why the portal does not cancel this subscription, if it does not.
pub fn obstacle(tx: &Tx, subscription: &Value) -> Option<&'static str> {
    later::is_managed(tx, subscription).then_some("it is managed by a subscription schedule")
}

/// The customer leaves. One who has left already, or is about to, stays so.
pub fn cancel(tx: &mut Tx, session: &str, id: &str, reason: &Reason) -> Result<String, ApiError> {
    let visit = visit(tx, session)?;
    visit.ensure(FEATURE)?;
    let mut subscription = visit.own(tx, Kind::Subscription, id)?;
    if has_ended(&subscription) || !subscription["cancel_at"].is_null() {
        return Ok(visit.finish(tx, FEATURE, "canceled"));
    }
    if let Some(why) = obstacle(tx, &subscription) {
        return Err(ApiError::invalid(format!("This subscription cannot be canceled because {why}.")));
    }
    let asked = &visit.configuration["features"][FEATURE]["cancellation_reason"];
    if asked["enabled"] == true {
        let options = asked["options"].as_array().into_iter().flatten();
        if let Some(feedback) = &reason.feedback {
            if !options.into_iter().any(|option| option == feedback) {
                return Err(ApiError::invalid("This reason is not among those offered."));
            }
            subscription["cancellation_details"]["feedback"] = json!(feedback);
        }
        if let Some(comment) = &reason.comment {
            subscription["cancellation_details"]["comment"] = json!(comment);
        }
    }
    let_go(tx, &mut subscription);
    match leaving(&visit, &subscription) {
        Leaving::At(end) => {
            cancellation::plan(tx, &mut subscription, Some(end), false);
            tx.update(Kind::Subscription, subscription, EVENT);
        }
        Leaving::Now { credit } => {
            if credit > 0 {
                ending::credit_unused(tx, &subscription);
            } else {
                ending::forget_prorations(tx, &subscription);
            }
            ending::cancel(tx, subscription, Some("cancellation_requested"));
        }
    }
    Ok(visit.finish(tx, FEATURE, "canceled"))
}

/// What was planned in the portal for the next period does not happen. What was said stays.
fn let_go(tx: &mut Tx, subscription: &mut Value) {
    let details = subscription["cancellation_details"].take();
    *subscription = later::let_go(tx, subscription.clone());
    subscription["cancellation_details"] = details;
}

/// The customer stays after all.
pub fn stay(tx: &mut Tx, session: &str, id: &str) -> Result<String, ApiError> {
    let visit = visit(tx, session)?;
    visit.ensure(FEATURE)?;
    let mut subscription = visit.own(tx, Kind::Subscription, id)?;
    if has_ended(&subscription) {
        return Err(ApiError::invalid("This subscription has ended, so that it cannot go on."));
    }
    if !subscription["cancel_at"].is_null() {
        if let Some(why) = obstacle(tx, &subscription) {
            return Err(ApiError::invalid(format!("This subscription cannot be changed because {why}.")));
        }
        cancellation::plan(tx, &mut subscription, None, false);
        tx.update(Kind::Subscription, subscription, EVENT);
    }
    Ok(visit.finish(tx, "subscription_renew", "renewed"))
}
