//! Downgrades in the portal that wait for the end of the period, as a configuration's conditions say.

use serde_json::json;

use crate::portal_api::portal;
use crate::support::{Stripe, id};
use crate::time::{HOUR, period};

const CONDITION: &str = "features[subscription_update][schedule_at_period_end][conditions][0][type]";

/// Somebody halfway through a month at 12 dollars, whose portal has a cheaper, a dearer and a yearly plan too.
struct Scene {
    stripe: Stripe,
    customer: String,
    plan: String,
    home: String,
    cheap: String,
    dear: String,
    weekly: String,
}

async fn scene(condition: &str) -> Scene {
    let stripe = Stripe::start().await;
    let (customer, subscription, _) = stripe.halfway().await;
    let price = subscription["items"]["data"][0]["price"]["id"].as_str().unwrap().to_owned();
    let weekly = stripe.price_of("2000", "week").await;
    let (mut more, mut prices) = (Vec::new(), Vec::new());
    for (at, (name, amount)) in [("1", "500"), ("2", "3600")].into_iter().enumerate() {
        let product = id(&stripe.post("/v1/products", &[("name", ["Small", "Large"][at])]).await);
        let fields = [
            ("product", product.as_str()),
            ("currency", "usd"),
            ("unit_amount", amount),
            ("recurring[interval]", "month"),
        ];
        prices.push(id(&stripe.post("/v1/prices", &fields).await));
        let of = format!("features[subscription_update][products][{name}]");
        more.push((format!("{of}[product]"), product));
        more.push((format!("{of}[prices][0]"), prices[at].clone()));
    }
    more.push((CONDITION.to_owned(), condition.to_owned()));
    let more: Vec<_> = more.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let configuration = portal(&stripe, &[&price, &weekly], &more).await;
    let feature = &configuration["features"]["subscription_update"]["schedule_at_period_end"];
    assert_eq!(*feature, json!({ "conditions": [{ "type": condition }] }));
    let session = stripe.portal_session(&customer, &[("configuration", &id(&configuration))]).await;
    let home = session["url"].as_str().unwrap().to_owned();
    let plan = format!("{home}/subscriptions/{}", id(&subscription));
    let [cheap, dear] = <[String; 2]>::try_from(prices).unwrap();
    Scene { stripe, customer, plan, home, cheap, dear, weekly }
}

impl Scene {
    async fn choose(&self, price: &str) -> String {
        let confirm = format!("{}/update/confirm", self.plan);
        self.stripe.go(&confirm, &[("price", price), ("quantity", "1")]).await
    }

    async fn price(&self) -> String {
        id(&self.stripe.only_subscription(&self.customer).await["items"]["data"][0]["price"])
    }
}

#[tokio::test]
async fn a_downgrade_happens_when_the_period_ends() {
    let scene = scene("decreasing_item_amount").await;
    let before = scene.stripe.only_subscription(&scene.customer).await;
    let (_, page) =
        scene.stripe.look(&format!("{}/update/confirm?price={}&quantity=1", scene.plan, scene.cheap)).await;
    assert!(
        page.contains("Until then you keep what you have") && page.contains("Nothing is charged now"),
        "{page}"
    );
    let count = scene.stripe.event_count().await;
    let next = scene.choose(&scene.cheap).await;
    assert!(next.ends_with("notice=scheduled"), "{next}");
    scene.choose(&scene.cheap).await;
    assert_eq!(
        scene.stripe.events_since(count).await,
        ["subscription_schedule.created", "customer.subscription.updated", "subscription_schedule.updated"],
        "it is planned once, however often it is sent"
    );
    let (_, home) = scene.stripe.look(&scene.home).await;
    assert!(home.contains("Small, $5.00 per month") && home.contains("Keep this plan"), "{home}");
    let now = scene.stripe.only_subscription(&scene.customer).await;
    assert_eq!((&now["items"], now["schedule"].is_string()), (&before["items"], true));
    assert_eq!(scene.stripe.invoices(&scene.customer).await.len(), 1);
    scene.stripe.pass_until(period(&now).1 + HOUR).await;
    assert_eq!(scene.price().await, scene.cheap);
    let invoice = scene.stripe.invoices(&scene.customer).await.remove(0);
    assert_eq!(
        (&invoice["billing_reason"], &invoice["amount_paid"]),
        (&json!("subscription_cycle"), &json!(500))
    );
    let after = scene.stripe.only_subscription(&scene.customer).await;
    scene.stripe.pass_until(period(&after).1 + HOUR).await;
    let later = scene.stripe.only_subscription(&scene.customer).await;
    assert_eq!((&later["schedule"], later["status"].as_str()), (&json!(null), Some("active")));
    assert_eq!(scene.price().await, scene.cheap);
}

#[tokio::test]
async fn an_upgrade_happens_at_once_and_takes_the_place_of_what_was_planned() {
    let scene = scene("decreasing_item_amount").await;
    scene.choose(&scene.cheap).await;
    let next = scene.choose(&scene.dear).await;
    assert!(next.ends_with("notice=updated"), "{next}");
    assert_eq!(scene.price().await, scene.dear);
    let now = scene.stripe.only_subscription(&scene.customer).await;
    assert!(now["schedule"].is_null(), "{now}");
    scene.stripe.pass_until(period(&now).1 + HOUR).await;
    assert_eq!(scene.price().await, scene.dear);
}

#[tokio::test]
async fn what_is_planned_can_be_taken_back_and_is_gone_for_those_who_leave() {
    let scene = scene("decreasing_item_amount").await;
    let old = scene.price().await;
    scene.choose(&scene.cheap).await;
    for _ in 0..2 {
        let next = scene.stripe.go(&format!("{}/keep", scene.plan), &[("x", "y")]).await;
        assert!(next.ends_with("notice=kept"), "{next}");
    }
    let now = scene.stripe.only_subscription(&scene.customer).await;
    assert!(now["schedule"].is_null());
    scene.stripe.pass_until(period(&now).1 + HOUR).await;
    assert_eq!(scene.price().await, old);

    let session = scene.stripe.portal_session(&scene.customer, &[]).await;
    let scene = Scene { plan: scene.plan.replace(&scene.home, session["url"].as_str().unwrap()), ..scene };
    scene.stripe.go(&format!("{}/cancel", scene.plan), &[("x", "y")]).await;
    let now = scene.stripe.only_subscription(&scene.customer).await;
    assert_eq!((&now["schedule"], now["cancel_at"].as_i64()), (&json!(null), Some(period(&now).1)));
}

#[tokio::test]
async fn who_leaves_does_not_change_plans_any_more() {
    let scene = scene("decreasing_item_amount").await;
    scene.choose(&scene.cheap).await;
    scene.stripe.go(&format!("{}/cancel", scene.plan), &[("x", "y")]).await;
    let now = scene.stripe.only_subscription(&scene.customer).await;
    assert_eq!((&now["schedule"], now["cancel_at"].as_i64()), (&json!(null), Some(period(&now).1)));
    scene.stripe.pass_until(period(&now).1).await;
    assert_eq!(scene.stripe.only_subscription(&scene.customer).await["status"], "canceled");
}

#[tokio::test]
async fn a_shorter_interval_waits_where_that_is_the_condition() {
    let scene = scene("shortening_interval").await;
    assert!(scene.choose(&scene.weekly).await.ends_with("notice=scheduled"));
    let now = scene.stripe.only_subscription(&scene.customer).await;
    scene.stripe.pass_until(period(&now).1 + HOUR).await;
    assert_eq!(scene.price().await, scene.weekly);
    let now = scene.stripe.only_subscription(&scene.customer).await;
    assert_eq!(period(&now).1 - period(&now).0, 7 * 24 * HOUR);
}

#[tokio::test]
async fn a_cheaper_plan_of_the_same_interval_does_not_wait_for_a_shorter_interval() {
    let scene = scene("shortening_interval").await;
    assert!(scene.choose(&scene.cheap).await.ends_with("notice=updated"));
    assert_eq!(scene.price().await, scene.cheap);
}

#[tokio::test]
async fn a_schedule_that_the_portal_did_not_make_is_left_alone() {
    let scene = scene("decreasing_item_amount").await;
    let subscription = id(&scene.stripe.only_subscription(&scene.customer).await);
    scene.stripe.post("/v1/subscription_schedules", &[("from_subscription", &subscription)]).await;
    let confirm = format!("{}/update/confirm", scene.plan);
    let refused = scene.stripe.submit(&confirm, &[("price", &scene.dear), ("quantity", "1")]).await;
    assert_eq!(refused.status(), 400);
    scene.stripe.go(&format!("{}/keep", scene.plan), &[("x", "y")]).await;
    assert!(scene.stripe.only_subscription(&scene.customer).await["schedule"].is_string());
}
