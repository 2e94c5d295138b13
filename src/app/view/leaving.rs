//! The page that ends a plan: what is lost, when, and what is charged no more. No guilt.

use serde::{Deserialize, Serialize};
use unsplit_billing::change::{Wish, decide};
use unsplit_billing::plan::Catalog;
use unsplit_billing::subscription::{Snapshot, Status};

use super::wording::{Wording, plan_name};
use super::{NoticeView, refused};
use crate::app::format::format_date;

/// Stripe's words for why somebody leaves, and ours
/// (https://docs.stripe.com/api/subscriptions/object `cancellation_details.feedback`).
pub const REASONS: [(&str, &str); 8] = [
    ("too_expensive", "It costs too much"),
    ("missing_features", "Something is missing"),
    ("switched_service", "I use something else now"),
    ("unused", "I don't use it enough"),
    ("customer_service", "I wasn't helped well"),
    ("too_complex", "It is too complicated"),
    ("low_quality", "It doesn't work well enough"),
    ("other", "Something else"),
];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeavingView {
    pub name: String,
    /// "You keep Pro until 3 March 2027, and you won't be charged again."
    pub later: Option<String>,
    /// "Pro ends today. What you have paid isn't given back."
    pub now: Option<String>,
    /// What the plan includes, and will no more.
    pub losses: Vec<String>,
    /// Why there is nothing to end.
    pub blocked: Option<NoticeView>,
}

/// `now` in Unix seconds.
#[must_use]
pub fn leaving_view(snapshot: &Snapshot, catalog: &Catalog, now: i64) -> LeavingView {
    let subscription = snapshot.subscription.as_ref();
    let wording = subscription.map(|subscription| Wording::new(subscription, catalog, now));
    let name = plan_name(subscription, catalog);
    let allowed = |wish| decide(subscription, &wish, catalog, now);
    let later = allowed(Wish::CancelLater).is_ok().then(|| {
        match wording.as_ref().and_then(Wording::next_charge_at) {
            Some(end) if end > now => {
                format!("You keep {name} until {}, and you won't be charged again.", format_date(end))
            }
            _ => format!("You keep {name} until your period ends, and you won't be charged again."),
        }
    });
    let today = allowed(Wish::CancelNow).map(|_| match subscription.map(|it| &it.status) {
        Some(Status::Incomplete) => "The order ends at once, and nothing is charged.".to_owned(),
        Some(Status::Trialing) => format!("{name} ends at once. You pay nothing."),
        _ => format!("{name} ends at once. What you have paid isn't given back."),
    });
    let plan = subscription.and_then(|it| it.plan.as_ref()).and_then(|id| catalog.plan(id));
    LeavingView {
        losses: plan.map_or_else(Vec::new, |plan| plan.features.clone()),
        later,
        blocked: today.as_ref().err().map(|refusal| refused(*refusal, &name)),
        now: today.ok(),
        name,
    }
}
