//! The log of requests as pages: a list to look through, and each request with its parameters and the events it
//! caused. What is not in the log any more cannot be shown.

use axum::extract::{Path, Query, State as Shared};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{At, Part, live, missing, page, section};
use super::{events, json, rows};
use crate::requests::Logged;
use crate::server::App;

const SHOWN: usize = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    path: String,
    /// `failed` leaves out what succeeded.
    only: String,
}

impl Filter {
    fn fits(&self, logged: &Logged) -> bool {
        let succeeded = (200..=399).contains(&logged.status);
        let needle = self.path.trim();
        let by_text = logged.path.contains(needle) || logged.idempotency_key.as_deref() == Some(needle);
        by_text
            && match self.only.as_str() {
                "failed" => !succeeded,
                "changes" => logged.method != "GET",
                _ => true,
            }
    }
}

pub async fn list(Shared(app): Shared<App>, Query(filter): Query<Filter>) -> Response {
    let mut logged = app.requests.newest(usize::MAX);
    let any = !logged.is_empty();
    logged.retain(|one| filter.fits(one));
    logged.truncate(SHOWN);
    let choices = [("", "All"), ("failed", "Failed"), ("changes", "All but GET")];
    let body = html! {
        form.filter method="get" role="search" {
            label { "Path contains, or idempotency key" input name="path" value=(filter.path) placeholder="/v1/customers" autocomplete="off"; }
            label {
                "Show"
                select name="only" {
                    @for (value, name) in choices { option value=(value) selected[value == filter.only] { (name) } }
                }
            }
            button { "Show" }
        }
        div.whole { (live("requests", &rows::requests(&logged, &empty(&app, any)))) }
        @if logged.len() == SHOWN { p.soft { "The newest " (SHOWN) " are shown." } }
    };
    page("Requests", Part::Requests, None, &body)
}

fn empty(app: &App, any: bool) -> Markup {
    html! {
        @if any {
            p { "No request fits." }
            p { a.button href="/_emulator/log" { "Show all requests" } }
        } @else {
            p { "No request came yet. Point your app's Stripe client at " code { (app.base_url) } "." }
        }
    }
}

pub async fn show(Shared(app): Shared<App>, Path(id): Path<String>) -> Response {
    let Some(logged) = app.requests.find(&id) else {
        let text =
            format!("The request {id} is not in the log. It keeps the newest requests since the start.");
        return missing(Part::Requests, &text, ("All requests", "/_emulator/log"));
    };
    let caused = app.state.read(|store| events::newest(store, SHOWN, |event| event["request"]["id"] == *id));
    let none = html! { p { "It caused no event." } };
    let title = format!("{} {}", logged.method, logged.path);
    let body = html! {
        (facts(&logged))
        (section("Parameters", None, &json::linked(&app, &logged.params)))
        div.whole { (section("Events it caused", Some("events"), &rows::events(&caused, &none))) }
    };
    page(&title, Part::Requests, None, &body)
}

fn facts(logged: &Logged) -> Markup {
    html! {
        @if let Some(error) = &logged.error { p.notice.bad { (error) } }
        dl {
            div { dt { "Answer" } dd { (rows::status(logged.status)) } }
            div { dt { "When" } dd { (At(logged.at)) } }
            div { dt { "Id" } dd { code { (logged.request_id) } } }
            div {
                dt { "Idempotency key" }
                dd { @if let Some(key) = &logged.idempotency_key { code { (key) } } @else { "none" } }
            }
            @if !logged.query.is_empty() { div { dt { "Query" } dd { code { (logged.query) } } } }
            div { dt { "Objects looked at" } dd { (logged.looked_at) } }
        }
    }
}
