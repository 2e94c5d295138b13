//! The console's first page: the clock, what is stored, and what happened last. It also answers the
//! `request_log_url` of errors, `?request=req_…`, by going to that request.

use axum::extract::{Query, State as Shared};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Done, Part, live, page, request_path, section};
use super::{events, panel, rows};
use crate::server::App;
use crate::state::{Collection, Kind, Store};

const SHOWN: usize = 10;

#[derive(Deserialize)]
pub struct Asked {
    request: Option<String>,
    done: Option<Done>,
}

pub async fn show(Shared(app): Shared<App>, Query(asked): Query<Asked>) -> Response {
    if let Some(request) = asked.request {
        return Redirect::to(&request_path(&request)).into_response();
    }
    let account = app.state.read(Store::account_id);
    let body = html! {
        p.soft { "Account " (account) ", API version " (crate::API_VERSION) }
        (live("now", &panel::now(&app)))
        (panel::steps("/_emulator"))
        (section("Stored", Some("stored"), &counts(&app)))
        div.halves {
            div {
                (section("Last requests", Some("requests"), &last_requests(&app)))
                p { a.button href="/_emulator/log" { "All requests" } }
            }
            div {
                (section("Last events", Some("events"), &last_events(&app)))
                p { a.button href="/_emulator/timeline" { "All events" } }
            }
        }
        (as_json())
    };
    page("Home", Part::Home, asked.done, &body)
}

fn counts(app: &App) -> Markup {
    let counts = app.state.read(stored);
    html! {
        @if counts.is_empty() {
            div.empty { (first_step(app)) }
        } @else {
            ul.chips {
                @for (kind, count) in counts {
                    li { a href=(format!("/_emulator/objects/{}", kind.plural())) { (words(kind)) " " strong { (count) } } }
                }
            }
        }
    }
}

/// The kinds that there are objects of, and how many.
pub fn stored(store: &Store) -> Vec<(Kind, usize)> {
    Kind::public()
        .filter(|kind| *kind != Kind::Account)
        .map(|kind| (kind, store.collection(kind).map_or(0, Collection::len)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// `checkout sessions`.
pub fn words(kind: Kind) -> String {
    kind.plural().replace('_', " ")
}

/// What to do with an empty emulator.
pub fn first_step(app: &App) -> Markup {
    html! {
        p { "Nothing is stored yet. Point your app's Stripe client at " code { (app.base_url) } ", or make something here:" }
        pre tabindex="0" role="region" aria-label="Command" {
            code { "stripe-emulator trigger customer.subscription.created --url " (app.base_url) }
        }
    }
}

fn last_requests(app: &App) -> Markup {
    rows::requests(&app.requests.newest(SHOWN), &html! { p { "No request came yet." } })
}

fn last_events(app: &App) -> Markup {
    let newest = app.state.read(|store| events::newest(store, SHOWN, |_| true));
    rows::events(&newest, &html! { p { "No event happened yet. They come with requests and with time." } })
}

fn as_json() -> Markup {
    html! {
        section {
            h2 { "As JSON" }
            ul.chips {
                @for path in ["requests", "events", "deliveries", "faults", "limits", "clock"] {
                    li { a href=(format!("/_emulator/{path}")) { (path) } }
                }
            }
        }
    }
}
