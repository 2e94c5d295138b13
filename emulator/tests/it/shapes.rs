//! What the emulator answers is read by async-stripe's own types, which say nothing but "no" when a field is
//! missing or has another type.

use miniserde::Deserialize;
use serde_json::Value;
use stripe_shared::{
    Account, Charge, CheckoutSession, CheckoutSessionItem, Customer, Event, Invoice, InvoicePayment,
    PaymentIntent, PaymentMethod, Price, Product, Subscription,
};
use stripe_types::List;

use crate::support::{DECLINED, GOOD, Stripe, id};

fn reads<T: Deserialize>(what: &str, value: &Value) {
    assert!(
        miniserde::json::from_str::<T>(&value.to_string()).is_ok(),
        "async-stripe cannot read {what}: {value:#}"
    );
}

#[tokio::test]
async fn async_stripe_reads_every_object_of_a_purchase() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[]).await;
    reads::<CheckoutSession>("an open session", &session);
    stripe.pay(&session, DECLINED).await;
    reads::<List<PaymentIntent>>("a failed intent", &stripe.get("/v1/payment_intents").await);
    stripe.pay(&session, GOOD).await;
    let session = format!("/v1/checkout/sessions/{}", id(&session));
    reads::<CheckoutSession>("a session", &stripe.get(&session).await);
    reads::<CheckoutSession>(
        "an expanded session",
        &stripe.get(&format!("{session}?expand[]=line_items")).await,
    );
    reads::<List<CheckoutSessionItem>>("line items", &stripe.get(&format!("{session}/line_items")).await);
    reads::<Account>("the account", &stripe.get("/v1/account").await);
    reads::<Customer>("a customer", &stripe.get(&format!("/v1/customers/{customer}")).await);
    reads::<List<Product>>("products", &stripe.get("/v1/products").await);
    reads::<List<Price>>("prices", &stripe.get("/v1/prices?expand[]=data.product").await);
    let expand =
        "expand[]=data.default_payment_method&expand[]=data.latest_invoice.payments&expand[]=data.customer";
    let subscriptions = stripe.get(&format!("/v1/subscriptions?{expand}")).await;
    reads::<List<Subscription>>("subscriptions", &subscriptions);
    reads::<Invoice>("an invoice", &subscriptions["data"][0]["latest_invoice"]);
    reads::<InvoicePayment>("a payment", &subscriptions["data"][0]["latest_invoice"]["payments"]["data"][0]);
    reads::<PaymentMethod>("a card", &subscriptions["data"][0]["default_payment_method"]);
    let intents = stripe.get("/v1/payment_intents?expand[]=data.latest_charge").await;
    reads::<List<PaymentIntent>>("payment intents", &intents);
    reads::<Charge>("a charge", &intents["data"][0]["latest_charge"]);
    let events = stripe.get("/v1/events?limit=100").await;
    reads::<List<Event>>("events", &events);
}

#[tokio::test]
async fn async_stripe_reads_subscriptions_in_every_state() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[("subscription_data[trial_period_days]", "3")]).await;
    stripe.pay(&session, GOOD).await;
    let subscription = stripe.subscriptions(&customer).await.remove(0);
    reads::<Subscription>("a trial", &subscription);
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    reads::<Subscription>("an ending one", &stripe.post(&path, &[("cancel_at_period_end", "true")]).await);
    reads::<Subscription>("an ended one", &stripe.delete(&path).await);
}
