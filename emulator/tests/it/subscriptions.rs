//! Subscriptions by API: made, changed, canceled, listed.

use serde_json::json;

use crate::support::{Stripe, id, ids};

/// A customer with this test card as default.
async fn customer_with(stripe: &Stripe, token: &str) -> String {
    let customer = stripe.customer().await;
    let attached =
        stripe.post(&format!("/v1/payment_methods/{token}/attach"), &[("customer", &customer)]).await;
    let field = ("invoice_settings[default_payment_method]", attached["id"].as_str().unwrap());
    stripe.post(&format!("/v1/customers/{customer}"), &[field]).await;
    customer
}

#[tokio::test]
async fn the_card_decides_how_a_subscription_begins() {
    let stripe = Stripe::start().await;
    let price = stripe.price().await;
    for (token, status, invoice) in [
        ("pm_card_visa", "active", "paid"),
        ("pm_card_chargeCustomerFail", "incomplete", "open"),
        ("pm_card_threeDSecure2Required", "incomplete", "open"),
    ] {
        let customer = customer_with(&stripe, token).await;
        let fields = [
            ("customer", customer.as_str()),
            ("items[0][price]", price.as_str()),
            ("expand[]", "latest_invoice"),
        ];
        let subscription = stripe.post("/v1/subscriptions", &fields).await;
        assert_eq!(
            (subscription["status"].as_str(), subscription["latest_invoice"]["status"].as_str()),
            (Some(status), Some(invoice))
        );
        let fields = [
            ("customer", customer.as_str()),
            ("items[0][price]", price.as_str()),
            ("payment_behavior", "error_if_incomplete"),
        ];
        let strict = stripe.try_post("/v1/subscriptions", &fields).await;
        assert_eq!(strict.status, if status == "active" { 200 } else { 402 }, "{token}");
        let count = if status == "active" { 2 } else { 1 };
        assert_eq!(stripe.subscriptions(&customer).await.len(), count, "{token}");
    }
    let types = stripe.event_types().await;
    let count = |name: &str| types.iter().filter(|one| *one == name).count();
    assert_eq!((count("invoice.payment_failed"), count("invoice.payment_action_required")), (1, 1));
    let (customer, fields) = (stripe.customer().await, ("items[0][price]", price.as_str()));
    let reply = stripe.try_post("/v1/subscriptions", &[("customer", &customer), fields]).await;
    assert_eq!(reply.error()["code"], "resource_missing");
}

#[tokio::test]
async fn an_unpaid_first_invoice_ends_it_after_23_hours() {
    let stripe = Stripe::start().await;
    let (customer, price) =
        (customer_with(&stripe, "pm_card_chargeCustomerFail").await, stripe.price().await);
    stripe.post("/v1/subscriptions", &[("customer", &customer), ("items[0][price]", &price)]).await;
    stripe.control("/_emulator/clock", json!({"advance_seconds": 23 * 3600 + 1})).await;
    assert_eq!(stripe.subscriptions(&customer).await[0]["status"], "incomplete_expired");
    assert_eq!(stripe.get(&format!("/v1/invoices?customer={customer}")).await["data"][0]["status"], "void");
}

#[tokio::test]
async fn cancellation_is_planned_taken_back_and_done() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let before = stripe.subscriptions(&customer).await.remove(0);
    let path = format!("/v1/subscriptions/{}", id(&before));
    let end = before["items"]["data"][0]["current_period_end"].clone();
    let planned = stripe.post(&path, &[("cancel_at_period_end", "true")]).await;
    assert_eq!((&planned["cancel_at_period_end"], &planned["cancel_at"]), (&json!(true), &end));
    assert_eq!(planned["cancellation_details"]["reason"], "cancellation_requested");
    let event = &stripe.get("/v1/events?type=customer.subscription.updated").await["data"][0];
    assert_eq!(event["data"]["previous_attributes"]["cancel_at_period_end"], false);
    let kept = stripe.post(&path, &[("cancel_at_period_end", "false")]).await;
    assert_eq!(kept, before);

    let at = stripe.post(&path, &[("cancel_at", "4102444800")]).await;
    assert_eq!((&at["cancel_at_period_end"], &at["cancel_at"]), (&json!(false), &json!(4_102_444_800_i64)));
    assert_eq!(stripe.post(&path, &[("cancel_at", "")]).await, before);

    let gone = stripe.delete(&path).await;
    assert_eq!(gone["status"], "canceled");
    assert!(gone["ended_at"].is_i64());
    let headers: [(&str, &str); 0] = [];
    let again = stripe.send(reqwest::Method::DELETE, &path, &[], &headers).await.unwrap();
    assert_eq!((again.status, again.error()["code"].as_str()), (404, Some("resource_missing")));
    assert_eq!(stripe.try_post(&path, &[("cancel_at_period_end", "true")]).await.status, 400);
    assert_eq!(stripe.post(&path, &[("metadata[note]", "gone")]).await["metadata"]["note"], "gone");
}

#[tokio::test]
async fn lists_leave_canceled_ones_out_until_asked() {
    let stripe = Stripe::start().await;
    let (customer, price) = (customer_with(&stripe, "pm_card_visa").await, stripe.price().await);
    let fields = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
    let old = id(&stripe.post("/v1/subscriptions", &fields).await);
    let new = id(&stripe.post("/v1/subscriptions", &fields).await);
    stripe.delete(&format!("/v1/subscriptions/{new}")).await;
    let list =
        async |query: &str| ids(&stripe.get(&format!("/v1/subscriptions?customer={customer}{query}")).await);
    assert_eq!(list("").await, std::slice::from_ref(&old));
    assert_eq!(list("&status=all").await, [new.clone(), old.clone()]);
    assert_eq!(list("&status=all&limit=1").await, std::slice::from_ref(&new));
    assert_eq!(list(&format!("&status=all&limit=1&starting_after={new}")).await, std::slice::from_ref(&old));
    assert_eq!(list("&status=canceled").await, [new]);
    assert_eq!(list(&format!("&price={price}")).await, [old]);
    assert!(list("&price=price_none").await.is_empty());
}

#[tokio::test]
async fn the_default_card_must_be_the_customers_own() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let path = format!("/v1/subscriptions/{}", id(&stripe.subscriptions(&customer).await[0]));
    let to = [("customer", customer.as_str())];
    let own = id(&stripe.post("/v1/payment_methods/pm_card_amex/attach", &to).await);
    let updated =
        stripe.post(&path, &[("default_payment_method", &own), ("expand[]", "default_payment_method")]).await;
    assert_eq!(updated["default_payment_method"]["card"]["brand"], "amex");
    let fields = [("type", "card"), ("card[token]", "tok_visa")];
    let nobodys = id(&stripe.post("/v1/payment_methods", &fields).await);
    let reply = stripe.try_post(&path, &[("default_payment_method", &nobodys)]).await;
    assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some("default_payment_method")));
}
