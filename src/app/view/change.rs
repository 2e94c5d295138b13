//! The pages that change a plan: what there is to choose, and what a choice would cost, to the cent,
//! as Stripe says. May not reckon money itself.

use serde::{Deserialize, Serialize};
use unsplit_billing::change::{Direction, Refusal, Wish, decide, direction};
use unsplit_billing::plan::{Catalog, Interval, Plan, PlanPrice};
use unsplit_billing::subscription::{Snapshot, Status};

use super::wording::{Wording, plan_name};
use super::{FormView, NoticeView, refused};
use crate::app::format::{format_date, format_price};

/// Every other plan, by month or by year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeView {
    /// "Pro, $12 a month".
    pub present: String,
    pub interval: Interval,
    /// Whether any plan has a yearly price, and so whether there is a choice.
    pub yearly: bool,
    pub offers: Vec<Offer>,
    /// Why nothing can be changed now, and what to do about it.
    pub blocked: Option<NoticeView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub name: String,
    pub price: String,
    pub tagline: String,
    /// "Starts at once", "Starts on 3 March 2027".
    pub when: String,
    /// To the page that says what it costs.
    pub href: String,
}

/// One change before it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmView {
    pub title: String,
    /// Label and value: when it starts, what is paid today, what comes next.
    pub facts: Vec<(String, String)>,
    /// The invoice of the change, line by line, with its sums at the end.
    pub lines: Vec<(String, String)>,
    pub gains: Vec<String>,
    pub losses: Vec<String>,
    /// What else becomes of it: a planned change that is dropped, a credit.
    pub notes: Vec<String>,
    pub form: FormView,
}

/// The page that confirms one, or why there is nothing to confirm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirm {
    Ready(Box<ConfirmView>),
    Blocked(NoticeView),
}

/// `now` in Unix seconds.
#[must_use]
pub fn change_view(snapshot: &Snapshot, catalog: &Catalog, interval: Interval, now: i64) -> ChangeView {
    let subscription = snapshot.subscription.as_ref();
    let wording = subscription.map(|subscription| Wording::new(subscription, catalog, now));
    let offers: Vec<_> = catalog
        .plans()
        .iter()
        .filter_map(|plan| Some((plan, plan.price(interval)?)))
        .map(|(plan, price)| (plan, price, decided(snapshot, catalog, plan, interval, now)))
        .collect();
    let blocked = offers.iter().find_map(|(_, _, decided)| match decided {
        Err(Refusal::SamePlan | Refusal::AlreadyPlanned) | Ok(_) => None,
        Err(refusal) => Some(*refusal),
    });
    let name = plan_name(subscription, catalog);
    let offer = |(plan, price, decided): (&Plan, &PlanPrice, Result<String, Refusal>)| {
        Some(Offer {
            name: plan.name.clone(),
            price: priced(price),
            tagline: plan.tagline.clone(),
            when: decided.ok()?,
            href: format!("/account/plan/confirm?plan={}&interval={}", plan.id, interval.as_str()),
        })
    };
    ChangeView {
        present: wording.map_or_else(String::new, |wording| {
            let price = wording.price().map_or_else(String::new, |price| format!(", {price}"));
            format!("{}{price}", wording.title())
        }),
        interval,
        yearly: catalog.sells_by(Interval::Year),
        offers: offers.into_iter().filter_map(offer).collect(),
        blocked: blocked.map(|refusal| refused(refusal, &name)),
    }
}

/// When a change would start, or why there can be none.
fn decided(
    snapshot: &Snapshot,
    catalog: &Catalog,
    plan: &Plan,
    interval: Interval,
    now: i64,
) -> Result<String, Refusal> {
    let subscription = snapshot.subscription.as_ref();
    decide(subscription, &Wish::Change { plan: plan.id.clone(), interval }, catalog, now)?;
    let subscription = subscription.ok_or(Refusal::NoSubscription)?;
    let down = direction(subscription, &plan.id, interval, catalog) == Some(Direction::Down);
    let later = subscription.current_period_end.filter(|_| down && subscription.status == Status::Active);
    Ok(later.map_or_else(|| "Starts at once".to_owned(), |end| format!("Starts on {}", format_date(end))))
}

/// "$12 a month".
#[must_use]
pub fn priced(price: &PlanPrice) -> String {
    format_price(price.amount, &price.currency, price.interval.as_str(), 1).unwrap_or_default()
}
