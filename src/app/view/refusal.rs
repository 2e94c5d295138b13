//! Why something can't be changed now, in words, and what to do instead.

use unsplit_billing::change::Refusal;

use super::status::notice;
use super::{FormView, NoticeView};
use crate::app::flash::Tone;

/// `name` is the plan's, as it stands in a sentence.
#[must_use]
pub fn refused(refusal: Refusal, name: &str) -> NoticeView {
    let (title, text) = match refusal {
        Refusal::NoSubscription => {
            ("There is no plan to change", "Choose a plan, and it begins at once.".to_owned())
        }
        Refusal::SamePlan => ("You have this plan already", "Nothing was changed.".to_owned()),
        Refusal::AlreadyPlanned => {
            ("This change is planned already", "It happens by itself when your period ends.".to_owned())
        }
        Refusal::Ending => (
            "Your plan is about to end",
            format!("You canceled {name}. Keep it first, then you can change it."),
        ),
        Refusal::AlreadyEnding => ("Your plan ends already", "You won't be charged again.".to_owned()),
        Refusal::NotEnding => ("Your plan isn't ending", format!("{name} goes on as it is.")),
        Refusal::Waiting => (
            "An earlier change isn't paid yet",
            "Finish its payment, or drop it, then you can change again.".to_owned(),
        ),
        Refusal::NothingPlanned => ("No change is planned", format!("{name} goes on as it is.")),
        Refusal::NothingWaiting => ("No change is waiting", format!("{name} goes on as it is.")),
        Refusal::Unpaid => {
            ("A payment is overdue", format!("Pay the open invoice first, then you can change {name}."))
        }
        Refusal::Incomplete => {
            ("Your first payment isn't finished", "Finish it first, or cancel the order.".to_owned())
        }
        Refusal::Paused => {
            ("Your plan is paused", format!("Go on with {name} first, then you can change it."))
        }
        Refusal::NotPaused => ("Your plan isn't paused", format!("{name} goes on as it is.")),
        Refusal::Unknown => (
            "This plan can't be changed here",
            "It isn't one of our list. Write to us, and we'll change it for you.".to_owned(),
        ),
    };
    let notice = notice(Tone::Info, title, text);
    match refusal {
        Refusal::NoSubscription => notice.with("See plans", Some("/pricing".to_owned())),
        Refusal::Ending => notice.with_form(FormView::new("/api/resume", format!("Keep {name}"))),
        Refusal::Waiting | Refusal::Unpaid | Refusal::Incomplete | Refusal::Paused => {
            notice.with("To your account", Some("/account".to_owned()))
        }
        _ => notice,
    }
}
