//! Customers and their cards.

use serde_json::json;

use crate::support::{Stripe, id, ids};

#[tokio::test]
async fn an_update_tells_what_was_before() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let path = format!("/v1/customers/{customer}");
    let fields = [("email", "new@example.com"), ("metadata[team]", "t1"), ("metadata[userId]", "")];
    let updated = stripe.post(&path, &fields).await;
    assert_eq!(
        (updated["email"].as_str(), &updated["metadata"]),
        (Some("new@example.com"), &json!({"team": "t1"}))
    );
    let event = &stripe.get("/v1/events?type=customer.updated").await["data"][0];
    let before = json!({"email": "ada@example.com", "metadata": {"userId": "u1", "team": null}});
    assert_eq!(event["data"]["previous_attributes"], before);
    stripe.post(&path, &fields).await;
    let events = stripe.get("/v1/events?type=customer.updated").await;
    assert_eq!(ids(&events).len(), 1, "no event where nothing changed");
    assert_eq!(ids(&stripe.get("/v1/customers?email=new@example.com").await), [customer]);
}

#[tokio::test]
async fn a_deleted_customer_is_gone_and_so_are_their_subscriptions() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let path = format!("/v1/customers/{customer}");
    let deleted = json!({"id": customer, "object": "customer", "deleted": true});
    assert_eq!(stripe.delete(&path).await, deleted);
    assert_eq!(stripe.get(&path).await, deleted);
    let reply = stripe.try_post(&path, &[("email", "a@b.c")]).await;
    assert_eq!((reply.status, reply.error()["code"].as_str()), (404, Some("resource_missing")));
    let price = stripe.price().await;
    let fields = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
    let reply = stripe.try_post("/v1/subscriptions", &fields).await;
    assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some("customer")));
    assert_eq!(stripe.subscriptions(&customer).await[0]["status"], "canceled");
    let types = stripe.event_types().await;
    assert!(types.contains(&"customer.deleted".to_owned()));
    assert!(types.contains(&"customer.subscription.deleted".to_owned()));
}

#[tokio::test]
async fn cards_are_attached_and_detached() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let to = [("customer", customer.as_str())];
    let card = id(&stripe.post("/v1/payment_methods/pm_card_mastercard/attach", &to).await);
    let list = stripe.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    assert_eq!(ids(&list), std::slice::from_ref(&card));
    assert_eq!(list["data"][0]["card"]["brand"], "mastercard");
    let field = ("invoice_settings[default_payment_method]", card.as_str());
    stripe.post(&format!("/v1/customers/{customer}"), &[field]).await;
    stripe.post(&format!("/v1/payment_methods/{card}/detach"), &[]).await;
    let now = stripe.get(&format!("/v1/customers/{customer}")).await;
    assert!(now["invoice_settings"]["default_payment_method"].is_null());
    let event = &stripe.get("/v1/events?type=payment_method.detached").await["data"][0];
    assert_eq!(event["data"]["previous_attributes"]["customer"], *customer);
    assert!(event["data"]["object"]["customer"].is_null());
}

#[tokio::test]
async fn a_card_that_is_declined_cannot_be_attached() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let path = "/v1/payment_methods/pm_card_visa_chargeDeclinedInsufficientFunds/attach";
    let reply = stripe.try_post(path, &[("customer", &customer)]).await;
    assert_eq!((reply.status, reply.error()["type"].as_str()), (402, Some("card_error")));
    assert_eq!(reply.error()["decline_code"], "insufficient_funds");
    assert!(ids(&stripe.get(&format!("/v1/payment_methods?customer={customer}")).await).is_empty());
}
