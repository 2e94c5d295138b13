//! The timeline: what happened, newest first, and what became of telling it. Lists read their page only.

use axum::extract::{Query, State as Shared};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::frame::{Part, live, page};
use super::rows;
use crate::server::App;
use crate::state::{Key, Kind, Store, text};

const SHOWN: usize = 100;

#[derive(Deserialize)]
pub struct Filter {
    #[serde(default)]
    r#type: String,
}

pub async fn list(Shared(app): Shared<App>, Query(filter): Query<Filter>) -> Response {
    let wanted = filter.r#type.trim();
    let found = app.state.read(|store| newest(store, SHOWN, |event| text(event, "type").contains(wanted)));
    let body = html! {
        form.filter method="get" role="search" {
            label { "Type contains" input name="type" value=(wanted) placeholder="customer.subscription" autocomplete="off"; }
            button { "Show" }
        }
        div.whole { (live("events", &rows::events(&found, &empty(wanted)))) }
        @if found.len() == SHOWN { p.soft { "The newest " (SHOWN) " are shown." } }
    };
    page("Events", Part::Events, None, &body)
}

fn empty(wanted: &str) -> Markup {
    html! {
        @if wanted.is_empty() {
            p { "No event happened yet. Make one:" }
            pre tabindex="0" role="region" aria-label="Command" { code { "stripe-emulator trigger customer.created" } }
        } @else {
            p { "No event has a type with " code { (wanted) } " in it." }
            p { a.button href="/_emulator/timeline" { "Show all events" } }
        }
    }
}

/// The newest events that are wanted, each with its deliveries.
pub fn newest(store: &Store, limit: usize, wanted: impl Fn(&Value) -> bool) -> Vec<(Value, Vec<Value>)> {
    let all = store.collection(Kind::Event).into_iter().flat_map(|all| all.newest_first());
    let found = all.map(|record| record.value()).filter(|event| wanted(event)).take(limit);
    found
        .map(|event| {
            let deliveries = deliveries(store, text(&event, "id"));
            (event.into_owned(), deliveries)
        })
        .collect()
}

/// Where an event was or will be sent, oldest first.
pub fn deliveries(store: &Store, event: &str) -> Vec<Value> {
    let all =
        store.collection(Kind::Delivery).into_iter().flat_map(|all| all.by_key(Key::Event, event).rev());
    all.map(|record| record.value().into_owned()).collect()
}
