//! What is stored, by kind, and the search for an id, an e-mail or a name. A search looks at the newest objects of
//! each kind only, but finds ids and e-mails however old they are.

use axum::extract::{Path, Query, State as Shared};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::frame::{Part, live, missing, page};
use super::overview::{first_step, stored, words};
use super::{json, rows};
use crate::server::App;
use crate::state::{Key, Kind, Position, Store, text};

const SHOWN: usize = 50;
/// How many objects of a kind a search for a part of a text reads.
const SEARCHED: usize = 1000;
const FIELDS: [&str; 5] = ["id", "email", "name", "customer_email", "lookup_key"];

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
}

pub async fn search(Shared(app): Shared<App>, Query(asked): Query<Asked>) -> Response {
    let wanted = asked.q.trim();
    let counts = app.state.read(stored);
    let body = html! {
        (search_form(wanted))
        @if !wanted.is_empty() {
            @let found = app.state.read(|store| find(store, wanted));
            section.whole { h2 { "Found" } (rows::objects(&found, &nothing(wanted))) }
        }
        section {
            h2 { "Kinds" }
            div #kinds data-live {
                @if counts.is_empty() { div.empty { (first_step(&app)) } } @else {
                    ul.chips {
                        @for (kind, count) in counts {
                            li { a href=(list_path(kind)) { (words(kind)) " " strong { (count) } } }
                        }
                    }
                }
            }
        }
    };
    page("Objects", Part::Objects, None, &body)
}

fn list_path(kind: Kind) -> String {
    format!("/_emulator/objects/{}", kind.plural())
}

fn search_form(wanted: &str) -> Markup {
    html! {
        form.filter method="get" action="/_emulator/objects" role="search" {
            label { "Id, e-mail or name" input name="q" value=(wanted) placeholder="cus_… or ada@example.com" autocomplete="off"; }
            button { "Search" }
        }
    }
}

fn nothing(wanted: &str) -> Markup {
    html! {
        p { "Nothing has " code { (wanted) } " as its id, or in its e-mail or name." }
        p { "A request's id is searched for in the " a href="/_emulator/log" { "requests" } "." }
    }
}

fn find(store: &Store, wanted: &str) -> Vec<(Kind, Value)> {
    if let Some(kind) = json::kind_of(store, wanted) {
        let record = store.find(kind, wanted);
        return record.map(|record| (kind, record.value().into_owned())).into_iter().collect();
    }
    let mut found = Vec::new();
    for kind in Kind::public().filter(|kind| *kind != Kind::Event) {
        let Some(all) = store.collection(kind) else { continue };
        let by_email: Vec<_> = all.by_key(Key::Email, wanted).take(SHOWN).collect();
        let by_part = all.newest_first().take(SEARCHED).filter(|record| has(&record.value(), wanted));
        let chosen = if by_email.is_empty() { by_part.take(SHOWN).collect() } else { by_email };
        found.extend(chosen.into_iter().map(|record| (kind, record.value().into_owned())));
    }
    found
}

fn has(value: &Value, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    FIELDS.iter().filter_map(|field| value[field].as_str()).any(|text| text.to_lowercase().contains(&wanted))
}

#[derive(Deserialize)]
pub struct From {
    /// The id of the object that the page begins after.
    after: Option<String>,
}

pub async fn list(
    Shared(app): Shared<App>,
    Path(plural): Path<String>,
    Query(from): Query<From>,
) -> Response {
    let Some(kind) = Kind::parse_plural(&plural) else {
        let text = format!("There is no kind of object with the name {plural}.");
        return missing(Part::Objects, &text, ("All kinds", "/_emulator/objects"));
    };
    let mut found = app.state.read(|store| one_page(store, kind, from.after.as_deref()));
    let more = found.len() > SHOWN;
    found.truncate(SHOWN);
    let last = found.last().map(|(_, value)| text(value, "id").to_owned()).unwrap_or_default();
    let older = form_urlencoded::Serializer::new(String::new()).append_pair("after", &last).finish();
    let title = capital(&words(kind));
    let none = html! {
        p { "There are no " (words(kind)) "." }
        p { a.button href="/_emulator/objects" { "All kinds" } }
    };
    let body = html! {
        (search_form(""))
        div.whole { (live("objects", &rows::objects(&found, &none))) }
        @if more { p { a.button href=(format!("{}?{older}", list_path(kind))) { "Older" } } }
    };
    page(&title, Part::Objects, None, &body)
}

/// One more than fit on a page, newest first.
fn one_page(store: &Store, kind: Kind, after: Option<&str>) -> Vec<(Kind, Value)> {
    let start: Position = (i64::MIN, 0);
    let cursor = after.and_then(|id| store.find(kind, id)).map(|record| record.position());
    let end = cursor.unwrap_or((i64::MAX, u64::MAX));
    let all = store.collection(kind).into_iter().flat_map(|all| all.within(start..end));
    all.take(SHOWN + 1).map(|record| (kind, record.value().into_owned())).collect()
}

fn capital(words: &str) -> String {
    let mut rest = words.chars();
    rest.next().map(|first| first.to_uppercase().collect::<String>() + rest.as_str()).unwrap_or_default()
}
