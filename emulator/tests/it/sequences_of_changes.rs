//! The same for what people change: plans, with each way to bill it, cancellations in each way, refunds, a checkout that nobody finishes.

use crate::sequences::{end, tells};
use crate::support::{Stripe, id};
use crate::time::{DAY, HOUR};

async fn path(stripe: &Stripe, customer: &str) -> String {
    format!("/v1/subscriptions/{}", id(&stripe.only_subscription(customer).await))
}

#[tokio::test]
async fn an_upgrade_with_each_way_to_bill_it() {
    for (behavior, table) in [
        ("none", "customer.subscription.updated active <- items"),
        (
            "create_prorations",
            "
            invoiceitem.created
            invoiceitem.created
            customer.subscription.updated active <- items
        ",
        ),
        (
            "always_invoice",
            "
            invoiceitem.created
            invoiceitem.created
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
        ),
    ] {
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
    for (behavior, table) in [
        ("none", "customer.subscription.updated active <- items"),
        (
            "create_prorations",
            "
            invoiceitem.created
            invoiceitem.created
            customer.subscription.updated active <- items
        ",
        ),
        (
            "always_invoice",
            "
            invoiceitem.created
            invoiceitem.created
            customer.subscription.updated active <- items, latest_invoice
            invoice.created draft
            customer.updated <- balance
            invoice.finalized open
            invoice.paid paid
            invoice.payment_succeeded paid
        ",
        ),
    ] {
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
    tells(
        &stripe,
        "customer.subscription.updated active <- cancel_at, cancel_at_period_end, canceled_at, cancellation_details", stripe.post(&path, &[("cancel_at_period_end", "true")])).await;
    tells(
        &stripe,
        "customer.subscription.updated active <- cancel_at, cancel_at_period_end, canceled_at, cancellation_details", stripe.post(&path, &[("cancel_at_period_end", "false")])).await;
    tells(
        &stripe,
        "customer.subscription.updated active <- cancel_at, canceled_at, cancellation_details",
        stripe.post(&path, &[("cancel_at", &(end - DAY).to_string())]),
    )
    .await;
    tells(
        &stripe,
        "customer.subscription.updated active <- cancel_at, canceled_at, cancellation_details",
        stripe.post(&path, &[("cancel_at", "")]),
    )
    .await;
    tells(&stripe, "customer.subscription.deleted canceled", stripe.delete(&path)).await;
}

#[tokio::test]
async fn a_planned_cancellation_that_comes() {
    for field in ["cancel_at_period_end", "cancel_at"] {
        let stripe = Stripe::start().await;
        let (customer, _) = stripe.buy().await;
        let (path, end) = (path(&stripe, &customer).await, end(&stripe, &customer).await);
        let at = end.to_string();
        stripe.post(&path, &[(field, if field == "cancel_at" { at.as_str() } else { "true" })]).await;
        stripe.pass_until(end - HOUR).await;
        tells(&stripe, "customer.subscription.deleted canceled", stripe.pass(HOUR)).await;
    }
}

#[tokio::test]
async fn a_refund() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let charge = id(&stripe.get(&format!("/v1/charges?customer={customer}")).await["data"][0]);
    tells(
        &stripe,
        "
            refund.created succeeded
            charge.refunded succeeded <- amount_refunded
        ",
        stripe.post("/v1/refunds", &[("charge", &charge), ("amount", "500")]),
    )
    .await;
}

#[tokio::test]
async fn a_checkout_that_nobody_finishes() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    stripe.session(&customer, &price, &[]).await;
    tells(&stripe, "checkout.session.expired expired", stripe.pass(25 * HOUR)).await;
}
