//! The page for people: what is in here, and what happened last.

use axum::extract::State as Shared;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::newest;
use crate::hosted::layout;
use crate::requests::Logged;
use crate::server::App;
use crate::state::{Collection, Kind, Store, text};

const SHOWN: usize = 30;

pub async fn show(Shared(app): Shared<App>) -> Response {
    let (account, counts) = app.state.read(|store| (store.account_id(), counts(store)));
    let body = html! {
        div.wide {
            h1 { "Stripe emulator" }
            p.soft { "Account " (account) ", API version " (crate::API_VERSION) ". Nothing here is real." }
            p {
                "As JSON: "
                @for path in ["requests", "events", "deliveries", "faults", "clock"] {
                    a href=(format!("/_emulator/{path}")) { (path) } " "
                }
            }
            h2 { "Stored" }
            div.scroll tabindex="0" role="region" aria-label="Stored" {
                table {
                    thead { tr { th scope="col" { "Kind" } th scope="col" { "Count" } } }
                    tbody { @for (kind, count) in counts { tr { td { (kind) } td { (count) } } } }
                }
            }
            h2 { "Last requests" }
            (requests(&app.requests.newest(SHOWN)))
            h2 { "Last events" }
            (events(&newest(&app, Kind::Event, SHOWN)))
        }
    };
    layout::page("Stripe emulator", &body)
}

fn counts(store: &Store) -> Vec<(&'static str, usize)> {
    Kind::public()
        .map(|kind| (kind.plural(), store.collection(kind).map_or(0, Collection::len)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn requests(logged: &[Logged]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Last requests" {
            table {
                thead { tr { th scope="col" { "Request" } th scope="col" { "Status" } th scope="col" { "Id" } } }
                tbody {
                    @for one in logged {
                        tr { td { (one.method) " " (one.path) } td { (one.status) } td { (one.request_id) } }
                    }
                }
            }
        }
    }
}

fn events(events: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Last events" {
            table {
                thead { tr { th scope="col" { "Event" } th scope="col" { "About" } th scope="col" { "Id" } } }
                tbody {
                    @for event in events {
                        tr {
                            td { (text(event, "type")) }
                            td { (text(&event["data"]["object"], "id")) }
                            td { (text(event, "id")) }
                        }
                    }
                }
            }
        }
    }
}
