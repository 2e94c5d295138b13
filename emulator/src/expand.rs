//! `expand`: replacing ids in an answer by the objects they name. Works on the finished answer, so that the
//! resources never think of it. Refuses what Stripe refuses: more than four levels, and fields that are no ids.

use serde_json::{Value, json};

use crate::error::ApiError;
use crate::state::{Key, Kind, Store, text};

/// Fields that hold an id, wherever they stand. Those with `None` name resources that this emulator lacks, so
/// they are always null.
const FIELDS: &[(&str, Option<Kind>)] = &[
    ("customer", Some(Kind::Customer)),
    ("charge", Some(Kind::Charge)),
    ("default_payment_method", Some(Kind::PaymentMethod)),
    ("default_price", Some(Kind::Price)),
    ("default_source", None),
    ("discounts", None),
    ("invoice", Some(Kind::Invoice)),
    ("latest_charge", Some(Kind::Charge)),
    ("latest_invoice", Some(Kind::Invoice)),
    ("payment_intent", Some(Kind::PaymentIntent)),
    ("payment_method", Some(Kind::PaymentMethod)),
    ("pending_setup_intent", Some(Kind::SetupIntent)),
    ("price", Some(Kind::Price)),
    ("product", Some(Kind::Product)),
    ("schedule", Some(Kind::SubscriptionSchedule)),
    ("setup_intent", Some(Kind::SetupIntent)),
    ("subscription", Some(Kind::Subscription)),
    ("test_clock", Some(Kind::TestClock)),
];

/// Expands every path in `paths` in place. A path into a list begins with `data.`.
pub fn apply(store: &Store, answer: &mut Value, paths: &[String]) -> Result<(), ApiError> {
    for path in paths {
        let segments: Vec<&str> = path.split('.').collect();
        if segments.len() > 4 {
            let message = format!("You cannot expand more than 4 levels of a property: {path}");
            return Err(ApiError::invalid(message).param("expand"));
        }
        if walk(store, answer, &segments) == Walked::Nowhere {
            return Err(cannot(path, answer));
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Walked {
    /// The path led to something expandable, or to an empty list or null on the way.
    Somewhere,
    Nowhere,
}

fn walk(store: &Store, value: &mut Value, segments: &[&str]) -> Walked {
    let [field, rest @ ..] = segments else {
        return Walked::Somewhere;
    };
    match value {
        Value::Null => Walked::Somewhere,
        Value::Array(elements) => {
            let mut walked = elements.iter_mut().map(|element| walk(store, element, segments));
            if walked.any(|one| one == Walked::Nowhere) { Walked::Nowhere } else { Walked::Somewhere }
        }
        Value::Object(_) => {
            include(store, value, field);
            let is_id = FIELDS.iter().any(|(name, _)| name == field);
            let Some(child) = value.get_mut(*field) else {
                return Walked::Nowhere;
            };
            expand(store, field, child);
            let is_resource = child.get("object").is_some_and(|object| object != "list");
            let inlined = matches!(*field, "line_items" | "subscriptions" | "payments");
            match rest {
                [] if is_id || is_resource || inlined => Walked::Somewhere,
                [] => Walked::Nowhere,
                _ => walk(store, child, rest),
            }
        }
        _ => Walked::Nowhere,
    }
}

fn expand(store: &Store, field: &str, child: &mut Value) {
    let kind = FIELDS.iter().find(|(name, _)| *name == field).and_then(|(_, kind)| *kind);
    if let (Some(kind), Some(id)) = (kind, child.as_str())
        && let Some(record) = store.find(kind, id)
    {
        *child = record.value().into_owned();
    }
}

/// Lists that Stripe leaves out of an object until they are asked for.
fn include(store: &Store, value: &mut Value, field: &str) {
    if value.get(field).is_some() {
        return;
    }
    let id = text(value, "id").to_owned();
    let list = match (text(value, "object"), field) {
        ("checkout.session", "line_items") => {
            let private = store.find(Kind::CheckoutSession, &id).map(|record| record.private());
            let items = private.map(|private| private["line_items"].clone()).unwrap_or_default();
            Some((items, format!("/v1/checkout/sessions/{id}/line_items")))
        }
        ("customer", "subscriptions") => {
            let all = related(store, Kind::Subscription, Key::Customer, &id);
            let open: Value = all.filter(|one| one["status"] != "canceled").collect();
            Some((open, format!("/v1/customers/{id}/subscriptions")))
        }
        ("invoice", "payments") => {
            let all = related(store, Kind::InvoicePayment, Key::Invoice, &id).collect();
            Some((all, format!("/v1/invoices/{id}/payments")))
        }
        _ => None,
    };
    if let Some((data, url)) = list {
        value[field] = json!({ "object": "list", "data": data, "has_more": false, "url": url });
    }
}

fn related<'s>(store: &'s Store, kind: Kind, key: Key, id: &str) -> impl Iterator<Item = Value> + use<'s> {
    let all: Vec<_> = store.collection(kind).into_iter().flat_map(|all| all.by_key(key, id)).collect();
    all.into_iter().map(|record| record.value().into_owned())
}

fn cannot(path: &str, answer: &Value) -> ApiError {
    let mut message = format!("This property cannot be expanded ({path}).");
    if answer["object"] == "list" && !path.starts_with("data.") {
        message.push_str(&format!(" You may want to try expanding 'data.{path}' instead."));
    }
    ApiError::invalid(message).param("expand")
}
