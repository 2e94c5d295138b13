//! Changing a subscription in the middle of its period: what is credited, charged and billed, and when.

use serde_json::{Value, json};

use crate::support::{Stripe, id};
use crate::time::{DAY, HOUR, period};

impl Stripe {
    /// Another price of the same product.
    pub async fn price_of(&self, amount: &str, interval: &str) -> String {
        let product = id(&self.get("/v1/products").await["data"][0]);
        let fields = [
            ("product", product.as_str()),
            ("currency", "usd"),
            ("unit_amount", amount),
            ("recurring[interval]", interval),
        ];
        id(&self.post("/v1/prices", &fields).await)
    }

    /// Somebody who pays 12 dollars a month, in the middle of the month; their subscription and its item.
    pub async fn halfway(&self) -> (String, Value, String) {
        let (customer, _) = self.buy().await;
        let subscription = self.only_subscription(&customer).await;
        let (start, end) = period(&subscription);
        self.pass_until(start + (end - start) / 2).await;
        let item = id(&subscription["items"]["data"][0]);
        (customer, subscription, item)
    }

    pub async fn pending_items(&self, customer: &str) -> Vec<Value> {
        let list = self.get(&format!("/v1/invoiceitems?customer={customer}&pending=true")).await;
        list["data"].as_array().unwrap().clone()
    }
}

fn amounts(lines: &Value) -> Vec<i64> {
    lines["data"].as_array().unwrap().iter().map(|line| line["amount"].as_i64().unwrap()).collect()
}

pub fn near(actual: i64, expected: i64) {
    assert!((actual - expected).abs() <= 1, "{actual} is not about {expected}: a second has passed, at most");
}

#[tokio::test]
async fn the_difference_waits_for_the_next_invoice() {
    let stripe = Stripe::start().await;
    let (customer, subscription, item) = stripe.halfway().await;
    let price = stripe.price_of("2400", "month").await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let count = stripe.event_count().await;
    let changed = stripe.post(&path, &[("items[0][id]", &item), ("items[0][price]", &price)]).await;
    assert_eq!(
        (changed["items"]["data"][0]["price"]["id"].as_str(), period(&changed)),
        (Some(price.as_str()), period(&subscription))
    );
    assert_eq!(changed["latest_invoice"], subscription["latest_invoice"]);
    let expected = ["invoiceitem.created", "invoiceitem.created", "customer.subscription.updated"];
    assert_eq!(stripe.events_since(count).await, expected);
    let waiting = stripe.pending_items(&customer).await;
    let (credit, charge) = (&waiting[1], &waiting[0]);
    near(credit["amount"].as_i64().unwrap(), -600);
    near(charge["amount"].as_i64().unwrap(), 1200);
    assert!(credit["description"].as_str().unwrap().starts_with("Unused time on Pro after"));
    assert!(charge["description"].as_str().unwrap().starts_with("Remaining time on Pro after"));
    assert_eq!((&credit["proration"], &credit["invoice"]), (&json!(true), &Value::Null));

    let preview = stripe.post("/v1/invoices/create_preview", &[("subscription", &id(&subscription))]).await;
    assert!(preview["id"].as_str().unwrap().starts_with("upcoming_in_"));
    near(preview["total"].as_i64().unwrap(), 600 + 2400);
    let (_, end) = period(&subscription);
    stripe.pass_until(end + HOUR).await;
    let invoice = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&invoice["status"], &invoice["total"]), (&json!("paid"), &preview["total"]));
    assert_eq!(amounts(&invoice["lines"]), amounts(&preview["lines"]));
    assert_eq!(amounts(&invoice["lines"]).len(), 3);
    assert!(stripe.pending_items(&customer).await.is_empty());
    let billed = stripe.get(&format!("/v1/invoiceitems?invoice={}", id(&invoice))).await;
    assert_eq!(billed["data"].as_array().unwrap().len(), 2);
    let lines = stripe.get(&format!("/v1/invoices/{}/lines?limit=2", id(&invoice))).await;
    assert_eq!((amounts(&lines).len(), &lines["has_more"]), (2, &json!(true)));
}

#[tokio::test]
async fn an_upgrade_can_be_billed_at_once_as_its_preview_says() {
    let stripe = Stripe::start().await;
    let (customer, subscription, item) = stripe.halfway().await;
    let price = stripe.price_of("2400", "month").await;
    let date = (stripe.now().await - 60).to_string();
    let preview = [
        ("subscription", id(&subscription)),
        ("subscription_details[items][0][id]", item.clone()),
        ("subscription_details[items][0][price]", price.clone()),
        ("subscription_details[proration_behavior]", "always_invoice".to_owned()),
        ("subscription_details[proration_date]", date.clone()),
    ];
    let preview: Vec<(&str, &str)> = preview.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let count = stripe.event_count().await;
    let preview = stripe.post("/v1/invoices/create_preview", &preview).await;
    assert!(stripe.events_since(count).await.is_empty(), "nothing happens by looking");
    assert_eq!(stripe.only_subscription(&customer).await["items"], subscription["items"]);

    let fields = [
        ("items[0][id]", item.as_str()),
        ("items[0][price]", price.as_str()),
        ("proration_behavior", "always_invoice"),
        ("proration_date", date.as_str()),
        ("expand[]", "latest_invoice"),
    ];
    let changed = stripe.post(&format!("/v1/subscriptions/{}", id(&subscription)), &fields).await;
    let invoice = &changed["latest_invoice"];
    assert_eq!(
        (&invoice["status"], &invoice["billing_reason"]),
        (&json!("paid"), &json!("subscription_update"))
    );
    assert_eq!(
        (&invoice["total"], amounts(&invoice["lines"])),
        (&preview["total"], amounts(&preview["lines"]))
    );
    near(invoice["amount_paid"].as_i64().unwrap(), 600);
    assert_eq!(period(&changed), period(&subscription));
    let expected = [
        "invoiceitem.created",
        "invoiceitem.created",
        "customer.subscription.updated",
        "invoice.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.created",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ];
    assert_eq!(stripe.events_since(count).await, expected);
}

#[tokio::test]
async fn a_downgrade_at_once_leaves_credit_that_the_next_invoices_use() {
    let stripe = Stripe::start().await;
    let (customer, subscription, item) = stripe.halfway().await;
    let price = stripe.price_of("200", "month").await;
    let fields = [
        ("items[0][id]", item.as_str()),
        ("items[0][price]", price.as_str()),
        ("proration_behavior", "always_invoice"),
    ];
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    stripe.post(&path, &fields).await;
    let invoice = stripe.invoices(&customer).await.remove(0);
    near(invoice["total"].as_i64().unwrap(), -500);
    assert_eq!((&invoice["status"], &invoice["amount_due"]), (&json!("paid"), &json!(0)));
    assert_eq!((&invoice["starting_balance"], &invoice["ending_balance"]), (&json!(0), &invoice["total"]));
    let balance =
        async || stripe.get(&format!("/v1/customers/{customer}")).await["balance"].as_i64().unwrap();
    assert_eq!(balance().await, invoice["total"].as_i64().unwrap());

    let (_, end) = period(&subscription);
    stripe.pass_until(end + HOUR).await;
    let renewal = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&renewal["total"], &renewal["amount_due"]), (&json!(200), &json!(0)));
    near(balance().await, -300);
    stripe.pass(62 * DAY).await;
    near(stripe.invoices(&customer).await.remove(0)["amount_paid"].as_i64().unwrap(), 100);
    assert_eq!(balance().await, 0);
}

#[tokio::test]
async fn another_interval_begins_a_period_that_is_paid_at_once() {
    let stripe = Stripe::start().await;
    let (customer, subscription, item) = stripe.halfway().await;
    let price = stripe.price_of("12000", "year").await;
    let now = stripe.now().await;
    let fields = [("items[0][id]", item.as_str()), ("items[0][price]", price.as_str())];
    let changed = stripe.post(&format!("/v1/subscriptions/{}", id(&subscription)), &fields).await;
    let (start, end) = period(&changed);
    assert!((now..=stripe.now().await).contains(&start));
    assert!((365..=366).contains(&((end - start) / DAY)));
    assert_eq!(changed["billing_cycle_anchor"].as_i64(), Some(start));
    let invoice = stripe.invoices(&customer).await.remove(0);
    assert_eq!(invoice["status"], "paid");
    near(invoice["amount_paid"].as_i64().unwrap(), 12_000 - 600);
    assert_eq!(amounts(&invoice["lines"])[1], 12_000);

    let fields = [("billing_cycle_anchor", "now"), ("proration_behavior", "none")];
    stripe.pass(30 * DAY).await;
    stripe.post(&format!("/v1/subscriptions/{}", id(&subscription)), &fields).await;
    let invoice = stripe.invoices(&customer).await.remove(0);
    assert_eq!(amounts(&invoice["lines"]), [12_000], "nothing is given back");
}

#[tokio::test]
async fn in_a_trial_nothing_is_owed_and_its_end_can_be_moved() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[("subscription_data[trial_period_days]", "14")]).await;
    stripe.pay(&session, crate::support::GOOD).await;
    let subscription = stripe.only_subscription(&customer).await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let (item, dear) = (id(&subscription["items"]["data"][0]), stripe.price_of("5000", "month").await);
    let changed = stripe.post(&path, &[("items[0][id]", &item), ("items[0][price]", &dear)]).await;
    assert_eq!((changed["status"].as_str(), period(&changed)), (Some("trialing"), period(&subscription)));
    assert!(stripe.pending_items(&customer).await.is_empty());
    let later = (stripe.now().await + 30 * DAY).to_string();
    let moved = stripe.post(&path, &[("trial_end", &later)]).await;
    assert_eq!(
        (moved["trial_end"].to_string(), period(&moved).1.to_string()),
        (later.clone(), later.clone())
    );
    assert_eq!(moved["billing_cycle_anchor"].to_string(), later);
    let ended = stripe.post(&path, &[("trial_end", "now")]).await;
    assert_eq!(ended["status"], "active");
    assert_eq!(stripe.invoices(&customer).await.remove(0)["amount_paid"], 5000);
    assert_eq!(stripe.try_post(&path, &[("trial_end", "5")]).await.error()["param"], "trial_end");
    let outside = stripe
        .try_post(&path, &[("items[0][id]", &item), ("items[0][quantity]", "2"), ("proration_date", "5")])
        .await;
    assert_eq!(outside.error()["param"], "proration_date");
}

#[tokio::test]
async fn somebody_who_leaves_gets_the_rest_back_if_that_is_wanted() {
    let stripe = Stripe::start().await;
    let (customer, subscription, _) = stripe.halfway().await;
    let of = id(&subscription);
    let preview = [("subscription", of.as_str()), ("subscription_details[cancel_now]", "true")];
    near(stripe.post("/v1/invoices/create_preview", &preview).await["total"].as_i64().unwrap(), -600);
    let ends = [("subscription", of.as_str()), ("subscription_details[cancel_at_period_end]", "true")];
    let none = stripe.try_post("/v1/invoices/create_preview", &ends).await;
    assert_eq!((none.status, none.error()["code"].as_str()), (404, Some("invoice_upcoming_none")));
    let path = format!("/v1/subscriptions/{of}?prorate=true&invoice_now=true");
    assert_eq!(stripe.delete(&path).await["status"], "canceled");
    let last = stripe.invoices(&customer).await.remove(0);
    near(last["total"].as_i64().unwrap(), -600);
    assert_eq!(last["status"], "paid");
    near(stripe.get(&format!("/v1/customers/{customer}")).await["balance"].as_i64().unwrap(), -600);
}

#[tokio::test]
async fn a_preview_says_what_a_new_subscription_would_cost() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let fields = [
        ("customer", customer.as_str()),
        ("subscription_details[items][0][price]", price.as_str()),
        ("subscription_details[items][0][quantity]", "3"),
    ];
    let preview = stripe.post("/v1/invoices/create_preview", &fields).await;
    assert_eq!(
        (&preview["total"], &preview["billing_reason"]),
        (&json!(3600), &json!("subscription_create"))
    );
    assert!(stripe.subscriptions(&customer).await.is_empty());
    let nothing = stripe.try_post("/v1/invoices/create_preview", &[("customer", &customer)]).await;
    assert_eq!(nothing.error()["code"], "invoice_upcoming_none");
    assert_eq!(stripe.try_post("/v1/invoices/create_preview", &[]).await.error()["param"], "customer");
}
