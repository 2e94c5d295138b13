//! What the emulator answers is read by async-stripe's own types, which say nothing but "no" when a field is
//! missing or has another type.

use miniserde::Deserialize;
use serde_json::Value;
use stripe_shared::{
    Account, Charge, CheckoutSession, CheckoutSessionItem, Coupon, Customer, DeletedCoupon, DeletedDiscount,
    Discount, Event, Invoice, InvoicePayment, PaymentIntent, PaymentMethod, Price, Product, PromotionCode,
    Refund, SetupAttempt, SetupIntent, Subscription,
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

#[tokio::test]
async fn async_stripe_reads_coupons_codes_and_discounts() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let off = [("id", "C"), ("percent_off", "25.5"), ("duration", "repeating"), ("duration_in_months", "3")];
    reads::<Coupon>("a coupon", &stripe.post("/v1/coupons", &off).await);
    let product = stripe.get(&format!("/v1/prices/{price}")).await["product"].clone();
    let off =
        [("amount_off", "5"), ("currency", "usd"), ("applies_to[products][]", product.as_str().unwrap())];
    stripe.post("/v1/coupons", &off).await;
    reads::<List<Coupon>>("coupons", &stripe.get("/v1/coupons?expand[]=data.applies_to").await);
    let code = [("promotion[type]", "coupon"), ("promotion[coupon]", "C"), ("customer", &*customer)];
    let code = stripe.post("/v1/promotion_codes", &code).await;
    reads::<PromotionCode>("a promotion code", &code);
    let expand = "expand[]=data.promotion.coupon&expand[]=data.customer";
    reads::<List<PromotionCode>>("codes", &stripe.get(&format!("/v1/promotion_codes?{expand}")).await);
    let session = stripe.session(&customer, &price, &[("discounts[0][promotion_code]", &id(&code))]).await;
    reads::<CheckoutSession>("a discounted session", &session);
    stripe.pay(&session, GOOD).await;
    let path = format!("/v1/checkout/sessions/{}?expand[]=discounts.promotion_code", id(&session));
    reads::<CheckoutSession>("the same, paid", &stripe.get(&path).await);
    let expand = "expand[]=data.discounts.source.coupon&expand[]=data.discounts.promotion_code";
    let subscriptions =
        stripe.get(&format!("/v1/subscriptions?{expand}&expand[]=data.latest_invoice.discounts")).await;
    reads::<List<Subscription>>("discounted subscriptions", &subscriptions);
    reads::<Discount>("a discount", &subscriptions["data"][0]["discounts"][0]);
    reads::<Invoice>("a discounted invoice", &subscriptions["data"][0]["latest_invoice"]);
    let path = format!("/v1/subscriptions/{}/discount", id(&subscriptions["data"][0]));
    reads::<DeletedDiscount>("a discount that is gone", &stripe.delete(&path).await);
    reads::<DeletedCoupon>("a coupon that is gone", &stripe.delete("/v1/coupons/C").await);
    reads::<List<Event>>("their events", &stripe.get("/v1/events?limit=100").await);
}

#[tokio::test]
async fn async_stripe_reads_refunds_and_setup_intents() {
    let stripe = Stripe::start().await;
    let (customer, session) = stripe.buy().await;
    reads::<List<InvoicePayment>>("invoice payments", &stripe.get("/v1/invoice_payments").await);
    let charge = id(&stripe.get("/v1/charges").await["data"][0]);
    reads::<Refund>("a refund", &stripe.post("/v1/refunds", &[("charge", &charge), ("amount", "7")]).await);
    reads::<List<Refund>>("refunds", &stripe.get("/v1/refunds?expand[]=data.charge").await);
    reads::<List<Charge>>("charges", &stripe.get("/v1/charges?expand[]=data.refunds").await);
    for card in ["pm_card_visa_chargeDeclined", "pm_card_authenticationRequired", "pm_card_visa"] {
        let fields = [("customer", &*customer), ("payment_method", card), ("confirm", "true")];
        stripe.try_post("/v1/setup_intents", &fields).await;
    }
    let intents =
        stripe.get("/v1/setup_intents?expand[]=data.payment_method&expand[]=data.latest_attempt").await;
    assert_eq!(intents["data"].as_array().unwrap().len(), 3);
    reads::<List<SetupIntent>>("setup intents", &intents);
    for intent in intents["data"].as_array().unwrap() {
        let attempts = stripe.get(&format!("/v1/setup_attempts?setup_intent={}", id(intent))).await;
        reads::<List<SetupAttempt>>("attempts", &attempts);
    }
    let success = session["success_url"].as_str().unwrap();
    let fields = [("mode", "setup"), ("customer", &*customer), ("success_url", success)];
    let setup = stripe.post("/v1/checkout/sessions", &fields).await;
    reads::<CheckoutSession>("a session in setup mode", &setup);
    stripe.pay(&setup, GOOD).await;
    let path = format!("/v1/checkout/sessions/{}?expand[]=setup_intent", id(&setup));
    reads::<CheckoutSession>("the same, complete", &stripe.get(&path).await);
    reads::<List<Event>>("their events", &stripe.get("/v1/events?limit=100").await);
}
