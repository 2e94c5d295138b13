//! The page of one event: what it tells, which request caused it, and every try to deliver it.

use axum::extract::{Path, Query, State as Shared};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::frame::{At, Notice, Part, event_path, missing, page, request_path, section};
use super::{events, json, rows};
use crate::server::App;
use crate::state::{Kind, number, text};

pub async fn show(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    Query(notice): Query<Notice>,
) -> Response {
    let found = app.state.read(|store| {
        let event = store.find(Kind::Event, &id)?.value().into_owned();
        Some((event, events::deliveries(store, &id)))
    });
    let Some((event, deliveries)) = found else {
        let text = format!("There is no event {id}. A reset forgets events.");
        return missing(Part::Events, &text, ("All events", "/_emulator/timeline"));
    };
    let body = html! {
        (facts(&app, &event))
        section {
            h2 { "Deliveries" }
            (super::frame::live("deliveries", &all_tries(&deliveries)))
            (resend(&id))
        }
        (section("Event", None, &json::linked(&app, &event)))
    };
    page(text(&event, "type"), Part::Events, notice.done, &body)
}

fn facts(app: &App, event: &Value) -> Markup {
    let object = text(&event["data"]["object"], "id");
    let link = app.state.read(|store| json::link(store, object));
    let request = event["request"]["id"].as_str();
    html! {
        dl {
            div { dt { "Id" } dd { code { (text(event, "id")) } } }
            div { dt { "When" } dd { (At(number(event, "created"))) } }
            div {
                dt { "About" }
                dd { @if let Some((_, path)) = link { a href=(path) { code { (object) } } } @else { code { (object) } } }
            }
            div {
                dt { "Caused by" }
                dd {
                    @if let Some(id) = request { a href=(request_path(id)) { code { (id) } } }
                    @else { "no request: a hosted page, the clock or a control" }
                }
            }
        }
    }
}

fn all_tries(deliveries: &[Value]) -> Markup {
    html! {
        @if deliveries.is_empty() {
            div.empty {
                p { "No endpoint wanted this event when it happened. Start the emulator with " code { "--forward-to" }
                    ", or make an endpoint with " code { "POST /v1/webhook_endpoints" } ", and send it again." }
            }
        }
        @for delivery in deliveries {
            div.delivery {
                h3 { (text(delivery, "url")) " " (rows::state(delivery)) }
                @if let Some(reason) = delivery["reason"].as_str() { p.soft { (reason) } }
                (tries(delivery))
            }
        }
    }
}

fn tries(delivery: &Value) -> Markup {
    let attempts: &[Value] = delivery["attempts"].as_array().map_or(&[], Vec::as_slice);
    let left_out =
        usize::try_from(number(delivery, "tried")).unwrap_or_default().saturating_sub(attempts.len());
    html! {
        ol.tries {
            @for (index, attempt) in attempts.iter().enumerate() {
                @if index == 1 && left_out > 0 { li.soft { (left_out) " tries between are not kept" } }
                li {
                    (At(number(attempt, "at"))) " "
                    @match attempt["status"].as_u64().and_then(|status| u16::try_from(status).ok()) {
                        Some(status) => (rows::status(status)),
                        None => span.pill.bad { (text(attempt, "error")) },
                    }
                    @if let Some(took) = attempt["took_ms"].as_u64() { " " span.soft { (took) " ms" } }
                    @match attempt["answer"].as_str() {
                        Some("") => { " " span.soft { "empty answer" } }
                        Some(answer) => code.answer { (answer) },
                        None => {}
                    }
                }
            }
        }
    }
}

fn resend(id: &str) -> Markup {
    html! {
        form method="post" action="/_emulator/panel/resend" {
            input type="hidden" name="back" value=(event_path(id));
            input type="hidden" name="event" value=(id);
            button.primary { "Send again" }
        }
    }
}
