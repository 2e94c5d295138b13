//! Prices that are charged once, prices and products that come along, products that go, and what lists are asked for.

use serde_json::json;

use crate::support::{Stripe, id, ids};

#[tokio::test]
async fn a_price_without_an_interval_is_charged_once() {
    let stripe = Stripe::start().await;
    let fields = [
        ("currency", "usd"),
        ("unit_amount", "700"),
        ("product_data[name]", "Mug"),
        ("product_data[metadata][a]", "b"),
        ("product_data[unit_label]", "mug"),
    ];
    let count = stripe.event_count().await;
    let price = stripe.post("/v1/prices", &fields).await;
    assert_eq!((&price["type"], &price["recurring"]), (&json!("one_time"), &json!(null)));
    assert_eq!(stripe.events_since(count).await, ["product.created", "price.created"], "no plan");
    let product = stripe.get(&format!("/v1/products/{}", price["product"].as_str().unwrap())).await;
    assert_eq!((&product["name"], &product["metadata"]["a"]), (&json!("Mug"), &json!("b")));
    let monthly = vec![stripe.price().await];
    assert_eq!(ids(&stripe.get("/v1/prices?type=one_time").await), [id(&price)]);
    assert_eq!(ids(&stripe.get("/v1/prices?recurring[usage_type]=licensed").await), monthly);
    assert!(ids(&stripe.get("/v1/prices?recurring[usage_type]=metered").await).is_empty());
    let both = [&fields[..], &[("product", product["id"].as_str().unwrap())]].concat();
    assert_eq!(stripe.try_post("/v1/prices", &both).await.error()["param"], "product");
    let unknown = [&fields[..], &[("product_data[description]", "x")]].concat();
    assert_eq!(stripe.try_post("/v1/prices", &unknown).await.error()["param"], "product_data[description]");
    assert_eq!(ids(&stripe.get("/v1/products").await).len(), 2, "a refused request leaves no product");
}

#[tokio::test]
async fn a_product_brings_its_price_along() {
    let stripe = Stripe::start().await;
    let fields = [
        ("name", "Pro"),
        ("url", "http://shop.test/pro"),
        ("shippable", "true"),
        ("default_price_data[currency]", "usd"),
        ("default_price_data[unit_amount]", "900"),
        ("default_price_data[recurring][interval]", "year"),
        ("default_price_data[metadata][a]", "b"),
    ];
    let product = stripe.post("/v1/products?expand[]=default_price", &fields).await;
    let price = &product["default_price"];
    assert_eq!((&price["product"], &price["recurring"]["interval"]), (&product["id"], &json!("year")));
    assert_eq!((&price["unit_amount"], &price["metadata"]["a"]), (&json!(900), &json!("b")));
    stripe.post("/v1/products", &[("name", "Other")]).await;
    for query in ["url=http://shop.test/pro", "shippable=true"] {
        assert_eq!(ids(&stripe.get(&format!("/v1/products?{query}")).await), [id(&product)], "{query}");
    }
    let refused =
        stripe.send(reqwest::Method::DELETE, &format!("/v1/products/{}", id(&product)), &[], &[]).await;
    let message = "This product cannot be deleted because it has one or more user-created prices.";
    assert_eq!(refused.unwrap().error()["message"], message);
}

#[tokio::test]
async fn a_product_without_prices_can_go() {
    let stripe = Stripe::start().await;
    let product = id(&stripe.post("/v1/products", &[("name", "Pro")]).await);
    let path = format!("/v1/products/{product}");
    assert_eq!(stripe.delete(&path).await, json!({ "id": product, "object": "product", "deleted": true }));
    assert_eq!(stripe.event_types().await.last().unwrap(), "product.deleted");
    assert_eq!(stripe.try_get(&path).await.status, 404);
    assert!(ids(&stripe.get("/v1/products").await).is_empty());
}

#[tokio::test]
async fn a_customer_begins_with_a_card_an_address_and_what_their_invoices_say() {
    let stripe = Stripe::start().await;
    let fields = [
        ("payment_method", "pm_card_visa"),
        ("shipping[name]", "Ada"),
        ("shipping[address][line1]", "1 Main St"),
        ("invoice_settings[custom_fields][0][name]", "Order"),
        ("invoice_settings[custom_fields][0][value]", "6"),
        ("invoice_settings[footer]", "Thanks"),
    ];
    let count = stripe.event_count().await;
    let customer = stripe.post("/v1/customers", &fields).await;
    assert_eq!(stripe.events_since(count).await, ["customer.created", "payment_method.attached"]);
    assert_eq!(customer["shipping"]["address"]["line1"], "1 Main St");
    let cards = stripe.get(&format!("/v1/customers/{}/payment_methods", id(&customer))).await;
    assert_eq!(ids(&cards).len(), 1);
    let invoice = stripe.post("/v1/invoices", &[("customer", &id(&customer))]).await;
    assert_eq!(invoice["custom_fields"], json!([{ "name": "Order", "value": "6" }]));
    assert_eq!(invoice["footer"], "Thanks");
    let refused =
        stripe.try_post("/v1/customers", &[("payment_method", "pm_card_visa_chargeDeclined")]).await;
    assert_eq!((refused.status, &refused.error()["code"]), (402, &json!("card_declined")));
    assert_eq!(ids(&stripe.get("/v1/customers").await), [id(&customer)]);
    let gone = stripe.post(&format!("/v1/customers/{}", id(&customer)), &[("shipping", "")]).await;
    assert!(gone["shipping"].is_null());
}

#[tokio::test]
async fn customers_on_test_clocks_are_listed_by_their_clock_only() {
    let stripe = Stripe::start().await;
    let free = stripe.customer().await;
    let clock = id(&stripe.post("/v1/test_helpers/test_clocks", &[("frozen_time", "2000000000")]).await);
    let on_clock = id(&stripe.post("/v1/customers", &[("test_clock", &clock)]).await);
    assert_eq!(ids(&stripe.get("/v1/customers").await), [free]);
    assert_eq!(ids(&stripe.get(&format!("/v1/customers?test_clock={clock}")).await), [on_clock]);
    assert_eq!(stripe.try_get("/v1/customers?test_clock=none").await.error()["param"], "test_clock");
}
