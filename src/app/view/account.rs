//! The account page from the stored snapshot: the headline, the one notice, the facts, the one
//! thing to do next. May not decide on access: `unsplit_billing::access` does.

use unsplit_billing::access::{Access, AccessPolicy, access};
use unsplit_billing::plan::{Catalog, Plan};
use unsplit_billing::subscription::{OtherSubscription, Snapshot, Status, Subscription};

use super::status::{nothing, notice, words};
use super::wording::Wording;
use super::{AccountView, FormView, Link, NoticeView, OtherView, Pill};
use crate::app::flash::Tone;
use crate::app::format::{format_date, format_price, on_day};

/// `now` in Unix seconds.
#[must_use]
pub fn account_view(
    email: &str,
    snapshot: &Snapshot,
    catalog: &Catalog,
    policy: AccessPolicy,
    now: i64,
) -> AccountView {
    let access = access(snapshot, policy, now);
    let usable = access.plan().and_then(|plan| catalog.plan(plan)).or_else(|| free_plan(catalog));
    let (words, facts) = match &snapshot.subscription {
        Some(subscription) => {
            let wording = Wording::new(subscription, catalog, now);
            // An order that has lapsed was never a plan.
            let lapsed = subscription.status == Status::IncompleteExpired;
            let facts = if lapsed { Vec::new() } else { facts(&wording) };
            (words(&wording, &access), facts)
        }
        None => (nothing(usable), Vec::new()),
    };
    let live = snapshot.subscription.as_ref().is_some_and(|it| it.status.is_live());
    let next = match &access {
        Access::Granted { .. } => Link::new("See your year ahead", "/app"),
        // A second plan beside one that is still there would be charged too.
        Access::Denied if live => Link::new("Look again", "/account"),
        Access::Denied => Link::new("See plans", "/pricing"),
    };
    AccountView {
        email: email.to_owned(),
        plan_name: usable.map_or_else(String::new, |plan| plan.name.clone()),
        headline: words.headline,
        pill: Pill { label: words.pill.0.to_owned(), tone: words.pill.1 },
        notice: words.notice.or_else(|| more_than_one(snapshot.subscription.as_ref())),
        facts,
        includes: usable.map_or_else(Vec::new, |plan| plan.features.clone()),
        others: others(snapshot.subscription.as_ref(), catalog, now),
        next,
        more: more(snapshot.subscription.as_ref(), now),
    }
}

fn free_plan(catalog: &Catalog) -> Option<&Plan> {
    catalog.plans().iter().find(|plan| plan.prices.is_empty())
}

/// What can be done besides: to change and to leave, where there is something to change and to leave.
fn more(subscription: Option<&Subscription>, now: i64) -> Vec<Link> {
    let Some(subscription) = subscription else { return Vec::new() };
    let ends = subscription.ends_at().is_some_and(|end| end > now);
    let changes = matches!(subscription.status, Status::Active | Status::Trialing) && !ends;
    let leaves = subscription.status.is_live() || subscription.status == Status::Incomplete;
    let change = changes.then(|| Link::new("Change plan", "/account/plan"));
    let leave = leaves.then(|| Link::new("Cancel plan", "/account/cancel"));
    change.into_iter().chain(leave).collect()
}

fn others(subscription: Option<&Subscription>, catalog: &Catalog, now: i64) -> Vec<OtherView> {
    let others = subscription.map(|subscription| &subscription.others);
    let view = |other: &OtherSubscription| {
        let plan = other.plan.as_ref().and_then(|id| catalog.plan(id));
        let title = plan.map_or_else(|| "A plan not on our list".to_owned(), |plan| plan.name.clone());
        let price = other.amount.zip(other.currency.as_ref()).zip(other.interval.as_deref());
        let price = price.and_then(|((amount, currency), interval)| {
            format_price(amount, currency, interval, other.interval_count.unwrap_or(1))
        });
        let next = match (other.ends_at, other.current_period_end) {
            (Some(end), _) => Some(format!("ends {}", on_day(end, now))),
            (None, Some(end)) => Some(format!("renews {}", on_day(end, now))),
            (None, None) => None,
        };
        let text = [price, next].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let cancel = FormView::new("/api/cancel_other", format!("Cancel this {title}"))
            .with("subscription", other.subscription_id.as_str());
        OtherView { title, text, cancel: other.ends_at.is_none().then_some(cancel) }
    };
    others.into_iter().flatten().map(view).collect()
}

fn more_than_one(subscription: Option<&Subscription>) -> Option<NoticeView> {
    let count = subscription.map(|subscription| subscription.others.len()).filter(|count| *count > 0)?;
    let text = format!(
        "{} subscriptions are running, and each is charged. Cancel below what you don't need.",
        count + 1
    );
    Some(notice(Tone::Warn, "You have more than one subscription", text))
}

fn facts(wording: &Wording) -> Vec<(String, String)> {
    let subscription = wording.subscription;
    let row = |label: &str, value: Option<String>| value.map(|value| (label.to_owned(), value));
    let live = subscription.status.is_live();
    let ended = subscription.ended_at.filter(|_| !live);
    let card = wording.card().or_else(|| live.then(|| "None on file".to_owned()));
    let known = [
        row("Plan", Some(wording.title())),
        row("Price", wording.price()),
        row("Discount", wording.discounts().filter(|_| live)),
        wording.next_payment(),
        row("Ends", wording.ending().filter(|_| live).map(format_date)),
        row("Ended", ended.map(format_date)),
        row("Card", card),
        row("Since", Some(subscription.created).filter(|at| *at > 0).map(format_date)),
    ];
    known.into_iter().flatten().collect()
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
