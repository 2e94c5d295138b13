//! The 3-D Secure challenge: in place of a bank's page, two buttons.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::layout;
use crate::billing::checkout::{self, Attempt, Verdict};
use crate::billing::{invoice_page, portal};
use crate::error::{ApiError, Place};
use crate::form::{self, Node};
use crate::server::App;
use crate::state::{Kind, Stamp, Tx};

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
        Ok(url) => Redirect::to(&url).into_response(),
        Err(_) => gone(),
    }
}

/// Does what the verdict means for whatever was to be paid, and gives the page on which it goes on.
fn conclude(tx: &mut Tx, id: &str, verdict: Verdict) -> Result<String, ApiError> {
    let challenge = tx.require(Kind::Challenge, id, Place::Path)?;
    if challenge["invoice"].is_string() {
        let (page, attempt) = invoice_page::conclude(tx, &challenge, verdict)?;
        let failed = matches!(attempt, invoice_page::Attempt::Declined(_));
        return Ok(if failed { format!("{page}?error=authentication") } else { page });
    }
    if challenge["portal_session"].is_string() {
        return portal::conclude(tx, &challenge, verdict);
    }
    Ok(match checkout::conclude(tx, id, verdict)? {
        (_, Attempt::Complete(url)) => url,
        (session, Attempt::Declined(_)) => format!("/c/pay/{session}?error=authentication"),
        (session, _) => format!("/c/pay/{session}"),
    })
}

fn gone() -> Response {
    let text = "This confirmation is no longer open. Go back to the checkout page.";
    (StatusCode::NOT_FOUND, layout::message("Page not found", text, None)).into_response()
}
