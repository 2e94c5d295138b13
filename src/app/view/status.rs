//! What each status says at the top of the account page, in plain words. Stripe's names for them
//! never reach the page, and every sentence about money must be true in that status.

use unsplit_billing::access::Access;
use unsplit_billing::plan::{Catalog, Plan};
use unsplit_billing::subscription::{Status, Subscription};

use super::trial::{ended, trial, trial_refused};
use super::wording::Wording;
use super::{FormView, Link, NoticeView};
use crate::app::flash::Tone;

pub(super) struct Words {
    pub headline: String,
    pub pill: (&'static str, Tone),
    pub notice: Option<NoticeView>,
}

pub(super) fn notice(tone: Tone, title: impl Into<String>, text: impl Into<String>) -> NoticeView {
    NoticeView { tone, title: title.into(), text: text.into(), action: None, form: None }
}

impl NoticeView {
    pub(super) fn with(self, label: &str, href: Option<String>) -> Self {
        Self { action: href.map(|href| Link::new(label, href)), ..self }
    }

    pub(super) fn with_form(self, form: FormView) -> Self {
        Self { form: Some(form), ..self }
    }
}

/// To Stripe's page for a new card, and back to the account.
pub(super) fn card_form(label: &str) -> FormView {
    FormView::new("/api/open_portal", label).with("flow", "payment_method").with("from", "/account")
}

/// No subscription at all.
pub(super) fn nothing(free: Option<&Plan>) -> Words {
    let headline = free
        .map_or_else(|| "You don't have a plan yet".to_owned(), |plan| format!("You're on {}", plan.name));
    Words { headline, pill: ("Nothing to pay", Tone::Info), notice: None }
}

/// What a page of the product itself says at its top: a payment that failed, or a trial that ends
/// soon or without a card. `now` in Unix seconds.
#[must_use]
pub fn banner(
    subscription: &Subscription,
    catalog: &Catalog,
    access: &Access,
    now: i64,
) -> Option<NoticeView> {
    let wording = Wording::new(subscription, catalog, now);
    match subscription.status {
        Status::PastDue => words(&wording, access).notice,
        Status::Trialing if wording.ending().is_none() => words(&wording, access).notice,
        _ => None,
    }
}

pub(super) fn words(wording: &Wording, access: &Access) -> Words {
    let over = wording.subscription.ends_at().is_some_and(|end| end <= wording.now);
    match &wording.subscription.status {
        Status::Canceled => ended(wording),
        Status::Active | Status::Trialing if over => ended(wording),
        Status::Active | Status::Trialing if wording.subscription.plan.is_none() => unknown_plan(),
        Status::Active | Status::Trialing if wording.ending().is_some() => ending(wording),
        Status::Active | Status::Trialing if wording.subscription.pending_update.is_some() => {
            waiting(wording)
        }
        Status::Active if wording.subscription.scheduled_change.is_some() => planned(wording),
        Status::Active if wording.subscription.trial_refused => trial_refused(wording),
        Status::Active => renewing(wording),
        Status::Trialing => trial(wording),
        Status::PastDue => past_due(wording, access),
        Status::Unpaid => unpaid(wording),
        Status::Paused => paused(wording),
        Status::Incomplete => incomplete(wording),
        Status::IncompleteExpired => lapsed(),
        Status::Unknown(_) => unknown_status(),
    }
}

pub(super) fn renewing(wording: &Wording) -> Words {
    let name = wording.title();
    let when = match wording.next_charge_at() {
        Some(at) if at > wording.now => format!(", renews {}", wording.on(at)),
        Some(_) => ", renewing now".to_owned(),
        None => String::new(),
    };
    let charge = wording
        .charge()
        .filter(|_| !when.is_empty())
        .map_or_else(String::new, |charge| format!(" for {charge}"));
    Words { headline: format!("{name}{when}{charge}"), pill: ("Active", Tone::Good), notice: None }
}

/// A change of plan is bought and not paid: what they had goes on.
fn waiting(wording: &Wording) -> Words {
    let update = wording.subscription.pending_update.as_ref();
    let terms = update.and_then(|update| update.terms.as_ref());
    let to = terms.map_or_else(|| "the new plan".to_owned(), |terms| wording.plan_of(terms));
    let until = update.map_or_else(String::new, |update| format!(" {}", wording.by(update.expires_at)));
    let text = format!(
        "{to} begins once its payment is done. Finish it{until}, or the change is dropped and nothing is charged. \
         {} goes on as it is.",
        wording.title()
    );
    let notice = notice(Tone::Warn, format!("Your change to {to} isn't paid yet"), text);
    let Words { headline, pill, .. } = renewing(wording);
    Words {
        headline,
        pill,
        notice: Some(
            notice
                .with("Finish the payment", wording.open_invoice())
                .with_form(FormView::new("/api/drop_waiting_change", "Drop the change")),
        ),
    }
}

/// Another plan begins with the next period.
fn planned(wording: &Wording) -> Words {
    let Words { headline, pill, .. } = renewing(wording);
    let Some(change) = &wording.subscription.scheduled_change else {
        return Words { headline, pill, notice: None };
    };
    let to = wording.plan_of(&change.terms);
    let price = Wording::price_of(&change.terms).map_or_else(String::new, |price| format!(" for {price}"));
    let text = format!(
        "You keep {} until then, as it is paid. {to} begins {}{price}.",
        wording.name,
        wording.on(change.starts_at)
    );
    let keep = FormView::new("/api/drop_planned_change", format!("Stay on {}", wording.name));
    Words {
        headline: format!("{} until {}, then {to}", wording.title(), wording.day(change.starts_at)),
        pill: ("Changing", Tone::Info),
        notice: Some(notice(Tone::Info, format!("You change to {to}"), text).with_form(keep)),
    }
}

fn ending(wording: &Wording) -> Words {
    let (name, day) = (wording.title(), wording.ending().map(|end| wording.day(end)).unwrap_or_default());
    let text = if wording.ends_unpaid() {
        format!("You keep {} until then, and you won't be charged again.", wording.name)
    } else {
        format!("You keep {} until then. Payments go on until it ends.", wording.name)
    };
    let title = format!("{name} ends {}", wording.ending().map(|end| wording.on(end)).unwrap_or_default());
    Words {
        headline: format!("{name} until {day}"),
        pill: ("Ending", Tone::Warn),
        notice: Some(
            notice(Tone::Info, title, text)
                .with_form(FormView::new("/api/resume", format!("Keep {}", wording.name))),
        ),
    }
}

fn past_due(wording: &Wording, access: &Access) -> Words {
    let name = &wording.name;
    let pay = wording.open_invoice();
    let how = if pay.is_some() { "pay the open invoice" } else { "we will try your card again" };
    let again = wording
        .next_try()
        .filter(|_| pay.is_some())
        .map_or_else(String::new, |at| format!(" Your card is tried again {}.", wording.on(at)));
    let title = wording.owed().map_or_else(
        || "Your last payment failed".to_owned(),
        |owed| format!("Your last payment of {owed} failed"),
    );
    let (tone, text) = match access {
        Access::Granted { until: Some(until), .. } if pay.is_some() => {
            (Tone::Warn, format!("You keep {name} until {}; {how} to stay.", wording.day(*until)))
        }
        Access::Granted { until: Some(until), .. } => {
            (Tone::Warn, format!("You keep {name} until {}; {how} before then.", wording.day(*until)))
        }
        Access::Granted { until: None, .. } => (Tone::Warn, format!("You keep {name} for now; {how}.")),
        Access::Denied => {
            (Tone::Bad, format!("{} is switched off until the payment goes through.", wording.title()))
        }
    };
    Words {
        headline: format!("{}, payment overdue", wording.title()),
        pill: ("Payment failed", tone),
        notice: Some(
            notice(tone, title, format!("{text}{again}"))
                .with("Pay the invoice", pay)
                .with_form(card_form("Use another card")),
        ),
    }
}

fn unpaid(wording: &Wording) -> Words {
    let text = format!(
        "Every try to charge your card failed, so {} is switched off. Pay the open invoice to switch it on again.",
        wording.name
    );
    let notice = notice(Tone::Bad, "We couldn't take your payment", text);
    Words {
        headline: format!("{} is switched off", wording.title()),
        pill: ("Not paid", Tone::Bad),
        notice: Some(
            notice.with("Pay the invoice", wording.open_invoice()).with_form(card_form("Use another card")),
        ),
    }
}

fn paused(wording: &Wording) -> Words {
    let (text, form) = if wording.subscription.payment_method.is_none() {
        let text = if wording.subscription.trial_end.is_some() {
            "Your free trial is over, and you weren't charged. Add a card, then go on from here."
        } else {
            "You aren't charged while it is paused. Add a card, then go on from here."
        };
        (text, card_form("Add a card"))
    } else {
        let text =
            "You aren't charged while it is paused. Going on begins a new period, which is charged at once.";
        (text, FormView::new("/api/resume", format!("Go on with {}", wording.name)))
    };
    let title = format!("{} is paused", wording.title());
    Words {
        headline: title.clone(),
        pill: ("Paused", Tone::Warn),
        notice: Some(notice(Tone::Warn, title, text).with_form(form)),
    }
}

fn incomplete(wording: &Wording) -> Words {
    let text = format!(
        "Your payment isn't complete, and {} starts once it is. With a bank debit that can take days. Otherwise finish it within a day, or the order lapses.",
        wording.name
    );
    let notice = notice(Tone::Warn, "Your first payment isn't finished", text);
    Words {
        headline: format!("{} is waiting for your payment", wording.title()),
        pill: ("Waiting for payment", Tone::Warn),
        notice: Some(notice.with("Finish the payment", wording.open_invoice())),
    }
}

fn lapsed() -> Words {
    let text = "The order has lapsed and you weren't charged. Choose a plan to try again.";
    Words {
        headline: "You don't have a plan yet".to_owned(),
        pill: ("Nothing to pay", Tone::Info),
        notice: Some(notice(Tone::Info, "Your first payment didn't go through", text)),
    }
}

fn unknown_plan() -> Words {
    let text = "Your subscription is paid for, but not for a plan on our list, so it switches nothing on. Write to us and we'll put it right.";
    Words {
        headline: "We don't know your plan".to_owned(),
        pill: ("Needs a look", Tone::Warn),
        notice: Some(notice(Tone::Warn, "Your subscription needs a look", text)),
    }
}

fn unknown_status() -> Words {
    let text = "Stripe told us something about it that we don't understand yet. Nothing changes in what you pay. If this stays, write to us.";
    Words {
        headline: "We're checking your plan".to_owned(),
        pill: ("Being checked", Tone::Warn),
        notice: Some(notice(Tone::Warn, "We can't say where your plan stands", text)),
    }
}
