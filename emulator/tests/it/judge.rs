//! The judge of everything that the emulator says: each answer of `/v1`, each event and each webhook must fit the
//! types of Stripe's own library, to the field. `support` asks it; no test has to.

use serde_json::{Value, json};

use crate::schema::{Problem, objects, parameters, problems};
use crate::support::Stripe;

struct Exception {
    /// The definition and the field.
    of: &'static str,
    /// What the problem says, at least.
    what: &'static str,
}

/// Where Stripe itself departs from its types.
const EXCEPTIONS: &[Exception] = &[
    // Stripe's lists inside of objects count their elements; the types have one list for everything.
    Exception { of: "Invoice.lines.total_count", what: "unknown to the types" },
    Exception { of: "Subscription.items.total_count", what: "unknown to the types" },
    // In Stripe's documented codes of errors, but not in the types' list.
    Exception {
        of: "PaymentIntent.LastPaymentError.code",
        what: "subscription_payment_intent_requires_action",
    },
];

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

/// Panics if a request that was granted has a parameter that Stripe's types do not know there.
pub fn request(method: &str, url: &str, fields: &[(&str, &str)]) {
    let path = url.split('?').next().unwrap_or_default();
    let known = parameters()["endpoints"].as_object().unwrap();
    let fits = |pattern: &str| {
        let (wanted, given): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
        let same = |(wanted, given): (&&str, &&str)| *wanted == ":id" || wanted == given;
        wanted.len() == given.len() && wanted.iter().zip(&given).all(same)
    };
    let mut trees = known.iter().filter_map(|(name, tree)| Some((name.strip_prefix(method)?.trim(), tree)));
    let exact = known.get(&format!("{method} {path}"));
    let Some(tree) = exact.or_else(|| trees.find(|(pattern, _)| fits(pattern)).map(|(_, tree)| tree)) else {
        panic!("Stripe's library has no {method} {path}");
    };
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let of_query = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned());
    for name in fields.iter().map(|(name, _)| (*name).to_owned()).chain(of_query) {
        assert!(knows(tree, &name), "Stripe's library knows no parameter {name} of {method} {path}");
    }
}

/// Whether `items[0][price]` leads somewhere in the tree.
fn knows(tree: &Value, name: &str) -> bool {
    name.replace(']', "").split('[').try_fold(tree, step).is_some()
}

fn step<'t>(tree: &'t Value, word: &str) -> Option<&'t Value> {
    match tree {
        Value::Array(elements) => elements.first(),
        Value::Object(fields) => {
            let required = || fields.get(&format!("{word}!"));
            // A map has one field, named x, that stands for any.
            fields.get(word).or_else(required).or_else(|| fields.get("x").filter(|_| fields.len() == 1))
        }
        // `created` is a number or a range; a question mark is where the file's trees end.
        _ if (tree == "1" && matches!(word, "gt" | "gte" | "lt" | "lte")) || tree == "?" => Some(tree),
        _ => None,
    }
}

fn report(what: &str, found: Vec<Problem>) {
    let is_exception = |problem: &Problem| {
        EXCEPTIONS.iter().any(|known| known.of == problem.of && problem.what.contains(known.what))
    };
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
    if event["type"] == "invoice.upcoming" {
        // Stripe's description of this event: "The received Invoice object will not have an invoice ID."
        found.retain(|problem| problem.of != "Invoice.id");
    }
    let problem = |of: &str, what: String| Problem { at: at.clone(), of: of.to_owned(), what };
    let wanted = &objects()["events"][event["type"].as_str().unwrap_or_default()];
    if *wanted != object["object"] {
        found.push(problem("Event.type", format!("{} is about {}", event["type"], object["object"])));
    }
    for name in event["data"]["previous_attributes"].as_object().into_iter().flat_map(|fields| fields.keys())
    {
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

/// What the judge says of a purchase's subscription when `spoil` has been at it.
async fn verdict(spoil: fn(&mut Value)) -> String {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let expand = "expand[]=data.customer&expand[]=data.latest_invoice";
    let mut list = stripe.get(&format!("/v1/subscriptions?customer={customer}&{expand}")).await;
    spoil(&mut list["data"][0]);
    let found = of_success(&list);
    found.iter().map(|one| format!("{} {} {}\n", one.at, one.of, one.what)).collect()
}

fn forget(object: &mut Value, field: &str) {
    object.as_object_mut().unwrap().remove(field);
}

#[tokio::test]
async fn the_judge_names_what_is_wrong_and_where() {
    type Case = (fn(&mut Value), &'static str);
    let cases: &[Case] = &[
        (|one| forget(one, "discounts"), "data[0].discounts Subscription.discounts is missing"),
        (|one| one["coupon"] = json!(null), "data[0].coupon Subscription.coupon is unknown"),
        (|one| one["status"] = json!("lapsed"), "data[0].status Subscription.status \"lapsed\" is not among"),
        (|one| one["created"] = json!("now"), "data[0].created Subscription.created \"now\" is no"),
        (|one| one["cancel_at"] = json!(true), "data[0].cancel_at Subscription.cancel_at true is no"),
        (|one| one["customer"] = json!(7), "data[0].customer Subscription.customer 7 is nothing of"),
        (|one| one["metadata"]["a"] = json!(1), "data[0].metadata.a Metadata.a 1 is no"),
        (|one| forget(&mut one["customer"], "email"), "data[0].customer.email Customer.email is missing"),
        (
            |one| one["latest_invoice"]["lines"]["data"][0]["price"] = json!(null),
            "data[0].latest_invoice.lines.data[0].price InvoiceLineItem.price is unknown",
        ),
        (|one| one["object"] = json!("subscribtion"), "data[0] subscribtion is an object"),
    ];
    for (spoil, expected) in cases {
        let verdict = verdict(*spoil).await;
        assert!(verdict.contains(expected), "{expected:?} is not in {verdict}");
    }
}

#[tokio::test]
async fn the_judge_knows_what_an_event_is_about() {
    let stripe = Stripe::start().await;
    stripe.customer().await;
    let mut event = stripe.get("/v1/events").await["data"][0].clone();
    assert_eq!(of_object(&event, "").len(), 0);
    event["type"] = json!("invoice.paid");
    event["data"]["previous_attributes"] = json!({"nickname": null});
    let found: Vec<String> = of_object(&event, "").into_iter().map(|problem| problem.of).collect();
    assert_eq!(found, ["Event.type", "Event.previous_attributes"]);
}

#[test]
fn parameters_are_known_to_any_depth() {
    let known = &parameters()["endpoints"]["POST /v1/subscriptions"];
    for name in ["customer", "items[3][price]", "items[][price]", "metadata[userId]", "expand[0]"] {
        assert!(knows(known, name), "{name}");
    }
    for name in ["plan", "items[0][prices]", "customer[id]", "metadata[a][b]", "trial_settings[pause]"] {
        assert!(!knows(known, name), "{name}");
    }
    let list = &parameters()["endpoints"]["GET /v1/subscriptions"];
    assert!(knows(list, "created[gte]") && !knows(list, "created[from]"));
}
