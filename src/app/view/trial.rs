//! What the account page says of a trial: how long it lasts, what comes after it, and how it ended.

use super::status::{Words, card_form, notice, renewing};
use super::wording::Wording;
use crate::app::flash::Tone;

/// Stripe tells of a trial's end three days before (`customer.subscription.trial_will_end`).
const TRIAL_ENDS_SOON: i64 = 3 * 24 * 60 * 60;

pub(super) fn trial(wording: &Wording) -> Words {
    let name = wording.title();
    let until = wording.next_charge_at();
    let then = wording.price().map_or_else(String::new, |price| format!(", then {price}"));
    let headline = match wording.trial_left() {
        Some(left) => format!("{name}, free for {left}{then}"),
        None if until.is_some() => format!("{name}, the free days are over"),
        None => format!("{name}, free for now{then}"),
    };
    let no_card = wording.subscription.payment_method.is_none();
    let ahead = until.filter(|at| *at > wording.now);
    let soon = ahead.filter(|at| !no_card && at - wording.now <= TRIAL_ENDS_SOON).map(|at| {
        let charge = wording.charge().unwrap_or_else(|| "the price".to_owned());
        let card = wording.card().map_or_else(String::new, |card| format!(" by {card}"));
        let text = format!("{charge} is charged then{card}. Cancel before, and you pay nothing.");
        notice(Tone::Info, format!("Your trial ends {}", wording.on(at)), text)
    });
    let notice = ahead.filter(|_| no_card).map(|at| {
        let text = format!(
            "Your trial ends {}. Without a card, {} {} and you pay nothing.",
            wording.on(at),
            wording.name,
            wording.without_card()
        );
        notice(Tone::Warn, "There is no card on file", text).with_form(card_form("Add a card"))
    });
    Words { headline, pill: ("Trial", Tone::Info), notice: notice.or(soon) }
}

/// The card had a trial before, so this one has ended: as long as what that cost is new.
pub(super) fn trial_refused(wording: &Wording) -> Words {
    let Words { headline, pill, .. } = renewing(wording);
    let start = wording.subscription.current_period_start.or(wording.subscription.trial_end);
    let first = start.is_some() && start == wording.subscription.trial_end;
    let text = format!(
        "There is one free trial a card, and yours has had it. {} is paid for instead.",
        wording.title()
    );
    let told = first.then(|| notice(Tone::Info, "Your free trial has ended early", text));
    Words { headline, pill, notice: told }
}

pub(super) fn ended(wording: &Wording) -> Words {
    let at = wording.subscription.ended_at.or(wording.subscription.ends_at());
    let when = at.map_or_else(String::new, |at| format!(" {}", wording.on(at)));
    let (title, text) = match (wording.subscription.trial_refused, wording.ended_in_trial()) {
        (true, true) => (
            "Your free trial has ended early",
            "There is one free trial a card, and yours has had it. You weren't charged.",
        ),
        (false, true) => (
            "Your free trial has ended",
            "You weren't charged, and you won't be. You can come back whenever you like.",
        ),
        (_, false) => {
            ("Your plan has ended", "You won't be charged again. You can come back whenever you like.")
        }
    };
    Words {
        headline: format!("{} ended{when}", wording.title()),
        pill: ("Ended", Tone::Info),
        notice: Some(notice(Tone::Info, title, text)),
    }
}
