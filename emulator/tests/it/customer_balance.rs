//! A customer's credit: where it comes from, what uses it, and what gives it back.

use serde_json::{Value, json};

use crate::changes::near;
use crate::support::{GOOD, Stripe, id};
use crate::time::{DAY, HOUR, period};

/// Somebody with a credit of about 5 dollars, from a cheaper price in the middle of the month; their subscription
/// and its item.
async fn in_credit(stripe: &Stripe) -> (String, String, String) {
    let (customer, subscription, item) = stripe.halfway().await;
    let cheap = stripe.price_of("200", "month").await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let fields = [
        ("items[0][id]", item.as_str()),
        ("items[0][price]", &cheap),
        ("proration_behavior", "always_invoice"),
    ];
    stripe.post(&path, &fields).await;
    near(balance(stripe, &customer).await, -500);
    (customer, path, item)
}

async fn balance(stripe: &Stripe, customer: &str) -> i64 {
    stripe.get(&format!("/v1/customers/{customer}")).await["balance"].as_i64().unwrap()
}

/// An invoice over 8 dollars that nobody has paid yet. It has used up the credit.
async fn unpaid(stripe: &Stripe, customer: &str) -> Value {
    let fields = [("customer", customer), ("amount", "800"), ("currency", "usd")];
    stripe.post("/v1/invoiceitems", &fields).await;
    let fields = [("customer", customer), ("pending_invoice_items_behavior", "include")];
    let draft = stripe.post("/v1/invoices", &fields).await;
    let open = stripe.post(&format!("/v1/invoices/{}/finalize", id(&draft)), &[]).await;
    assert_eq!((&open["status"], &open["ending_balance"]), (&json!("open"), &json!(0)));
    near(open["amount_due"].as_i64().unwrap(), 300);
    assert_eq!(balance(stripe, customer).await, 0);
    open
}

#[tokio::test]
async fn a_void_invoice_gives_back_what_it_used_and_one_that_is_given_up_does_not() {
    let stripe = Stripe::start().await;
    let (customer, _, _) = in_credit(&stripe).await;
    let before = balance(&stripe, &customer).await;
    let path = format!("/v1/invoices/{}", id(&unpaid(&stripe, &customer).await));
    stripe.post(&format!("{path}/mark_uncollectible"), &[]).await;
    assert_eq!(balance(&stripe, &customer).await, 0);
    let count = stripe.event_count().await;
    stripe.post(&format!("{path}/void"), &[]).await;
    assert_eq!(balance(&stripe, &customer).await, before);
    assert_eq!(stripe.events_since(count).await, ["invoice.voided", "customer.updated"]);
}

#[tokio::test]
async fn a_pause_that_voids_keeps_the_credit() {
    let stripe = Stripe::start().await;
    let (customer, path, _) = in_credit(&stripe).await;
    let before = balance(&stripe, &customer).await;
    stripe.post(&path, &[("pause_collection[behavior]", "void")]).await;
    stripe.pass(20 * DAY + HOUR).await;
    assert_eq!(stripe.invoices(&customer).await[0]["status"], "void");
    assert_eq!(balance(&stripe, &customer).await, before);
}

#[tokio::test]
async fn a_new_subscription_is_paid_with_the_credit_first() {
    for means in ["api", "checkout"] {
        let stripe = Stripe::start().await;
        let (customer, _, _) = in_credit(&stripe).await;
        let price = stripe.price_of("1000", "month").await;
        if means == "api" {
            let card =
                stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
            let fields = [
                ("customer", customer.as_str()),
                ("items[0][price]", &price),
                ("default_payment_method", card["id"].as_str().unwrap()),
            ];
            stripe.post("/v1/subscriptions", &fields).await;
        } else {
            let session = stripe.session(&customer, &price, &[]).await;
            stripe.pay(&session, GOOD).await;
        }
        let invoice = stripe.invoices(&customer).await.remove(0);
        assert_eq!((&invoice["status"], &invoice["total"]), (&json!("paid"), &json!(1000)));
        let charge = stripe.get(&format!("/v1/charges?customer={customer}")).await["data"][0].clone();
        assert_eq!(charge["amount"], invoice["amount_paid"], "{means}");
        near(charge["amount"].as_i64().unwrap(), 500);
        assert_eq!(balance(&stripe, &customer).await, 0);
    }
}

/// The draft of a renewal that a coupon halves, with another line that comes and goes.
#[tokio::test]
async fn a_discount_follows_the_lines_of_its_draft() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let coupon = id(&stripe.post("/v1/coupons", &[("percent_off", "50"), ("duration", "forever")]).await);
    let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("discounts[0][coupon]", &coupon),
        ("default_payment_method", card["id"].as_str().unwrap()),
    ];
    let subscription = stripe.post("/v1/subscriptions", &fields).await;
    stripe.pass_until(period(&subscription).1 + 60).await;
    let draft = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&draft["status"], &draft["total"]), (&json!("draft"), &json!(600)));
    let path = format!("/v1/invoices/{}", id(&draft));
    let fields =
        [("customer", customer.as_str()), ("amount", "1000"), ("currency", "usd"), ("invoice", &id(&draft))]
            .map(|(name, value)| (name, value.to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let item = stripe.post("/v1/invoiceitems", &fields).await;
    let more = stripe.get(&path).await;
    assert_eq!((&more["total"], &more["total_discount_amounts"][0]["amount"]), (&json!(1100), &json!(1100)));
    stripe.delete(&format!("/v1/invoiceitems/{}", id(&item))).await;
    let less = stripe.get(&path).await;
    assert_eq!((&less["total"], &less["amount_due"]), (&json!(600), &json!(600)));
}

#[tokio::test]
async fn a_first_subscription_tells_of_the_currency() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("default_payment_method", card["id"].as_str().unwrap()),
    ];
    stripe.post("/v1/subscriptions", &fields).await;
    let told = &stripe.get("/v1/events?type=customer.updated").await["data"][0]["data"];
    assert_eq!(
        (&told["object"]["currency"], &told["previous_attributes"]),
        (&json!("usd"), &json!({"currency": null}))
    );
}

#[tokio::test]
async fn an_invoice_that_is_void_is_not_voided_again_when_its_subscription_expires() {
    let stripe = Stripe::start().await;
    let (customer, _, _) = in_credit(&stripe).await;
    let before = balance(&stripe, &customer).await;
    let price = stripe.price_of("1000", "month").await;
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("payment_behavior", "default_incomplete"),
    ];
    let first = stripe.post("/v1/subscriptions", &fields).await["latest_invoice"].clone();
    assert_eq!(balance(&stripe, &customer).await, 0);
    stripe.post(&format!("/v1/invoices/{}/void", first.as_str().unwrap()), &[]).await;
    stripe.pass(DAY).await;
    assert_eq!(balance(&stripe, &customer).await, before);
    let types = stripe.event_types().await;
    assert_eq!(types.iter().filter(|name| *name == "invoice.voided").count(), 1);
}
