//! Discounts where other subjects meet them: lines of drafts and revisions, invoices that are sent to their customer,
//! and what the portal plans for the next period.

use serde_json::{Value, json};

use crate::discounts::{coupon, payer};
use crate::portal_api::portal;
use crate::support::{Stripe, id};
use crate::time::{HOUR, period};

const CONDITION: &str = "features[subscription_update][schedule_at_period_end][conditions][0][type]";
const ALLOWED: &str = "features[subscription_update][default_allowed_updates][]";

async fn half(stripe: &Stripe, duration: &str) {
    coupon(stripe, "HALF", &[("percent_off", "50"), ("duration", duration)]).await;
}

async fn redeemed(stripe: &Stripe) -> Value {
    stripe.get("/v1/coupons/HALF").await["times_redeemed"].clone()
}

#[tokio::test]
async fn lines_of_a_draft_take_discounts_and_a_revision_keeps_them() {
    let stripe = Stripe::start().await;
    half(&stripe, "once").await;
    let customer = payer(&stripe).await;
    let draft = stripe.post("/v1/invoices", &[("customer", &customer)]).await;
    let path = format!("/v1/invoices/{}", id(&draft));
    let fields = [
        ("lines[0][amount]", "1000"),
        ("lines[0][discounts][0][coupon]", "HALF"),
        ("lines[1][amount]", "300"),
    ];
    let added = stripe.post(&format!("{path}/add_lines"), &fields).await;
    assert_eq!((&added["subtotal"], &added["total"]), (&json!(1300), &json!(800)));
    let line = &added["lines"]["data"][0];
    let discount = line["discounts"][0].as_str().unwrap();
    assert_eq!(line["discount_amounts"], json!([{ "amount": 500, "discount": discount }]));
    assert_eq!(redeemed(&stripe).await, 1);

    let of_line = format!("{path}/lines/{}", id(line));
    assert_eq!(stripe.post(&of_line, &[("discounts", "")]).await["discounts"], json!([]));
    assert_eq!(stripe.get(&path).await["total"], 1300);
    let again = stripe.post(&of_line, &[("discounts[0][coupon]", "HALF")]).await;
    assert_eq!((&again["discount_amounts"][0]["amount"], redeemed(&stripe).await), (&json!(500), json!(2)));

    stripe.post(&format!("{path}/finalize"), &[]).await;
    let fields = [("from_invoice[action]", "revision"), ("from_invoice[invoice]", &id(&draft))];
    let revision = stripe.post("/v1/invoices", &fields).await;
    assert_eq!((&revision["total"], redeemed(&stripe).await), (&json!(800), json!(2)));
    let path = format!("/v1/invoices/{}", id(&revision));
    let changed = stripe.post(&path, &[("discounts[0][coupon]", "HALF")]).await;
    assert_eq!((&changed["total"], redeemed(&stripe).await), (&json!(400), json!(3)));
}

#[tokio::test]
async fn the_lines_of_a_subscriptions_period_have_the_discounts_of_its_item() {
    let stripe = Stripe::start().await;
    half(&stripe, "forever").await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    let fields = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
    let subscription = stripe.post("/v1/subscriptions", &fields).await;
    stripe.pass_until(period(&subscription).1).await;
    let draft = stripe.invoices(&customer).await.remove(0);
    let line = format!("/v1/invoices/{}/lines/{}", id(&draft), id(&draft["lines"]["data"][0]));
    let refused = stripe.try_post(&line, &[("discounts[0][coupon]", "HALF")]).await;
    assert_eq!((refused.status, refused.error()["param"].as_str()), (400, Some("discounts")));
    assert_eq!(redeemed(&stripe).await, 0);
}

#[tokio::test]
async fn an_invoice_that_is_sent_has_the_discounts_and_what_is_sold_once() {
    let stripe = Stripe::start().await;
    half(&stripe, "once").await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let product = stripe.get(&format!("/v1/prices/{price}")).await["product"].as_str().unwrap().to_owned();
    let count = stripe.event_count().await;
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", price.as_str()),
        ("collection_method", "send_invoice"),
        ("days_until_due", "10"),
        ("discounts[0][coupon]", "HALF"),
        ("add_invoice_items[0][price_data][currency]", "usd"),
        ("add_invoice_items[0][price_data][product]", product.as_str()),
        ("add_invoice_items[0][price_data][unit_amount]", "300"),
    ];
    let subscription = stripe.post("/v1/subscriptions", &fields).await;
    assert_eq!(subscription["discounts"], json!([]), "its first invoice used it up");
    let draft = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&draft["status"], &draft["total"]), (&json!("draft"), &json!(750)));
    let items = stripe.get(&format!("/v1/invoiceitems?invoice={}", id(&draft))).await;
    assert_eq!(items["data"][0]["parent"]["subscription_details"]["subscription"], subscription["id"]);
    let told = stripe.events_since(count).await;
    let wanted = [
        "price.created",
        "customer.discount.created",
        "coupon.updated",
        "customer.subscription.created",
        "invoiceitem.created",
        "invoice.created",
        "customer.updated",
    ];
    assert_eq!(told, wanted);
    stripe.pass_until(period(&subscription).1 + HOUR).await;
    assert_eq!(stripe.invoices(&customer).await[0]["total"], 1200);
}

/// Somebody who pays for two at 12 dollars, and their portal, where fewer come with the next period.
struct Two {
    stripe: Stripe,
    customer: String,
    subscription: Value,
    price: String,
    configuration: String,
}

async fn two(more: &[(&str, &str)]) -> Two {
    let stripe = Stripe::start().await;
    half(&stripe, "forever").await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    let base =
        [("customer", customer.as_str()), ("items[0][price]", price.as_str()), ("items[0][quantity]", "2")];
    let subscription = stripe.post("/v1/subscriptions", &[&base, more].concat()).await;
    let offered = [(ALLOWED, "quantity"), (CONDITION, "decreasing_item_amount")];
    let configuration = id(&portal(&stripe, &[&price], &offered).await);
    Two { stripe, customer, subscription, price, configuration }
}

impl Two {
    /// Confirms one instead of two, and waits until that has happened. Gives the new invoice's total.
    async fn less(&self, session: &Value) -> Value {
        let (stripe, url) = (&self.stripe, session["url"].as_str().unwrap());
        let confirm = format!("{url}/subscriptions/{}/update/confirm", id(&self.subscription));
        let next = stripe.go(&confirm, &[("price", &self.price), ("quantity", "1")]).await;
        assert!(next.contains("scheduled") || next.contains("shop.test"), "{next}");
        let now = stripe.only_subscription(&self.customer).await;
        assert!(now["schedule"].is_string() && now["items"]["data"][0]["quantity"] == 2, "{now}");
        stripe.pass_until(period(&now).1 + HOUR).await;
        let after = stripe.only_subscription(&self.customer).await;
        assert_eq!(after["items"]["data"][0]["quantity"], 1);
        stripe.invoices(&self.customer).await[0]["total"].clone()
    }
}

#[tokio::test]
async fn what_waits_in_the_portal_for_the_next_period_keeps_the_discounts_that_there_are() {
    for place in ["discounts[0][coupon]", "items[0][discounts][0][coupon]"] {
        let two = two(&[(place, "HALF")]).await;
        let more = [("configuration", two.configuration.as_str())];
        let session = two.stripe.portal_session(&two.customer, &more).await;
        assert_eq!(two.less(&session).await, 600, "{place}");
        assert_eq!(redeemed(&two.stripe).await, 1, "it is the same one");
    }
}

#[tokio::test]
async fn the_discount_of_a_flow_comes_with_the_change_that_waits() {
    let two = two(&[]).await;
    let flow = "flow_data[subscription_update_confirm]";
    let names = ["[subscription]", "[items][0][id]", "[items][0][quantity]", "[discounts][0][coupon]"];
    let names = names.map(|name| format!("{flow}{name}"));
    let item = id(&two.subscription["items"]["data"][0]);
    let more = [
        ("configuration", two.configuration.as_str()),
        ("flow_data[type]", "subscription_update_confirm"),
        (names[0].as_str(), two.subscription["id"].as_str().unwrap()),
        (names[1].as_str(), item.as_str()),
        (names[2].as_str(), "1"),
        (names[3].as_str(), "HALF"),
    ];
    let session = two.stripe.portal_session(&two.customer, &more).await;
    assert_eq!(redeemed(&two.stripe).await, 0);
    assert_eq!(two.less(&session).await, 600);
    assert_eq!(redeemed(&two.stripe).await, 1);
}
