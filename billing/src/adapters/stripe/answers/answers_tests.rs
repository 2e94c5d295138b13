#![expect(clippy::unwrap_used)]
use super::*;
use crate::fold::ListedSubscription;
use crate::subscription::Status;
use serde_json::{Value, json};

fn read(value: Value) -> ListedSubscription {
    serde_json::from_value::<Subscription>(value).unwrap().into_domain()
}

#[test]
fn periods_come_from_the_item_else_from_the_subscription() {
    let item = |start: Value| json!({"price": {"id": "price_1", "product": "prod_1"}, "current_period_start": start, "current_period_end": start});
    let new = read(json!({"id": "sub_1", "status": "active", "items": {"data": [item(json!(5))]}}));
    assert_eq!(new.items[0].current_period_end, Some(5));
    let old = read(
        json!({"id": "sub_1", "status": "active", "current_period_start": 7, "current_period_end": 8, "items": {"data": [item(Value::Null)]}}),
    );
    assert_eq!((old.items[0].current_period_start, old.items[0].current_period_end), (Some(7), Some(8)));
}

#[test]
fn the_card_is_the_subscriptions_else_the_customers() {
    let card = |last4: &str| json!({"id": "pm_1", "type": "card", "card": {"brand": "visa", "last4": last4}});
    let customer = json!({"id": "cus_1", "metadata": {"userId": "u1"}, "invoice_settings": {"default_payment_method": card("1111")}});
    let own = read(
        json!({"id": "sub_1", "status": "active", "customer": customer, "default_payment_method": card("4242")}),
    );
    assert_eq!(own.payment_method.unwrap().last4.unwrap(), "4242");
    assert_eq!(own.user.unwrap().as_str(), "u1");
    let inherited = read(
        json!({"id": "sub_1", "status": "active", "customer": customer, "default_payment_method": null}),
    );
    assert_eq!(inherited.payment_method.unwrap().last4.unwrap(), "1111");
    let other = read(
        json!({"id": "sub_1", "status": "active", "default_payment_method": {"id": "pm_1", "type": "sepa_debit"}}),
    );
    assert_eq!(other.payment_method.unwrap().brand.unwrap(), "sepa_debit");
}

#[test]
fn a_deleted_customer_and_a_missing_field_kill_nothing() {
    let listed = read(
        json!({"id": "sub_1", "status": "brand_new_status", "customer": {"id": "cus_1", "object": "customer", "deleted": true}, "latest_invoice": "in_1"}),
    );
    assert_eq!(listed.status, Status::Unknown("brand_new_status".into()));
    assert_eq!(listed.customer.unwrap().as_str(), "cus_1");
    assert!(listed.items.is_empty() && listed.latest_invoice.is_none());
    let deleted: Customer = serde_json::from_value(json!({"id": "cus_1", "deleted": true})).unwrap();
    assert_eq!(deleted.into_domain(), None);
}

#[test]
fn what_somebody_else_named_is_read_too() {
    let item = json!({"price": {"id": "old plan/1", "product": "my product", "lookup_key": "pro:monthly"}});
    let listed = read(json!({"id": "sub_1", "status": "active", "items": {"data": [item]}}));
    assert_eq!(listed.items[0].price.as_str(), "old plan/1");
    assert_eq!(listed.items[0].product.as_ref().unwrap().as_str(), "my product");
    assert!(Product::read(json!({"id": "my product", "metadata": null})).is_some());
    assert!(Product::read(json!({"id": 7})).is_none());
}

#[test]
fn a_sessions_metadata_is_validated_where_it_is_read() {
    let session = |metadata: Value| {
        let value =
            json!({"id": "cs_1", "status": "complete", "payment_status": "paid", "metadata": metadata});
        serde_json::from_value::<CheckoutSession>(value).unwrap().into_domain()
    };
    assert!(session(json!({"userId": "u1", "plan": "pro"})).metadata.is_some());
    for wrong in [json!({"userId": "u1"}), json!({"userId": "{}", "plan": "pro"}), json!({}), Value::Null] {
        assert_eq!(session(wrong.clone()).metadata, None, "{wrong}");
    }
}

#[test]
fn of_everybodys_subscriptions_only_a_complete_one_is_read() {
    let complete = json!({"id": "sub_1", "status": "active", "metadata": {"checkout": "t1"},
        "customer": {"id": "cus_1", "invoice_settings": {"default_payment_method": null}}});
    let read = Subscription::read(complete.clone()).unwrap();
    assert_eq!((read.customer.unwrap().as_str(), read.checkout.as_deref()), ("cus_1", Some("t1")));
    let changed = |field: &str, value: Value| {
        let mut changed = complete.clone();
        changed[field] = value;
        Subscription::read(changed)
    };
    let card = json!({"id": "pm_1", "type": "card", "card": {"last4": "4242"}});
    let hidden = json!({"id": "cus_1", "invoice_settings": {"default_payment_method": "pm_1"}});
    let deleted = json!({"id": "cus_1", "deleted": true});
    for (customer, own_card, reads) in [
        (&hidden, Value::Null, false),
        (&json!("cus_1"), Value::Null, false),
        (&Value::Null, Value::Null, false),
        (&Value::Null, card.clone(), false),
        (&hidden, card, true),
        (&deleted, Value::Null, true),
    ] {
        let mut one = complete.clone();
        one["customer"] = customer.clone();
        one["default_payment_method"] = own_card;
        assert_eq!(Subscription::read(one.clone()).is_ok(), reads, "{one}");
    }
    let unreadable = changed("created", json!("ada@example.com")).unwrap_err();
    assert_eq!(unreadable.id.unwrap().as_str(), "sub_1");
    assert_eq!(unreadable.customer.unwrap().as_str(), "cus_1");
    assert!(!unreadable.reason.contains("ada@example.com"), "{}", unreadable.reason);
}

#[test]
fn of_a_listed_customer_only_the_id_must_be_there() {
    let odd = json!({"id": "cus_1", "email": 7, "metadata": {"userId": "{}"}, "created": null});
    let read = Customer::read(&odd).unwrap();
    assert_eq!((read.id.as_str(), read.user, read.email, read.created), ("cus_1", None, None, 0));
    let whole = json!({"id": "cus_1", "email": "a@b.c", "metadata": {"userId": "u1"}, "created": 5});
    let read = Customer::read(&whole).unwrap();
    assert_eq!((read.user.unwrap().as_str(), read.email.as_deref(), read.created), ("u1", Some("a@b.c"), 5));
    assert_eq!(Customer::read(&json!({"id": "cus_1", "deleted": true})), None);
    assert_eq!(Customer::read(&json!({"email": "a@b.c"})), None);
}

#[test]
fn no_email_gets_into_an_error() {
    let message = without_emails("Invalid email address: ada@example.com. See the docs");
    assert_eq!(message, "Invalid email address: (e-mail) See the docs");
}
