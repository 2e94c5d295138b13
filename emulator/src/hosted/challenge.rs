//! The 3-D Secure challenge: in place of a bank's page, two buttons.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde_json::Value;

use super::layout;
use crate::billing::checkout::{self, Attempt};
use crate::billing::intent::{self, Confirmed};
use crate::billing::payment::Verdict;
use crate::billing::setup::Attempted;
use crate::billing::{invoice_page, portal, setup_session};
use crate::error::{ApiError, Place};
use crate::form::{self, Node};
use crate::server::App;
use crate::state::{Kind, Stamp, Tx, text};

pub async fn show(Shared(app): Shared<App>, Path(id): Path<String>) -> Response {
    if app.state.read(|store| store.find(Kind::Challenge, &id).is_none()) {
        return gone();
    }
    let body = html! {
        div.narrow {
            h1 { "Confirm it's you" }
            p { "Here your bank would ask you to confirm the payment (3-D Secure). Choose how this test goes on." }
            form method="post" action=(format!("/c/3ds/{id}")) {
                button type="submit" name="outcome" value="complete" { "Complete" }
                button.quiet type="submit" name="outcome" value="fail" { "Fail" }
            }
        }
    };
    layout::page("Confirm it's you - test checkout", &body)
}

pub async fn submit(Shared(app): Shared<App>, Path(id): Path<String>, body: Bytes) -> Response {
    let fields = form::parse(&body).unwrap_or_default();
    let outcome = fields.iter().find(|(name, _)| name == "outcome").map(|(_, node)| node);
    let verdict = match outcome {
        Some(Node::Text(word)) if word == "complete" => Verdict::Passed,
        Some(Node::Text(word)) if word == "fail" => Verdict::Failed,
        _ => {
            let page = layout::message("Something went wrong", "outcome must be complete or fail.", None);
            return (StatusCode::BAD_REQUEST, page).into_response();
        }
    };
    match app.state.transact(Stamp::default(), move |tx| conclude(tx, &id, verdict)).await {
        Ok(Some(url)) => Redirect::to(&url).into_response(),
        Ok(None) => {
            let text = "This test has its answer. You can close this page.";
            layout::message("Thank you", text, None)
        }
        Err(_) => gone(),
    }
}

/// Does what the verdict means for whatever was to be paid or set up. Where one goes on, if anywhere.
fn conclude(tx: &mut Tx, id: &str, verdict: Verdict) -> Result<Option<String>, ApiError> {
    let challenge = tx.require(Kind::Challenge, id, Place::Path)?;
    if challenge["setup_intent"].is_string() {
        let (challenge, attempted) = setup_session::conclude(tx, id, verdict)?;
        return Ok(after_setup(tx, &challenge, &attempted));
    }
    if challenge["payment_intent"].is_string() {
        let confirmed = intent::conclude(tx, &challenge, verdict)?;
        return Ok(after_payment(tx, &challenge, &confirmed));
    }
    if challenge["invoice"].is_string() {
        let (page, attempt) = invoice_page::conclude(tx, &challenge, verdict)?;
        return Ok(Some(match attempt {
            invoice_page::Attempt::Declined(decline) => format!("{page}?error={}", decline.word()),
            _ => page,
        }));
    }
    if challenge["portal_session"].is_string() {
        return portal::conclude(tx, &challenge, verdict).map(Some);
    }
    Ok(Some(match checkout::conclude(tx, id, verdict)? {
        (_, Attempt::Complete(url)) => url,
        (session, Attempt::Declined(decline)) => format!("/c/pay/{session}?error={}", decline.word()),
        (session, _) => format!("/c/pay/{session}"),
    }))
}

/// A session's page, or the `return_url` of an intent that was confirmed by API.
fn after_setup(tx: &Tx, challenge: &Value, attempted: &Attempted) -> Option<String> {
    let succeeded = matches!(attempted, Attempted::Succeeded(_));
    if let Some(session) = tx.copy(Kind::CheckoutSession, text(challenge, "session")) {
        let id = text(&session, "id");
        let again = format!("/c/pay/{id}?error=authentication");
        return Some(if succeeded { checkout::success_url(&session) } else { again });
    }
    let intent = tx.copy(Kind::SetupIntent, text(challenge, "setup_intent"))?;
    way_back(challenge, "setup_intent", &intent, succeeded)
}

/// The `return_url` of a payment intent that was confirmed by API.
fn after_payment(tx: &Tx, challenge: &Value, confirmed: &Confirmed) -> Option<String> {
    let intent = tx.copy(Kind::PaymentIntent, text(challenge, "payment_intent"))?;
    way_back(challenge, "payment_intent", &intent, matches!(confirmed, Confirmed::Done(_)))
}

/// With what Stripe adds to it. `name` is `setup_intent` or `payment_intent`.
fn way_back(challenge: &Value, name: &str, intent: &Value, succeeded: bool) -> Option<String> {
    let back = challenge["return_url"].as_str()?;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair(name, text(intent, "id"))
        .append_pair(&format!("{name}_client_secret"), text(intent, "client_secret"))
        .append_pair("redirect_status", if succeeded { "succeeded" } else { "failed" })
        .finish();
    Some(format!("{back}{}{query}", if back.contains('?') { '&' } else { '?' }))
}

fn gone() -> Response {
    let text = "This confirmation is no longer open. Go back to the checkout page.";
    (StatusCode::NOT_FOUND, layout::message("Page not found", text, None)).into_response()
}
