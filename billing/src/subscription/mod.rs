//! What Redis holds of a customer. `fold` makes it from what Stripe lists.
//!
//! The JSON is Theo's (t3dotgg/stripe-recommendations, `STRIPE_SUB_CACHE`); we only add fields.
//! Pure: it may not fetch anything nor read a clock.

mod parts;
mod status;
mod version;

use serde::{Deserialize, Serialize};

use crate::id::{PlanId, PriceId, ProductId, ScheduleId, SubscriptionId, SubscriptionItemId};
use crate::money::Currency;

pub use parts::{
    Discount, LatestInvoice, OtherSubscription, PauseCollection, PaymentMethod, PendingUpdate,
    ScheduledChange, Terms,
};
pub use status::Status;

/// A customer's subscription. Times are Unix seconds, `amount` is the minor unit of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    pub subscription_id: SubscriptionId,
    pub status: Status,
    pub price_id: Option<PriceId>,
    pub current_period_start: Option<i64>,
    pub current_period_end: Option<i64>,
    pub cancel_at_period_end: bool,
    pub payment_method: Option<PaymentMethod>,
    // From here on ours.
    #[serde(default)]
    pub plan: Option<PlanId>,
    #[serde(default)]
    pub product_id: Option<ProductId>,
    #[serde(default)]
    pub quantity: Option<u64>,
    #[serde(default)]
    pub amount: Option<i64>,
    #[serde(default)]
    pub currency: Option<Currency>,
    /// `month`, `year`, or another of Stripe's intervals.
    #[serde(default)]
    pub interval: Option<String>,
    #[serde(default)]
    pub interval_count: Option<u32>,
    #[serde(default)]
    pub created: i64,
    #[serde(default)]
    pub cancel_at: Option<i64>,
    #[serde(default)]
    pub canceled_at: Option<i64>,
    #[serde(default)]
    pub ended_at: Option<i64>,
    #[serde(default)]
    pub trial_end: Option<i64>,
    /// The trial was ended because its card has had one before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trial_refused: bool,
    #[serde(default)]
    pub latest_invoice: Option<LatestInvoice>,
    /// The item that the plan is, which a change of plan names.
    #[serde(default)]
    pub item_id: Option<SubscriptionItemId>,
    /// The schedule that manages it. While there is one, Stripe refuses other changes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<ScheduleId>,
    /// What the schedule changes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_change: Option<ScheduledChange>,
    /// A change that happens once its invoice is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_update: Option<PendingUpdate>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Discount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_collection: Option<PauseCollection>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherSubscription>,
}

impl Subscription {
    /// When it ends, where that is settled: `cancel_at` (which is all that the portal sets in
    /// flexible billing mode) or the period's end with `cancel_at_period_end`.
    #[must_use]
    pub fn ends_at(&self) -> Option<i64> {
        self.cancel_at.or(if self.cancel_at_period_end { self.current_period_end } else { None })
    }
}

/// The whole value of `stripe:customer:<id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Snapshot {
    /// When the fetch that this comes from began, Unix seconds. 0 where a peer wrote the value.
    pub synced_at: i64,
    pub subscription: Option<Subscription>,
}

impl Snapshot {
    /// No subscription, in Theo's words `{"status":"none"}`.
    #[must_use]
    pub fn none(synced_at: i64) -> Self {
        Self { synced_at, subscription: None }
    }

    /// The next moment at which Stripe is known to change something, Unix seconds. Never `None`
    /// for a live subscription: what should have changed and has not is looked at again soon, and
    /// no value is believed for ever.
    #[must_use]
    pub fn next_change(&self, now: i64) -> Option<i64> {
        const MINUTE: i64 = 60;
        const DAY: i64 = 24 * 60 * MINUTE;
        let subscription = self.subscription.as_ref()?;
        if subscription.status == Status::Incomplete {
            // Paid at any moment, by a bank or by the buyer; given up by Stripe after a day.
            let young = now - subscription.created < 60 * MINUTE;
            return Some(now + if young { 5 * MINUTE } else { 60 * MINUTE });
        }
        if !subscription.status.is_live() {
            return None;
        }
        let settled = subscription.current_period_end.map(|end| end + RENEWAL_SETTLED);
        let scheduled = subscription.scheduled_change.as_ref().map(|change| change.starts_at);
        let lapses = subscription.pending_update.as_ref().map(|update| update.expires_at);
        let retried = subscription.latest_invoice.as_ref().and_then(|it| it.next_payment_attempt);
        let trial = subscription.trial_end;
        let known = [settled, trial, subscription.cancel_at, scheduled, lapses, retried];
        let next = known.into_iter().flatten().filter(|at| *at > now).min();
        let overdue = settled.is_some_and(|at| at <= now);
        let soonest = match (subscription.plan.is_none(), overdue) {
            (true, _) => now + 5 * MINUTE,
            (false, true) => now + 60 * MINUTE,
            (false, false) => now + 31 * DAY,
        };
        Some(next.map_or(soonest, |next| next.min(soonest)))
    }

    /// Whether something has probably changed that this value does not know of: a renewal has
    /// passed, or a first payment was still to come a minute ago.
    #[must_use]
    pub fn is_overdue(&self, now: i64) -> bool {
        let Some(subscription) = &self.subscription else { return false };
        if subscription.status == Status::Incomplete {
            return now - self.synced_at > 60;
        }
        let trial = subscription.trial_end.filter(|_| subscription.status == Status::Trialing);
        if trial.is_some_and(|end| end <= now && self.synced_at < end) {
            return true;
        }
        let live = subscription.status.is_live();
        let settled = subscription.current_period_end.filter(|_| live).map(|end| end + RENEWAL_SETTLED);
        settled.is_some_and(|at| at <= now && self.synced_at < at)
    }
}

/// A renewal's invoice is finalised, and charged, about an hour after the period's end.
const RENEWAL_SETTLED: i64 = 90 * 60;

/// The JSON's shape: a union told apart by `status`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Some {
        #[serde(flatten)]
        subscription: Box<Subscription>,
        #[serde(rename = "syncedAt", default)]
        synced_at: i64,
    },
    None {
        status: String,
        #[serde(rename = "syncedAt", default)]
        synced_at: i64,
    },
}

impl From<Snapshot> for Stored {
    fn from(snapshot: Snapshot) -> Self {
        let synced_at = snapshot.synced_at;
        match snapshot.subscription {
            Some(subscription) => Stored::Some { subscription: Box::new(subscription), synced_at },
            None => Stored::None { status: "none".to_owned(), synced_at },
        }
    }
}

impl TryFrom<Stored> for Snapshot {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        match stored {
            Stored::Some { subscription, synced_at } => {
                Ok(Self { synced_at, subscription: Some(*subscription) })
            }
            Stored::None { status, synced_at } if status == "none" => Ok(Self::none(synced_at)),
            Stored::None { status, .. } => Err(format!("status {status:?} without a subscription's fields")),
        }
    }
}
