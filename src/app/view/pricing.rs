//! The pricing page from the catalog: prices, what a year saves, and what each button does.
//! May not know what Stripe sells: that the prices exist there is `plans push`'s business.

use unsplit_billing::id::PlanId;
use unsplit_billing::plan::{Catalog, Interval, Plan};
use unsplit_billing::subscription::{Snapshot, Status};

use super::{PlanAction, PlanView, PriceView, PricingView};
use crate::app::format::format_money;

/// `snapshot` is what is known of a signed-in user's subscription, `None` for a stranger. Where it
/// cannot be read, `Snapshot::none` will do: checkout asks Stripe again anyway.
#[must_use]
pub fn pricing_view(
    catalog: &Catalog,
    interval: Interval,
    snapshot: Option<&Snapshot>,
    trials: Trials,
) -> PricingView {
    let live = |snapshot: &'_ Snapshot| snapshot.subscription.clone().filter(|found| found.status.is_live());
    let holding = match snapshot.map(live) {
        None => Holding::Stranger,
        Some(None) => Holding::Nothing,
        Some(Some(subscription)) => Holding::Plan(subscription.plan),
    };
    // Checkout gives a trial to who has had no subscription, and the button says what it does.
    let past = snapshot.and_then(|snapshot| snapshot.subscription.as_ref());
    let had_one = past.is_some_and(|it| it.status != Status::IncompleteExpired);
    let offered = trials == Trials::Offered && !had_one;
    let plan_view = |plan: &Plan| PlanView {
        id: plan.id.clone(),
        name: plan.name.clone(),
        tagline: plan.tagline.clone(),
        features: plan.features.clone(),
        price: price_of(plan, interval),
        saved_per_year: saved_per_year(plan),
        recommended: plan.recommended,
        trial_days: plan.trial_days.filter(|_| offered),
        trial_card: plan.trial_card,
        action: holding.action(plan),
    };
    let on_sale = |plan: &&Plan| plan.prices.is_empty() || price_of(plan, interval).is_some();
    PricingView {
        plans: catalog.plans().iter().filter(on_sale).map(plan_view).collect(),
        interval,
        yearly: catalog.sells_by(Interval::Year),
        saving: largest_saving(catalog),
    }
}

/// Whether whoever looks can still have a free trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trials {
    Offered,
    UsedUp,
}

enum Holding {
    Stranger,
    Nothing,
    Plan(Option<PlanId>),
}

impl Holding {
    fn action(&self, plan: &Plan) -> PlanAction {
        let free = plan.prices.is_empty();
        match self {
            Holding::Stranger if free => PlanAction::SignUp,
            Holding::Nothing if free => PlanAction::Current,
            Holding::Stranger | Holding::Nothing => PlanAction::Subscribe,
            Holding::Plan(current) if current.as_ref() == Some(&plan.id) => PlanAction::Current,
            Holding::Plan(_) => PlanAction::Account,
        }
    }
}

/// A plan that is sold by the month only keeps that price on the yearly page.
fn price_of(plan: &Plan, interval: Interval) -> Option<PriceView> {
    let price = plan.price(interval).or_else(|| plan.price(Interval::Month))?;
    Some(PriceView { amount: price.amount, currency: price.currency.clone(), interval: price.interval })
}

fn saved_per_year(plan: &Plan) -> Option<i64> {
    let (month, year) = (plan.price(Interval::Month)?, plan.price(Interval::Year)?);
    let saved = month.amount.saturating_mul(12) - year.amount;
    (saved > 0 && month.currency == year.currency).then_some(saved)
}

/// Only among plans of one currency can one saving be larger than another.
fn largest_saving(catalog: &Catalog) -> Option<String> {
    let savings: Vec<_> = catalog
        .plans()
        .iter()
        .filter_map(|plan| Some((saved_per_year(plan)?, &plan.price(Interval::Year)?.currency)))
        .collect();
    let (_, currency) = savings.first()?;
    let most = savings.iter().map(|(saved, _)| *saved).max()?;
    savings.iter().all(|(_, other)| other == currency).then(|| format_money(most, currency))
}

#[cfg(test)]
#[path = "pricing_tests.rs"]
mod tests;
