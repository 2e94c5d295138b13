//! What a subscriber may change, in which state, and what has to go out of its way first: one pure
//! function, whose table is docs/changes.md. It asks nobody and changes nothing.

use serde::{Deserialize, Serialize};

use crate::id::{InvoiceId, PlanId, ScheduleId};
use crate::plan::{Catalog, Interval};
use crate::subscription::{Status, Subscription};

/// Whether another plan gives more than the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// A higher plan, or the same for a longer time: takes effect at once.
    Up,
    /// A lower plan, or the same for a shorter time: takes effect at the period's end, as the rest of
    /// it is paid.
    Down,
}

/// What of a planned end is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedEnd {
    /// `cancel_at_period_end`.
    AtPeriodEnd,
    /// `cancel_at` alone, as the portal sets it.
    AtTime,
}

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Change {
        plan: PlanId,
        interval: Interval,
    },
    CancelLater,
    CancelNow,
    /// Takes a planned end back.
    Keep,
    /// Takes a planned change back.
    DropPlanned,
    /// Gives a change up that waits for its payment.
    DropWaiting,
    /// Goes on after a pause.
    Resume,
}

/// What is done for it at Stripe, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// The schedule that would refuse it.
    pub release: Option<ScheduleId>,
    /// The invoice of a change that waits, which would happen after it.
    pub void: Option<InvoiceId>,
    pub then: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    ChangeNow,
    /// In a trial nothing was paid and nothing is due: at once, and without proration.
    ChangeInTrial,
    ChangeLater,
    CancelLater,
    CancelNow,
    Keep(PlannedEnd),
    Resume,
    /// What stood in the way was all.
    Nothing,
}

/// Why not. Each has words on the page, and a way on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// There is no subscription that lives.
    NoSubscription,
    /// It is what they have.
    SamePlan,
    /// It is what they will have.
    AlreadyPlanned,
    /// It ends; it must be kept before it can change.
    Ending,
    AlreadyEnding,
    NotEnding,
    /// An earlier change waits for its payment.
    Waiting,
    NothingPlanned,
    NothingWaiting,
    /// A payment is overdue.
    Unpaid,
    /// The first payment is not done: there is nothing yet that could change.
    Incomplete,
    Paused,
    NotPaused,
    /// The plan, or its status, is not one that we know.
    Unknown,
}

/// Whether the terms `plan` and `interval` are above or below those of the subscription; `None` where
/// they are the same, or the present ones are not known.
#[must_use]
pub fn direction(
    subscription: &Subscription,
    plan: &PlanId,
    interval: Interval,
    catalog: &Catalog,
) -> Option<Direction> {
    let present = (catalog.rank(subscription.plan.as_ref()?)?, interval_of(subscription)?);
    let wanted = (catalog.rank(plan)?, interval);
    match wanted.cmp(&present) {
        std::cmp::Ordering::Greater => Some(Direction::Up),
        std::cmp::Ordering::Less => Some(Direction::Down),
        std::cmp::Ordering::Equal => None,
    }
}

fn interval_of(subscription: &Subscription) -> Option<Interval> {
    let once = subscription.interval_count.unwrap_or(1) == 1;
    Interval::parse(subscription.interval.as_deref()?).filter(|_| once)
}

/// `now` in Unix seconds, by Stripe's clock.
///
/// # Errors
/// `Refusal`.
pub fn decide(
    subscription: Option<&Subscription>,
    wish: &Wish,
    catalog: &Catalog,
    now: i64,
) -> Result<Steps, Refusal> {
    let subscription = subscription.ok_or(Refusal::NoSubscription)?;
    let incomplete = subscription.status == Status::Incomplete;
    if !subscription.status.is_live() && !incomplete {
        return Err(Refusal::NoSubscription);
    }
    let ends = subscription.ends_at().filter(|end| *end > now);
    let release = subscription.schedule_id.clone();
    let void = waiting_invoice(subscription);
    let alone = |then| Ok(Steps { release: None, void: None, then });
    match wish {
        Wish::Change { plan, interval } => change(subscription, plan, *interval, catalog, ends),
        // What waits goes with the subscription, and its schedule too.
        Wish::CancelNow => alone(Step::CancelNow),
        Wish::CancelLater if incomplete => Err(Refusal::Incomplete),
        Wish::CancelLater if ends.is_some() => Err(Refusal::AlreadyEnding),
        Wish::CancelLater => Ok(Steps { release, void, then: Step::CancelLater }),
        Wish::Keep if ends.is_none() => Err(Refusal::NotEnding),
        // The schedule is what ends it.
        Wish::Keep if release.is_some() => Ok(Steps { release, void: None, then: Step::Nothing }),
        Wish::Keep if subscription.cancel_at_period_end => alone(Step::Keep(PlannedEnd::AtPeriodEnd)),
        Wish::Keep => alone(Step::Keep(PlannedEnd::AtTime)),
        Wish::DropPlanned if release.is_none() => Err(Refusal::NothingPlanned),
        Wish::DropPlanned => Ok(Steps { release, void: None, then: Step::Nothing }),
        Wish::DropWaiting if void.is_none() => Err(Refusal::NothingWaiting),
        Wish::DropWaiting => Ok(Steps { release: None, void, then: Step::Nothing }),
        Wish::Resume if subscription.status != Status::Paused => Err(Refusal::NotPaused),
        Wish::Resume => alone(Step::Resume),
    }
}

/// The invoice that a pending update is for is the newest.
fn waiting_invoice(subscription: &Subscription) -> Option<InvoiceId> {
    subscription.pending_update.as_ref()?;
    subscription.latest_invoice.as_ref().filter(|invoice| invoice.is_open())?.id.clone()
}

fn change(
    subscription: &Subscription,
    plan: &PlanId,
    interval: Interval,
    catalog: &Catalog,
    ends: Option<i64>,
) -> Result<Steps, Refusal> {
    match subscription.status {
        Status::Active | Status::Trialing => {}
        Status::PastDue | Status::Unpaid => return Err(Refusal::Unpaid),
        Status::Incomplete => return Err(Refusal::Incomplete),
        Status::Paused => return Err(Refusal::Paused),
        _ => return Err(Refusal::Unknown),
    }
    if ends.is_some() {
        return Err(Refusal::Ending);
    }
    if subscription.pending_update.is_some() {
        return Err(Refusal::Waiting);
    }
    if subscription.plan.is_none() || interval_of(subscription).is_none() || subscription.item_id.is_none() {
        return Err(Refusal::Unknown);
    }
    let direction = direction(subscription, plan, interval, catalog).ok_or(Refusal::SamePlan)?;
    let planned = subscription.scheduled_change.as_ref().map(|change| &change.terms);
    if planned.is_some_and(|terms| {
        terms.plan.as_ref() == Some(plan) && terms.interval.as_deref() == Some(interval.as_str())
    }) {
        return Err(Refusal::AlreadyPlanned);
    }
    let then = match (&subscription.status, direction) {
        (Status::Trialing, _) => Step::ChangeInTrial,
        (_, Direction::Up) => Step::ChangeNow,
        (_, Direction::Down) => Step::ChangeLater,
    };
    Ok(Steps { release: subscription.schedule_id.clone(), void: None, then })
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
