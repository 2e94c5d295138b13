//! Subscription schedules as a shop uses them: a downgrade at the period's end, its undoing, an upgrade at once,
//! and what each of them bills.

use miniserde::Deserialize;
use serde_json::{Value, json};
use stripe_shared::{Event, Subscription, SubscriptionSchedule};
use stripe_types::List;

use crate::support::{Stripe, id};
use crate::time::{HOUR, period};

/// Somebody who pays 12 dollars a month and whose subscription a schedule manages.
pub struct Managed {
    pub customer: String,
    pub subscription: Value,
    pub schedule: Value,
    pub price: String,
}

impl Managed {
    pub fn path(&self) -> String {
        format!("/v1/subscription_schedules/{}", id(&self.schedule))
    }

    pub fn subscription_path(&self) -> String {
        format!("/v1/subscriptions/{}", id(&self.subscription))
    }

    /// When the present period begins and ends.
    pub fn period(&self) -> (i64, i64) {
        period(&self.subscription)
    }

    /// The present phase as it is, and these fields after it.
    pub fn phases<'f>(&'f self, more: &[(&'f str, &'f str)]) -> Vec<(String, String)> {
        let phase = &self.schedule["phases"][0];
        let mut fields = vec![
            ("phases[0][start_date]".to_owned(), phase["start_date"].to_string()),
            ("phases[0][end_date]".to_owned(), phase["end_date"].to_string()),
            ("phases[0][items][0][price]".to_owned(), self.price.clone()),
        ];
        fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        fields
    }
}

impl Stripe {
    /// A schedule from a subscription that was bought.
    pub async fn managed(&self) -> Managed {
        let (customer, _) = self.buy().await;
        let subscription = self.only_subscription(&customer).await;
        let price = id(&subscription["items"]["data"][0]["price"]);
        let from = [("from_subscription", id(&subscription))];
        let schedule = self.post_owned("/v1/subscription_schedules", &from).await;
        Managed { customer, subscription, schedule, price }
    }

    pub async fn post_owned<N: AsRef<str>>(&self, path: &str, fields: &[(N, String)]) -> Value {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_ref(), value.as_str())).collect();
        self.post(path, &fields).await
    }
}

/// The prices and quantities that a subscription sells.
pub fn sold(subscription: &Value) -> Vec<(String, i64)> {
    let items = subscription["items"]["data"].as_array().unwrap().iter();
    items.map(|item| (id(&item["price"]), item["quantity"].as_i64().unwrap())).collect()
}

fn reads<T: Deserialize>(value: &Value) {
    assert!(miniserde::json::from_str::<T>(&value.to_string()).is_ok(), "async-stripe cannot read {value:#}");
}

#[tokio::test]
async fn a_schedule_from_a_subscription_says_what_it_is() {
    let stripe = Stripe::start().await;
    let count = stripe.event_count().await;
    let managed = stripe.managed().await;
    let (start, end) = managed.period();
    let schedule = &managed.schedule;
    assert!(id(schedule).starts_with("sub_sched_"));
    assert_eq!((&schedule["status"], &schedule["end_behavior"]), (&json!("active"), &json!("release")));
    assert_eq!(schedule["current_phase"], json!({ "start_date": start, "end_date": end }));
    assert_eq!(schedule["subscription"], managed.subscription["id"]);
    let phase = &schedule["phases"][0];
    assert_eq!((phase["start_date"].as_i64(), phase["end_date"].as_i64()), (Some(start), Some(end)));
    assert_eq!(
        (&phase["items"][0]["price"], &phase["items"][0]["quantity"]),
        (&json!(managed.price), &json!(1))
    );
    let types = stripe.events_since(count).await;
    assert_eq!(types[types.len() - 2..], ["subscription_schedule.created", "customer.subscription.updated"]);

    let expanded =
        stripe.get(&format!("{}?expand[]=schedule.subscription", managed.subscription_path())).await;
    assert_eq!(expanded["schedule"]["subscription"]["schedule"], schedule["id"]);
    let path = format!("{}?expand[]=phases.items.price&expand[]=customer", managed.path());
    let expanded = stripe.get(&path).await;
    assert_eq!(expanded["phases"][0]["items"][0]["price"]["unit_amount"], 1200);
    reads::<SubscriptionSchedule>(&expanded);
    reads::<List<SubscriptionSchedule>>(&stripe.get("/v1/subscription_schedules").await);
    reads::<Subscription>(&stripe.get(&managed.subscription_path()).await);
    reads::<List<Event>>(&stripe.get("/v1/events?limit=100").await);
}

#[tokio::test]
async fn a_downgrade_at_the_periods_end_bills_the_new_price_and_prorates_nothing() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    let cheap = stripe.price_of("500", "month").await;
    let (_, end) = managed.period();
    let phases = managed.phases(&[("phases[1][items][0][price]", &cheap)]);
    let count = stripe.event_count().await;
    let planned = stripe.post_owned(&managed.path(), &phases).await;
    assert_eq!(stripe.events_since(count).await, ["subscription_schedule.updated"]);
    assert_eq!(planned["phases"][1]["start_date"].as_i64(), Some(end));
    assert!(
        planned["phases"][1]["end_date"].as_i64().unwrap() > end,
        "one interval, as nothing else is said"
    );
    assert_eq!(sold(&stripe.only_subscription(&managed.customer).await), [(managed.price.clone(), 1)]);
    let preview = [("subscription", id(&managed.subscription))];
    let preview = stripe.post_owned("/v1/invoices/create_preview", &preview).await;
    assert_eq!((preview["total"].as_i64(), preview["created"].as_i64()), (Some(500), Some(end)));
    let by_schedule = [("schedule", id(&managed.schedule))];
    let by_schedule = stripe.post_owned("/v1/invoices/create_preview", &by_schedule).await;
    assert_eq!(by_schedule["total"], 500);
    assert_eq!(sold(&stripe.only_subscription(&managed.customer).await), [(managed.price.clone(), 1)]);

    let count = stripe.event_count().await;
    stripe.pass_until(end).await;
    let expected = [
        "invoice.upcoming",
        "subscription_schedule.updated",
        "customer.subscription.updated",
        "invoice.created",
    ];
    assert_eq!(stripe.events_since(count).await, expected);
    let upcoming = &stripe.get("/v1/events?type=invoice.upcoming").await["data"][0];
    assert_eq!(upcoming["data"]["object"]["total"], 500);
    stripe.pass(HOUR).await;
    let after = stripe.only_subscription(&managed.customer).await;
    assert_eq!((sold(&after), period(&after).0), (vec![(cheap, 1)], end));
    assert_eq!((&after["schedule"], &after["status"]), (&managed.schedule["id"], &json!("active")));
    let invoice = stripe.invoices(&managed.customer).await.remove(0);
    assert_eq!((&invoice["status"], &invoice["total"]), (&json!("paid"), &json!(500)));
    assert_eq!(invoice["billing_reason"], "subscription_cycle");
    assert_eq!(invoice["lines"]["data"].as_array().unwrap().len(), 1, "no proration");
    assert!(stripe.pending_items(&managed.customer).await.is_empty());
    let schedule = stripe.get(&managed.path()).await;
    assert_eq!(schedule["current_phase"]["start_date"].as_i64(), Some(end));
    assert_eq!(schedule["phases"].as_array().unwrap().len(), 2);

    // A phase that is over need not be said again.
    let later = [
        ("phases[0][start_date]", end.to_string()),
        ("phases[0][items][0][price]", managed.price.clone()),
        ("proration_behavior", "none".to_owned()),
    ];
    let changed = stripe.post_owned(&managed.path(), &later).await;
    assert_eq!(changed["phases"][0], schedule["phases"][0]);
    assert_eq!(changed["phases"][1]["items"][0]["price"], *managed.price);
}

#[tokio::test]
async fn a_release_takes_the_downgrade_back() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    let cheap = stripe.price_of("500", "month").await;
    stripe.post_owned(&managed.path(), &managed.phases(&[("phases[1][items][0][price]", &cheap)])).await;
    let count = stripe.event_count().await;
    let released = stripe.post(&format!("{}/release", managed.path()), &[]).await;
    let expected =
        ["subscription_schedule.updated", "customer.subscription.updated", "subscription_schedule.released"];
    assert_eq!(stripe.events_since(count).await, expected);
    assert_eq!((&released["status"], &released["subscription"]), (&json!("released"), &Value::Null));
    assert_eq!(released["released_subscription"], managed.subscription["id"]);
    assert!(released["released_at"].is_i64() && released["current_phase"].is_null());
    let (_, end) = managed.period();
    stripe.pass_until(end + HOUR).await;
    let after = stripe.only_subscription(&managed.customer).await;
    assert_eq!((sold(&after), &after["schedule"]), (vec![(managed.price.clone(), 1)], &Value::Null));
    assert_eq!(stripe.invoices(&managed.customer).await[0]["total"], 1200);
    let again = stripe.try_post(&format!("{}/cancel", managed.path()), &[]).await;
    assert_eq!(again.status, 400);
    assert!(again.error()["message"].as_str().unwrap().contains("in the `released` status. It must be in"));
    let anew = [("from_subscription", id(&managed.subscription))];
    assert_eq!(stripe.post_owned("/v1/subscription_schedules", &anew).await["status"], "active");
}

#[tokio::test]
async fn a_change_of_the_present_phase_happens_at_once_and_is_prorated_as_asked() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    let dear = stripe.price_of("2400", "month").await;
    let (start, end) = managed.period();
    stripe.pass_until(start + (end - start) / 2).await;
    let mut phases = managed.phases(&[("proration_behavior", "always_invoice")]);
    phases[2].1.clone_from(&dear);
    let changed = stripe.post_owned(&managed.path(), &phases).await;
    assert_eq!(changed["phases"][0]["items"][0]["price"], *dear);
    let after = stripe.only_subscription(&managed.customer).await;
    assert_eq!((sold(&after), period(&after)), (vec![(dear, 1)], (start, end)));
    let invoice = stripe.invoices(&managed.customer).await.remove(0);
    crate::changes::near(invoice["total"].as_i64().unwrap(), 600);
    assert_eq!(
        (&invoice["status"], &invoice["billing_reason"]),
        (&json!("paid"), &json!("subscription_update"))
    );

    // The same price stays the same item, and nothing is billed for what is not wanted.
    let item = after["items"]["data"][0]["id"].clone();
    phases[2].0 = "phases[0][items][0][quantity]".to_owned();
    phases[2].1 = "3".to_owned();
    phases.push(("phases[0][items][0][price]".to_owned(), sold(&after)[0].0.clone()));
    phases[3].1 = "none".to_owned();
    stripe.post_owned(&managed.path(), &phases).await;
    let after = stripe.only_subscription(&managed.customer).await;
    assert_eq!(
        (&after["items"]["data"][0]["id"], &after["items"]["data"][0]["quantity"]),
        (&item, &json!(3))
    );
    assert!(stripe.pending_items(&managed.customer).await.is_empty());
    assert_eq!(stripe.invoices(&managed.customer).await.len(), 2);
}

#[tokio::test]
async fn a_phase_in_the_middle_of_a_period_prorates() {
    let stripe = Stripe::start().await;
    let managed = stripe.managed().await;
    let dear = stripe.price_of("2400", "month").await;
    let (start, end) = managed.period();
    let middle = (start + (end - start) / 2).to_string();
    let mut phases = managed.phases(&[
        ("phases[1][items][0][price]", &dear),
        ("phases[1][metadata][plan]", "dear"),
        ("phases[1][description]", "the dear one"),
    ]);
    phases[1].1.clone_from(&middle);
    stripe.post_owned(&managed.path(), &phases).await;
    stripe.pass_until(middle.parse().unwrap()).await;
    let after = stripe.only_subscription(&managed.customer).await;
    assert_eq!((sold(&after), period(&after)), (vec![(dear, 1)], (start, end)));
    assert_eq!((&after["metadata"]["plan"], &after["description"]), (&json!("dear"), &json!("the dear one")));
    let waiting = stripe.pending_items(&managed.customer).await;
    let amounts: i64 = waiting.iter().map(|item| item["amount"].as_i64().unwrap()).sum();
    assert_eq!((waiting.len(), amounts), (2, 600), "to the second, as the phase begins when it is due");
}
