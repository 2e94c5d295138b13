//! The log-in and sign-up forms: from what was typed to the page that comes next. Every outcome
//! is a redirect with a flash; only an outage is not. May not decide who gets in: `Accounts` does.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::request::Parts;
use leptos::prelude::{ServerFnError, use_context};
use leptos_axum::ResponseOptions;
use tower_sessions::Session;

use super::{AccountError, ClientAddress, Rejected, TrustedProxies, User};
use crate::app::flash::{Flash, FlashNotice, Tone};
use crate::server::AppState;
use crate::server::checkout::{go_to_checkout, remembered_choice};
use crate::server::session::{SessionError, Visitor, see_other};

/// Which of the two forms was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    SignUp,
    LogIn,
}

/// Redis is out of reach, so neither the outcome nor a flash could be kept.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Outage(String);

/// What the server functions of this module have at hand.
struct FormPost {
    state: AppState,
    parts: Parts,
    visitor: Visitor,
}

/// Logs in, or makes an account and logs in, and sends the browser on: to the checkout of the
/// plan that was chosen before, to the page that asked for a log-in, or to the account.
///
/// # Errors
/// `ServerFnError`, with status 503, where Redis does not answer.
pub async fn enter(form: Form, email: &str, password: &str) -> Result<(), ServerFnError> {
    let post = FormPost::from_context()?;
    finish(post.enter(form, email, password).await)
}

/// Ends the session.
///
/// # Errors
/// `ServerFnError`, with status 503, where Redis does not answer; the user is still logged in then.
pub async fn leave() -> Result<(), ServerFnError> {
    let post = FormPost::from_context()?;
    finish(post.leave().await)
}

impl FormPost {
    fn from_context() -> Result<Self, ServerFnError> {
        let missing = || ServerFnError::new("The server is not set up for forms.");
        let state = use_context::<AppState>().ok_or_else(missing)?;
        let parts = use_context::<Parts>().ok_or_else(missing)?;
        let session = parts.extensions.get::<Session>().cloned().ok_or_else(missing)?;
        Ok(Self { state, parts, visitor: Visitor::new(session) })
    }

    async fn enter(&self, form: Form, email: &str, password: &str) -> Result<String, Outage> {
        let accounts = &self.state.auth;
        let from = ClientAddress::of(&self.parts, TrustedProxies(self.state.config.trusted_proxies));
        let outcome = match form {
            Form::SignUp => accounts.sign_up(email, password, from).await,
            Form::LogIn => accounts.log_in(email, password, from).await,
        };
        match outcome {
            Ok(user) => self.welcome(&user).await,
            Err(AccountError::Rejected(rejected)) => {
                self.visitor.set_flash(&explain(&rejected, email)).await?;
                Ok(form.page().to_owned())
            }
            Err(AccountError::Unavailable(why)) => Err(Outage(why)),
        }
    }

    async fn welcome(&self, user: &User) -> Result<String, Outage> {
        self.visitor.log_in(&user.id).await?;
        let wanted = self.visitor.take_return_to().await?;
        if let Some(choice) = remembered_choice(&self.parts.headers, &self.state) {
            return Ok(go_to_checkout(&self.state, user, choice).await);
        }
        Ok(wanted.map_or_else(|| "/account".to_owned(), String::from))
    }

    async fn leave(&self) -> Result<String, Outage> {
        self.visitor.log_out().await?;
        let flash = notice(Tone::Good, "You are logged out", "See you soon.");
        self.visitor.set_flash(&flash).await?;
        Ok("/".to_owned())
    }
}

impl Form {
    fn page(self) -> &'static str {
        match self {
            Form::SignUp => "/signup",
            Form::LogIn => "/login",
        }
    }
}

fn finish(outcome: Result<String, Outage>) -> Result<(), ServerFnError> {
    match outcome {
        Ok(to) => {
            see_other(&to);
            Ok(())
        }
        Err(outage) => {
            tracing::error!(error = %outage, "a form could not be handled");
            if let Some(response) = use_context::<ResponseOptions>() {
                response.set_status(StatusCode::SERVICE_UNAVAILABLE);
            }
            Err(ServerFnError::new("Something we depend on does not answer. Try again in a moment."))
        }
    }
}

/// In words, beside the fields. The password that was typed goes nowhere.
fn explain(rejected: &Rejected, typed_email: &str) -> Flash {
    let flash = match rejected {
        Rejected::Fields { email, password } => Flash {
            errors: email
                .map(|why| ("email".to_owned(), why.to_string()))
                .into_iter()
                .chain(password.map(|why| ("password".to_owned(), why.to_string())))
                .collect(),
            ..Flash::default()
        },
        Rejected::EmailTaken => {
            error("email", "This email has an account already. Log in, or use another email.")
        }
        Rejected::Wrong => error("password", "Email and password don't match. Check both and try again."),
        Rejected::TooMany { again_in } => {
            let text = format!("To keep your account safe, the next try is possible {}.", soon(*again_in));
            notice(Tone::Warn, "Too many attempts", &text)
        }
        Rejected::Busy => notice(Tone::Warn, "A lot is going on right now", "Please try again in a moment."),
    };
    let typed = typed_email.chars().take(254).collect();
    Flash { values: BTreeMap::from([("email".to_owned(), typed)]), ..flash }
}

fn error(field: &str, text: &str) -> Flash {
    Flash { errors: BTreeMap::from([(field.to_owned(), text.to_owned())]), ..Flash::default() }
}

fn notice(tone: Tone, title: &str, text: &str) -> Flash {
    let notice = FlashNotice { tone, title: title.to_owned(), text: text.to_owned() };
    Flash { notice: Some(notice), ..Flash::default() }
}

fn soon(wait: Duration) -> String {
    match wait.as_secs().div_ceil(60) {
        0 | 1 => "in a minute".to_owned(),
        minutes => format!("in {minutes} minutes"),
    }
}

impl From<SessionError> for Outage {
    fn from(error: SessionError) -> Self {
        Self(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::{InvalidEmail, InvalidPassword};

    #[test]
    fn each_field_has_its_error_and_the_email_is_kept() {
        let rejected = Rejected::Fields {
            email: Some(InvalidEmail::Malformed),
            password: Some(InvalidPassword::TooShort),
        };
        let flash = explain(&rejected, "ada");
        assert_eq!(flash.error("email").as_deref(), Some("Enter an email address like name@example.com."));
        assert_eq!(flash.error("password").as_deref(), Some("Use at least 10 characters."));
        assert_eq!(flash.values, BTreeMap::from([("email".to_owned(), "ada".to_owned())]));
        assert_eq!(explain(&rejected, &"a".repeat(9999)).value("email").len(), 254);
    }

    #[test]
    fn a_wait_is_rounded_up() {
        for (seconds, expected) in
            [(0, "in a minute"), (60, "in a minute"), (61, "in 2 minutes"), (900, "in 15 minutes")]
        {
            assert_eq!(soon(Duration::from_secs(seconds)), expected);
        }
    }
}
