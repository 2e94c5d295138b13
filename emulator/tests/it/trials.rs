//! What becomes of a trial when its time is over.

use serde_json::json;

use crate::support::{GOOD, Stripe};
use crate::time::{DAY, HOUR, period};

#[tokio::test]
async fn a_trial_is_told_of_and_becomes_a_subscription_that_is_paid_for() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[("subscription_data[trial_period_days]", "14")]).await;
    stripe.pay(&session, GOOD).await;
    let end = stripe.only_subscription(&customer).await["trial_end"].as_i64().unwrap();
    let count = stripe.event_count().await;
    stripe.pass_until(end - 3 * DAY).await;
    assert_eq!(stripe.events_since(count).await, ["customer.subscription.trial_will_end"]);
    let count = stripe.event_count().await;
    stripe.pass_until(end).await;
    assert_eq!(stripe.events_since(count).await, ["customer.subscription.updated", "invoice.created"]);
    let active = stripe.only_subscription(&customer).await;
    assert_eq!((active["status"].as_str(), period(&active).0), (Some("active"), end));
    let told = &stripe.get("/v1/events?type=customer.subscription.updated").await["data"][0]["data"];
    assert_eq!(told["previous_attributes"]["status"], "trialing");
    stripe.pass(HOUR).await;
    let paid = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(1200)));
}

#[tokio::test]
async fn a_trial_without_a_card_ends_as_its_settings_say() {
    let cases = [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")];
    for (policy, status) in cases {
        let stripe = Stripe::start().await;
        let (customer, price) = (stripe.customer().await, stripe.price().await);
        let fields = [
            ("customer", customer.as_str()),
            ("items[0][price]", price.as_str()),
            ("trial_period_days", "1"),
            ("trial_settings[end_behavior][missing_payment_method]", policy),
        ];
        stripe.post("/v1/subscriptions", &fields).await;
        stripe.pass(1).await;
        assert_eq!(
            stripe.event_types().await.last().unwrap(),
            "customer.subscription.trial_will_end",
            "at once, as it is short"
        );
        stripe.pass(DAY + 2 * HOUR).await;
        assert_eq!(stripe.only_subscription(&customer).await["status"], status);
        let types = stripe.event_types().await;
        let paused = types.iter().filter(|name| *name == "customer.subscription.paused").count();
        assert_eq!(paused, usize::from(policy == "pause"));
    }
}
