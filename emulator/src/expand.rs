//! `expand`: replacing ids in an answer by the objects they name. Works on the finished answer, so that the
//! resources never think of it. Refuses what Stripe refuses: more than four levels, and fields that are no ids.

use serde_json::{Value, json};

use crate::billing::discount::validity;
use crate::error::ApiError;
use crate::state::{Key, Kind, Store, text};

/// Fields that hold an id, wherever they stand. Those with `None` name resources that this emulator lacks, so
/// they are always null.
const FIELDS: &[(&str, Option<Kind>)] = &[
    ("balance_transaction", None),
    ("application", None),
    ("configuration", Some(Kind::PortalConfiguration)),
    ("customer", Some(Kind::Customer)),
    ("charge", Some(Kind::Charge)),
    ("coupon", Some(Kind::Coupon)),
    ("default_payment_method", Some(Kind::PaymentMethod)),
    ("default_price", Some(Kind::Price)),
    ("default_source", None),
    ("discount", Some(Kind::Discount)),
    ("discounts", Some(Kind::Discount)),
    ("invoice", Some(Kind::Invoice)),
    ("latest_charge", Some(Kind::Charge)),
    ("latest_attempt", Some(Kind::SetupAttempt)),
    ("latest_invoice", Some(Kind::Invoice)),
    ("mandate", None),
    ("payment_intent", Some(Kind::PaymentIntent)),
    ("payment_method", Some(Kind::PaymentMethod)),
    ("pending_setup_intent", Some(Kind::SetupIntent)),
    ("price", Some(Kind::Price)),
    ("product", Some(Kind::Product)),
    ("promotion_code", Some(Kind::PromotionCode)),
    ("schedule", Some(Kind::SubscriptionSchedule)),
    ("setup_intent", Some(Kind::SetupIntent)),
    ("subscription", Some(Kind::Subscription)),
    ("test_clock", Some(Kind::TestClock)),
];

/// The way to a portal configuration's products.
const PRODUCTS: [&str; 3] = ["features", "subscription_update", "products"];

/// Expands every path in `paths` in place. A path into a list begins with `data.`.
pub fn apply(store: &Store, answer: &mut Value, paths: &[String]) -> Result<(), ApiError> {
    for path in paths {
        let segments: Vec<&str> = path.split('.').collect();
        if segments.len() > 4 {
            let message = format!("You cannot expand more than 4 levels of a property. Property: {path}");
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
            include_products(store, value, segments);
            let is_id = FIELDS.iter().any(|(name, _)| name == field);
            let Some(child) = value.get_mut(*field) else {
                // A coupon that is for everything has nothing to include.
                return if *field == "applies_to" { Walked::Somewhere } else { Walked::Nowhere };
            };
            expand(store, field, child);
            let is_resource = child.get("object").is_some_and(|object| object != "list");
            let inlined = matches!(
                *field,
                "applies_to"
                    | "promotion"
                    | "line_items"
                    | "refunds"
                    | "subscriptions"
                    | "payments"
                    | "tax_ids"
                    | "products"
            );
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
    match (kind, child) {
        (Some(kind), Value::Array(ids)) => ids.iter_mut().for_each(|id| replace(store, kind, id)),
        (Some(kind), child) => replace(store, kind, child),
        (None, _) => {}
    }
}

/// Puts the object in the place of its id. A deleted coupon is still what its discounts were given by.
fn replace(store: &Store, kind: Kind, child: &mut Value) {
    if let Some(record) = child.as_str().and_then(|id| store.find(kind, id)) {
        let kept = &record.private()["coupon"];
        let is_deleted_coupon = kind == Kind::Coupon && !kept.is_null();
        *child = if is_deleted_coupon { kept.clone() } else { record.value().into_owned() };
        *child = validity::shown(store, child.take());
    }
}

/// Lists that Stripe leaves out of an object until they are asked for.
fn include(store: &Store, value: &mut Value, field: &str) {
    if value.get(field).is_some() {
        return;
    }
    let id = text(value, "id").to_owned();
    if (text(value, "object"), field) == ("coupon", "applies_to") {
        let private = store.find(Kind::Coupon, &id).map(|record| record.private()["applies_to"].clone());
        if let Some(applies_to) = private.filter(|applies_to| !applies_to.is_null()) {
            value[field] = applies_to;
        }
    }
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
        ("customer", "tax_ids") => {
            let all = related(store, Kind::TaxId, Key::Customer, &id).collect();
            Some((all, format!("/v1/customers/{id}/tax_ids")))
        }
        ("charge", "refunds") => {
            let all = store.collection(Kind::Refund).into_iter().flat_map(|all| all.newest_first());
            let own = all.filter(|refund| *refund.field("charge") == *id);
            let own: Value = own.map(|refund| refund.value().into_owned()).collect();
            Some((own, format!("/v1/charges/{id}/refunds")))
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

/// What a portal's configuration offers to change to is left out of it too.
fn include_products(store: &Store, value: &mut Value, segments: &[&str]) {
    if segments == PRODUCTS && value["object"] == "billing_portal.configuration" {
        let record = store.find(Kind::PortalConfiguration, text(value, "id"));
        let products = record.map(|record| record.private()["products"].clone()).unwrap_or_default();
        value["features"]["subscription_update"]["products"] = products;
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
