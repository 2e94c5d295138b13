//! A second witness beside the types (`judge`): Stripe's own sample objects, `schemas/samples.json`. A field that a
//! sample has and the types still know must be in our object with a type that fits, and each field of ours must be in
//! the sample or in the types. Samples are made by Stripe's servers, so they show what the types only allow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::scene;
use crate::schema::{objects, type_of};
use crate::support::{Stripe, id};

/// Where our objects depart from the samples, and why.
///
/// An account is read for its id and its country only; what Connect, identity and payouts need is left out.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("account.business_profile.annual_revenue", "of Connect"),
    ("account.business_profile.estimated_worker_count", "of Connect"),
    ("account.external_accounts", "of payouts"),
    ("account.settings", "of the Dashboard"),
    ("account.tos_acceptance", "of Connect"),
    ("charge.refunds", "only when expanded, since 2022-11-15; the sample is expanded"),
    ("invoice.lines.total_count", "Stripe's lists inside of objects count their elements"),
    ("subscription.items.total_count", "Stripe's lists inside of objects count their elements"),
];

fn samples() -> &'static Map<String, Value> {
    static READ: OnceLock<Value> = OnceLock::new();
    let read = READ.get_or_init(|| serde_json::from_str(include_str!("../schemas/samples.json")).unwrap());
    read["objects"].as_object().unwrap()
}

/// The alternatives of a schema, without references.
fn alternatives(schema: &'static Value) -> Vec<&'static Value> {
    if let Some(name) = schema["$ref"].as_str() {
        return alternatives(&objects()["$defs"][name.trim_start_matches("#/$defs/")]);
    }
    match schema["anyOf"].as_array() {
        Some(all) => all.iter().flat_map(alternatives).collect(),
        None => vec![schema],
    }
}

/// The one of a schema's objects that has most of the value's fields.
fn meant(schema: &'static Value, value: &Value) -> Option<&'static Value> {
    let all = alternatives(schema).into_iter().filter(|one| one["properties"].is_object());
    let shared = |one: &&Value| {
        let known = one["properties"].as_object().unwrap();
        value.as_object().unwrap().keys().filter(|name| known.contains_key(*name)).count()
    };
    all.max_by_key(shared)
}

fn elements(schema: &'static Value) -> Option<&'static Value> {
    alternatives(schema).into_iter().find_map(|one| one.get("items"))
}

/// What departs, by its place, for example `subscription.items.data.plan`.
fn compare(
    schema: &'static Value,
    sample: &Value,
    ours: &Value,
    at: &str,
    found: &mut BTreeMap<String, String>,
) {
    match (sample, ours) {
        // Whether null may stand there the types say. An id stands for its object, and the other way round.
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::String(_), Value::Object(inner)) | (Value::Object(inner), Value::String(_))
            if inner.contains_key("id") => {}
        (Value::Object(theirs), Value::Object(own)) => {
            if let Some(schema) = meant(schema, sample) {
                fields(schema, theirs, own, at, found);
            }
        }
        (Value::Array(theirs), Value::Array(own)) => {
            if let (Some(schema), Some(sample)) = (elements(schema), theirs.first()) {
                own.iter().for_each(|one| compare(schema, sample, one, at, found));
            }
        }
        _ if type_of(sample) != type_of(ours) => {
            found.insert(at.to_owned(), format!("is {} and not {}", type_of(ours), type_of(sample)));
        }
        _ => {}
    }
}

fn fields(
    schema: &'static Value,
    sample: &Map<String, Value>,
    ours: &Map<String, Value>,
    at: &str,
    found: &mut BTreeMap<String, String>,
) {
    let known = schema["properties"].as_object().unwrap();
    if known.is_empty() {
        return;
    }
    for (name, theirs) in sample {
        match (known.get(name), ours.get(name)) {
            (Some(schema), Some(own)) => compare(schema, theirs, own, &format!("{at}.{name}"), found),
            (Some(_), None) => drop(found.insert(format!("{at}.{name}"), "is missing".to_owned())),
            (None, _) => {}
        }
    }
    for name in ours.keys().filter(|name| !sample.contains_key(*name) && !known.contains_key(*name)) {
        found.insert(format!("{at}.{name}"), "is neither in the sample nor in the types".to_owned());
    }
}

/// What departs in one object of ours.
fn of_object(ours: &Value, found: &mut BTreeMap<String, String>) {
    let kind = kind(ours).unwrap_or_default();
    let definition = objects()["byObject"][&kind].as_str().unwrap_or_default();
    let schema = &objects()["$defs"][definition.trim_start_matches("#/$defs/")];
    compare(schema, &samples()[&kind], ours, &kind, found);
}

/// The name under which an object has its sample.
fn kind(value: &Value) -> Option<String> {
    let name = value["object"].as_str()?;
    let kind = if value["deleted"] == true { format!("deleted {name}") } else { name.to_owned() };
    samples().contains_key(&kind).then_some(kind)
}

/// Every object that has a sample, wherever it stands in an answer.
fn gather(answer: &Value, all: &mut Vec<Value>) {
    if kind(answer).is_some() {
        all.push(answer.clone());
    }
    match answer {
        Value::Array(elements) => elements.iter().for_each(|one| gather(one, all)),
        Value::Object(fields) => fields.values().for_each(|one| gather(one, all)),
        _ => {}
    }
}

/// What every endpoint answers to the ways in which it can be asked.
async fn all_that_is_said() -> Vec<Value> {
    let stripe = Stripe::start().await;
    let endpoints = stripe.get("/_emulator/endpoints").await;
    let mut all = Vec::new();
    for endpoint in endpoints["data"].as_array().unwrap() {
        let method = endpoint["method"].as_str().unwrap();
        let words = endpoint["path"].as_str().unwrap().split('/');
        let words: Vec<_> = words.map(|word| if word.starts_with(':') { ":id" } else { word }).collect();
        let pattern = words.join("/");
        for way in scene::ways(method, &pattern) {
            let Some(path) = scene::path(&stripe, method, &pattern).await else { continue };
            let Some(fields) = scene::made(&stripe, way, &path).await else { continue };
            gather(&scene::send(&stripe, method, &path, &fields).await.body, &mut all);
        }
    }
    gather(&stripe.get("/v1/events?limit=100").await, &mut all);
    gather(&a_confirmed_setup(&stripe).await, &mut all);
    gather(&a_discount(&stripe).await, &mut all);
    all
}

async fn a_confirmed_setup(stripe: &Stripe) -> Value {
    let fields = [("payment_method", "pm_card_visa"), ("confirm", "true"), ("expand[]", "latest_attempt")];
    stripe.post("/v1/setup_intents", &fields).await
}

async fn a_discount(stripe: &Stripe) -> Value {
    let coupon = stripe.post("/v1/coupons", &[("percent_off", "10"), ("duration", "forever")]).await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let (coupon, fields) = (id(&coupon), [("customer", customer.as_str()), ("items[0][price]", &price)]);
    let more = [("discounts[0][coupon]", coupon.as_str()), ("payment_behavior", "default_incomplete")];
    let fields = [&fields[..], &more, &[("expand[]", "discounts")]].concat();
    stripe.post("/v1/subscriptions", &fields).await
}

#[tokio::test]
async fn our_objects_are_as_stripe_shows_its_own() {
    let (mut found, mut seen) = (BTreeMap::new(), BTreeSet::new());
    for object in all_that_is_said().await {
        seen.extend(kind(&object));
        of_object(&object, &mut found);
    }
    let unseen: Vec<_> = samples().keys().filter(|kind| !seen.contains(*kind)).collect();
    assert!(unseen.is_empty(), "nothing was compared with the samples of {unseen:?}");
    let excepted = |place: &str| EXCEPTIONS.iter().any(|(known, _)| *known == place);
    let wrong: Vec<_> = found.iter().filter(|(place, _)| !excepted(place)).collect();
    let lines: Vec<_> = wrong.iter().map(|(place, what)| format!("{place} {what}")).collect();
    assert!(lines.is_empty(), "our objects depart from Stripe's samples:\n{}", lines.join("\n"));
    let unused: Vec<_> = EXCEPTIONS.iter().filter(|(place, _)| !found.contains_key(*place)).collect();
    assert!(unused.is_empty(), "exceptions that are none: {unused:?}");
}

#[tokio::test]
async fn the_samples_name_what_departs_and_where() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let subscription = stripe.only_subscription(&customer).await;
    let mut before = BTreeMap::new();
    of_object(&subscription, &mut before);
    type Spoil = fn(&mut Value);
    let cases: &[(Spoil, &str, &str)] = &[
        (|it| drop(it.as_object_mut().unwrap().remove("created")), "subscription.created", "is missing"),
        (|it| it["colour"] = json!("red"), "subscription.colour", "is neither"),
        (|it| it["metadata"] = json!([]), "subscription.metadata", "is array and not object"),
        (|it| it["customer"] = json!(7), "subscription.customer", "is number and not string"),
        (
            |it| drop(it["items"]["data"][0].as_object_mut().unwrap().remove("quantity")),
            "subscription.items.data.quantity",
            "is missing",
        ),
    ];
    for (spoil, place, what) in cases {
        let (mut spoiled, mut found) = (subscription.clone(), BTreeMap::new());
        spoil(&mut spoiled);
        of_object(&spoiled, &mut found);
        assert!(!before.contains_key(*place) && found[*place].starts_with(what), "{place}: {found:?}");
    }
}
