//! What is told of each thing that can happen to a subscription, in order: the event, the status of its object, and
//! after an arrow the fields whose old values it has. The emulator's README says which of
//! the orders are known from real logs and which are not certain.

use serde_json::Value;

use crate::support::{GOOD, Stripe};
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
pub async fn tells<T>(stripe: &Stripe, table: &str, does: impl Future<Output = T>) -> T {
    let since = stripe.event_count().await;
    let done = does.await;
    let expected: Vec<&str> = table.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let told = told(stripe, since).await;
    assert_eq!(told, expected, "told:\n{}\n", told.join("\n"));
    done
}

pub async fn end(stripe: &Stripe, customer: &str) -> i64 {
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
            customer.updated <- currency, next_invoice_sequence
            checkout.session.completed complete
            customer.subscription.created active
            payment_intent.created succeeded
            payment_intent.succeeded succeeded
            invoice.created draft
            invoice.finalized open
            invoice.paid paid
            invoice.payment_succeeded paid
            invoice_payment.paid paid
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
    tells(
        &stripe,
        "
            charge.succeeded succeeded
            payment_method.attached
            customer.updated <- currency, next_invoice_sequence
            checkout.session.completed complete
            customer.subscription.created active
            payment_intent.succeeded succeeded
            invoice.created draft
            invoice.finalized open
            invoice.paid paid
            invoice.payment_succeeded paid
            invoice_payment.paid paid
        ",
        stripe.submit(&challenge, &[("outcome", "complete")]),
    )
    .await;
}

#[tokio::test]
async fn a_renewal() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let end = end(&stripe, &customer).await;
    tells(
        &stripe,
        "
            invoice.upcoming draft
            customer.subscription.updated active <- items, latest_invoice
            invoice.created draft
            invoice.finalized open
            charge.succeeded succeeded
            payment_intent.created succeeded
            payment_intent.succeeded succeeded
            invoice.paid paid
            invoice.payment_succeeded paid
            invoice_payment.paid paid
        ",
        stripe.pass_until(end + HOUR),
    )
    .await;
}

#[tokio::test]
async fn a_renewal_that_fails_and_recovers() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let end = end(&stripe, &customer).await;
    stripe.pass_until(end).await;
    tells(
        &stripe,
        "
            invoice.finalized open
            payment_intent.created requires_confirmation
            charge.failed failed
            payment_intent.payment_failed requires_payment_method
            invoice.payment_failed open
            invoice.updated open <- attempt_count, attempted, next_payment_attempt
            customer.subscription.updated past_due <- status
            customer.updated <- delinquent
        ",
        stripe.pass(HOUR),
    )
    .await;
    stripe.change_card(&customer, "pm_card_visa").await;
    tells(
        &stripe,
        "
            charge.succeeded succeeded
            payment_intent.succeeded succeeded
            invoice.paid paid
            invoice.payment_succeeded paid
            invoice_payment.paid paid
            customer.updated <- delinquent
            customer.subscription.updated active <- status
        ",
        stripe.pass(3 * DAY),
    )
    .await;
}

#[tokio::test]
async fn a_renewal_that_fails_to_the_end() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let end = end(&stripe, &customer).await;
    stripe.pass_until(end + HOUR + 8 * DAY).await;
    tells(
        &stripe,
        "
            charge.failed failed
            payment_intent.payment_failed requires_payment_method
            invoice.payment_failed open
            invoice.updated open <- attempt_count, next_payment_attempt
            customer.subscription.deleted canceled
            invoice.updated open <- auto_advance
        ",
        stripe.pass(7 * DAY),
    )
    .await;
}

#[tokio::test]
async fn a_renewal_whose_card_wants_its_owner() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    stripe.change_card(&customer, "pm_card_authenticationRequired").await;
    let end = end(&stripe, &customer).await;
    stripe.pass_until(end).await;
    tells(
        &stripe,
        "
            invoice.finalized open
            payment_intent.created requires_confirmation
            payment_intent.requires_action requires_action
            invoice.payment_action_required open
            invoice.payment_failed open
            invoice.updated open <- attempt_count, attempted, next_payment_attempt
            customer.subscription.updated past_due <- status
            customer.updated <- delinquent
        ",
        stripe.pass(HOUR),
    )
    .await;
}

#[tokio::test]
async fn a_trial_with_a_card() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[("subscription_data[trial_period_days]", "14")]).await;
    tells(
        &stripe,
        "
            payment_method.attached
            customer.updated <- currency, next_invoice_sequence
            checkout.session.completed complete
            customer.subscription.created trialing
            invoice.created draft
            invoice.finalized open
            invoice.paid paid
            invoice.payment_succeeded paid
        ",
        stripe.pay(&session, GOOD),
    )
    .await;
    tells(
        &stripe,
        "
            customer.subscription.trial_will_end trialing
            customer.subscription.updated active <- items, latest_invoice, status
            invoice.created draft
            invoice.finalized open
            charge.succeeded succeeded
            payment_intent.created succeeded
            payment_intent.succeeded succeeded
            invoice.paid paid
            invoice.payment_succeeded paid
            invoice_payment.paid paid
        ",
        stripe.pass(14 * DAY + HOUR),
    )
    .await;
}

#[tokio::test]
async fn a_trial_without_a_card() {
    for (policy, table) in [
        (
            "cancel",
            "
            customer.subscription.trial_will_end trialing
            customer.subscription.deleted canceled
        ",
        ),
        (
            "pause",
            "
            customer.subscription.trial_will_end trialing
            customer.subscription.updated paused <- status
            customer.subscription.paused paused
        ",
        ),
        (
            "create_invoice",
            "
            customer.subscription.trial_will_end trialing
            customer.subscription.updated active <- items, latest_invoice, status
            invoice.created draft
            invoice.finalized open
            invoice.payment_failed open
            invoice.updated open <- attempt_count, attempted, next_payment_attempt
            customer.subscription.updated past_due <- status
            customer.updated <- delinquent
        ",
        ),
    ] {
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
