//! The forms of a subscriber: from what was sent to the page that comes next. Stripe does what is
//! asked, a sync says what came of it, and only that is told. Whose subscription it is, the session
//! says: no form can name another one.

use std::sync::Arc;

use leptos::prelude::{ServerFnError, provide_context};
use unsplit_billing::error::Error;
use unsplit_billing::id::SubscriptionId;
use unsplit_billing::plan::Interval;
use unsplit_billing::ports::Reason;
use unsplit_billing::service::{Billing, Changed, CheckoutChoice, Confirmed, Farewell};
use unsplit_billing::subscription::{Snapshot, Status};

use super::AppState;
use super::auth::{CurrentUser, User, logged_in};
use super::confirm::confirm_view;
use super::flash::tell;
use super::gate::{context, unavailable};
use super::session::see_other;
use crate::app::flash::Tone;
use crate::app::view::{Confirm, REASONS, Shown, Wording, plan_name, refused};

const ACCOUNT: &str = "/account";
/// Characters; Stripe takes more, and nobody reads them.
const LONGEST_COMMENT: usize = 500;

/// The verbs, and what is stored of who is logged in.
///
/// # Errors
/// `ServerFnError`: nobody is logged in, or, with status 503, what is needed does not answer.
pub async fn own() -> Result<(Arc<Billing>, Snapshot), ServerFnError> {
    let (billing, snapshot) = own_if_customer().await?;
    let now = billing.now();
    Ok((billing, snapshot.unwrap_or(Snapshot::none(now))))
}

/// The same, with `None` for who has no customer at Stripe.
///
/// # Errors
/// As `own`.
pub async fn own_if_customer() -> Result<(Arc<Billing>, Option<Snapshot>), ServerFnError> {
    let billing = context::<AppState>()?.billing;
    let snapshot = billing.subscription_of(&logged_in()?.id).await.map_err(unavailable)?;
    let version = snapshot.as_ref().map_or_else(|| Snapshot::none(0).version(), Snapshot::version);
    provide_context(Shown(version));
    Ok((billing, snapshot))
}

/// What a change would cost, or why there can be none.
///
/// # Errors
/// As `own`, also where Stripe does not answer.
pub async fn confirm(plan: String, interval: Interval) -> Result<Confirm, ServerFnError> {
    let (billing, user) = (context::<AppState>()?.billing, logged_in()?);
    // Before the preview: what changes meanwhile is news to the page.
    provide_context(Shown(billing.standing_of(&user.id).await.map_err(unavailable)?.version));
    match billing.preview_change(&user.id, &CheckoutChoice { plan, interval }).await {
        Ok(preview) => Ok(Confirm::Ready(Box::new(confirm_view(&preview, billing.catalog(), billing.now())))),
        Err(Error::Refused(refusal)) => {
            Ok(Confirm::Blocked(refused(refusal, &name_of(&billing, &user).await)))
        }
        Err(Error::NoSuchPrice { .. }) => {
            let refusal = unsplit_billing::change::Refusal::Unknown;
            Ok(Confirm::Blocked(refused(refusal, &name_of(&billing, &user).await)))
        }
        Err(error) => Err(unavailable(error)),
    }
}

/// The plan of a user as it stands in a sentence.
async fn name_of(billing: &Billing, user: &User) -> String {
    let stored = billing.stored_subscription_of(&user.id).await.ok().flatten();
    plan_name(stored.and_then(|snapshot| snapshot.subscription).as_ref(), billing.catalog())
}

/// One form of somebody who is logged in.
struct Form {
    billing: Arc<Billing>,
    user: User,
}

impl Form {
    /// `None` where nobody is logged in any more; they are sent to do so.
    fn sent() -> Result<Option<Self>, ServerFnError> {
        let billing = context::<AppState>()?.billing;
        let Some(user) = context::<CurrentUser>()?.0 else {
            see_other("/login");
            return Ok(None);
        };
        Ok(Some(Self { billing, user }))
    }

    fn name(&self, snapshot: &Snapshot) -> String {
        let (catalog, now) = (self.billing.catalog(), self.billing.now());
        let wording = snapshot.subscription.as_ref().map(|it| Wording::new(it, catalog, now));
        wording.map_or_else(|| plan_name(None, catalog), |wording| wording.title())
    }

    /// Says what went wrong, and goes to the account, which says how things stand.
    async fn trouble(&self, error: Error) -> Result<(), ServerFnError> {
        see_other(ACCOUNT);
        match error {
            Error::Refused(refusal) => {
                let notice = refused(refusal, &name_of(&self.billing, &self.user).await);
                tell(Tone::Info, &notice.title, &notice.text).await
            }
            error => {
                tracing::error!(user = %self.user.id, %error, "a change of a subscription failed");
                let text = "Stripe didn't answer in time, so we can't say yet whether it was done. \
                            This page shows it as soon as we know. Look again before you repeat it.";
                tell(Tone::Warn, "That may not have worked", text).await
            }
        }
    }
}

/// Changes the plan as it was shown; what would cost something else now is shown again.
///
/// # Errors
/// `ServerFnError`, with status 503, where the outcome could not be kept.
pub async fn change_plan(
    plan: &str,
    interval: &str,
    proration_date: &str,
    total: &str,
) -> Result<(), ServerFnError> {
    let Some(form) = Form::sent()? else { return Ok(()) };
    let Some(interval) = Interval::parse(interval) else {
        see_other("/account/plan");
        return tell(Tone::Warn, "That plan isn't for sale", "Choose one of the plans on this page.").await;
    };
    let again = format!("/account/plan/confirm?plan={}&interval={}", encoded(plan), interval.as_str());
    let seen = proration_date.parse().ok().zip(total.parse().ok());
    let Some((proration_date, total)) = seen else {
        see_other(&again);
        return tell(Tone::Info, "Please look once more", "This is what the change costs now.").await;
    };
    let choice = CheckoutChoice { plan: plan.to_owned(), interval };
    let confirmed = Confirmed { proration_date, total };
    match form.billing.change_plan(&form.user.id, &choice, confirmed).await {
        Ok(Changed::Done(snapshot)) => {
            see_other(ACCOUNT);
            let planned = snapshot.subscription.as_ref().is_some_and(|it| it.scheduled_change.is_some());
            let title = if planned { "Your change is planned" } else { "Your plan is changed" };
            tell(Tone::Good, title, "Here is how it stands, as Stripe says.").await
        }
        // The notice of the account says what to do.
        Ok(Changed::Waiting(_)) => {
            see_other(ACCOUNT);
            Ok(())
        }
        Ok(Changed::Stale) => {
            see_other(&again);
            let text =
                "The amount has changed since you looked. Nothing was charged; this is what it costs now.";
            tell(Tone::Info, "Please look once more", text).await
        }
        Err(Error::NoSuchPrice { .. } | Error::NotPushed(_)) => {
            see_other("/account/plan");
            tell(Tone::Warn, "That plan isn't for sale", "Choose one of the plans on this page.").await
        }
        Err(error) => form.trouble(error).await,
    }
}

/// What stands in a query as it is.
fn encoded(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')).take(40).collect()
}

/// Ends the plan, with the period (`end` "later") or "now".
///
/// # Errors
/// As `change_plan`.
pub async fn cancel(end: &str, feedback: &str, comment: &str) -> Result<(), ServerFnError> {
    let Some(form) = Form::sent()? else { return Ok(()) };
    let end = match end {
        "later" => Farewell::AtPeriodEnd,
        "now" => Farewell::Now,
        _ => {
            see_other("/account/cancel");
            return tell(Tone::Warn, "When should it end?", "Choose one of the two. Nothing was canceled.")
                .await;
        }
    };
    let comment: String = comment.trim().chars().take(LONGEST_COMMENT).collect();
    let reason = Reason {
        feedback: REASONS.iter().any(|(word, _)| *word == feedback).then(|| feedback.to_owned()),
        comment: Some(comment).filter(|text| !text.is_empty()),
    };
    match form.billing.cancel(&form.user.id, end, &reason).await {
        Ok(snapshot) => {
            see_other(ACCOUNT);
            let title = match snapshot.subscription.as_ref().map(|it| &it.status) {
                Some(Status::Canceled) | None => format!("{} has ended", form.name(&snapshot)),
                _ => format!("{} is canceled", form.name(&snapshot)),
            };
            tell(Tone::Good, &title, "You won't be charged again.").await
        }
        Err(error) => form.trouble(error).await,
    }
}

/// Ends another live subscription of the same customer.
///
/// # Errors
/// As `change_plan`.
pub async fn cancel_other(subscription: &str) -> Result<(), ServerFnError> {
    let Some(form) = Form::sent()? else { return Ok(()) };
    let Ok(other) = SubscriptionId::parse(subscription) else {
        see_other(ACCOUNT);
        return tell(Tone::Warn, "Nothing was canceled", "Choose one of the subscriptions on this page.")
            .await;
    };
    match form.billing.cancel_other(&form.user.id, &other).await {
        Ok(_) => {
            see_other(ACCOUNT);
            tell(Tone::Good, "That subscription has ended", "You won't be charged for it again.").await
        }
        Err(error) => form.trouble(error).await,
    }
}

/// Takes a planned end back, or goes on after a pause.
///
/// # Errors
/// As `change_plan`.
pub async fn resume() -> Result<(), ServerFnError> {
    let Some(form) = Form::sent()? else { return Ok(()) };
    let stored = form.billing.stored_subscription_of(&form.user.id).await.map_err(unavailable)?;
    let paused = stored.and_then(|it| it.subscription).is_some_and(|it| it.status == Status::Paused);
    let done = match paused {
        true => form.billing.resume(&form.user.id).await,
        false => form.billing.stay(&form.user.id).await,
    };
    told(form, done, "goes on").await
}

/// Takes a planned change of plan back.
///
/// # Errors
/// As `change_plan`.
pub async fn drop_planned_change() -> Result<(), ServerFnError> {
    let Some(form) = Form::sent()? else { return Ok(()) };
    let done = form.billing.drop_planned_change(&form.user.id).await;
    told(form, done, "stays").await
}

/// Gives up a change that waits for its payment.
///
/// # Errors
/// As `change_plan`.
pub async fn drop_waiting_change() -> Result<(), ServerFnError> {
    let Some(form) = Form::sent()? else { return Ok(()) };
    let done = form.billing.drop_waiting_change(&form.user.id).await;
    told(form, done, "stays").await
}

async fn told(form: Form, done: Result<Snapshot, Error>, what: &str) -> Result<(), ServerFnError> {
    match done {
        Ok(snapshot) => {
            see_other(ACCOUNT);
            let title = format!("{} {what}", form.name(&snapshot));
            tell(Tone::Good, &title, "Here is how it stands, as Stripe says.").await
        }
        Err(error) => form.trouble(error).await,
    }
}
