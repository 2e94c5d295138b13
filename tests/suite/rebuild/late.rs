//! A run that was overtaken and wakes late, and the turn that keeps others from overtaking it.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use redis::AsyncCommands;
use serde_json::json;
use unsplit::server::config::Config;
use unsplit::server::run::{open_billing, read_catalog};
use unsplit_billing::error::Error;
use unsplit_billing::ports::{RebuildProgress, RebuildStep};

use super::{ADA, LIST, dies_at, end_turn, first_value, held_rebuild, subscriber};
use crate::support::{App, SlowLine, Tuning, eventually, tuning};

const CUSTOMERS: &str = "/v1/customers";
const TURN: &str = "stripe:turn:rebuild";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_overtaken_cannot_bring_its_progress_back() {
    let app = App::start().await;
    let (_, customer, _) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    let other = app.another_process(&app.stripe.url).await;
    let (there, is_there) = tokio::sync::oneshot::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let stop = Mutex::new(Some((there, may_go_on)));
    let late = tokio::spawn(async move {
        let told = |progress: &RebuildProgress| {
            let listed = matches!(progress.step, RebuildStep::Subscriptions { after: None });
            if let Some((there, may_go_on)) = stop.lock().unwrap().take_if(|_| listed) {
                there.send(()).unwrap();
                tokio::task::block_in_place(|| may_go_on.recv().unwrap());
            }
        };
        other.rebuild(&told).await
    });
    is_there.await.unwrap();
    end_turn(&app).await;
    app.billing.rebuild(&|_| {}).await.unwrap();
    go_on.send(()).unwrap();
    let refused = late.await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::RebuildRuns), "{refused}");
    assert_eq!(app.keys("stripe:rebuild").await.len(), 0, "it is over");
    assert_eq!(app.snapshot(&customer).await["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_run_writes_nothing_with_tickets_that_it_takes_late() {
    let app = App::start().await;
    let (customer, subscription) = subscriber(&app).await;
    let (line, late) = held_rebuild(&app, CUSTOMERS).await;
    // Another one takes over, has listed everything, and dies.
    end_turn(&app).await;
    dies_at(&app, first_value).await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "past_due" })).await;
    app.sync(&customer).await;
    line.release();
    let refused = late.await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::RebuildRuns), "{refused}");
    let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
    assert_eq!((counts.marked, counts.changed, counts.unchanged), (1, 0, 0), "{counts:?}");
    assert_eq!(app.snapshot(&customer).await["status"], "past_due", "a list from before the sync");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_lasts_as_long_as_its_step_and_who_has_lost_it_stops() {
    let app = App::start().await;
    let short = Tuning {
        billing: |settings| {
            (tuning().billing)(settings);
            settings.turn = Duration::from_millis(600);
        },
        ..tuning()
    };
    let line = SlowLine::to(&app.stripe.url, LIST).await;
    let config = Config { stripe_base: Some(line.url.clone()), ..app.config.clone() };
    let slow = open_billing(&config, read_catalog().unwrap(), &short).await.unwrap().0;
    let rebuilding = tokio::spawn(async move { slow.rebuild(&|_| {}).await });
    line.answered().await;
    let holder = app.stored(TURN).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(app.stored(TURN).await.unwrap(), holder, "it would have run out twice");
    let _: () = app.redis.clone().set(TURN, "somebody").await.unwrap();
    eventually("it has stopped", async || rebuilding.is_finished().then_some(())).await;
    let refused = rebuilding.await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::RebuildRuns), "{refused}");
    assert_eq!(app.stored(TURN).await.unwrap(), "somebody", "whose turn it is keeps it");
}
