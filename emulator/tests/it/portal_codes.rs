//! Promotion codes and shipping addresses in the portal, where a configuration lets a customer give them.

use serde_json::{Value, json};

use crate::portal_api::portal;
use crate::support::{Stripe, id};

const ALLOWED: &str = "features[subscription_update][default_allowed_updates][]";

/// A customer halfway through a month at 12 dollars, the page on which they confirm 36 dollars, and that price.
async fn scene(more: &[(&str, &str)]) -> (Stripe, String, String, String) {
    let stripe = Stripe::start().await;
    let (customer, subscription, _) = stripe.halfway().await;
    let price = subscription["items"]["data"][0]["price"]["id"].as_str().unwrap().to_owned();
    let yearly = stripe.price_of("12000", "year").await;
    let configuration = id(&portal(&stripe, &[&price, &yearly], more).await);
    let session = stripe.portal_session(&customer, &[("configuration", &configuration)]).await;
    let coupon = stripe.post("/v1/coupons", &[("percent_off", "50"), ("duration", "once")]).await;
    let fields = [
        ("promotion[type]", "coupon"),
        ("promotion[coupon]", coupon["id"].as_str().unwrap()),
        ("code", "HALF"),
        ("max_redemptions", "1"),
    ];
    stripe.post("/v1/promotion_codes", &fields).await;
    let page =
        format!("{}/subscriptions/{}/update/confirm", session["url"].as_str().unwrap(), id(&subscription));
    (stripe, customer, page, yearly)
}

async fn redeemed(stripe: &Stripe) -> Value {
    stripe.get("/v1/promotion_codes?code=HALF").await["data"][0]["times_redeemed"].clone()
}

#[tokio::test]
async fn a_code_makes_the_change_cheaper_and_is_shown_before() {
    let (stripe, customer, page, yearly) = scene(&[(ALLOWED, "promotion_code")]).await;
    let look = async |code: &str| {
        let url = format!("{page}?price={yearly}&quantity=1&promotion_code={code}");
        stripe.look(&url).await
    };
    let count = stripe.event_count().await;
    let (status, shown) = look("NONE").await;
    assert!(status == 200 && shown.contains("This code is invalid."), "{shown}");
    let (_, shown) = look("half").await;
    assert!(
        shown.contains("Remove half")
            && shown.contains("<dt>Discount</dt>")
            && !shown.contains("Confirm and pay $114"),
        "{shown}"
    );
    assert!(stripe.events_since(count).await.is_empty(), "to look changes nothing");
    assert_eq!(redeemed(&stripe).await, 0);
    let fields = [("price", yearly.as_str()), ("quantity", "1"), ("promotion_code", "half")];
    stripe.go(&page, &fields).await;
    let invoice = stripe.invoices(&customer).await.remove(0);
    assert_eq!(invoice["total_discount_amounts"][0]["amount"].as_i64().unwrap() % 100, 0);
    let cents = invoice["amount_paid"].as_i64().unwrap();
    let said = format!("Confirm and pay ${}.{:02}", cents / 100, cents % 100);
    assert!(shown.contains(&said), "{said}: {shown}");
    let told = stripe.events_since(count).await;
    assert!(told.contains(&"customer.discount.created".to_owned()), "{told:?}");
    assert_eq!(redeemed(&stripe).await, 1);
}

#[tokio::test]
async fn a_payment_that_fails_redeems_nothing() {
    let (stripe, customer, page, yearly) = scene(&[(ALLOWED, "promotion_code")]).await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let fields = [("price", yearly.as_str()), ("quantity", "1"), ("promotion_code", "HALF")];
    assert_eq!(stripe.submit(&page, &fields).await.status(), 402);
    assert_eq!(redeemed(&stripe).await, 0);
    assert_eq!(stripe.only_subscription(&customer).await["discounts"], json!([]));
}

#[tokio::test]
async fn no_code_is_taken_where_none_is_allowed() {
    let (stripe, customer, page, yearly) = scene(&[]).await;
    let (_, shown) = stripe.look(&format!("{page}?price={yearly}&quantity=1")).await;
    assert!(!shown.contains("Promotion code"), "{shown}");
    let fields = [("price", yearly.as_str()), ("quantity", "1"), ("promotion_code", "HALF")];
    assert_eq!(stripe.submit(&page, &fields).await.status(), 400);
    assert_eq!(stripe.invoices(&customer).await.len(), 1);
}

#[tokio::test]
async fn a_shipping_address_is_given_and_taken_away() {
    let stripe = Stripe::start().await;
    let fields = [
        ("features[customer_update][enabled]", "true"),
        ("features[customer_update][allowed_updates][]", "shipping"),
    ];
    let configuration = id(&stripe.post("/v1/billing_portal/configurations", &fields).await);
    let customer = stripe.customer().await;
    let session = stripe.portal_session(&customer, &[("configuration", &configuration)]).await;
    let page = format!("{}/details", session["url"].as_str().unwrap());
    assert!(stripe.look(&page).await.1.contains("Shipping address"));
    let fields = [("shipping_name", "Ada"), ("shipping_line1", "1 Main Street"), ("shipping_city", "Berlin")];
    stripe.go(&page, &fields).await;
    let shipping = stripe.get(&format!("/v1/customers/{customer}")).await["shipping"].clone();
    assert_eq!((&shipping["name"], &shipping["address"]["city"]), (&json!("Ada"), &json!("Berlin")));
    assert!(stripe.look(&page).await.1.contains("1 Main Street"));
    let empty = fields.map(|(name, _)| (name, ""));
    stripe.go(&page, &empty).await;
    assert_eq!(stripe.get(&format!("/v1/customers/{customer}")).await["shipping"], json!(null));
    let path = format!("/v1/customers/{customer}");
    let given = [("shipping[name]", "Bob"), ("shipping[address][line1]", "2 Side Street")];
    assert_eq!(stripe.post(&path, &given).await["shipping"]["address"]["line1"], "2 Side Street");
    assert_eq!(stripe.try_post(&path, &given[..1]).await.error()["param"], "shipping[address]");
}
