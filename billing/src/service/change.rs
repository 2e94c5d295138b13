//! Changing the plan: first what it would cost, then, if that is still so, the change. Stripe does it,
//! and a sync says what came of it; nothing is written here.

use super::{Billing, CheckoutChoice};
use crate::change::{Refusal, Step, Steps, Wish, decide};
use crate::error::{Error, StripeErrorKind};
use crate::id::{CustomerId, InvoiceId, PlanId, ScheduleId, SubscriptionId, UserId};
use crate::plan::{Plan, PlanPrice};
use crate::policy::Proration;
use crate::ports::{InvoicePreview, LaterChange, PlanChange, random_token};
use crate::subscription::{ScheduledChange, Snapshot, Subscription};

/// When a change takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Now,
    /// Unix seconds.
    PeriodEnd(i64),
}

/// What a change would do, as Stripe says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePreview {
    /// What is changed.
    pub subscription: Subscription,
    pub plan: Plan,
    pub price: PlanPrice,
    pub when: When,
    /// What is charged, or put on the next invoice, by the change itself; `None` where it costs nothing
    /// before the next period.
    pub invoice: Option<InvoicePreview>,
    /// Whether `invoice` is charged at once.
    pub charged_now: bool,
    /// The next regular payment after the change.
    pub next: Option<InvoicePreview>,
    /// A planned change that the new one takes the place of.
    pub drops: Option<ScheduledChange>,
    /// Until when the old price counts; Unix seconds. To be given back to `change_plan`.
    pub proration_date: i64,
}

/// What somebody has seen and said yes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    pub proration_date: i64,
    /// The total of the invoice that was shown, minor unit; 0 where there was none.
    pub total: i64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// As wished; the snapshot is what a sync has brought.
    Done(Box<Snapshot>),
    /// The payment failed or needs the customer: the change waits for it, the old plan goes on.
    Waiting(Box<Snapshot>),
    /// What was confirmed is not what would be charged now. Nothing was changed.
    Stale,
}

/// Seconds for which a preview may be confirmed. A proration date from further away would be a present.
const PREVIEW_LIFE: i64 = 15 * 60;

/// Seconds.
const CLOCKS_DIFFER: i64 = 5;

/// One change, decided.
struct Decided {
    subscription: Subscription,
    plan: Plan,
    price: PlanPrice,
    steps: Steps,
    change: PlanChange,
}

impl Decided {
    /// What a sync has brought of it.
    fn outcome(&self, snapshot: Snapshot) -> Changed {
        let Some(subscription) = &snapshot.subscription else { return Changed::Stale };
        let wanted = |plan: Option<&PlanId>, interval: Option<&str>| {
            plan == Some(&self.plan.id) && interval == Some(self.price.interval.as_str())
        };
        if subscription.pending_update.is_some() {
            return Changed::Waiting(Box::new(snapshot));
        }
        let planned = subscription.scheduled_change.as_ref().map(|change| &change.terms);
        let done = match self.steps.then {
            Step::ChangeLater => {
                planned.is_some_and(|terms| wanted(terms.plan.as_ref(), terms.interval.as_deref()))
            }
            _ => wanted(subscription.plan.as_ref(), subscription.interval.as_deref()),
        };
        if done { Changed::Done(Box::new(snapshot)) } else { Changed::Stale }
    }
}

impl Billing {
    /// What a change of plan would cost, and when. Asks Stripe each time, and changes nothing.
    ///
    /// # Errors
    /// `Error::Refused` where this subscription can't change so now, `Error::NoSuchPrice` for what is
    /// not sold; else Stripe or the store does not answer.
    pub async fn preview_change(
        &self,
        user: &UserId,
        choice: &CheckoutChoice,
    ) -> Result<ChangePreview, Error> {
        self.patiently(async {
            let customer = self.customer_of(user).await?.ok_or(Refusal::NoSubscription)?;
            let decided = self.decided(&customer, choice, None).await?;
            self.preview(decided).await
        })
        .await
    }

    /// Changes the plan as it was previewed, and says what a sync has then brought. A second click on
    /// the same button changes nothing more.
    ///
    /// # Errors
    /// As `preview_change`.
    pub async fn change_plan(
        &self,
        user: &UserId,
        choice: &CheckoutChoice,
        confirmed: Confirmed,
    ) -> Result<Changed, Error> {
        self.patiently(async {
            let customer = self.customer_of(user).await?.ok_or(Refusal::NoSubscription)?;
            let decided = match self.decided(&customer, choice, Some(confirmed.proration_date)).await {
                Ok(decided) => decided,
                // The first click was faster.
                Err(Error::Refused(Refusal::SamePlan | Refusal::AlreadyPlanned)) => {
                    return Ok(Changed::Done(Box::new(self.sync_now(&customer).await?.snapshot)));
                }
                Err(error) => return Err(error),
            };
            self.confirmed(&customer, decided, confirmed).await
        })
        .await
    }

    async fn confirmed(
        &self,
        customer: &CustomerId,
        decided: Decided,
        confirmed: Confirmed,
    ) -> Result<Changed, Error> {
        // Stripe has just said what time it is, to a second or two.
        if !(-CLOCKS_DIFFER..PREVIEW_LIFE).contains(&(self.now() - confirmed.proration_date)) {
            return Ok(Changed::Stale);
        }
        if decided.steps.then == Step::ChangeNow {
            let shown = self.stripe.preview_change(&decided.change).await?;
            if shown.total != confirmed.total {
                // Another click may have changed it since: then there is nothing left to charge.
                let snapshot = self.sync_now(customer).await?.snapshot;
                return Ok(decided.outcome(snapshot));
            }
        }
        let snapshot = self.acting(customer, self.act(&decided, confirmed)).await?;
        Ok(decided.outcome(snapshot))
    }

    async fn decided(
        &self,
        customer: &CustomerId,
        choice: &CheckoutChoice,
        proration_date: Option<i64>,
    ) -> Result<Decided, Error> {
        self.ensure_account().await?;
        let (plan, price) = self.sold(choice)?;
        let id = self.price_id(&plan.id, &price).await?;
        let snapshot = self.sync_now(customer).await?.snapshot;
        let wish = Wish::Change { plan: plan.id.clone(), interval: price.interval };
        let steps = decide(snapshot.subscription.as_ref(), &wish, &self.catalog, self.now())?;
        let subscription = snapshot.subscription.ok_or(Refusal::NoSubscription)?;
        let now = steps.then == Step::ChangeNow;
        let proration = if now { self.catalog.policy().proration } else { Proration::None };
        let change = PlanChange {
            subscription: subscription.subscription_id.clone(),
            item: subscription.item_id.clone().ok_or(Refusal::Unknown)?,
            price: id,
            quantity: subscription.quantity.unwrap_or(1),
            proration,
            // Only now, as Stripe has just said what time it is.
            proration_date: proration_date
                .or_else(|| Some(self.now()))
                .filter(|_| proration != Proration::None),
        };
        Ok(Decided { subscription, plan, price, steps, change })
    }

    async fn preview(&self, decided: Decided) -> Result<ChangePreview, Error> {
        let Decided { subscription, plan, price, steps, change } = decided;
        let resets = subscription.interval.as_deref() != Some(price.interval.as_str());
        let bills = change.proration != Proration::None || resets;
        let invoice = match steps.then {
            Step::ChangeNow if bills => Some(self.stripe.preview_change(&change).await?),
            _ => None,
        };
        let regular = PlanChange { proration: Proration::None, proration_date: None, ..change.clone() };
        let next = match steps.then {
            Step::ChangeNow if !resets => Some(self.stripe.preview_change(&regular).await?),
            _ => None,
        };
        let when = match (steps.then, subscription.current_period_end) {
            (Step::ChangeLater, Some(end)) => When::PeriodEnd(end),
            _ => When::Now,
        };
        Ok(ChangePreview {
            charged_now: invoice.is_some() && (resets || change.proration == Proration::AlwaysInvoice),
            drops: subscription.scheduled_change.clone(),
            proration_date: change.proration_date.unwrap_or_else(|| self.now()),
            subscription,
            plan,
            price,
            when,
            invoice,
            next,
        })
    }

    async fn act(&self, decided: &Decided, confirmed: Confirmed) -> Result<(), Error> {
        let Decided { subscription, change, steps, .. } = decided;
        if steps.then == Step::ChangeLater {
            let schedule = match &subscription.schedule_id {
                Some(schedule) => schedule.clone(),
                None => self.begin_schedule(&change.subscription).await?,
            };
            let from = subscription.price_id.clone().ok_or(Refusal::Unknown)?;
            let later = LaterChange { from, to: change.price.clone(), interval: decided.price.interval };
            return Ok(self.stripe.schedule_change(&schedule, &later).await?);
        }
        self.clear_the_way(steps).await?;
        // All who confirm this preview of what they have do one thing; a change has another newest
        // invoice, so that the same wish after it is another one.
        let newest = subscription.latest_invoice.as_ref().and_then(|invoice| invoice.id.as_ref());
        let key = format!(
            "unsplit-change-{}-{}-{}-{}",
            change.subscription,
            change.price,
            confirmed.proration_date,
            newest.map_or("none", InvoiceId::as_str)
        );
        Ok(self.stripe.change_plan(change, &key).await?)
    }

    /// The schedule of a subscription that had none a moment ago: where somebody was faster, theirs.
    async fn begin_schedule(&self, subscription: &SubscriptionId) -> Result<ScheduleId, Error> {
        let key = format!("unsplit-schedule-{subscription}-{}", random_token());
        match self.stripe.begin_schedule(subscription, &key).await {
            Err(error) if error.kind == StripeErrorKind::Refused => {
                let theirs = self.stripe.schedule_of(subscription).await?;
                theirs.ok_or_else(|| error.into())
            }
            answer => Ok(answer?),
        }
    }

    /// Releases the schedule and voids the invoice that would be in the way.
    pub(super) async fn clear_the_way(&self, steps: &Steps) -> Result<(), Error> {
        if let Some(schedule) = &steps.release {
            self.stripe.release_schedule(schedule).await?;
        }
        if let Some(invoice) = &steps.void {
            self.stripe.void_invoice(invoice).await?;
        }
        Ok(())
    }

    /// Does something at Stripe, and syncs, whether that went well or not: where it is cut off, a
    /// worker finds out what came of it.
    pub(super) async fn acting(
        &self,
        customer: &CustomerId,
        action: impl Future<Output = Result<(), Error>>,
    ) -> Result<Snapshot, Error> {
        self.mark_for(customer, self.settings.eager_grace).await?;
        let outcome = action.await;
        let synced = self.sync_now(customer).await;
        outcome?;
        Ok(synced?.snapshot)
    }
}
