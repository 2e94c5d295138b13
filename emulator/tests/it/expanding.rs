//! `expand`.

use crate::support::Stripe;

#[tokio::test]
async fn ids_become_objects_at_any_depth() {
    let stripe = Stripe::start().await;
    let (customer, session) = stripe.buy().await;
    let paths =
        "expand[]=data.default_payment_method&expand[]=data.latest_invoice.payments&expand[]=data.customer";
    let list = stripe.get(&format!("/v1/subscriptions?customer={customer}&{paths}")).await;
    let subscription = &list["data"][0];
    assert_eq!(subscription["default_payment_method"]["card"]["last4"], "4242");
    assert_eq!(subscription["customer"]["email"], "ada@example.com");
    assert_eq!(subscription["latest_invoice"]["payments"]["data"][0]["status"], "paid");

    let id = subscription["id"].as_str().unwrap();
    let deep = stripe.get(&format!("/v1/subscriptions/{id}?expand[]=items.data.price.product")).await;
    assert_eq!(deep["items"]["data"][0]["price"]["product"]["name"], "Pro");
    assert_eq!(deep["customer"], *customer);

    let id = session["id"].as_str().unwrap();
    let path =
        format!("/v1/checkout/sessions/{id}?expand[]=line_items.data.price.product&expand[]=subscription");
    let session = stripe.get(&path).await;
    assert_eq!(session["line_items"]["data"][0]["price"]["product"]["name"], "Pro");
    assert_eq!(session["subscription"]["status"], "active");
}

#[tokio::test]
async fn what_cannot_be_expanded_is_refused() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let too_deep = format!("/v1/subscriptions?customer={customer}&expand[]=data.items.data.price.product");
    let reply = stripe.try_get(&too_deep).await;
    assert_eq!(reply.status, 400);
    assert!(reply.error()["message"].as_str().unwrap().contains("more than 4 levels"));
    let reply = stripe.try_get(&format!("/v1/customers/{customer}?expand[]=email")).await;
    assert_eq!(reply.error()["message"], "This property cannot be expanded (email).");
    let reply = stripe.try_get("/v1/subscriptions?expand[]=customer").await;
    let message = reply.error()["message"].as_str().unwrap();
    assert!(message.contains("You may want to try expanding 'data.customer' instead."), "{message}");
}

#[tokio::test]
async fn a_deleted_customer_expands_to_what_is_left_of_them() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    stripe.delete(&format!("/v1/customers/{customer}")).await;
    let list = stripe.get("/v1/subscriptions?status=canceled&expand[]=data.customer").await;
    let expected = serde_json::json!({"id": customer, "object": "customer", "deleted": true});
    assert_eq!(list["data"][0]["customer"], expected);
}
