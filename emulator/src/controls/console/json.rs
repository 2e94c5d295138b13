//! JSON for people: indented, and each id that is stored here as a link to its object. Everything in it is text
//! to the page, whatever an app put into its names and metadata.

use std::collections::HashMap;

use maud::{Markup, html};
use serde_json::Value;

use super::frame::{event_path, object_path, request_path};
use crate::server::App;
use crate::state::{Kind, Store};

/// The value with links along its ids.
pub fn linked(app: &App, value: &Value) -> Markup {
    let mut texts = Vec::new();
    collect(value, &mut texts);
    let mut links: HashMap<String, String> =
        app.state.read(|store| texts.iter().filter_map(|text| link(store, text)).collect());
    for text in texts.into_iter().filter(|text| text.starts_with("req_")) {
        if app.requests.find(text).is_some() {
            links.insert(text.to_owned(), request_path(text));
        }
    }
    html! {
        pre tabindex="0" role="region" aria-label="JSON" { code { (shown(value, 0, &links)) } }
    }
}

/// Where the object with this id is shown, if it is stored.
pub fn link(store: &Store, id: &str) -> Option<(String, String)> {
    let kind = kind_of(store, id)?;
    Some((id.to_owned(), path(kind, id)))
}

/// The kind of the object with this id.
pub fn kind_of(store: &Store, id: &str) -> Option<Kind> {
    Kind::public().find(|kind| store.find(*kind, id).is_some())
}

pub fn path(kind: Kind, id: &str) -> String {
    if kind == Kind::Event { event_path(id) } else { object_path(kind.plural(), id) }
}

fn collect<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(all) => all.iter().for_each(|one| collect(one, texts)),
        Value::Object(fields) => fields.values().for_each(|one| collect(one, texts)),
        _ => {}
    }
}

fn shown(value: &Value, depth: usize, links: &HashMap<String, String>) -> Markup {
    let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    match value {
        Value::Object(fields) if !fields.is_empty() => html! {
            "{\n"
            @for (index, (name, value)) in fields.iter().enumerate() {
                (inner) span.key { (quoted(name)) } ": " (shown(value, depth + 1, links))
                @if index + 1 < fields.len() { "," } "\n"
            }
            (outer) "}"
        },
        Value::Array(all) if !all.is_empty() => html! {
            "[\n"
            @for (index, value) in all.iter().enumerate() {
                (inner) (shown(value, depth + 1, links)) @if index + 1 < all.len() { "," } "\n"
            }
            (outer) "]"
        },
        Value::String(text) => match links.get(text) {
            Some(path) => html! { a href=(path) { (quoted(text)) } },
            None => html! { (quoted(text)) },
        },
        other => html! { (other.to_string()) },
    }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
