//! One line each for a request, an event, a delivery and an object, as every list of the console has them, and
//! what stands in place of an empty list. Lines read what they are given and ask nobody.

use maud::{Markup, html};
use serde_json::Value;

use super::frame::{At, event_path, request_path};
use super::json;
use crate::billing::money;
use crate::requests::Logged;
use crate::state::{Kind, number, text};

/// How many characters of the parameters a line shows.
const SHORT: usize = 160;

/// A status as a pill: good, or what kind of bad.
pub fn status(status: u16) -> Markup {
    let tone = match status {
        200..=399 => "good",
        400..=499 => "warn",
        _ => "bad",
    };
    html! {
        span.pill.(tone) { @if status == 0 { "cut" } @else { (status) } }
    }
}

/// What a delivery is, as a pill.
pub fn state(delivery: &Value) -> Markup {
    let word = text(delivery, "state");
    let tone = match word {
        "delivered" => "good",
        "failed" => "bad",
        _ => "warn",
    };
    html! { span.pill.(tone) { (word) } }
}

pub fn requests(logged: &[Logged], empty: &Markup) -> Markup {
    html! {
        @if logged.is_empty() { div.empty { (empty) } } @else {
            ol.rows {
                @for one in logged {
                    li {
                        a href=(request_path(&one.request_id)) {
                            span.what { span.method { (one.method) } " " (one.path) }
                            (status(one.status))
                            span.soft.when { (At(one.at)) }
                            code.soft { (one.request_id) }
                        }
                        @if let Some(params) = in_short(&one.params) { p.under.soft { code { (params) } } }
                    }
                }
            }
        }
    }
}

/// The beginning of the parameters, if there are any.
fn in_short(params: &Value) -> Option<String> {
    let is_empty = params.as_object().is_none_or(serde_json::Map::is_empty);
    let text = params.to_string();
    let short: String = text.chars().take(SHORT).collect();
    let rest = if short.len() < text.len() { "…" } else { "" };
    (!is_empty).then(|| format!("{short}{rest}"))
}

/// Events, each with what became of its deliveries.
pub fn events(events: &[(Value, Vec<Value>)], empty: &Markup) -> Markup {
    html! {
        @if events.is_empty() { div.empty { (empty) } } @else {
            ol.rows {
                @for (event, deliveries) in events { li { (event_row(event, deliveries)) } }
            }
        }
    }
}

fn event_row(event: &Value, deliveries: &[Value]) -> Markup {
    html! {
        a href=(event_path(text(event, "id"))) {
            span.what { (text(event, "type")) }
            span.pills {
                @for delivery in deliveries { (state(delivery)) }
                @if deliveries.is_empty() { span.soft { "no endpoint" } }
            }
            span.soft.when { (At(number(event, "created"))) }
            code.soft { (text(&event["data"]["object"], "id")) }
        }
        @for delivery in deliveries { p.under.soft { (last_try(delivery)) } }
    }
}

/// `http://… answered 503, tried 4 times`.
fn last_try(delivery: &Value) -> Markup {
    let last = delivery["attempts"].as_array().and_then(|all| all.last());
    let tried = number(delivery, "tried");
    html! {
        (text(delivery, "url")) " "
        @match last {
            None => { @if let Some(reason) = delivery["reason"].as_str() { (reason) } @else { "not tried yet" } }
            Some(last) => {
                @if let Some(status) = last["status"].as_i64() { "answered " (status) } @else { (text(last, "error")) }
            }
        }
        @if tried > 1 { ", tried " (tried) " times" }
    }
}

pub fn objects(found: &[(Kind, Value)], empty: &Markup) -> Markup {
    html! {
        @if found.is_empty() { div.empty { (empty) } } @else {
            ol.rows {
                @for (kind, value) in found {
                    li {
                        a href=(json::path(*kind, text(value, "id"))) {
                            span.what { (summary(value)) }
                            span.pills { @if let Some(word) = pill(value) { span.pill { (word) } } }
                            span.soft.when {
                                @if let Some(created) = value["created"].as_i64() { (At(created)) }
                            }
                            code.soft { (text(value, "id")) }
                        }
                    }
                }
            }
        }
    }
}

/// What tells an object from others of its kind.
pub fn summary(value: &Value) -> String {
    let card = &value["card"];
    if card["last4"].is_string() {
        return format!("{} ending in {}", text(card, "brand"), text(card, "last4"));
    }
    let price = &value["items"]["data"][0]["price"];
    if price.is_object() {
        let amount = money::format(number(price, "unit_amount"), text(price, "currency"));
        return format!("{amount} a {}", text(&price["recurring"], "interval"));
    }
    let named = ["email", "name", "nickname", "type", "url", "customer_email", "lookup_key", "description"];
    let name = named.iter().find_map(|field| value[field].as_str());
    let amounts = ["total", "amount_total", "unit_amount", "amount"];
    let amount = amounts.iter().find_map(|field| value[field].as_i64());
    let amount = amount.map(|amount| money::format(amount, text(value, "currency")));
    match (amount, name) {
        (Some(amount), Some(name)) => format!("{amount}, {name}"),
        (Some(amount), None) => amount,
        (None, Some(name)) => name.to_owned(),
        (None, None) => text(value, "object").to_owned(),
    }
}

fn pill(value: &Value) -> Option<&str> {
    if value["deleted"] == true {
        return Some("deleted");
    }
    match &value["active"] {
        Value::Bool(false) => Some("inactive"),
        _ => value["status"].as_str(),
    }
}
