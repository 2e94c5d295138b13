//! What the page after checkout says about how the purchase stands.

use unsplit_billing::plan::Catalog;
use unsplit_billing::ports::PaymentStatus;
use unsplit_billing::service::Outcome;

use crate::app::view::{SuccessView, active_view, open_payment_view};

/// `now` in Unix seconds.
#[must_use]
pub fn success_view(outcome: &Outcome, catalog: &Catalog, now: i64) -> SuccessView {
    match outcome {
        Outcome::Subscribed(subscription) => SuccessView::Active(active_view(subscription, catalog, now)),
        Outcome::NeedsPayment(subscription) => {
            SuccessView::NeedsPayment(open_payment_view(subscription, catalog, now))
        }
        Outcome::NoAccess(subscription) => {
            SuccessView::NoAccess { plan_name: open_payment_view(subscription, catalog, now).plan_name }
        }
        Outcome::Processing { payment } => {
            SuccessView::Processing { received: *payment != PaymentStatus::Unpaid }
        }
        Outcome::Ended => SuccessView::Ended,
        Outcome::NotPaid => SuccessView::NotPaid,
        Outcome::Unreachable => SuccessView::Unreachable,
    }
}
