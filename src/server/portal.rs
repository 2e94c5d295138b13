//! To Stripe's customer portal and back. On the way back everything is looked at, as anything may have
//! been changed there.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use leptos::prelude::ServerFnError;
use serde::Deserialize;
use unsplit_billing::error::Error;
use unsplit_billing::ports::PortalFlow;

use super::AppState;
use super::auth::CurrentUser;
use super::flash::tell;
use super::gate::context;
use super::session::{LocalPath, see_other};
use crate::app::flash::Tone;

/// Where Stripe sends people back to; `to` is the page they came from.
pub const BACK: &str = "/account/back";

/// Opens a portal session for who is logged in. `from` is a path of ours.
///
/// # Errors
/// `ServerFnError`, with status 503, where the outcome could not be kept.
pub async fn open(flow: &str, from: &str) -> Result<(), ServerFnError> {
    let state = context::<AppState>()?;
    let Some(user) = context::<CurrentUser>()?.0 else {
        see_other("/login");
        return Ok(());
    };
    let flow = if flow == "payment_method" { PortalFlow::PaymentMethod } else { PortalFlow::Home };
    let from = page(from);
    let back = format!("{}{BACK}?to={from}", state.config.public_url);
    match state.billing.open_portal(&user.id, &back, &flow).await {
        Ok(url) => {
            see_other(&url);
            Ok(())
        }
        Err(Error::Refused(_)) => {
            see_other("/account/payment");
            tell(Tone::Info, "There is nothing to change yet", "Choose a plan first, then you can.").await
        }
        Err(error) => {
            tracing::error!(user = %user.id, %error, "the customer portal could not be opened");
            see_other(&from);
            let text = "Nothing was changed. Please try again in a minute.";
            tell(Tone::Bad, "Stripe's page can't be reached", text).await
        }
    }
}

/// A page of the account, whatever was sent.
fn page(from: &str) -> String {
    let path = LocalPath::parse(from).ok().filter(|path| {
        let path = path.as_str();
        path.starts_with("/account")
            && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte))
    });
    path.map_or_else(|| "/account".to_owned(), String::from)
}

#[derive(Deserialize)]
pub struct Back {
    #[serde(default)]
    to: String,
}

/// `GET /account/back`: waits for the sync, and goes on to the page that somebody came from. Where
/// Stripe does not answer the page shows what is known, and the sync stays due.
pub async fn back(
    State(state): State<AppState>,
    CurrentUser(user): CurrentUser,
    Query(Back { to }): Query<Back>,
) -> Response {
    if let Some(user) = user
        && let Err(error) = state.billing.back_from_portal(&user.id).await
    {
        tracing::warn!(user = %user.id, %error, "what the portal has changed is not known yet");
    }
    Redirect::to(&page(&to)).into_response()
}
