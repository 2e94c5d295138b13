//! Killed at every point at which a process waits, one after the other and none left out: a process
//! that lives makes it good.
#![expect(clippy::print_stdout, reason = "that there were many is for people to see")]

mod doomed;
mod scene;

use std::sync::Arc;
use std::time::Duration;

use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use unsplit_billing::ports::{Clock, SystemClock};
use unsplit_billing::service::{Billing, Buyer, Outcome, Worker};

use doomed::{Cut, work_until};
use scene::{Scene, buyer, id, pro};

const CURSOR: &str = "stripe:reconciled";
const LIST: &str = "/v1/subscriptions";

/// One run for each cut, until one comes to its end. Each is given its number and its cut, and says
/// whether it was cut.
async fn at_every_cut(what: &str, fewest: usize, mut run: impl AsyncFnMut(usize, Cut) -> bool) {
    let runs = async {
        let mut number = 0;
        for cut in Cut::all() {
            if !run(number, cut).await {
                break;
            }
            number += 1;
        }
        number
    };
    let cuts = tokio::time::timeout(Duration::from_secs(600), runs).await;
    let cuts = cuts.unwrap_or_else(|_| panic!("{what} never comes to its end"));
    println!("{what} was killed {cuts} times");
    assert!(cuts >= fewest, "{what} was killed {cuts} times only: it waits more often than that");
}

/// What was cut has either left everything as it was, without asking Stripe, or has said first that
/// the customer is due. In the first case the webhook says it.
async fn has_marked_before_it_asked(scene: &Scene, customer: &str) {
    let asked = scene.app.stripe.requests("GET", LIST).await.len();
    if !scene.is_right(customer).await && !scene.is_due(customer).await {
        assert_eq!(asked, 0, "it has asked Stripe, and nobody will do it again");
        scene.mark(customer).await;
    }
}

/// The buyer is told so, and it stays so.
async fn has_bought(scene: &Scene, buyer: &Buyer, customer: &str, outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Subscribed(_)), "{outcome:?}");
    scene.settles(&[customer]).await;
    scene.has_bought_once(buyer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker() {
    let scene = Scene::new().await;
    let (customer, subscription) = scene.subscriber("ada").await;
    let (customer, customers) = (customer.as_str(), [customer.as_str()]);
    at_every_cut("a worker", 10, async |number, cut| {
        scene.change(&subscription, number).await;
        scene.mark(customer).await;
        let (stop, stopped) = oneshot::channel::<()>();
        let work = move |billing| Worker::new(billing).run(async move { drop(stopped.await) });
        let life = work_until(cut, &scene.config, work);
        tokio::pin!(life);
        let ended = tokio::select! {
            ended = &mut life => ended,
            () = scene.settles(&customers) => {
                drop(stop);
                life.await
            }
        };
        scene.heals(&customers).await;
        ended.is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_waits_for_a_sync() {
    let scene = Scene::new().await;
    let (customer, subscription) = scene.subscriber("ada").await;
    at_every_cut("a sync", 6, async |number, cut| {
        scene.change(&subscription, number).await;
        scene.app.stripe.forget_requests().await;
        let theirs = id(&customer);
        let work = async move |billing: Arc<Billing>| {
            billing.sync_now(&theirs).await.unwrap();
        };
        let ended = work_until(cut, &scene.config, work).await;
        has_marked_before_it_asked(&scene, &customer).await;
        scene.heals(&[&customer]).await;
        ended.is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_who_goes_to_the_checkout() {
    let scene = Scene::new().await;
    at_every_cut("a checkout", 30, async |number, cut| {
        let buyer = buyer(&format!("ada-{number}"));
        let theirs = buyer.clone();
        let work = async move |billing: Arc<Billing>| {
            billing.start_checkout(&theirs, &pro()).await.unwrap();
        };
        let ended = work_until(cut, &scene.config, work).await;
        let living = scene.living().await;
        let customer = scene.buy(&living.billing, &buyer).await;
        let outcome = living.billing.purchase_outcome(&id(&customer)).await;
        has_bought(&scene, &buyer, &customer, &outcome).await;
        living.end().await;
        ended.is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_who_comes_back() {
    let scene = Scene::new().await;
    at_every_cut("a success page", 8, async |number, cut| {
        let buyer = buyer(&format!("ada-{number}"));
        let customer = scene.buy(&scene.app.billing, &buyer).await;
        scene.app.stripe.forget_requests().await;
        let theirs = id(&customer);
        let work = async move |billing: Arc<Billing>| billing.purchase_outcome(&theirs).await;
        let ended = work_until(cut, &scene.config, work).await;
        has_marked_before_it_asked(&scene, &customer).await;
        let living = scene.living().await;
        scene.settles(&[&customer]).await;
        let outcome = ended.clone().unwrap_or(living.billing.purchase_outcome(&id(&customer)).await);
        has_bought(&scene, &buyer, &customer, &outcome).await;
        living.end().await;
        ended.is_none()
    })
    .await;
}

/// When the next pass begins to read, Unix seconds.
async fn cursor(scene: &Scene) -> Value {
    serde_json::from_str(&scene.app.stored(CURSOR).await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconciliation() {
    let scene = Scene::new().await;
    let (customer, subscription) = scene.subscriber("ada").await;
    at_every_cut("a reconciliation", 6, async |number, cut| {
        scene.change(&subscription, number).await;
        let mut before = cursor(&scene).await;
        before["eventsUntil"] = json!(SystemClock.now().secs() - 1000);
        let _: () = scene.app.redis.clone().set(CURSOR, before.to_string()).await.unwrap();
        let work = async move |billing: Arc<Billing>| billing.reconcile().await.unwrap();
        let ended = work_until(cut, &scene.config, work).await;
        let living = scene.living().await;
        // What lies before the cursor, no later pass may find.
        if cursor(&scene).await["eventsUntil"] == before["eventsUntil"] {
            living.billing.reconcile().await.unwrap();
        }
        scene.settles(&[&customer]).await;
        living.end().await;
        ended.is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild() {
    let scene = Scene::new().await;
    let mut bought = Vec::new();
    for name in ["ada", "bob"] {
        bought.push((buyer(name), scene.subscriber(name).await));
    }
    let customers: Vec<&str> = bought.iter().map(|(_, (customer, _))| customer.as_str()).collect();
    at_every_cut("a rebuild", 30, async |number, cut| {
        scene.app.flush_stripe().await;
        let work = async move |billing: Arc<Billing>| billing.rebuild(&|_| {}).await.unwrap();
        let ended = work_until(cut, &scene.config, work).await;
        // What the dead one has kept is not what Stripe says any more.
        let (_, (customer, subscription)) = &bought[0];
        scene.change(subscription, number).await;
        scene.mark(customer).await;
        let living = scene.living().await;
        living.billing.rebuild(&|_| {}).await.unwrap();
        scene.settles(&customers).await;
        living.end().await;
        for (buyer, _) in &bought {
            scene.has_bought_once(buyer).await;
        }
        // A page that was kept and never told of runs out by itself.
        for left in scene.app.keys("stripe:rebuild*").await {
            let seconds: i64 = scene.app.redis.clone().ttl(&left).await.unwrap();
            assert!(left != "stripe:rebuild" && seconds > 0, "{left} is left for {seconds} s");
        }
        ended.is_none()
    })
    .await;
}
