//! What a schedule blocks, what ends with it, and what it refuses.

use serde_json::{Value, json};

use crate::schedules::sold;
use crate::support::{Stripe, id};
use crate::time::DAY;

#[tokio::test]
async fn the_end_of_a_managed_subscription_cannot_be_planned_directly() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    let at = (stripe.now().await + DAY).to_string();
    for field in
        [("cancel_at_period_end", "true"), ("cancel_at_period_end", "false"), ("cancel_at", at.as_str())]
    {
        let refused = stripe.try_post(&managed.subscription_path(), &[field]).await;
        let words = format!(
            "The subscription is managed by the subscription schedule `{}`, and updating any cancelation behavior \
             directly is not allowed. Please update the schedule instead.",
            id(&managed.schedule)
        );
        assert_eq!((refused.status, refused.error()["message"].as_str()), (400, Some(words.as_str())));
    }
    stripe.post(&managed.subscription_path(), &[("metadata[note]", "this can be changed")]).await;
    stripe.post(&format!("{}/release", managed.path()), &[]).await;
    let planned = stripe.post(&managed.subscription_path(), &[("cancel_at_period_end", "true")]).await;
    assert_eq!(planned["cancel_at_period_end"], true);
}

#[tokio::test]
async fn a_direct_change_of_items_goes_into_the_present_phase() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    let cheap = stripe.price_of("500", "month").await;
    stripe.post_owned(&managed.path(), &managed.phases(&[("phases[1][items][0][price]", &cheap)])).await;
    let item = id(&managed.subscription["items"]["data"][0]);
    let fields = [("items[0][id]", item.as_str()), ("items[0][quantity]", "5")];
    stripe.post(&managed.subscription_path(), &fields).await;
    let schedule = stripe.get(&managed.path()).await;
    assert_eq!(schedule["phases"][0]["items"][0]["quantity"], 5);
    assert_eq!(schedule["phases"][1]["items"][0]["quantity"], 1);
    let updated = &stripe.get("/v1/events?type=subscription_schedule.updated").await["data"][0];
    assert!(updated["data"]["previous_attributes"]["phases"].is_array());
    stripe.pass_until(managed.period().1).await;
    assert_eq!(sold(&stripe.only_subscription(&managed.customer).await), [(cheap, 1)]);
}

#[tokio::test]
async fn a_change_that_waited_for_its_payment_goes_into_the_present_phase() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    stripe.change_card(&managed.customer, "pm_card_chargeCustomerFail").await;
    let fields = [
        ("items[0][id]", id(&managed.subscription["items"]["data"][0])),
        ("items[0][quantity]", "5".to_owned()),
        ("proration_behavior", "always_invoice".to_owned()),
        ("payment_behavior", "pending_if_incomplete".to_owned()),
    ];
    let waiting = stripe.post_owned(&managed.subscription_path(), &fields).await;
    assert!(waiting["pending_update"].is_object());
    assert_eq!(stripe.get(&managed.path()).await["phases"][0]["items"][0]["quantity"], 1);
    stripe.change_card(&managed.customer, "pm_card_visa").await;
    stripe.post(&format!("/v1/invoices/{}/pay", waiting["latest_invoice"].as_str().unwrap()), &[]).await;
    assert_eq!(stripe.get(&managed.path()).await["phases"][0]["items"][0]["quantity"], 5);
}

#[tokio::test]
async fn whoever_cancels_one_cancels_the_other() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    let count = stripe.event_count().await;
    stripe.delete(&managed.subscription_path()).await;
    assert_eq!(
        stripe.events_since(count).await,
        ["customer.subscription.deleted", "subscription_schedule.canceled"]
    );
    let schedule = stripe.get(&managed.path()).await;
    assert_eq!((&schedule["status"], schedule["canceled_at"].is_i64()), (&json!("canceled"), true));

    let managed = stripe.managed().await;
    let (start, end) = managed.period();
    stripe.pass_until(start + (end - start) / 2).await;
    let count = stripe.event_count().await;
    let canceled = stripe.post(&format!("{}/cancel", managed.path()), &[]).await;
    assert_eq!((&canceled["status"], &canceled["current_phase"]), (&json!("canceled"), &Value::Null));
    let types = stripe.events_since(count).await;
    assert_eq!(types.first().map(String::as_str), Some("invoiceitem.created"));
    assert_eq!(types[types.len() - 2..], ["customer.subscription.deleted", "subscription_schedule.canceled"]);
    let last = stripe.invoices(&managed.customer).await.remove(0);
    crate::changes::near(last["total"].as_i64().unwrap(), -600);

    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let start = (stripe.now().await + DAY).to_string();
    let fields = [
        ("customer", customer.as_str()),
        ("start_date", start.as_str()),
        ("phases[0][items][0][price]", price.as_str()),
    ];
    let planned = stripe.post("/v1/subscription_schedules", &fields).await;
    stripe.delete(&format!("/v1/customers/{customer}")).await;
    let path = format!("/v1/subscription_schedules/{}", id(&planned));
    assert_eq!(stripe.get(&path).await["status"], "canceled");
}

#[tokio::test]
async fn a_subscription_that_is_not_paid_aborts_its_schedule() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    stripe.change_card(&managed.customer, "pm_card_chargeCustomerFail").await;
    let far = (stripe.now().await + 900 * DAY).to_string();
    let mut phases = managed.phases(&[]);
    phases[1].1.clone_from(&far);
    stripe.post_owned(&managed.path(), &phases).await;
    stripe.pass(60 * DAY).await;
    assert_eq!(stripe.only_subscription(&managed.customer).await["status"], "canceled");
    assert_eq!(stripe.get(&managed.path()).await["status"], "canceled");
    let aborted = &stripe.get("/v1/events?type=subscription_schedule.aborted").await["data"];
    assert_eq!(aborted.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_release_keeps_the_planned_end_if_asked() {
    let stripe = Stripe::start().await;
    for (keep, is_kept) in [("true", true), ("false", false)] {
        let managed = stripe.managed().await;
        stripe.post(&managed.path(), &[("end_behavior", "cancel")]).await;
        let path = format!("{}/release", managed.path());
        stripe.post(&path, &[("preserve_cancel_date", keep)]).await;
        let subscription = stripe.only_subscription(&managed.customer).await;
        assert_eq!(subscription["cancel_at"].is_i64(), is_kept);
        assert_eq!(subscription["canceled_at"].is_i64(), is_kept);
        assert!(subscription["schedule"].is_null());
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    let now = stripe.now().await;
    let (past, future) = ((now - DAY).to_string(), (now + DAY).to_string());
    let yearly = stripe.price_of("9900", "year").await;
    let (price, customer) = (managed.price.as_str(), managed.customer.as_str());
    let of = id(&managed.subscription);
    let new = |more: &[(&'static str, String)]| {
        let mut fields = vec![
            ("customer", customer.to_owned()),
            ("start_date", future.clone()),
            ("phases[0][items][0][price]", price.to_owned()),
        ];
        fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        fields.extend(more.iter().filter(|(_, value)| value != "-").cloned());
        fields
    };
    let from = vec![("from_subscription", of.clone())];
    let from_with = vec![("from_subscription", of), ("metadata[a]", "b".to_owned())];
    let with = |name: &'static str, value: &str| new(&[(name, value.to_owned())]);
    for (fields, param) in [
        (from, "from_subscription"),
        (from_with, "metadata"),
        (with("customer", "cus_none"), "customer"),
        (with("customer", "-"), "customer"),
        (with("start_date", "-"), "start_date"),
        (with("start_date", &past), "start_date"),
        (with("phases[0][items][0][price]", "-"), "phases"),
        (with("phases[0][items][0][price]", "price_none"), "phases[0][items][0][price]"),
        (with("phases[0][items][1][price]", price), "phases[0][items][1][price]"),
        (with("phases[0][items][1][price]", &yearly), "phases[0][items]"),
        (with("phases[0][items][0][quantity]", "-1"), "phases[0][items][0][quantity]"),
        (with("phases[0][start_date]", &future), "phases[0][start_date]"),
        (with("phases[0][iterations]", "3"), "phases[0][iterations]"),
        (with("phases[0][end_date]", &past), "phases[0][end_date]"),
        (with("phases[0][duration][interval]", "century"), "phases[0][duration][interval]"),
        (with("phases[0][duration][interval_count]", "2"), "phases[0][duration][interval]"),
        (with("phases[0][trial_end]", &(now + 400 * DAY).to_string()), "phases[0][trial_end]"),
        (with("phases[0][collection_method]", "send_invoice"), "phases[0][invoice_settings][days_until_due]"),
        (with("phases[0][discounts][0][coupon]", "c"), "phases[0][discounts]"),
        (with("phases[0][add_invoice_items][0][price]", price), "phases[0][add_invoice_items]"),
        (with("phases[0][currency]", "eur"), "phases[0][currency]"),
        (with("end_behavior", "renew"), "end_behavior"),
        (with("default_settings[transfer_data][destination]", "acct_1"), "default_settings[transfer_data]"),
        (with("nonsense", "1"), "nonsense"),
    ] {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let refused = stripe.try_post("/v1/subscription_schedules", &fields).await;
        assert_eq!((refused.status, refused.error()["param"].as_str()), (400, Some(param)), "{fields:?}");
    }
    let missing = stripe.try_get("/v1/subscription_schedules/sub_sched_none").await;
    assert_eq!((missing.status, missing.error()["code"].as_str()), (404, Some("resource_missing")));
}

#[tokio::test]
async fn the_present_phase_must_stay_where_it_began() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    let refused = async |fields: &[(String, String)]| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let reply = stripe.try_post(&managed.path(), &fields).await;
        assert_eq!(reply.status, 400, "{fields:?}");
        reply.error()["message"].as_str().unwrap().to_owned()
    };
    let without = managed.phases(&[]).split_off(1);
    let missing = "The subscription schedule update is missing at least one phase with a `start_date` to anchor end \
                   dates to.";
    assert_eq!(refused(&without).await, missing);
    let mut moved = managed.phases(&[]);
    moved[0].1 = (managed.period().0 + 1).to_string();
    assert_eq!(refused(&moved).await, "You can not modify the start date of the current phase.");
    let gap = (managed.period().1 + DAY).to_string();
    let gap =
        managed.phases(&[("phases[1][items][0][price]", &managed.price), ("phases[1][start_date]", &gap)]);
    assert!(refused(&gap).await.starts_with("A phase must begin when"));
    let both = managed.phases(&[("phases[0][duration][interval]", "month")]);
    assert!(refused(&both).await.starts_with("You may only specify one of these parameters"));
    assert_eq!(stripe.get(&managed.path()).await, managed.schedule);

    // A phase that begins now ends the present one.
    stripe.pass(DAY).await;
    let mut over = managed.phases(&[]);
    over[1].1 = (stripe.now().await - 60).to_string();
    assert!(refused(&over).await.starts_with("A phase must end after it begins, and not in the past"));
    let dear = stripe.price_of("2400", "month").await;
    let mut now = managed.phases(&[("phases[1][items][0][price]", &dear), ("phases[1][start_date]", "now")]);
    now[1].1 = "now".to_owned();
    let changed = stripe.post_owned(&managed.path(), &now).await;
    assert_eq!(changed["current_phase"]["start_date"], changed["phases"][1]["start_date"]);
    assert_eq!(sold(&stripe.only_subscription(&managed.customer).await), [(dear, 1)]);
}
