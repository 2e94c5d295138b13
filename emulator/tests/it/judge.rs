//! The judge of everything that the emulator says: each answer of `/v1`, each event and each webhook must fit the
//! types of Stripe's own library, to the field. `support` asks it; no test has to.

use serde_json::Value;

use crate::schema::{Problem, objects, problems};

/// Fields where the emulator and the types differ for a reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// Panics if an answer of `/v1` is not as Stripe's types say. `what` names the request.
pub fn answer(what: &str, status: u16, body: &Value) {
    let found = match status {
        200..=299 => of_success(body),
        _ => of_error(body),
    };
    report(what, found);
}

/// Panics if this is not an event as Stripe's types say.
pub fn event(what: &str, event: &Value) {
    report(what, of_object(event, ""));
}

fn report(what: &str, found: Vec<Problem>) {
    let is_exception = |problem: &Problem| EXCEPTIONS.iter().any(|(of, _)| *of == problem.of);
    let lines: Vec<String> = found
        .iter()
        .filter(|problem| !is_exception(problem))
        .map(|problem| format!("{} ({}): {}", problem.at, problem.of, problem.what))
        .collect();
    assert!(lines.is_empty(), "{what} departs from Stripe's types:\n{}", lines.join("\n"));
}

fn of_success(body: &Value) -> Vec<Problem> {
    match body["object"].as_str() {
        Some("list") => of_page(body, &["object", "data", "has_more", "url"]),
        Some("search_result") => of_page(body, &["object", "data", "has_more", "url", "next_page"]),
        _ => of_object(body, ""),
    }
}

/// A page has exactly these fields, and objects in `data`.
fn of_page(page: &Value, fields: &[&str]) -> Vec<Problem> {
    let mut names: Vec<&str> = page.as_object().unwrap().keys().map(String::as_str).collect();
    let mut wanted = fields.to_vec();
    names.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(names, wanted, "the fields of a page");
    assert!(page["has_more"].is_boolean() && page["url"].is_string(), "a page: {page}");
    let data = page["data"].as_array().unwrap();
    data.iter().enumerate().flat_map(|(index, one)| of_object(one, &format!("data[{index}]"))).collect()
}

fn of_object(object: &Value, at: &str) -> Vec<Problem> {
    let name = object["object"].as_str().unwrap_or_default();
    let key = if object["deleted"] == true { format!("deleted {name}") } else { name.to_owned() };
    let Some(definition) = objects()["byObject"][&key].as_str() else {
        let what = format!("is an object {key:?}, which is not in scope");
        return vec![Problem { at: at.to_owned(), of: key, what }];
    };
    let mut found = problems(definition.trim_start_matches("#/$defs/"), object, at);
    if name == "event" {
        found.extend(of_event(object, at));
    }
    found
}

/// An event is about the object that its type says, and its previous attributes are fields of that.
fn of_event(event: &Value, at: &str) -> Vec<Problem> {
    let (object, at) = (&event["data"]["object"], format!("{at}.data"));
    let mut found = of_object(object, &format!("{at}.object"));
    let problem = |of: &str, what: String| Problem { at: at.clone(), of: of.to_owned(), what };
    let wanted = &objects()["events"][event["type"].as_str().unwrap_or_default()];
    if *wanted != object["object"] {
        found.push(problem("Event.type", format!("{} is about {}", event["type"], object["object"])));
    }
    for name in event["data"]["previous_attributes"].as_object().into_iter().flat_map(|fields| fields.keys()) {
        if object.get(name).is_none() {
            found.push(problem("Event.previous_attributes", format!("{name} is no field of the object")));
        }
    }
    found
}

/// Stripe's types have the fields of an error where an intent keeps its last one.
fn of_error(body: &Value) -> Vec<Problem> {
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["error"], "the body of an error");
    assert!(body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    problems("PaymentIntent.LastPaymentError", &body["error"], "error")
}
