//! Customers whose subscriptions Stripe lists, and who are not in its list of customers.

use redis::AsyncCommands;
use serde_json::{Value, json};
use unsplit_billing::error::Error;
use unsplit_billing::ports::{RebuildCounts, RebuildStep};

use super::{dies_at, end_turn, first_value, held_rebuild, subscriber};
use crate::support::{App, without_time};

const CUSTOMERS: &str = "/v1/customers";

/// Somebody who has bought and was deleted at Stripe, and of whom Redis knows nothing.
async fn deleted(app: &App) -> String {
    let (customer, _) = subscriber(app).await;
    app.stripe.delete(&format!("{CUSTOMERS}/{customer}")).await;
    app.flush_stripe().await;
    customer
}

async fn rebuilt(app: &App) -> RebuildCounts {
    let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
    assert!(app.keys("stripe:rebuild*").await.is_empty(), "nothing is left behind");
    counts
}

fn all_customers_listed(step: &RebuildStep) -> bool {
    matches!(step, RebuildStep::Subscriptions { after: None })
}

/// A worker's value, and that it is what a sync gives.
async fn synced(app: &App, customer: &str, status: &str) -> Value {
    app.eventually_status(customer, status).await;
    let value = app.snapshot(customer).await;
    assert_eq!(without_time(value.clone()), without_time(app.sync(customer).await));
    value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_customer_is_left_to_a_worker() {
    let app = App::start().await;
    let customer = deleted(&app).await;
    let counts = rebuilt(&app).await;
    assert_eq!((counts.customers, counts.subscriptions), (0, 1), "{counts:?}");
    assert_eq!((counts.marked, counts.strangers, counts.changed), (1, 1, 0), "{counts:?}");
    synced(&app, &customer, "canceled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_made_while_we_list_is_left_to_a_worker() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (line, rebuilding) = held_rebuild(&app, CUSTOMERS).await;
    let customer = app.stripe.post(CUSTOMERS, &[("metadata[userId]", "user_bob")]).await["id"].clone();
    let customer = customer.as_str().unwrap();
    let subscription = app.stripe.subscribe(customer, "pro_monthly").await;
    line.release();
    let counts = rebuilding.await.unwrap().unwrap().counts;
    assert_eq!((counts.customers, counts.marked, counts.strangers), (0, 1, 1), "{counts:?}");
    let value = synced(&app, customer, "active").await;
    assert_eq!(value["subscriptionId"], subscription);
    assert_eq!(app.stored("stripe:user:user_bob").await.as_deref(), Some(customer));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_dies_before_it_has_marked_them_marks_them_later() {
    let app = App::start().await;
    let customer = deleted(&app).await;
    let steps: [fn(&RebuildStep) -> bool; 3] =
        [all_customers_listed, first_value, |step| *step == RebuildStep::Strangers];
    for step in steps {
        dies_at(&app, step).await;
    }
    assert_eq!(app.snapshot(&customer).await, Value::Null);
    assert_eq!(rebuilt(&app).await.strangers, 1);
    synced(&app, &customer, "canceled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_runs_ticket_makes_nobody_known() {
    let app = App::start().await;
    let (customer, _) = subscriber(&app).await;
    let (line, late) = held_rebuild(&app, CUSTOMERS).await;
    // Another run lists them again, after one was deleted.
    app.stripe.delete(&format!("{CUSTOMERS}/{customer}")).await;
    let _: u64 = app.redis.clone().del(format!("stripe:customer:{customer}")).await.unwrap();
    end_turn(&app).await;
    dies_at(&app, all_customers_listed).await;
    line.release();
    let refused = late.await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::RebuildRuns), "{refused}");
    let tickets = app.keys(&format!("{{stripe:customer:{customer}}}:tickets")).await;
    assert_eq!(tickets.len(), 1, "the late run has taken one");
    let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
    assert_eq!((counts.customers, counts.strangers), (0, 1), "{counts:?}");
    synced(&app, &customer, "canceled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_of_them_than_a_page_are_all_marked() {
    let app = App::start().await;
    let load = json!({ "customers": 130, "price": "pro_monthly", "prefix": "load" });
    app.stripe.hold_webhooks().await;
    app.stripe.control("load", &load).await;
    for number in 0..130 {
        app.stripe.delete(&format!("{CUSTOMERS}/cus_load{number:08}")).await;
    }
    let counts = rebuilt(&app).await;
    assert_eq!((counts.customers, counts.marked, counts.strangers), (0, 130, 130), "{counts:?}");
    app.eventually_quiet().await;
    assert_eq!(app.keys("stripe:customer:*").await.len(), 130);
    assert_eq!(app.snapshot("cus_load00000000").await["status"], "canceled");
}
