//! Schedules as time passes: they begin in the future, go through their phases and end, by either clock.

use serde_json::{Value, json};

use crate::schedules::sold;
use crate::support::{Stripe, eventually, id, options};
use crate::time::{DAY, HOUR, period};

/// A customer with a card that pays.
pub async fn customer(stripe: &Stripe, more: &[(&str, &str)]) -> String {
    let customer = id(&stripe.post("/v1/customers", &[&[("email", "ada@example.com")], more].concat()).await);
    let card = id(&stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await);
    let field = [("invoice_settings[default_payment_method]", card.as_str())];
    stripe.post(&format!("/v1/customers/{customer}"), &field).await;
    customer
}

/// A schedule that makes its subscription itself.
pub async fn schedule(stripe: &Stripe, customer: &str, start: i64, phases: &[(&str, &str)]) -> Value {
    let start = start.to_string();
    let fields = [&[("customer", customer), ("start_date", &start)], phases].concat();
    stripe.post("/v1/subscription_schedules", &fields).await
}

#[tokio::test]
async fn what_begins_in_the_future_makes_its_subscription_then() {
    let stripe = Stripe::start().await;
    let (customer, price) = (customer(&stripe, &[]).await, stripe.price().await);
    let start = stripe.now().await + 10 * DAY;
    let phases = [
        ("phases[0][items][0][price]", price.as_str()),
        ("phases[0][items][0][quantity]", "2"),
        ("phases[0][duration][interval]", "month"),
        ("phases[0][duration][interval_count]", "3"),
        ("phases[0][metadata][userId]", "u1"),
        ("metadata[note]", "later"),
    ];
    let count = stripe.event_count().await;
    let planned = schedule(&stripe, &customer, start, &phases).await;
    assert_eq!(stripe.events_since(count).await, ["subscription_schedule.created"]);
    assert_eq!((&planned["status"], &planned["subscription"]), (&json!("not_started"), &Value::Null));
    assert_eq!((&planned["metadata"]["note"], &planned["current_phase"]), (&json!("later"), &Value::Null));
    assert!(stripe.subscriptions(&customer).await.is_empty());
    let preview = [("schedule", planned["id"].as_str().unwrap())];
    let preview = stripe.post("/v1/invoices/create_preview", &preview).await;
    assert_eq!((preview["total"].as_i64(), preview["created"].as_i64()), (Some(2400), Some(start)));
    assert!(stripe.subscriptions(&customer).await.is_empty(), "a preview makes nothing");
    assert_eq!(stripe.get("/v1/subscription_schedules?scheduled=true").await["data"][0]["id"], planned["id"]);

    stripe.pass_until(start).await;
    let expected = [
        "customer.subscription.created",
        "invoice.created",
        "customer.updated",
        "subscription_schedule.updated",
    ];
    assert_eq!(stripe.events_since(count + 1).await, expected);
    let subscription = stripe.only_subscription(&customer).await;
    assert_eq!((&subscription["status"], &subscription["schedule"]), (&json!("active"), &planned["id"]));
    assert_eq!((subscription["start_date"].as_i64(), sold(&subscription)), (Some(start), vec![(price, 2)]));
    assert_eq!(subscription["metadata"]["userId"], "u1");
    let first = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&first["status"], &first["total"]), (&json!("draft"), &json!(2400)));
    assert_eq!(first["billing_reason"], "subscription_create");
    stripe.pass(HOUR).await;
    assert_eq!(stripe.invoices(&customer).await[0]["status"], "paid");
    let now = stripe.get(&format!("/v1/subscription_schedules/{}", id(&planned))).await;
    assert_eq!((&now["status"], &now["subscription"]), (&json!("active"), &subscription["id"]));
    assert!(stripe.get("/v1/subscription_schedules?scheduled=true").await["data"][0].is_null());
}

#[tokio::test]
async fn three_phases_follow_one_another_and_the_subscription_goes_on() {
    let stripe = Stripe::start().await;
    let (customer, trial) = (customer(&stripe, &[]).await, stripe.price().await);
    let (cheap, yearly) = (stripe.price_of("500", "month").await, stripe.price_of("9900", "year").await);
    let start = stripe.now().await + HOUR;
    let phases = [
        ("phases[0][items][0][price]", trial.as_str()),
        ("phases[0][trial]", "true"),
        ("phases[0][duration][interval]", "day"),
        ("phases[0][duration][interval_count]", "14"),
        ("phases[1][items][0][price]", cheap.as_str()),
        ("phases[1][duration][interval]", "month"),
        ("phases[1][duration][interval_count]", "2"),
        ("phases[2][items][0][price]", yearly.as_str()),
    ];
    let planned = schedule(&stripe, &customer, start, &phases).await;
    let path = format!("/v1/subscription_schedules/{}", id(&planned));
    let ends: Vec<i64> = (0..3).map(|at| planned["phases"][at]["end_date"].as_i64().unwrap()).collect();
    assert_eq!(ends[0], start + 14 * DAY);
    stripe.pass_until(start).await;
    let trialing = stripe.only_subscription(&customer).await;
    assert_eq!((&trialing["status"], trialing["trial_end"].as_i64()), (&json!("trialing"), Some(ends[0])));

    stripe.pass_until(ends[0] + HOUR).await;
    let paying = stripe.only_subscription(&customer).await;
    assert_eq!((&paying["status"], sold(&paying)), (&json!("active"), vec![(cheap, 1)]));
    let totals = async || {
        let invoices = stripe.invoices(&customer).await;
        invoices.iter().map(|invoice| invoice["total"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(totals().await, [500, 0]);
    stripe.pass_until(ends[1] + HOUR).await;
    let yearly_one = stripe.only_subscription(&customer).await;
    assert_eq!((sold(&yearly_one), period(&yearly_one)), (vec![(yearly, 1)], (ends[1], ends[2])));
    assert_eq!(totals().await, [9900, 500, 500, 0], "two months, then the year, and no proration");

    let count = stripe.event_count().await;
    stripe.pass_until(ends[2] - 7 * DAY).await;
    assert!(stripe.events_since(count).await.contains(&"subscription_schedule.expiring".to_owned()));
    let count = stripe.event_count().await;
    stripe.pass_until(ends[2] + HOUR).await;
    let types = stripe.events_since(count).await;
    assert_eq!(types[..2], ["customer.subscription.updated", "subscription_schedule.completed"]);
    let completed = stripe.get(&path).await;
    assert_eq!(
        (&completed["status"], completed["completed_at"].as_i64()),
        (&json!("completed"), Some(ends[2]))
    );
    assert_eq!((&completed["subscription"], &completed["current_phase"]), (&Value::Null, &Value::Null));
    let free = stripe.only_subscription(&customer).await;
    assert_eq!((&free["schedule"], &free["status"]), (&Value::Null, &json!("active")));
    assert_eq!(totals().await[..2], [9900, 9900], "and is renewed in the same second");
}

#[tokio::test]
async fn the_end_is_told_of_a_week_before_even_in_the_second_of_a_change() {
    let stripe = Stripe::start().await;
    let (customer, price) = (customer(&stripe, &[]).await, stripe.price().await);
    let weekly = [stripe.price_of("100", "week").await, stripe.price_of("200", "week").await];
    let start = stripe.now().await + DAY;
    let phases = [
        ("phases[0][items][0][price]", weekly[0].as_str()),
        ("phases[1][items][0][price]", weekly[1].as_str()),
    ];
    let planned = schedule(&stripe, &customer, start, &phases).await;
    let short = [("phases[0][items][0][price]", price.as_str()), ("phases[0][duration][interval]", "day")];
    // One is that short from the beginning, the other when it begins.
    schedule(&stripe, &customer, start, &short).await;
    schedule(&stripe, &customer, start + 20 * DAY, &short).await;
    let told = async || stripe.get("/v1/events?type=subscription_schedule.expiring").await["data"].clone();
    stripe.pass_until(start + 7 * DAY - HOUR).await;
    assert_eq!(told().await, json!([]), "a week before, and not earlier");
    stripe.pass_until(start + 30 * DAY).await;
    let told = told().await;
    assert_eq!((told.as_array().unwrap().len(), told[0]["created"].as_i64()), (1, Some(start + 7 * DAY)));
    assert_eq!(told[0]["data"]["object"]["id"], planned["id"]);
    let now = stripe.get(&format!("/v1/subscription_schedules/{}", id(&planned))).await;
    assert_eq!((&now["status"], now["completed_at"].as_i64()), (&json!("completed"), Some(start + 14 * DAY)));
}

#[tokio::test]
async fn a_schedule_can_end_its_subscription() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    let (_, end) = managed.period();
    let ends = stripe.post(&managed.path(), &[("end_behavior", "cancel")]).await;
    assert_eq!(ends["end_behavior"], "cancel");
    let planned = stripe.only_subscription(&managed.customer).await;
    assert_eq!((planned["cancel_at"].as_i64(), &planned["cancel_at_period_end"]), (Some(end), &json!(false)));
    let kept = stripe.post(&managed.path(), &[("end_behavior", "release")]).await;
    assert_eq!(kept["end_behavior"], "release");
    assert!(stripe.only_subscription(&managed.customer).await["cancel_at"].is_null());

    let preview = [("subscription", id(&managed.subscription))];
    let preview: Vec<_> = preview.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut longer = managed.phases(&[("end_behavior", "cancel")]);
    longer[1].1 = (end + 90 * DAY).to_string();
    stripe.post_owned(&managed.path(), &longer).await;
    assert_eq!(stripe.post("/v1/invoices/create_preview", &preview).await["total"], 1200);
    stripe.post_owned(&managed.path(), &managed.phases(&[])).await;
    let last = stripe.try_post("/v1/invoices/create_preview", &preview).await;
    assert_eq!(last.error()["code"], "invoice_upcoming_none");

    stripe.post(&managed.path(), &[("end_behavior", "cancel")]).await;
    let count = stripe.event_count().await;
    stripe.pass_until(end).await;
    let types = stripe.events_since(count).await;
    assert_eq!(
        types[types.len() - 2..],
        ["customer.subscription.deleted", "subscription_schedule.completed"]
    );
    let over = stripe.only_subscription(&managed.customer).await;
    assert_eq!((&over["status"], over["ended_at"].as_i64()), (&json!("canceled"), Some(end)));
    assert_eq!(stripe.get(&managed.path()).await["status"], "completed");
    assert_eq!(stripe.invoices(&managed.customer).await.len(), 1, "it was not renewed");
}

#[tokio::test]
async fn a_test_clock_moves_its_schedules_only() {
    let stripe = Stripe::start().await;
    let frozen = 1_896_084_000;
    let clock = [("frozen_time", frozen.to_string())];
    let clock = id(&stripe.post_owned("/v1/test_helpers/test_clocks", &clock).await);
    let (customer, price) = (customer(&stripe, &[("test_clock", &clock)]).await, stripe.price().await);
    let cheap = stripe.price_of("500", "month").await;
    let phases = [
        ("phases[0][items][0][price]", price.as_str()),
        ("phases[1][items][0][price]", cheap.as_str()),
        ("phases[1][proration_behavior]", "none"),
    ];
    let planned = schedule(&stripe, &customer, frozen + DAY, &phases).await;
    assert_eq!((&planned["test_clock"], planned["created"].as_i64()), (&json!(clock), Some(frozen)));
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    let advance = async |to: i64| {
        let to = [("frozen_time", to.to_string())];
        stripe.post_owned(&format!("{path}/advance"), &to).await;
        eventually("it is ready", async || stripe.get(&path).await["status"] == "ready").await;
    };
    stripe.pass(400 * DAY).await;
    assert!(stripe.subscriptions(&customer).await.is_empty(), "the emulator's own clock is not its");
    advance(frozen + 2 * DAY).await;
    assert_eq!(sold(&stripe.only_subscription(&customer).await), [(price, 1)]);
    let end = planned["phases"][0]["end_date"].as_i64().unwrap();
    advance(end + 2 * HOUR).await;
    let after = stripe.only_subscription(&customer).await;
    assert_eq!((sold(&after), period(&after).0), (vec![(cheap, 1)], end));
    assert_eq!(stripe.invoices(&customer).await[0]["total"], 500);
    let listed = stripe.get("/v1/subscription_schedules").await;
    assert!(listed["data"].as_array().unwrap().is_empty(), "those of clocks are listed by customer only");
    let listed = stripe.get(&format!("/v1/subscription_schedules?customer={customer}")).await;
    assert_eq!(listed["data"][0]["id"], planned["id"]);
    let released = format!("/v1/subscription_schedules/{}/release", id(&planned));
    let released = stripe.post(&released, &[]).await;
    assert_eq!(released["released_at"].as_i64(), Some(end + 2 * HOUR));
    let again = stripe.post("/v1/subscription_schedules", &[("from_subscription", &id(&after))]).await;
    assert_eq!((again["created"].as_i64(), &again["test_clock"]), (Some(end + 2 * HOUR), &json!(clock)));
}

#[tokio::test]
async fn a_restart_in_the_middle_loses_no_phase() {
    let directory = tempfile::tempdir().unwrap();
    let kept = || stripe_emulator::Options { data_dir: Some(directory.path().to_owned()), ..options() };
    let stripe = Stripe::with(kept()).await;
    let managed = stripe.managed().await;
    let cheap = stripe.price_of("500", "month").await;
    let phases = managed.phases(&[("phases[1][items][0][price]", &cheap)]);
    let planned = stripe.post_owned(&managed.path(), &phases).await;
    let (_, end) = managed.period();
    stripe.emulator.stop().await;

    let stripe = Stripe::with(kept()).await;
    assert_eq!(stripe.get(&managed.path()).await, planned);
    stripe.pass_until(end + HOUR).await;
    stripe.emulator.stop().await;

    let stripe = Stripe::with(kept()).await;
    let after = stripe.only_subscription(&managed.customer).await;
    assert_eq!((sold(&after), &after["schedule"]), (vec![(cheap, 1)], &managed.schedule["id"]));
    stripe.pass_until(planned["phases"][1]["end_date"].as_i64().unwrap()).await;
    assert_eq!(stripe.get(&managed.path()).await["status"], "completed");
    assert!(stripe.only_subscription(&managed.customer).await["schedule"].is_null());
}
