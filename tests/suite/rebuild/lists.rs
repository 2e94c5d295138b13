//! What Stripe lists: over several pages, with what can't be read in it, and while it changes.

use std::sync::Arc;

use serde_json::{Value, json};
use unsplit::server::config::Config;
use unsplit::server::run::{open_billing, read_catalog};

use super::{ADA, LIST, subscriber};
use crate::reconcile::Skewed;
use crate::support::{App, AppOptions, SlowLine, Tuning, eventually, tuning, without_time};

async fn customer(app: &App, email: &str) -> String {
    let made = app.stripe.post("/v1/customers", &[("email", email)]).await;
    made["id"].as_str().unwrap().to_owned()
}

/// Fills more than a page of any list.
async fn crowd(app: &App) {
    let load = json!({ "customers": 130, "price": "pro_monthly", "prefix": "load" });
    app.stripe.control("load", &load).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_of_one_customer_on_several_pages_are_one_list() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (bob, cyd) = (customer(&app, "bob@example.com").await, customer(&app, "cyd@example.com").await);
    // Newest first: of each the better one is on another page.
    let bobs_first = app.stripe.subscribe(&bob, "team_monthly").await;
    let cyds_first = app.stripe.subscribe(&cyd, "pro_monthly").await;
    crowd(&app).await;
    let bobs_last = app.stripe.subscribe(&bob, "pro_monthly").await;
    let cyds_last = app.stripe.subscribe(&cyd, "team_monthly").await;
    let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
    assert_eq!((counts.customers, counts.subscriptions, counts.calls), (132, 134, 4), "{counts:?}");
    assert_eq!((counts.changed, counts.marked), (132, 0), "{counts:?}");
    for (customer, shown, other) in [(bob, bobs_first, bobs_last), (cyd, cyds_last, cyds_first)] {
        let value = app.snapshot(&customer).await;
        assert_eq!((&value["subscriptionId"], &value["plan"]), (&json!(shown), &json!("team")), "{value}");
        assert_eq!(value["others"][0]["subscriptionId"], other, "{value}");
        assert_eq!(without_time(value), without_time(app.sync(&customer).await), "what a sync gives");
    }
}

/// Somebody with a subscription that ended and a new one, of which Stripe says nonsense. Nobody has
/// heard of the new one.
async fn with_nonsense(app: &App) -> (String, String, Value) {
    app.stripe.hold_webhooks().await;
    let (_, customer, ended) = app.subscriber(ADA).await;
    app.stripe.delete(&format!("{LIST}/{ended}")).await;
    assert_eq!(app.sync(&customer).await["status"], "canceled");
    app.eventually_quiet().await;
    let unreadable = app.stripe.subscribe(&customer, "pro_monthly").await;
    let items = app.stripe.get(&format!("{LIST}/{unreadable}")).await["items"].clone();
    app.stripe.patch("subscriptions", &unreadable, &json!({ "items": "nonsense" })).await;
    (customer, unreadable, items)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_cannot_be_read_leaves_the_old_value_and_a_mark() {
    let app = App::start().await;
    let (customer, unreadable, items) = with_nonsense(&app).await;
    let key = format!("stripe:customer:{customer}");
    for known in [true, false] {
        if !known {
            app.flush_stripe().await;
        }
        let before = app.stored(&key).await;
        let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
        assert_eq!((counts.subscriptions, counts.failed, counts.marked), (1, 1, 1), "{counts:?}");
        assert_eq!((counts.changed, counts.unchanged, counts.strangers), (0, 0, 0), "{counts:?}");
        eventually("a worker has tried", async || {
            let entries = app.billing.queue_entries(10).await.ok()?;
            entries.into_iter().find(|it| it.customer.as_str() == customer)?.last_error
        })
        .await;
        assert_eq!(app.stored(&key).await, before, "a part of the list is no value");
    }
    app.stripe.patch("subscriptions", &unreadable, &json!({ "items": items })).await;
    app.eventually_status(&customer, "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_read_and_is_a_deleted_customers_is_marked_too() {
    let app = App::start().await;
    let (customer, subscription) = subscriber(&app).await;
    app.stripe.delete(&format!("/v1/customers/{customer}")).await;
    let items = app.stripe.get(&format!("{LIST}/{subscription}")).await["items"].clone();
    app.stripe.patch("subscriptions", &subscription, &json!({ "items": "nonsense" })).await;
    app.flush_stripe().await;
    let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
    assert_eq!((counts.failed, counts.marked, counts.strangers), (1, 1, 1), "{counts:?}");
    app.stripe.patch("subscriptions", &subscription, &json!({ "items": items })).await;
    app.eventually_status(&customer, "canceled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_bought_behind_the_lists_back_is_found_by_the_next_pass() {
    // Whose clock is ahead must not date the values later than the list.
    let ahead = || Tuning { clock: Arc::new(Skewed(90)), ..tuning() };
    let app = App::with(AppOptions { tuning: ahead(), ..AppOptions::default() }).await;
    app.stripe.hold_webhooks().await;
    crowd(&app).await;
    let (first, last) = ("cus_load00000129", "cus_load00000000");
    let line = SlowLine::to(&app.stripe.url, LIST).await;
    let config = Config { stripe_base: Some(line.url.clone()), ..app.config.clone() };
    let slow = open_billing(&config, read_catalog().unwrap(), &ahead()).await.unwrap().0;
    let rebuilding = tokio::spawn(async move { slow.rebuild(&|_| {}).await.unwrap() });
    line.answered().await;
    // The page that is held has the first one's subscription, the next page the last one's.
    let newer =
        [app.stripe.subscribe(first, "team_monthly").await, app.stripe.subscribe(last, "team_monthly").await];
    line.release();
    line.answered().await;
    line.release();
    let counts = rebuilding.await.unwrap().counts;
    assert_eq!((counts.subscriptions, counts.changed, counts.marked), (130, 130, 0), "as listed: {counts:?}");
    let found = app.billing.reconcile().await.unwrap();
    assert_eq!((found.customers, found.marked), (2, 2), "{found:?}");
    for (customer, newer) in [first, last].into_iter().zip(newer) {
        eventually("the newer one is shown", async || {
            (app.snapshot(customer).await["subscriptionId"] == newer).then_some(())
        })
        .await;
    }
}
