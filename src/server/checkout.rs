//! From "Subscribe" to Stripe's page: reads the form, remembers the choice of someone who is not
//! logged in, and turns every outcome into a page to go to.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, CookieJar, SameSite};
use leptos::prelude::{ServerFnError, use_context};
use leptos_axum::ResponseOptions;
use unsplit_billing::error::Error;
use unsplit_billing::plan::Interval;
use unsplit_billing::service::{Buyer, Checkout, CheckoutChoice};

use super::AppState;
use super::auth::{CurrentUser, User};
use super::flash::tell;
use super::gate::{AFTER_CHECKOUT, context};
use super::session::see_other;
use crate::app::flash::Tone;

/// The plan that somebody chose before they had an account, signed so that it is ours.
const REMEMBERED: &str = "unsplit_plan";
/// Long enough for a sign-up, too short to surprise anyone.
const REMEMBERED_FOR: Duration = Duration::hours(1);

/// Handles the form: to Stripe, or to the sign-up with the choice remembered.
///
/// # Errors
/// `ServerFnError`, with status 503, where a redirect's message could not be kept.
pub async fn subscribe(plan: &str, interval: &str) -> Result<(), ServerFnError> {
    let state = context::<AppState>()?;
    let choice = state.billing.catalog().plan_named(plan).zip(Interval::parse(interval));
    let choice = choice.filter(|(plan, interval)| plan.price(*interval).is_some());
    let Some((plan, interval)) = choice else {
        tell(Tone::Warn, "That plan isn't for sale", "Choose one of the plans on this page.").await?;
        see_other("/pricing");
        return Ok(());
    };
    let choice = CheckoutChoice { plan: plan.id.to_string(), interval };
    match context::<CurrentUser>()?.0 {
        Some(user) => see_other(&go_to_checkout(&state, &user, choice).await),
        None => {
            remember(&state, &choice);
            see_other("/signup");
        }
    }
    Ok(())
}

/// Opens a user's checkout. Returns where to go; what went wrong is told there.
pub async fn go_to_checkout(state: &AppState, user: &User, choice: CheckoutChoice) -> String {
    let buyer = Buyer { user: user.id.clone(), email: user.email.clone() };
    let outcome = state.billing.start_checkout(&buyer, &choice).await;
    forget();
    let (to, told) = match outcome {
        Ok(Checkout::Open { url }) => return url,
        Ok(Checkout::AlreadySubscribed) => (
            "/account",
            tell(Tone::Info, "You already have a plan", "Here it is. You were not charged again.").await,
        ),
        Ok(Checkout::OnItsWay) => return AFTER_CHECKOUT.to_owned(),
        Err(error) => {
            tracing::error!(user = %user.id, %error, "no checkout could be opened");
            ("/pricing", explain(&error).await)
        }
    };
    if told.is_err() {
        tracing::error!("the outcome of a checkout could not be told");
    }
    to.to_owned()
}

async fn explain(error: &Error) -> Result<(), ServerFnError> {
    match error {
        Error::NoSuchPrice { .. } => {
            tell(Tone::Warn, "That plan isn't for sale", "Choose one of the plans on this page.").await
        }
        Error::NotPushed(_) => {
            let text = "The mistake is ours, and nothing was charged just now. Please try again later.";
            tell(Tone::Bad, "We can't sell this plan yet", text).await
        }
        Error::EmailHasSubscription => {
            let text = "Somebody with your e-mail address pays for a plan already, under another account. \
                        You were not charged again. Please contact our support, and we'll connect the two.";
            tell(Tone::Warn, "You may have a plan already", text).await
        }
        Error::Busy => {
            tell(Tone::Warn, "That was quick", "Your checkout is being opened. Please try again.").await
        }
        Error::Store(_)
        | Error::Stripe(_)
        | Error::Invalid(_)
        | Error::WrongAccount
        | Error::RebuildRuns
        | Error::Refused(_)
        | Error::StoreForgets => {
            let text = "Nothing was charged just now. If you have already paid, your account shows it soon; \
                        otherwise try again in a minute.";
            tell(Tone::Bad, "The payment page can't be reached", text).await
        }
    }
}

/// The choice that was made before the log-in, if it is ours and still sold.
#[must_use]
pub fn remembered_choice(headers: &HeaderMap, state: &AppState) -> Option<CheckoutChoice> {
    let mut jar = CookieJar::new();
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    for cookie in texts.flat_map(Cookie::split_parse_encoded).flatten() {
        jar.add_original(cookie.into_owned());
    }
    let cookie = jar.signed(&state.cookie_key).get(REMEMBERED)?;
    let (plan, interval) = cookie.value().rsplit_once(':')?;
    let interval = Interval::parse(interval)?;
    state.billing.catalog().plan_named(plan)?.price(interval)?;
    Some(CheckoutChoice { plan: plan.to_owned(), interval })
}

fn remember(state: &AppState, choice: &CheckoutChoice) {
    let value = format!("{}:{}", choice.plan, choice.interval.as_str());
    let cookie = Cookie::build((REMEMBERED, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.config.public_url.starts_with("https://"))
        .max_age(REMEMBERED_FOR)
        .build();
    let mut jar = CookieJar::new();
    jar.signed_mut(&state.cookie_key).add(cookie);
    set_cookies(&jar);
}

/// A choice is used once, however it ends.
fn forget() {
    let mut jar = CookieJar::new();
    jar.add_original(Cookie::build(REMEMBERED).path("/").build());
    jar.remove(Cookie::build(REMEMBERED).path("/").build());
    set_cookies(&jar);
}

fn set_cookies(jar: &CookieJar) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    for cookie in jar.delta() {
        if let Ok(value) = HeaderValue::from_str(&cookie.encoded().to_string()) {
            response.append_header(header::SET_COOKIE, value);
        }
    }
}
