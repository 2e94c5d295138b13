//! What the items of a schedule's phases say beside what they sell.

use serde_json::json;

use crate::support::{Stripe, id};

#[tokio::test]
async fn metadata_of_an_item_is_the_subscriptions_when_the_phase_begins() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    let fields = [
        ("customer", customer.as_str()),
        ("start_date", "now"),
        ("default_settings[default_payment_method]", card["id"].as_str().unwrap()),
        ("phases[0][items][0][price]", &price),
        ("phases[0][items][0][metadata][seat]", "window"),
        ("phases[0][items][0][metadata][row]", "1"),
        ("phases[0][duration][interval]", "month"),
        ("phases[1][items][0][price]", &price),
        ("phases[1][items][0][quantity]", "2"),
        ("phases[1][items][0][metadata][seat]", ""),
        ("phases[1][items][0][metadata][row]", "2"),
        ("phases[1][duration][interval]", "month"),
    ];
    let schedule = stripe.post("/v1/subscription_schedules", &fields).await;
    assert_eq!(schedule["phases"][1]["items"][0]["metadata"], json!({ "row": "2", "seat": "" }));
    let now = stripe.only_subscription(&customer).await;
    assert_eq!(now["items"]["data"][0]["metadata"], json!({ "row": "1", "seat": "window" }));
    let path = format!("/v1/subscriptions/{}", id(&now));
    let item = id(&now["items"]["data"][0]);
    stripe.post(&path, &[("items[0][id]", item.as_str()), ("items[0][quantity]", "3")]).await;
    let path = format!("/v1/subscription_schedules/{}", id(&schedule));
    let phase = stripe.get(&path).await["phases"][0]["items"][0].clone();
    assert_eq!(
        (&phase["quantity"], &phase["metadata"]),
        (&json!(3), &json!({ "row": "1", "seat": "window" })),
        "a direct change leaves what the phase says of the item"
    );
    stripe.pass_until(schedule["phases"][1]["start_date"].as_i64().unwrap()).await;
    let item = stripe.only_subscription(&customer).await["items"]["data"][0].clone();
    assert_eq!((&item["quantity"], &item["metadata"]), (&json!(2), &json!({ "row": "2" })));
}
