//! Classic and flexible billing mode, the way from one to the other, and items of several intervals.

use serde_json::{Value, json};

use crate::changes::near;
use crate::discounts::{coupon, payer};
use crate::support::{GOOD, Stripe, id};
use crate::time::{DAY, HOUR, period};

async fn subscribe(stripe: &Stripe, more: &[(&str, &str)]) -> (String, Value) {
    let (customer, price) = (payer(stripe).await, stripe.price().await);
    let base = [
        ("customer", customer.as_str()),
        ("items[0][price]", price.as_str()),
        ("expand[]", "latest_invoice"),
    ];
    let subscription = stripe.post("/v1/subscriptions", &[&base, more].concat()).await;
    (customer, subscription)
}

#[tokio::test]
async fn the_mode_is_flexible_unless_something_else_is_said() {
    let stripe = Stripe::start().await;
    let flexible = json!({"flexible": {"proration_discounts": "included"}, "type": "flexible"});
    assert_eq!(subscribe(&stripe, &[]).await.1["billing_mode"], flexible);
    let classic = json!({"flexible": null, "type": "classic"});
    assert_eq!(subscribe(&stripe, &[("billing_mode[type]", "classic")]).await.1["billing_mode"], classic);
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let mode = [("subscription_data[billing_mode][type]", "classic")];
    let session = stripe.session(&customer, &price, &mode).await;
    stripe.pay(&session, GOOD).await;
    assert_eq!(stripe.only_subscription(&customer).await["billing_mode"], classic);
    let fields = [
        ("customer", customer.as_str()),
        ("start_date", "now"),
        ("billing_mode[type]", "classic"),
        ("phases[0][items][0][price]", price.as_str()),
    ];
    let schedule = stripe.post("/v1/subscription_schedules", &fields).await;
    let of = stripe.get(&format!("/v1/subscriptions/{}", schedule["subscription"].as_str().unwrap())).await;
    assert_eq!((&schedule["billing_mode"], &of["billing_mode"]), (&classic, &classic));
    let both = [
        ("customer", customer.as_str()),
        ("items[0][price]", price.as_str()),
        ("billing_mode[type]", "classic"),
        ("billing_mode[flexible][proration_discounts]", "itemized"),
    ];
    let refused = stripe.try_post("/v1/subscriptions", &both).await;
    assert_eq!(refused.error()["param"], "billing_mode[flexible]");
}

#[tokio::test]
async fn a_subscription_migrates_and_never_back() {
    let stripe = Stripe::start().await;
    let (_, subscription) = subscribe(&stripe, &[("billing_mode[type]", "classic")]).await;
    let path = format!("/v1/subscriptions/{}/migrate", id(&subscription));
    let migrated = stripe.post(&path, &[("billing_mode[type]", "flexible")]).await;
    let mode = &migrated["billing_mode"];
    assert_eq!(
        (&mode["type"], &mode["flexible"]["proration_discounts"]),
        (&json!("flexible"), &json!("included"))
    );
    assert!(mode["updated_at"].is_i64());
    let told = &stripe.get("/v1/events?type=customer.subscription.updated").await["data"][0]["data"];
    assert_eq!(told["previous_attributes"]["billing_mode"]["type"], "classic");
    let itemized =
        [("billing_mode[type]", "flexible"), ("billing_mode[flexible][proration_discounts]", "itemized")];
    stripe.post(&path, &itemized).await;
    for (name, value) in
        [("billing_mode[type]", "classic"), ("billing_mode[flexible][proration_discounts]", "included")]
    {
        let mut fields = vec![(name, value)];
        fields.extend([("billing_mode[type]", "flexible")].iter().filter(|_| name.contains("flexible")));
        let refused = stripe.try_post(&path, &fields).await;
        assert_eq!((refused.status, refused.error()["param"].as_str()), (400, Some(name)));
    }
}

#[tokio::test]
async fn only_flexible_mode_tells_when_the_latest_trial_began() {
    for (mode, is_new) in [("classic", false), ("flexible", true)] {
        let stripe = Stripe::start().await;
        let more = [("billing_mode[type]", mode), ("trial_period_days", "1")];
        let (_, subscription) = subscribe(&stripe, &more).await;
        stripe.pass(5 * DAY).await;
        let later = (stripe.now().await + 5 * DAY).to_string();
        let path = format!("/v1/subscriptions/{}", id(&subscription));
        let again = stripe.post(&path, &[("trial_end", &later)]).await;
        assert_eq!(again["trial_start"] != subscription["trial_start"], is_new, "{mode}");
    }
}

#[tokio::test]
async fn items_of_two_intervals_renew_each_in_its_time() {
    let stripe = Stripe::start().await;
    stripe.price().await;
    let yearly = stripe.price_of("12000", "year").await;
    let (customer, subscription) = subscribe(&stripe, &[("items[1][price]", &yearly)]).await;
    assert_eq!(subscription["latest_invoice"]["total"], 13_200);
    let items = &subscription["items"]["data"];
    let ends = [0, 1].map(|at| items[at]["current_period_end"].as_i64().unwrap());
    assert!(ends[0] < ends[1]);
    for _ in 0..11 {
        let (_, end) = period(&stripe.only_subscription(&customer).await);
        stripe.pass_until(end + HOUR).await;
    }
    let invoices = stripe.invoices(&customer).await;
    let totals: Vec<i64> = invoices.iter().rev().map(|it| it["total"].as_i64().unwrap()).collect();
    assert_eq!(totals, [&[13_200][..], &[1_200; 11]].concat());
    stripe.pass_until(ends[1] + HOUR).await;
    let both = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&both["total"], &both["lines"]["total_count"]), (&json!(13_200), &json!(2)));
}

#[tokio::test]
async fn an_item_of_another_interval_joins_at_its_own_boundary() {
    let stripe = Stripe::start().await;
    let (customer, subscription, _) = stripe.halfway().await;
    let weekly = stripe.price_of("700", "week").await;
    let on = id(&subscription);
    let fields =
        [("subscription", on.as_str()), ("price", weekly.as_str()), ("proration_behavior", "always_invoice")];
    let added = stripe.post("/v1/subscription_items", &fields).await;
    let anchor = subscription["billing_cycle_anchor"].as_i64().unwrap();
    let end = added["current_period_end"].as_i64().unwrap();
    assert_eq!((end - anchor) % (7 * DAY), 0);
    let days = (end - stripe.now().await) as f64 / DAY as f64;
    near(stripe.invoices(&customer).await[0]["total"].as_i64().unwrap(), (days * 100.0).round() as i64);
    let classic = subscribe(&stripe, &[("billing_mode[type]", "classic")]).await.1;
    let on = id(&classic);
    let refused =
        stripe.try_post("/v1/subscription_items", &[("subscription", &on), ("price", &weekly)]).await;
    let message = "Currency and interval fields must match across all plans on this subscription.";
    assert_eq!((refused.status, refused.error()["message"].as_str()), (400, Some(message)));
}

#[tokio::test]
async fn classic_mode_spreads_a_fixed_amount_evenly_over_credits() {
    let stripe = Stripe::start().await;
    coupon(&stripe, "TWO", &[("amount_off", "200"), ("currency", "usd"), ("duration", "forever")]).await;
    stripe.price().await;
    let small = stripe.price_of("400", "month").await;
    let more =
        [("billing_mode[type]", "classic"), ("items[1][price]", &small), ("discounts[0][coupon]", "TWO")];
    let (customer, subscription) = subscribe(&stripe, &more).await;
    assert_eq!(subscription["latest_invoice"]["total"], 1400);
    let (start, end) = period(&subscription);
    stripe.pass_until(start + (end - start) / 2).await;
    let item = id(&subscription["items"]["data"][1]);
    stripe.delete(&format!("/v1/subscription_items/{item}?proration_behavior=create_prorations")).await;
    // Half of 4 dollars less the half of the coupon.
    near(stripe.pending_items(&customer).await[0]["amount"].as_i64().unwrap(), -150);
}
