//! What a phase says besides what it sells: the anchor, metadata, the card, the trial, and when it begins.

use serde_json::{Value, json};

use crate::schedules::sold;
use crate::schedules_time::{customer, schedule};
use crate::support::{Stripe, id};
use crate::time::{DAY, HOUR, period};

#[tokio::test]
async fn a_phase_can_move_the_anchor_unset_metadata_and_name_a_card() {
    let stripe = Stripe::start().await;
    let (customer, price) = (customer(&stripe, &[]).await, stripe.price().await);
    let to = [("customer", customer.as_str())];
    let amex = id(&stripe.post("/v1/payment_methods/pm_card_amex/attach", &to).await);
    let phases = [
        ("phases[0][items][0][price]", price.as_str()),
        ("phases[0][metadata][old]", "1"),
        ("phases[0][metadata][kept]", "1"),
        ("phases[0][duration][interval]", "day"),
        ("phases[0][duration][interval_count]", "10"),
        ("phases[1][items][0][price]", price.as_str()),
        ("phases[1][metadata][old]", ""),
        ("phases[1][billing_cycle_anchor]", "phase_start"),
        ("phases[1][proration_behavior]", "none"),
        ("default_settings[default_payment_method]", amex.as_str()),
        ("default_settings[description]", "from the schedule"),
    ];
    let planned = schedule(&stripe, &customer, stripe.now().await + HOUR, &phases).await;
    let change = planned["phases"][0]["end_date"].as_i64().unwrap();
    stripe.pass_until(change - HOUR).await;
    let before = stripe.only_subscription(&customer).await;
    assert_eq!(before["metadata"], json!({ "old": "1", "kept": "1" }));
    assert_eq!(
        (&before["default_payment_method"], &before["description"]),
        (&json!(amex), &json!("from the schedule"))
    );
    stripe.pass_until(change).await;
    let after = stripe.only_subscription(&customer).await;
    assert_eq!(after["metadata"], json!({ "kept": "1" }));
    assert_eq!((after["billing_cycle_anchor"].as_i64(), period(&after).0), (Some(change), change));
    let invoice = stripe.invoices(&customer).await.remove(0);
    assert_eq!(
        (&invoice["total"], &invoice["status"]),
        (&json!(1200), &json!("paid")),
        "and nothing is given back"
    );
}

#[tokio::test]
async fn what_has_not_begun_can_begin_now_or_never() {
    let stripe = Stripe::start().await;
    let (customer, price) = (customer(&stripe, &[]).await, stripe.price().await);
    let phases = [("phases[0][items][0][price]", price.as_str())];
    let later = stripe.now().await + 10 * DAY;
    let planned = schedule(&stripe, &customer, later, &phases).await;
    let path = format!("/v1/subscription_schedules/{}", id(&planned));
    let begun = stripe.post(&path, &[phases[0], ("phases[0][start_date]", "now")]).await;
    assert_eq!((&begun["status"], begun["subscription"].is_string()), (&json!("active"), true));
    assert_eq!(sold(&stripe.only_subscription(&customer).await), [(price.clone(), 1)]);

    let never = schedule(&stripe, &customer, later, &phases).await;
    let never = stripe.post(&format!("/v1/subscription_schedules/{}/cancel", id(&never)), &[]).await;
    assert_eq!((&never["status"], &never["subscription"]), (&json!("canceled"), &Value::Null));
    stripe.pass_until(later + DAY).await;
    assert_eq!(stripe.subscriptions(&customer).await.len(), 1);
    let at = never["canceled_at"].as_i64().unwrap();
    for (query, found) in [
        (format!("canceled_at={at}"), 1),
        (format!("canceled_at[gt]={at}"), 0),
        ("released_at[gte]=0".to_owned(), 0),
        ("completed_at[gte]=0".to_owned(), 0),
        (String::new(), 2),
    ] {
        let list = stripe.get(&format!("/v1/subscription_schedules?customer={customer}&{query}")).await;
        assert_eq!(list["data"].as_array().unwrap().len(), found, "{query}");
    }
}

#[tokio::test]
async fn a_trial_is_what_the_present_phase_says() {
    let stripe = Stripe::start().await;
    let (customer, price) = (customer(&stripe, &[]).await, stripe.price().await);
    let now = stripe.now().await;
    let (trial, end) = ((now + 10 * DAY).to_string(), (now + 40 * DAY).to_string());
    let fields = [
        ("customer", customer.as_str()),
        ("start_date", "now"),
        ("phases[0][items][0][price]", price.as_str()),
        ("phases[0][trial_end]", trial.as_str()),
        ("phases[0][end_date]", end.as_str()),
    ];
    let planned = stripe.post("/v1/subscription_schedules", &fields).await;
    let trialing = stripe.only_subscription(&customer).await;
    assert_eq!((&trialing["status"], trialing["trial_end"].to_string()), (&json!("trialing"), trial.clone()));

    // Made longer directly, the phase says so too.
    let longer = (now + 20 * DAY).to_string();
    let path = format!("/v1/subscriptions/{}", id(&trialing));
    stripe.post(&path, &[("trial_end", &longer)]).await;
    let path = format!("/v1/subscription_schedules/{}", id(&planned));
    assert_eq!(stripe.get(&path).await["phases"][0]["trial_end"].to_string(), longer);

    // A present phase without a trial ends it.
    let start = planned["phases"][0]["start_date"].to_string();
    let fields = [fields[2], ("phases[0][start_date]", start.as_str()), fields[4]];
    let changed = stripe.post(&path, &fields).await;
    assert!(changed["phases"][0]["trial_end"].is_null());
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
    assert_eq!(stripe.invoices(&customer).await[0]["amount_paid"], 1200);
}

#[tokio::test]
async fn phases_of_months_keep_the_day_of_the_anchor() {
    let stripe = Stripe::start().await;
    // 31 January 2030, 10:00 UTC.
    let january = 1_896_084_000;
    let clock = [("frozen_time", january.to_string())];
    let clock = id(&stripe.post_owned("/v1/test_helpers/test_clocks", &clock).await);
    let (customer, price) = (customer(&stripe, &[("test_clock", &clock)]).await, stripe.price().await);
    let cheap = stripe.price_of("500", "month").await;
    let phases = [
        ("phases[0][items][0][price]", price.as_str()),
        ("phases[1][items][0][price]", cheap.as_str()),
        ("phases[2][items][0][price]", price.as_str()),
        ("phases[2][duration][interval]", "month"),
        ("phases[2][duration][interval_count]", "2"),
    ];
    let planned = schedule(&stripe, &customer, january, &phases).await;
    let ends: Vec<i64> = (0..3).map(|at| planned["phases"][at]["end_date"].as_i64().unwrap()).collect();
    let days = ends.iter().map(|end| (end - january) / DAY).collect::<Vec<_>>();
    assert_eq!(days, [28, 59, 120], "28 February, 31 March, 31 May");
}

#[tokio::test]
async fn a_subscription_that_ends_is_taken_over_with_its_end() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let subscription = stripe.only_subscription(&customer).await;
    let (_, end) = period(&subscription);
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    stripe.post(&path, &[("cancel_at_period_end", "true")]).await;
    let from = [("from_subscription", id(&subscription))];
    let taken = stripe.post_owned("/v1/subscription_schedules", &from).await;
    assert_eq!(
        (&taken["end_behavior"], taken["phases"][0]["end_date"].as_i64()),
        (&json!("cancel"), Some(end))
    );
    let path = format!("/v1/subscription_schedules/{}", id(&taken));
    stripe.post(&path, &[("end_behavior", "release")]).await;
    let kept = stripe.only_subscription(&customer).await;
    assert_eq!((&kept["cancel_at"], &kept["canceled_at"]), (&Value::Null, &Value::Null));
    assert_eq!((&kept["cancel_at_period_end"], &kept["schedule"]), (&json!(false), &taken["id"]));
}
