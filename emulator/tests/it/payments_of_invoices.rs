//! Payment intents that belong to an invoice: they can be confirmed, which pays the invoice, and no more.

use serde_json::{Value, json};

use crate::payments::path;
use crate::support::{Stripe, id};

/// A subscription by API that nobody has paid yet, its customer, and the intent that is to pay it.
async fn unpaid(stripe: &Stripe, card: &str) -> (String, Value, Value) {
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let card =
        id(&stripe.post(&format!("/v1/payment_methods/{card}/attach"), &[("customer", &customer)]).await);
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("default_payment_method", &card),
        ("payment_behavior", "allow_incomplete"),
    ];
    let subscription = stripe.post("/v1/subscriptions", &fields).await;
    assert_eq!(subscription["status"], "incomplete");
    let intent = stripe.get(&format!("/v1/payment_intents?customer={customer}")).await["data"][0].clone();
    (customer, subscription, intent)
}

#[tokio::test]
async fn a_subscription_begins_when_its_owner_passes_the_challenge_of_a_confirmation() {
    let stripe = Stripe::start().await;
    let (customer, subscription, intent) = unpaid(&stripe, "pm_card_authenticationRequired").await;
    assert_eq!(intent["status"], "requires_action");
    let waits = stripe.post(&path(&intent, "/confirm"), &[("return_url", "http://shop.test/done")]).await;
    assert_eq!(waits["status"], "requires_action");
    let url = waits["next_action"]["redirect_to_url"]["url"].as_str().unwrap();
    assert_eq!(stripe.submit(url, &[("outcome", "complete")]).await.status(), 303);
    assert_eq!(stripe.subscriptions(&customer).await[0]["status"], "active");
    let invoice =
        stripe.get(&format!("/v1/invoices/{}", subscription["latest_invoice"].as_str().unwrap())).await;
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(1200)));
    let payment = stripe.get(&format!("/v1/invoice_payments?invoice={}", id(&invoice))).await;
    assert_eq!(payment["data"][0]["payment"]["payment_intent"], intent["id"]);
    let charges = stripe.get(&format!("/v1/charges?customer={customer}")).await;
    assert_eq!(charges["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn another_card_pays_it_and_a_refused_one_leaves_it_open() {
    let stripe = Stripe::start().await;
    let (customer, _, intent) = unpaid(&stripe, "pm_card_chargeCustomerFail").await;
    let refused = stripe
        .try_post(&path(&intent, "/confirm"), &[("payment_method", "pm_card_visa_chargeDeclined")])
        .await;
    assert_eq!((refused.status, &refused.error()["code"]), (402, &json!("card_declined")));
    assert_eq!(refused.error()["payment_intent"]["status"], "requires_payment_method");
    assert_eq!(stripe.subscriptions(&customer).await[0]["status"], "incomplete");
    let paid = stripe.post(&path(&intent, "/confirm"), &[("payment_method", "pm_card_visa")]).await;
    assert_eq!(paid["status"], "succeeded");
    assert_eq!(stripe.subscriptions(&customer).await[0]["status"], "active");
    let cards = stripe.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    assert_eq!(cards["data"].as_array().unwrap().len(), 2, "a subscription's card is for later");
}

#[tokio::test]
async fn it_is_the_invoice_that_ends_it_and_says_how_much() {
    let stripe = Stripe::start().await;
    let (_, subscription, intent) = unpaid(&stripe, "pm_card_authenticationRequired").await;
    let refused = stripe.try_post(&path(&intent, "/cancel"), &[]).await;
    let message = "You cannot cancel PaymentIntents created by invoices. Try voiding the invoice instead.";
    assert_eq!((refused.status, &refused.error()["message"]), (400, &json!(message)));
    assert_eq!(stripe.try_post(&path(&intent, ""), &[("amount", "100")]).await.status, 400);
    let noted = stripe.post(&path(&intent, ""), &[("metadata[a]", "b")]).await;
    assert_eq!((&noted["metadata"]["a"], &noted["amount"]), (&json!("b"), &json!(1200)));
    stripe
        .post(&format!("/v1/invoices/{}/void", subscription["latest_invoice"].as_str().unwrap()), &[])
        .await;
    assert_eq!(stripe.get(&path(&intent, "")).await["status"], "canceled");
}
