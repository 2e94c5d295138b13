//! Many customers: how they are loaded, and that a list reads its page and not everything. Counted in objects
//! looked at, never in time.

use serde_json::{Value, json};
use stripe_emulator::Options;

use crate::support::{Stripe, id, ids, options};

const MANY: usize = 3000;
/// For what reads everything.
const FEW: usize = 400;
/// For each of a hundred on a page and the one that says `has_more`: itself and three that are expanded.
const PAGE: u64 = 101 * 4;
/// The cursor, and what the request itself takes.
const MORE: u64 = 20;
const EXPANDED: &str = "expand[]=data.default_payment_method&expand[]=data.latest_invoice\
                        &expand[]=data.customer.invoice_settings.default_payment_method";

async fn with_many() -> Stripe {
    let stripe = Stripe::start().await;
    let price = stripe.price().await;
    let loaded = stripe.control("/_emulator/load", json!({"customers": MANY, "price": price, "prefix": "u"}));
    let expected = json!({"customers": MANY, "first": "cus_u00000000", "last": "cus_u00002999"});
    assert_eq!(loaded.await, expected);
    stripe
}

/// A list, and how many objects were looked at to make it.
async fn list(stripe: &Stripe, path: &str) -> (Value, u64) {
    let list = stripe.get(path).await;
    let logged = stripe.get("/_emulator/requests?limit=1").await;
    (list, logged["data"][0]["looked_at"].as_u64().unwrap())
}

#[tokio::test]
async fn loaded_customers_pay_by_card_and_nobody_is_told() {
    let stripe = with_many().await;
    let customer = stripe.get("/v1/customers/cus_u00000041").await;
    assert_eq!(
        (&customer["email"], &customer["metadata"]),
        (&json!("u41@example.com"), &json!({"userId": "u41"}))
    );
    let path = format!("/v1/subscriptions?customer=cus_u00000041&{EXPANDED}");
    let subscription = &stripe.get(&path).await["data"][0];
    assert_eq!((&subscription["id"], &subscription["status"]), (&json!("sub_u00000041"), &json!("active")));
    assert_eq!(subscription["default_payment_method"]["card"]["last4"], "4242");
    assert_eq!(subscription["default_payment_method"]["customer"], "cus_u00000041");
    assert_eq!(subscription["latest_invoice"]["status"], "paid");
    assert_eq!(subscription["latest_invoice"]["customer"], "cus_u00000041");
    assert_eq!(subscription["items"]["data"][0]["subscription"], "sub_u00000041");
    let types = stripe.event_types().await;
    assert_eq!(types, ["product.created", "plan.created", "price.created"]);
    let canceled = stripe.delete("/v1/subscriptions/sub_u00000041").await;
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(ids(&stripe.get("/v1/subscriptions?status=canceled").await), ["sub_u00000041"]);
    assert_eq!(stripe.get("/v1/subscriptions/sub_u00000042").await["status"], "active");
}

#[tokio::test]
async fn a_page_costs_the_same_wherever_it_is() {
    let stripe = with_many().await;
    for (path, prefix) in [("customers", "cus"), ("subscriptions", "sub")] {
        let expanded = if path == "subscriptions" { EXPANDED } else { "" };
        for cursor in
            ["", "&starting_after=u00000150", "&starting_after=u00001500", "&ending_before=u00001500"]
        {
            let cursor = cursor.replace("=u", &format!("={prefix}_u"));
            let (page, looked_at) = list(&stripe, &format!("/v1/{path}?limit=100{cursor}&{expanded}")).await;
            assert_eq!((ids(&page).len(), &page["has_more"]), (100, &json!(true)), "{path} {cursor}");
            assert!((100..=PAGE + MORE).contains(&looked_at), "{path} {cursor}: {looked_at}");
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_is_found_without_reading_everything() {
    let stripe = with_many().await;
    let now = stripe.get("/_emulator/clock").await["now"].as_i64().unwrap();
    stripe.control("/_emulator/clock", json!({"advance_seconds": 1000})).await;
    let newer = stripe.customer().await;
    let search = crate::support::form(&[("query", "metadata['userId']:'u7'")]);
    let cases = [
        ("/v1/subscriptions?customer=cus_u00000007".to_owned(), vec!["sub_u00000007"]),
        ("/v1/subscriptions?customer=cus_none".to_owned(), vec![]),
        ("/v1/customers?email=u7@example.com".to_owned(), vec!["cus_u00000007"]),
        ("/v1/customers?email=U7@example.com".to_owned(), vec![]),
        (format!("/v1/customers/search?{search}"), vec!["cus_u00000007"]),
        (format!("/v1/customers?created[gt]={}", now + 500), vec![newer.as_str()]),
        (format!("/v1/subscriptions?status=all&created[lt]={}", now - 500), vec![]),
    ];
    for (path, expected) in cases {
        let (found, looked_at) = list(&stripe, &path).await;
        assert_eq!(ids(&found), expected, "{path}");
        assert!(looked_at <= MORE, "{path}: {looked_at}");
    }
}

#[tokio::test]
async fn every_customer_is_on_one_page_in_both_directions() {
    let stripe = with_many().await;
    let (mut forwards, mut cursor, mut has_more) = (Vec::new(), String::new(), true);
    for _ in 0..MANY / 100 {
        let page = stripe.get(&format!("/v1/customers?limit=100{cursor}")).await;
        forwards.extend(ids(&page));
        cursor = format!("&starting_after={}", forwards[forwards.len() - 1]);
        has_more = page["has_more"] == true;
    }
    assert!(!has_more);
    let (mut backwards, mut cursor) =
        (Vec::new(), format!("&ending_before={}", forwards[forwards.len() - 1]));
    for _ in 0..MANY / 100 {
        let page = ids(&stripe.get(&format!("/v1/customers?limit=100{cursor}")).await);
        cursor = format!("&ending_before={}", page[0]);
        backwards.extend(page.into_iter().rev());
    }
    let newest_first: Vec<_> = (0..MANY).rev().map(|number| format!("cus_u{number:08}")).collect();
    assert_eq!(forwards, newest_first);
    backwards.reverse();
    assert_eq!(backwards, newest_first[..MANY - 1]);
}

#[tokio::test]
async fn a_load_that_cannot_be_is_refused_by_name() {
    let stripe = Stripe::start().await;
    let price = stripe.price().await;
    stripe.post(&format!("/v1/prices/{price}"), &[("lookup_key", "pro")]).await;
    stripe.control("/_emulator/load", json!({"customers": 2, "price": "pro", "metadata_user": false})).await;
    assert_eq!(stripe.get("/v1/customers/cus_load00000001").await["metadata"], json!({}));
    let cases = [
        (json!({"customers": 2, "price": "pro"}), "prefix"),
        (json!({"customers": 2, "price": "pro", "prefix": "a b"}), "prefix"),
        (json!({"customers": 0, "price": "pro"}), "customers"),
        (json!({"customers": 2, "price": "gold"}), "price"),
        (json!({"customers": 2}), "price"),
    ];
    for (body, name) in cases {
        let reply = stripe.try_control("/_emulator/load", body).await;
        assert_eq!(reply.status, 400);
        assert!(reply.body["error"].as_str().unwrap().contains(name), "{}", reply.body);
    }
}

/// Every page of a list, and how many objects were looked at for the costliest.
async fn pages(stripe: &Stripe, kind: &str) -> (Vec<Value>, u64) {
    let (mut all, mut cursor, mut most) = (Vec::new(), String::new(), 0);
    loop {
        let (page, looked_at) = list(stripe, &format!("/v1/{kind}?limit=100{cursor}")).await;
        most = most.max(looked_at);
        all.extend(page["data"].as_array().unwrap().clone());
        if page["has_more"] == false {
            return (all, most);
        }
        cursor = format!("&starting_after={}", ids(&page).pop().unwrap());
    }
}

#[tokio::test]
async fn what_was_loaded_is_kept_with_what_became_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let kept = || Options { data_dir: Some(directory.path().to_owned()), ..options() };
    let stripe = Stripe::with(kept()).await;
    let price = stripe.price().await;
    for prefix in ["u", "v"] {
        let order = json!({"customers": FEW / 2, "price": price, "prefix": prefix});
        stripe.control("/_emulator/load", order).await;
    }
    stripe.delete("/v1/subscriptions/sub_u00000041").await;
    stripe.delete("/v1/customers/cus_v00000007").await;
    let newest = stripe.customer().await;
    let kinds = ["customers", "subscriptions", "invoices"];
    let mut before = Vec::new();
    for kind in kinds {
        before.push(pages(&stripe, kind).await.0);
    }
    assert_eq!(id(&before[0][0]), newest);
    assert_eq!(before[0].len(), FEW);
    let mut stripe = stripe;
    // The first start reads what was written line by line, the second what the first made of it.
    for _ in 0..2 {
        stripe.emulator.stop().await;
        stripe = Stripe::with(kept()).await;
        for (kind, before) in kinds.into_iter().zip(&before) {
            let (after, looked_at) = pages(&stripe, kind).await;
            assert!(after == *before, "{kind} are not what they were");
            assert!((100..=PAGE + MORE).contains(&looked_at), "{kind}: {looked_at}");
        }
    }
}
