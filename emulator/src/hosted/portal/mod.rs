//! The pages of the customer portal, under `/p/session/<session>`. They show and read forms; what an action does,
//! and whether it may, is `billing::portal`'s business.

mod cancel;
mod cards;
mod change;
mod choose;
mod details;
mod home;
pub mod words;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::Value;

use super::layout;
use crate::billing::portal::{self, PATH, Visit};
use crate::error::ApiError;
use crate::form::{self, Node};
use crate::server::App;
use crate::state::{Stamp, Tx, text};

pub fn router() -> Router<App> {
    let of = |rest: &str| format!("{PATH}{{session}}{rest}");
    let subscription = |rest: &str| of(&format!("/subscriptions/{{subscription}}{rest}"));
    Router::new()
        .route(&of(""), get(home::show))
        .route(&of("/done"), get(done))
        .route(&of("/cards"), get(cards::show).post(cards::add))
        .route(&of("/cards/{card}/default"), post(cards::make_default))
        .route(&of("/cards/{card}/remove"), post(cards::remove))
        .route(&of("/details"), get(details::show).post(details::submit))
        .route(&subscription("/cancel"), get(cancel::show).post(cancel::submit))
        .route(&subscription("/renew"), post(cancel::renew))
        .route(&subscription("/card"), get(cards::choose).post(cards::choose_submit))
        .route(&subscription("/keep"), post(change::keep))
        .route(&subscription("/update"), get(choose::show))
        .route(&subscription("/update/confirm"), get(change::show).post(change::submit))
}

/// Looks something up for a page of an open session, or gives the page that says why not.
async fn look<T: Send + 'static>(
    app: &App,
    session: &str,
    look: impl FnOnce(&mut Tx, &Visit) -> Result<T, ApiError> + Send + 'static,
) -> Result<(Visit, T), Response> {
    let id = session.to_owned();
    let looked = app.state.transact(Stamp::default(), move |tx| {
        let visit = portal::visit(tx, &id)?;
        let found = look(tx, &visit)?;
        Ok((visit, found))
    });
    looked.await.map_err(|error: ApiError| refused(session, &error))
}

/// Does something, and goes on where that says.
async fn act(
    app: &App,
    session: &str,
    run: impl FnOnce(&mut Tx) -> Result<String, ApiError> + Send + 'static,
) -> Response {
    match app.state.transact(Stamp::default(), run).await {
        Ok(url) => Redirect::to(&url).into_response(),
        Err(error) => refused(session, &error),
    }
}

/// The page that says why something cannot be.
fn refused(session: &str, error: &ApiError) -> Response {
    let home = format!("{PATH}{session}");
    let back = Some(("Back to your subscription", home.as_str()));
    let page = match error.status() {
        StatusCode::GONE => {
            let text = "For your safety this page is open for an hour only. Go back to where you came from, and open it \
                        from there again.";
            layout::message("This session has expired", text, None)
        }
        StatusCode::NOT_FOUND => layout::message("Page not found", "There is nothing here.", back),
        _ => layout::message("That is not possible", error.message(), back),
    };
    (error.status(), page).into_response()
}

/// A page of the portal: a way back, a title, and what it is about.
fn frame(visit: &Visit, title: &str, body: &Markup) -> Response {
    let home = visit.home();
    let shop = visit.session["return_url"].as_str();
    // A visit that is for one thing only does not lead to the others.
    let back = if visit.in_flow { shop.map(|url| ("Return", url)) } else { Some(("Back", home.as_str())) };
    page(visit, title, back, body)
}

fn page(visit: &Visit, title: &str, back: Option<(&str, &str)>, body: &Markup) -> Response {
    let profile = &visit.configuration["business_profile"];
    let links = [("Terms", "terms_of_service_url"), ("Privacy", "privacy_policy_url")];
    let links: Vec<_> =
        links.into_iter().filter_map(|(name, field)| Some((name, profile[field].as_str()?))).collect();
    let content = html! {
        div.portal {
            @if let Some((label, url)) = back { p { a href=(url) { "← " (label) } } }
            h1 { (title) }
            (body)
            @if !links.is_empty() {
                footer { @for (name, url) in &links { a href=(url) { (name) } " " } }
            }
        }
    };
    layout::page(title, &content)
}

/// After a flow that ends with a confirmation.
async fn done(Shared(app): Shared<App>, Path(session): Path<String>) -> Response {
    let visit = match look(&app, &session, |_, _| Ok(())).await {
        Ok((visit, ())) => visit,
        Err(response) => return response,
    };
    let confirmation = &visit.session["flow"]["after_completion"]["hosted_confirmation"];
    let words = confirmation["custom_message"].as_str().unwrap_or("Your change has been made.");
    let back = visit.session["return_url"].as_str().map(|url| ("Return", url));
    page(&visit, "Thank you", back, &html! { p { (words) } })
}

/// The text of a form.
struct Fields(Vec<(String, Node)>);

impl Fields {
    fn read(body: &[u8]) -> Fields {
        Fields(form::parse(body).unwrap_or_default())
    }

    /// What stands in a field, without the spaces around it; `None` if the form has no such field.
    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find_map(|(known, node)| match node {
            Node::Text(text) if known == name => Some(text.trim().to_owned()),
            _ => None,
        })
    }

    /// The same, `None` if it is empty.
    fn filled(&self, name: &str) -> Option<String> {
        self.get(name).filter(|text| !text.is_empty())
    }
}

/// The path of a page about a subscription.
fn path_of(visit: &Visit, subscription: &Value, rest: &str) -> String {
    format!("{}/subscriptions/{}{rest}", visit.home(), text(subscription, "id"))
}
