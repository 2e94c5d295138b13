//! What is told of each thing that can happen to a subscription, in order: the event, the status of its object, and
//! after an arrow the fields whose old values it has. STRIPE-FACTS-like sources for the orders are in the
//! emulator's README; where one is not certain, it says so there.

use serde_json::Value;

use crate::support::{GOOD, Stripe, id};
use crate::time::{DAY, HOUR, period};

const CHALLENGED: &str = "4000002760003184";

/// The lines of the events since there were so many.
async fn told(stripe: &Stripe, since: usize) -> Vec<String> {
    let all = stripe.http.get(stripe.url("/_emulator/events?limit=10000")).send().await.unwrap();
    let all: Value = serde_json::from_str(&all.text().await.unwrap()).unwrap();
    all["data"].as_array().unwrap().iter().rev().skip(since).map(line).collect()
}

fn line(event: &Value) -> String {
    let status = event["data"]["object"]["status"].as_str().unwrap_or_default();
    let mut line = format!("{} {status}", event["type"].as_str().unwrap()).trim_end().to_owned();
    if let Some(previous) = event["data"]["previous_attributes"].as_object() {
        let names: Vec<&str> = previous.keys().map(String::as_str).collect();
        line.push_str(&format!(" <- {}", names.join(", ")));
    }
    line
}

/// Does something, and compares what was told of it with a table.
async fn tells<T>(stripe: &Stripe, table: &str, does: impl Future<Output = T>) -> T {
    let since = stripe.event_count().await;
    let done = does.await;
    let expected: Vec<&str> = table.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let told = told(stripe, since).await;
    if std::env::var("TELL").is_ok() {
        println!("@@\n{}", told.join("\n"));
        return done;
    }
    assert_eq!(told, expected, "told:\n{}\n", told.join("\n"));
    done
}

async fn path(stripe: &Stripe, customer: &str) -> String {
    format!("/v1/subscriptions/{}", id(&stripe.only_subscription(customer).await))
}

async fn end(stripe: &Stripe, customer: &str) -> i64 {
    period(&stripe.only_subscription(customer).await).1
}

#[tokio::test]
async fn a_purchase() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[]).await;
    tells(
        &stripe,
        "
        charge.succeeded succeeded
        payment_method.attached
        checkout.session.completed complete
    ",
        stripe.pay(&session, GOOD),
    )
    .await;
}

#[tokio::test]
async fn a_purchase_with_a_challenge() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[]).await;
    let challenge = tells(
        &stripe,
        "
        payment_intent.created requires_confirmation
        payment_intent.requires_action requires_action
    ",
        stripe.pay(&session, CHALLENGED),
    )
    .await;
    let challenge = stripe.url(challenge.headers()["location"].to_str().unwrap());
    tells(&stripe, "", stripe.submit(&challenge, &[("outcome", "complete")])).await;
}

#[tokio::test]
async fn a_checkout_that_nobody_finishes() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    stripe.session(&customer, &price, &[]).await;
    tells(&stripe, "checkout.session.expired expired", stripe.pass(25 * HOUR)).await;
}

#[tokio::test]
async fn a_renewal() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let end = end(&stripe, &customer).await;
    tells(&stripe, "", stripe.pass_until(end + HOUR)).await;
}

#[tokio::test]
async fn a_renewal_that_fails_and_recovers() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let end = end(&stripe, &customer).await;
    stripe.pass_until(end).await;
    tells(&stripe, "", stripe.pass(HOUR)).await;
    stripe.change_card(&customer, "pm_card_visa").await;
    tells(&stripe, "", stripe.pass(3 * DAY)).await;
}

#[tokio::test]
async fn a_renewal_that_fails_to_the_end() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let end = end(&stripe, &customer).await;
    stripe.pass_until(end + HOUR + 8 * DAY).await;
    tells(&stripe, "", stripe.pass(7 * DAY)).await;
}

#[tokio::test]
async fn a_renewal_whose_card_wants_its_owner() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    stripe.change_card(&customer, "pm_card_authenticationRequired").await;
    let end = end(&stripe, &customer).await;
    stripe.pass_until(end).await;
    tells(&stripe, "", stripe.pass(HOUR)).await;
}

#[tokio::test]
async fn a_trial_with_a_card() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[("subscription_data[trial_period_days]", "14")]).await;
    tells(&stripe, "", stripe.pay(&session, GOOD)).await;
    tells(&stripe, "", stripe.pass(14 * DAY + HOUR)).await;
}

#[tokio::test]
async fn a_trial_without_a_card() {
    for (policy, table) in [("cancel", ""), ("pause", ""), ("create_invoice", "")] {
        let stripe = Stripe::start().await;
        let (customer, price) = (stripe.customer().await, stripe.price().await);
        let fields = [
            ("customer", customer.as_str()),
            ("items[0][price]", price.as_str()),
            ("trial_period_days", "7"),
            ("trial_settings[end_behavior][missing_payment_method]", policy),
        ];
        stripe.post("/v1/subscriptions", &fields).await;
        tells(&stripe, table, stripe.pass(7 * DAY + HOUR)).await;
    }
}

#[tokio::test]
async fn an_upgrade_with_each_way_to_bill_it() {
    for (behavior, table) in [("none", ""), ("create_prorations", ""), ("always_invoice", "")] {
        let stripe = Stripe::start().await;
        let (_, subscription, item) = stripe.halfway().await;
        let dear = stripe.price_of("2400", "month").await;
        let path = format!("/v1/subscriptions/{}", id(&subscription));
        let fields = [
            ("items[0][id]", item.as_str()),
            ("items[0][price]", dear.as_str()),
            ("proration_behavior", behavior),
        ];
        tells(&stripe, table, stripe.post(&path, &fields)).await;
    }
}

#[tokio::test]
async fn a_downgrade_with_each_way_to_bill_it() {
    for (behavior, table) in [("none", ""), ("create_prorations", ""), ("always_invoice", "")] {
        let stripe = Stripe::start().await;
        let (_, subscription, item) = stripe.halfway().await;
        let cheap = stripe.price_of("200", "month").await;
        let path = format!("/v1/subscriptions/{}", id(&subscription));
        let fields = [
            ("items[0][id]", item.as_str()),
            ("items[0][price]", cheap.as_str()),
            ("proration_behavior", behavior),
        ];
        tells(&stripe, table, stripe.post(&path, &fields)).await;
    }
}

#[tokio::test]
async fn a_cancellation_in_each_way_and_taken_back() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let (path, end) = (path(&stripe, &customer).await, end(&stripe, &customer).await);
    tells(&stripe, "", stripe.post(&path, &[("cancel_at_period_end", "true")])).await;
    tells(&stripe, "", stripe.post(&path, &[("cancel_at_period_end", "false")])).await;
    tells(&stripe, "", stripe.post(&path, &[("cancel_at", &(end - DAY).to_string())])).await;
    tells(&stripe, "", stripe.post(&path, &[("cancel_at", "")])).await;
    tells(&stripe, "", stripe.delete(&path)).await;
}

#[tokio::test]
async fn a_planned_cancellation_that_comes() {
    for field in ["cancel_at_period_end", "cancel_at"] {
        let stripe = Stripe::start().await;
        let (customer, _) = stripe.buy().await;
        let (path, end) = (path(&stripe, &customer).await, end(&stripe, &customer).await);
        let at = end.to_string();
        stripe.post(&path, &[(field, if field == "cancel_at" { at.as_str() } else { "true" })]).await;
        stripe.pass_until(end - 1).await;
        tells(&stripe, "", stripe.pass(1)).await;
    }
}

#[tokio::test]
async fn a_refund() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let charge = id(&stripe.get(&format!("/v1/charges?customer={customer}")).await["data"][0]);
    tells(&stripe, "", stripe.post("/v1/refunds", &[("charge", &charge), ("amount", "500")])).await;
}
