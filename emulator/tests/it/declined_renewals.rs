//! A decline that is ordered for the next renewal, by control and by the console's button.

use serde_json::json;

use crate::console::has;
use crate::sequences::end;
use crate::support::{Stripe, id};
use crate::time::{DAY, HOUR};

#[tokio::test]
async fn the_next_renewal_is_declined_and_its_retry_is_not() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let subscription = id(&stripe.only_subscription(&customer).await);
    let page = format!("/_emulator/objects/subscriptions/{subscription}");
    has(&stripe.page("/_emulator/panel").await, &[&subscription, "Decline the next renewal"]);
    let order = [("subscription", subscription.as_str()), ("decline_code", "lost_card"), ("back", &page)];
    let back = stripe.press("/_emulator/panel/renewals", &order).await;
    has(&stripe.page(&back).await, &["The next renewal will be declined", "lost_card"]);
    let end = end(&stripe, &customer).await;
    stripe.pass_until(end + HOUR).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "past_due");
    let charge = &stripe.get(&format!("/v1/charges?customer={customer}")).await["data"][0];
    assert_eq!((&charge["status"], &charge["outcome"]["reason"]), (&json!("failed"), &json!("lost_card")));
    stripe.pass(3 * DAY).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active", "it strikes once");
    let renewed = crate::sequences::end(&stripe, &customer).await;
    stripe.pass_until(renewed + HOUR).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
}

#[tokio::test]
async fn other_payments_of_the_subscription_go_through() {
    let stripe = Stripe::start().await;
    let (customer, subscription, item) = stripe.halfway().await;
    let subscription = id(&subscription);
    let said = stripe.said(&["decline-renewal", &subscription]).await;
    assert_eq!(said, format!("The next renewal of {subscription} will be declined: generic_decline\n"));
    let complaint = stripe.complaint(&["decline-renewal", &subscription, "--code", "mood"], 1).await;
    assert!(complaint.contains("decline_code must be one of generic_decline"), "{complaint}");
    let dear = stripe.price_of("9900", "month").await;
    let fields = [
        ("items[0][id]", item.as_str()),
        ("items[0][price]", &dear),
        ("proration_behavior", "always_invoice"),
    ];
    stripe.post(&format!("/v1/subscriptions/{subscription}"), &fields).await;
    assert_eq!(stripe.invoices(&customer).await[0]["status"], "paid");
    let end = end(&stripe, &customer).await;
    stripe.pass_until(end + HOUR).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "past_due");
}

#[tokio::test]
async fn what_cannot_be_declined_is_named() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let subscription = id(&stripe.only_subscription(&customer).await);
    for (order, status, words) in [
        (json!({ "subscription": "sub_none" }), 404, "subscription: there is no sub_none"),
        (
            json!({ "subscription": subscription, "decline_code": "bad_mood" }),
            400,
            "decline_code must be one of",
        ),
        (json!({}), 400, "subscription"),
    ] {
        let refused = stripe.try_control("/_emulator/renewals/decline", order).await;
        let said = refused.body["error"].as_str().unwrap();
        assert!(refused.status == status && said.contains(words), "{} {said}", refused.status);
    }
    stripe.delete(&format!("/v1/subscriptions/{subscription}")).await;
    let ended =
        stripe.try_control("/_emulator/renewals/decline", json!({ "subscription": subscription })).await;
    assert_eq!(ended.status, 400);
}
