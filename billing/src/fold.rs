//! How all that Stripe lists of a customer becomes the one value. Pure: it may not fetch anything
//! nor read a clock.

use serde::{Deserialize, Serialize};

use crate::id::{
    CardHash, CustomerId, PaymentMethodId, PlanId, PriceId, ProductId, ScheduleId, SubscriptionId,
    SubscriptionItemId, UserId,
};
use crate::money::Currency;
use crate::plan::PlanDirectory;
use crate::subscription::{
    Discount, LatestInvoice, OtherSubscription, PauseCollection, PaymentMethod, PendingUpdate,
    ScheduledChange, Snapshot, Status, Subscription, Terms,
};

/// One subscription as Stripe lists it, reduced to what a snapshot needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedSubscription {
    pub id: SubscriptionId,
    pub status: Status,
    pub created: i64,
    pub items: Vec<ListedItem>,
    pub cancel_at_period_end: bool,
    pub cancel_at: Option<i64>,
    pub canceled_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub trial_end: Option<i64>,
    pub schedule: Option<ListedSchedule>,
    pub pending_update: Option<ListedPendingUpdate>,
    #[serde(default)]
    pub discounts: Vec<Discount>,
    pub pause_collection: Option<PauseCollection>,
    /// The subscription's own card, else the customer's default one.
    pub payment_method: Option<PaymentMethod>,
    /// The same card, told apart from all others and from nothing else.
    #[serde(default)]
    pub card: Option<CardHash>,
    /// The customer's default card, also where the subscription has one of its own.
    #[serde(default)]
    pub default_card: Option<PaymentMethodId>,
    pub latest_invoice: Option<LatestInvoice>,
    /// `metadata.userId` of the customer, where it is readable.
    pub user: Option<UserId>,
    pub customer: Option<CustomerId>,
    /// `metadata.checkout`: the token of the attempt that it was bought by.
    pub checkout: Option<String>,
    /// `metadata.trial` of the customer is `used`.
    #[serde(default)]
    pub trial_noted: bool,
    /// `metadata.trial` is `refused`: its trial was ended because of its card.
    #[serde(default)]
    pub trial_refused: bool,
}

impl ListedSubscription {
    /// It is or was a trial. An order that was never paid has not begun one.
    #[must_use]
    pub fn had_trial(&self) -> bool {
        self.trial_end.is_some() && self.status != Status::IncompleteExpired
    }

    /// The items that it has, and those that it will or may have.
    pub fn all_items(&self) -> impl Iterator<Item = &ListedItem> {
        let next =
            self.schedule.iter().filter_map(|schedule| schedule.next.as_ref()).flat_map(|it| &it.items);
        let waiting = self.pending_update.iter().flat_map(|update| &update.items);
        self.items.iter().chain(next).chain(waiting)
    }
}

/// The schedule that manages a subscription, with what its next phase begins with. Stripe names only
/// the price there; `service::catalog` adds what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedSchedule {
    pub id: ScheduleId,
    pub next: Option<ListedPhase>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedPhase {
    /// Unix seconds.
    pub starts_at: i64,
    pub items: Vec<ListedItem>,
}

/// What becomes of the items once the newest invoice is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedPendingUpdate {
    /// Unix seconds.
    pub expires_at: i64,
    pub items: Vec<ListedItem>,
}

/// One item of a listed subscription. Period dates are the item's, or, where Stripe still has
/// them on the subscription (before basil), the subscription's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedItem {
    /// `None` in a phase that has not begun.
    #[serde(default)]
    pub id: Option<SubscriptionItemId>,
    pub price: PriceId,
    pub product: Option<ProductId>,
    pub quantity: Option<u64>,
    pub amount: Option<i64>,
    pub currency: Option<Currency>,
    pub interval: Option<String>,
    pub interval_count: Option<u32>,
    pub current_period_start: Option<i64>,
    pub current_period_end: Option<i64>,
}

/// Makes the one value from all of a customer's subscriptions: the one that gives most access,
/// newest first among equals. Further live ones are listed in it, never hidden.
#[must_use]
pub fn fold(listed: &[ListedSubscription], plans: &PlanDirectory, synced_at: i64) -> Snapshot {
    let Some(best) = listed.iter().max_by(|a, b| standing(a, plans).cmp(&standing(b, plans))) else {
        return Snapshot::none(synced_at);
    };
    let mut subscription = reduce(best, plans);
    subscription.others = listed
        .iter()
        .filter(|other| other.id != best.id && other.status.is_live())
        .map(|other| beside(other, plans))
        .collect();
    Snapshot { synced_at, subscription: Some(subscription) }
}

type Standing<'a> = (bool, u8, Option<usize>, i64, &'a str);

/// A live subscription to a plan we know comes first, then the better status, the higher plan,
/// the newer one; the id makes it total, so that two folds of one list never differ.
fn standing<'a>(listed: &'a ListedSubscription, plans: &PlanDirectory) -> Standing<'a> {
    let rank = main_item(&listed.items, plans).and_then(|item| plan_of(item, plans)).map(|(_, rank)| rank);
    let gives_access = rank.is_some() && listed.status.weight() >= Status::PastDue.weight();
    (gives_access, listed.status.weight(), rank, listed.created, listed.id.as_str())
}

fn plan_of(item: &ListedItem, plans: &PlanDirectory) -> Option<(PlanId, usize)> {
    let (plan, rank) = plans.plan_of(item.product.as_ref()?)?;
    Some((plan.clone(), rank))
}

/// A subscription may have add-ons beside its plan: the plan is the item with the highest rank.
fn main_item<'a>(items: &'a [ListedItem], plans: &PlanDirectory) -> Option<&'a ListedItem> {
    let by_rank = |item: &&ListedItem| plan_of(item, plans).map(|(_, rank)| rank);
    let known = items.iter().filter(|item| by_rank(item).is_some()).max_by_key(by_rank);
    known.or(items.first())
}

fn terms(items: &[ListedItem], plans: &PlanDirectory) -> Option<Terms> {
    let item = main_item(items, plans)?;
    Some(Terms {
        price_id: item.price.clone(),
        plan: plan_of(item, plans).map(|(plan, _)| plan),
        quantity: item.quantity,
        amount: item.amount,
        currency: item.currency.clone(),
        interval: item.interval.clone(),
        interval_count: item.interval_count,
    })
}

/// A live subscription beside the one that is shown.
fn beside(other: &ListedSubscription, plans: &PlanDirectory) -> OtherSubscription {
    let item = main_item(&other.items, plans);
    let period_end = item.and_then(|item| item.current_period_end);
    let each = other.items.iter().map(|item| {
        let quantity = i64::try_from(item.quantity.unwrap_or(1)).ok()?;
        item.amount?.checked_mul(quantity)
    });
    OtherSubscription {
        subscription_id: other.id.clone(),
        status: other.status.clone(),
        plan: item.and_then(|item| plan_of(item, plans)).map(|(plan, _)| plan),
        amount: each.sum(),
        currency: item.and_then(|item| item.currency.clone()),
        interval: item.and_then(|item| item.interval.clone()),
        interval_count: item.and_then(|item| item.interval_count),
        current_period_end: period_end,
        ends_at: other.cancel_at.or(period_end.filter(|_| other.cancel_at_period_end)),
    }
}

fn reduce(listed: &ListedSubscription, plans: &PlanDirectory) -> Subscription {
    let item = main_item(&listed.items, plans);
    let next = listed.schedule.as_ref().and_then(|schedule| Some((schedule, schedule.next.as_ref()?)));
    Subscription {
        subscription_id: listed.id.clone(),
        status: listed.status.clone(),
        price_id: item.map(|item| item.price.clone()),
        current_period_start: item.and_then(|item| item.current_period_start),
        current_period_end: item.and_then(|item| item.current_period_end),
        cancel_at_period_end: listed.cancel_at_period_end,
        payment_method: listed.payment_method.clone(),
        plan: item.and_then(|item| plan_of(item, plans)).map(|(plan, _)| plan),
        product_id: item.and_then(|item| item.product.clone()),
        quantity: item.and_then(|item| item.quantity),
        amount: item.and_then(|item| item.amount),
        currency: item.and_then(|item| item.currency.clone()),
        interval: item.and_then(|item| item.interval.clone()),
        interval_count: item.and_then(|item| item.interval_count),
        created: listed.created,
        cancel_at: listed.cancel_at,
        canceled_at: listed.canceled_at,
        ended_at: listed.ended_at,
        trial_end: listed.trial_end,
        trial_refused: listed.trial_refused,
        latest_invoice: listed.latest_invoice.clone(),
        item_id: item.and_then(|item| item.id.clone()),
        schedule_id: listed.schedule.as_ref().map(|schedule| schedule.id.clone()),
        scheduled_change: next.and_then(|(schedule, phase)| {
            Some(ScheduledChange {
                schedule_id: schedule.id.clone(),
                starts_at: phase.starts_at,
                terms: terms(&phase.items, plans)?,
            })
        }),
        pending_update: listed.pending_update.as_ref().map(|update| PendingUpdate {
            expires_at: update.expires_at,
            terms: terms(&update.items, plans),
        }),
        discounts: listed.discounts.clone(),
        pause_collection: listed.pause_collection.clone(),
        others: Vec::new(),
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
