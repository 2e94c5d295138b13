//! How somebody pays: the card, what it will be charged next, and the way to change it.

use serde::{Deserialize, Serialize};
use unsplit_billing::plan::Catalog;
use unsplit_billing::subscription::{Snapshot, Status};

use super::wording::Wording;
use super::{FormView, NoticeView, status};
use crate::app::flash::Tone;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentView {
    pub notice: Option<NoticeView>,
    /// Label and value.
    pub facts: Vec<(String, String)>,
    /// To Stripe's page for a new card; `None` for who has never been a customer.
    pub card: Option<FormView>,
    /// To all of Stripe's portal.
    pub portal: Option<FormView>,
}

/// `snapshot` is `None` for who has no customer at Stripe; `now` in Unix seconds.
#[must_use]
pub fn payment_view(snapshot: Option<&Snapshot>, catalog: &Catalog, now: i64) -> PaymentView {
    let customer = snapshot.is_some();
    let wording = snapshot.and_then(|it| it.subscription.as_ref()).map(|it| Wording::new(it, catalog, now));
    let live = wording.as_ref().filter(|wording| wording.subscription.status.is_live());
    let card = live.and_then(Wording::card);
    let next = live.and_then(Wording::next_payment);
    let none = "None on file".to_owned();
    let free = live.and_then(Wording::trial_left).map(|left| ("Free for".to_owned(), left));
    let facts = [Some(("Card".to_owned(), card.clone().unwrap_or(none))), free, next];
    let overdue =
        live.filter(|wording| matches!(wording.subscription.status, Status::PastDue | Status::Unpaid));
    let notice = overdue.map(|wording| {
        let text = "Pay it on Stripe's page, or change the card here: it is then charged at once.";
        let title = wording.owed().map_or_else(
            || "A payment is overdue".to_owned(),
            |owed| format!("A payment of {owed} is overdue"),
        );
        status::notice(Tone::Warn, title, text).with("Pay the invoice", wording.open_invoice())
    });
    let form = |flow: &str, label: &str| {
        FormView::new("/api/open_portal", label).with("flow", flow).with("from", "/account/payment")
    };
    let label = if card.is_some() { "Change the card" } else { "Add a card" };
    PaymentView {
        notice,
        facts: facts.into_iter().flatten().collect(),
        card: customer.then(|| form("payment_method", label)),
        portal: customer.then(|| form("home", "Open the customer portal")),
    }
}
