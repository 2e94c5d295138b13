//! The page of one object: its JSON with links along its ids, what belongs to it, its hosted pages and the events
//! about it. What belongs to something without a customer is looked for among the newest objects only.

use axum::extract::{Path, Query, State as Shared};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::frame::{At, Notice, Part, live, missing, page, section};
use super::overview::words;
use super::{events, json, renewals, rows};
use crate::billing::subscription::has_ended;
use crate::server::App;
use crate::state::{Key, Kind, Record, Store, text};

const SHOWN: usize = 25;
/// How many objects of a kind are looked at for something that mentions this one.
const SEARCHED: usize = 200;
/// How many events are looked at for those about this object.
const EVENTS_SEARCHED: usize = 2000;
const PAGES: [(&str, &str); 3] =
    [("url", "Checkout page"), ("hosted_invoice_url", "Invoice page"), ("invoice_pdf", "Invoice as PDF")];

pub async fn show(
    Shared(app): Shared<App>,
    Path((plural, id)): Path<(String, String)>,
    Query(notice): Query<Notice>,
) -> Response {
    let kind = Kind::parse_plural(&plural);
    let found = kind.and_then(|kind| {
        let value = app.state.read(|store| Some(store.find(kind, &id)?.value().into_owned()));
        value.map(|value| (kind, value))
    });
    let Some((kind, value)) = found else {
        let text = format!("There is no {id} among the {}.", plural.replace('_', " "));
        return missing(Part::Objects, &text, ("All kinds of objects", "/_emulator/objects"));
    };
    let (related, about) =
        app.state.read(|store| (related(store, kind, &value, &id), about(store, kind, &id)));
    let none = html! { p { "No event was about it." } };
    let path = format!("/_emulator/objects/{plural}/{id}");
    let body = html! {
        (facts(kind, &value, &id))
        @if kind == Kind::Subscription && !has_ended(&value) {
            section { h2 { "Next renewal" } (renewals::form(&app, Some(&id), &path)) }
        }
        div.halves {
            (section("Object", Some("object"), &json::linked(&app, &value)))
            div {
                (live("related", &belongings(&related)))
                (section("Events about it", Some("events"), &rows::events(&about, &none)))
            }
        }
    };
    page(&rows::summary(&value), Part::Objects, notice.done, &body)
}

fn facts(kind: Kind, value: &Value, id: &str) -> Markup {
    let pages: Vec<_> = PAGES
        .iter()
        .filter_map(|(field, name)| Some((*name, value[field].as_str()?)))
        .filter(|(_, url)| url.starts_with("http") && kind != Kind::WebhookEndpoint)
        .collect();
    html! {
        dl {
            div {
                dt { "Kind" }
                dd { a href=(format!("/_emulator/objects/{}", kind.plural())) { (words(kind)) } }
            }
            div { dt { "Id" } dd { code { (id) } } }
            @if let Some(created) = value["created"].as_i64() { div { dt { "Created" } dd { (At(created)) } } }
        }
        @if !pages.is_empty() {
            p.actions { @for (name, url) in pages { a.button href=(url) { (name) } } }
        }
    }
}

fn belongings(related: &[(Kind, Vec<(Kind, Value)>)]) -> Markup {
    html! {
        @for (kind, found) in related {
            section {
                h2.capital { (words(*kind)) }
                (rows::objects(&found[..found.len().min(SHOWN)], &html! {}))
                @if found.len() > SHOWN { p.soft { "The newest " (SHOWN) " are shown." } }
            }
        }
    }
}

/// The objects of other kinds that name this one, by kind.
fn related(store: &Store, kind: Kind, value: &Value, id: &str) -> Vec<(Kind, Vec<(Kind, Value)>)> {
    let customer = value["customer"].as_str();
    let others =
        Kind::public().filter(|other| *other != kind && !matches!(other, Kind::Event | Kind::Account));
    let found = others.map(|other| {
        let Some(all) = store.collection(other) else { return (other, Vec::new()) };
        let named = |record: &&Record| mentions(&record.value(), id);
        let records: Vec<&Record> = match customer {
            _ if kind == Kind::Customer => all.by_key(Key::Customer, id).take(SHOWN + 1).collect(),
            Some(customer) => {
                let of_customer = all.by_key(Key::Customer, customer).take(SEARCHED);
                of_customer.filter(named).take(SHOWN + 1).collect()
            }
            None => all.newest_first().take(SEARCHED).filter(named).take(SHOWN + 1).collect(),
        };
        (other, records.into_iter().map(|record| (other, record.value().into_owned())).collect())
    });
    found.filter(|(_, found): &(Kind, Vec<_>)| !found.is_empty()).collect()
}

fn mentions(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => text == id,
        Value::Array(all) => all.iter().any(|one| mentions(one, id)),
        Value::Object(fields) => fields.values().any(|one| mentions(one, id)),
        _ => false,
    }
}

/// The events about the object; a customer's are also those about what is theirs.
fn about(store: &Store, kind: Kind, id: &str) -> Vec<(Value, Vec<Value>)> {
    let all = store.collection(Kind::Event).into_iter().flat_map(|all| all.newest_first());
    let is_about = |event: &Value| {
        let object = &event["data"]["object"];
        object["id"] == *id || (kind == Kind::Customer && object["customer"] == *id)
    };
    let found = all.take(EVENTS_SEARCHED).map(|record| record.value()).filter(|event| is_about(event));
    found
        .take(SHOWN)
        .map(|event| {
            let deliveries = events::deliveries(store, text(&event, "id"));
            (event.into_owned(), deliveries)
        })
        .collect()
}
