//! The account page from the stored snapshot: the headline, the one notice, the facts, the one
//! thing to do next. May not decide on access: `unsplit_billing::access` does.

use unsplit_billing::access::{Access, AccessPolicy, access};
use unsplit_billing::plan::{Catalog, Plan};
use unsplit_billing::subscription::{Snapshot, Status, Subscription};

use super::status::{nothing, notice, words};
use super::wording::Wording;
use super::{AccountView, Link, NoticeView, Pill};
use crate::app::flash::Tone;
use crate::app::format::format_date;

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
            let facts = if lapsed { Vec::new() } else { facts(&wording, catalog) };
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
        notice: more_than_one(snapshot.subscription.as_ref()).or(words.notice),
        facts,
        includes: usable.map_or_else(Vec::new, |plan| plan.features.clone()),
        next,
    }
}

fn free_plan(catalog: &Catalog) -> Option<&Plan> {
    catalog.plans().iter().find(|plan| plan.prices.is_empty())
}

fn more_than_one(subscription: Option<&Subscription>) -> Option<NoticeView> {
    let count = subscription.map(|subscription| subscription.others.len()).filter(|count| *count > 0)?;
    let text = format!(
        "{} subscriptions are running, and each is charged. Write to us, and we'll end what you don't need.",
        count + 1
    );
    Some(notice(Tone::Warn, "You have more than one subscription", text))
}

fn facts(wording: &Wording, catalog: &Catalog) -> Vec<(String, String)> {
    let subscription = wording.subscription;
    let row = |label: &str, value: Option<String>| value.map(|value| (label.to_owned(), value));
    let live = subscription.status.is_live();
    let ended = subscription.ended_at.filter(|_| !live);
    let card = wording.card().or_else(|| live.then(|| "None on file".to_owned()));
    let others = subscription.others.iter().map(|other| {
        let plan = other.plan.as_ref().and_then(|id| catalog.plan(id));
        row(
            "Also running",
            Some(plan.map_or_else(|| "A plan not on our list".to_owned(), |plan| plan.name.clone())),
        )
    });
    let known = [
        row("Plan", Some(wording.title())),
        row("Price", wording.price()),
        wording.next_payment(),
        row("Ends", wording.ending().filter(|_| live).map(format_date)),
        row("Ended", ended.map(format_date)),
        row("Card", card),
        row("Since", Some(subscription.created).filter(|at| *at > 0).map(format_date)),
    ];
    known.into_iter().chain(others).flatten().collect()
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
