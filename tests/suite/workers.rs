//! Workers among each other: who has lost a lease stops, several share the work, and neither a storm
//! nor a race changes what is stored in the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use unsplit::server::run::{open_billing, read_catalog};
use unsplit_billing::adapters::redis::QueueSettings;
use unsplit_billing::adapters::stripe::StripeSettings;
use unsplit_billing::id::CustomerId;
use unsplit_billing::ports::{Clock, Due, Mark, SystemClock, Written};
use unsplit_billing::service::{Billing, Settings, Worker};

use crate::support::{App, AppOptions, SlowLine, Tuning, eventually, tuning};

const ADA: &str = "ada@example.com";
const LIST: &str = "/v1/subscriptions";

fn id(customer: &str) -> CustomerId {
    CustomerId::parse(customer).unwrap()
}

async fn mark(billing: &Billing, customer: &str) {
    billing.mark(&Mark::of(id(customer), Due::By(SystemClock.now()))).await.unwrap();
}

/// A worker, and what stops it.
struct Working {
    stop: oneshot::Sender<()>,
    worker: JoinHandle<()>,
}

impl Working {
    fn on(billing: &Arc<Billing>) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = Worker::new(billing.clone()).run(async move { drop(stopped.await) });
        Self { stop, worker: tokio::spawn(worker) }
    }

    async fn in_a_process_of_its_own(app: &App, tuning: &Tuning) -> Self {
        Self::on(&open_billing(&app.config, read_catalog().unwrap(), tuning).await.unwrap().0)
    }

    async fn end(self) {
        drop(self.stop);
        self.worker.await.unwrap();
    }
}

/// It runs one sync at a time, gives none up by itself, and renews when its lease has run out already.
fn too_late() -> Tuning {
    let for_ever = Duration::from_secs(3600);
    let billing = |settings: &mut Settings| {
        (tuning().billing)(settings);
        settings.concurrency = 1;
        settings.sync_deadline = Duration::from_secs(3600);
        settings.renew_every = Duration::from_secs(2);
    };
    Tuning {
        stripe: StripeSettings { timeout: for_ever, ..tuning().stripe },
        queue: QueueSettings { lease: Duration::from_millis(200), ..tuning().queue },
        billing,
        ..tuning()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_lost_a_lease_stops_and_changes_nothing() {
    let mut app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (_, ada, subscription) = app.subscriber(ADA).await;
    let bob = app.stripe.post("/v1/customers", &[("email", "bob@example.com")]).await;
    let bob = bob["id"].as_str().unwrap();
    app.stop().await;
    let first = Working::in_a_process_of_its_own(&app, &too_late()).await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "past_due" })).await;
    app.stripe.forget_requests().await;
    app.stripe.fault(&json!({ "path": LIST, "hold": true, "times": 1 })).await;
    mark(&app.billing, &ada).await;
    eventually("it hangs at Stripe", async || {
        (app.stripe.requests("GET", LIST).await.len() == 1).then_some(())
    })
    .await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "unpaid" })).await;
    let second = Working::in_a_process_of_its_own(&app, &tuning()).await;
    app.eventually_status(&ada, "unpaid").await;
    second.end().await;
    let stored = app.snapshot(&ada).await;

    // Its one place is free again, so its sync has ended: the answer to that is still held.
    app.stripe.subscribe(bob, "pro_monthly").await;
    mark(&app.billing, bob).await;
    app.eventually_status(bob, "active").await;
    app.stripe.control("faults/release", &json!({})).await;
    mark(&app.billing, bob).await;
    app.eventually_quiet().await;
    assert_eq!(app.snapshot(&ada).await, stored);
    let entries = app.billing.queue_entries(10).await.unwrap();
    assert!(entries.iter().all(|it| it.attempts == 0 && it.last_error.is_none()), "{entries:?}");
    first.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_workers_of_one_process_do_each_customer_once() {
    // Longer than the test, so that nobody is taken for dead.
    let queue = QueueSettings { lease: Duration::from_secs(600), ..tuning().queue };
    let app = App::with(AppOptions { tuning: Tuning { queue, ..tuning() }, ..AppOptions::default() }).await;
    app.stripe.forget_requests().await;
    let workers: Vec<Working> = (0..4).map(|_| Working::on(&app.billing)).collect();
    let mut marks = JoinSet::new();
    for number in 0..100 {
        let billing = app.billing.clone();
        marks.spawn(async move { mark(&billing, &format!("cus_{number}")).await });
    }
    marks.join_all().await;
    app.eventually_quiet().await;
    let mut times = BTreeMap::<String, usize>::new();
    for request in app.stripe.requests("GET", LIST).await {
        *times.entry(request["params"]["customer"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(times.len(), 100);
    times.retain(|_, times| *times > 1);
    assert!(times.is_empty(), "{times:?}");
    for worker in workers {
        worker.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_syncs_in_two_processes_end_with_the_newest() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (_, ada, subscription) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    let lines = [SlowLine::to(&app.stripe.url, LIST).await, SlowLine::to(&app.stripe.url, LIST).await];
    let processes = [app.another_process(&lines[0].url).await, app.another_process(&lines[1].url).await];
    let mut running = JoinSet::new();
    for number in 0..12 {
        let status = ["past_due", "active", "incomplete"][number % 3];
        app.stripe.patch("subscriptions", &subscription, &json!({ "status": status })).await;
        let (billing, customer) = (processes[number % 2].clone(), id(&ada));
        running.spawn(async move { billing.sync(&customer).await.unwrap() });
        lines[number % 2].answered().await;
    }
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "unpaid" })).await;
    let newest = app.sync(&ada).await;
    assert_eq!(newest["status"], "unpaid");
    for line in lines.iter().cycle().take(12) {
        line.release();
    }
    for older in running.join_all().await {
        assert_eq!(older.written, Written::Refused);
        assert_eq!(serde_json::to_value(&older.snapshot).unwrap(), newest, "it tells what is stored");
    }
    assert_eq!(app.snapshot(&ada).await, newest);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customers_storm_leaves_the_others_their_turn() {
    let billing = |settings: &mut Settings| {
        (tuning().billing)(settings);
        settings.concurrency = 1;
    };
    let queue = QueueSettings { quiet: Duration::ZERO, ..tuning().queue };
    let tuning = Tuning { billing, queue, ..tuning() };
    let app = App::with(AppOptions { tuning, ..AppOptions::default() }).await;
    app.stripe.hold_webhooks().await;
    let (_, ada, _) = app.subscriber(ADA).await;
    let bob = app.stripe.post("/v1/customers", &[("email", "bob@example.com")]).await;
    let bob = bob["id"].as_str().unwrap();
    app.stripe.subscribe(bob, "pro_monthly").await;
    app.eventually_quiet().await;
    let (marks, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let storm = {
        let (billing, marks, over) = (app.billing.clone(), marks.clone(), over.clone());
        tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                mark(&billing, &ada).await;
                marks.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    eventually("it rages", async || (marks.load(Ordering::SeqCst) > 300).then_some(())).await;
    mark(&app.billing, bob).await;
    app.eventually_status(bob, "active").await;
    let at = marks.load(Ordering::SeqCst);
    eventually("it goes on", async || (marks.load(Ordering::SeqCst) > at).then_some(())).await;
    over.store(true, Ordering::SeqCst);
    storm.await.unwrap();
    app.eventually_quiet().await;
}
