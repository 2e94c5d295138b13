//! What a subscription says of its future: the schedule's next phase, an update that waits for its
//! payment, coupons, a pause of collection.

use serde::Deserialize;

use super::Reference;
use super::subscription::Item;
use crate::fold::{ListedItem, ListedPendingUpdate, ListedPhase, ListedSchedule};
use crate::id::{PriceId, ScheduleId};
use crate::money::Currency;
use crate::subscription::{Discount, PauseCollection};

#[derive(Deserialize)]
pub(super) struct Schedule {
    id: ScheduleId,
    status: Option<String>,
    current_phase: Option<CurrentPhase>,
    #[serde(default)]
    phases: Vec<Phase>,
}

#[derive(Deserialize)]
struct CurrentPhase {
    end_date: i64,
}

#[derive(Deserialize)]
struct Phase {
    start_date: i64,
    #[serde(default)]
    items: Vec<PhaseItem>,
}

#[derive(Deserialize)]
struct PhaseItem {
    price: Option<Reference<WithId>>,
    quantity: Option<u64>,
}

#[derive(Deserialize)]
struct WithId {
    id: PriceId,
}

/// The schedule of a subscription; its id is enough to know that there is one.
pub(super) fn schedule(reference: &Reference<Schedule>) -> Option<ListedSchedule> {
    match reference {
        Reference::Id(id) => Some(ListedSchedule { id: ScheduleId::parse(id.as_str()).ok()?, next: None }),
        Reference::Object(schedule) => schedule.to_domain(),
    }
}

impl Schedule {
    /// `None` where it manages nothing any more.
    fn to_domain(&self) -> Option<ListedSchedule> {
        if matches!(self.status.as_deref(), Some("released" | "canceled" | "completed")) {
            return None;
        }
        let after = self.current_phase.as_ref().map(|phase| phase.end_date);
        let next = self.phases.iter().find(|phase| after.is_some_and(|end| phase.start_date >= end));
        let next = next.map(|phase| ListedPhase {
            starts_at: phase.start_date,
            items: phase.items.iter().filter_map(PhaseItem::to_domain).collect(),
        });
        Some(ListedSchedule { id: self.id.clone(), next })
    }
}

impl PhaseItem {
    fn to_domain(&self) -> Option<ListedItem> {
        let price = match self.price.as_ref()? {
            Reference::Id(id) => PriceId::parse(id.as_str()).ok()?,
            Reference::Object(price) => price.id.clone(),
        };
        Some(ListedItem {
            id: None,
            price,
            product: None,
            quantity: self.quantity,
            amount: None,
            currency: None,
            interval: None,
            interval_count: None,
            current_period_start: None,
            current_period_end: None,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Waiting {
    expires_at: Option<i64>,
    subscription_items: Option<Vec<Item>>,
}

impl Waiting {
    pub fn into_domain(self, period: (Option<i64>, Option<i64>)) -> Option<ListedPendingUpdate> {
        let items = self.subscription_items.unwrap_or_default();
        Some(ListedPendingUpdate {
            expires_at: self.expires_at?,
            items: items.into_iter().filter_map(|item| item.into_domain(period)).collect(),
        })
    }
}

/// A discount names its coupon in `source` since basil, and had it in `coupon` before.
#[derive(Deserialize)]
pub(super) struct Discounted {
    source: Option<Source>,
    coupon: Option<Reference<Coupon>>,
    end: Option<i64>,
}

#[derive(Deserialize)]
struct Source {
    coupon: Option<Reference<Coupon>>,
}

#[derive(Deserialize)]
struct Coupon {
    name: Option<String>,
    percent_off: Option<f64>,
    amount_off: Option<i64>,
    currency: Option<String>,
    duration: Option<String>,
}

impl Discounted {
    /// `None` where the coupon was not expanded.
    pub fn to_domain(&self) -> Option<Discount> {
        let source = self.source.as_ref().and_then(|source| source.coupon.as_ref());
        let coupon = source.or(self.coupon.as_ref())?.object()?;
        Some(Discount {
            name: coupon.name.clone(),
            basis_points_off: coupon.percent_off.and_then(basis_points),
            amount_off: coupon.amount_off,
            currency: coupon.currency.as_deref().and_then(|text| Currency::parse(text).ok()),
            duration: coupon.duration.clone(),
            ends_at: self.end,
        })
    }
}

/// Stripe takes percentages with up to two decimals.
fn basis_points(percent: f64) -> Option<u32> {
    let text = format!("{:.0}", percent * 100.0);
    text.parse().ok()
}

#[derive(Deserialize)]
pub(super) struct Pause {
    behavior: Option<String>,
    resumes_at: Option<i64>,
}

impl Pause {
    pub fn into_domain(self) -> PauseCollection {
        PauseCollection { behavior: self.behavior, resumes_at: self.resumes_at }
    }
}
