//! A sleeping worker is woken when something is due earlier than it thinks, and not otherwise.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use redis::aio::PubSub;
use unsplit_billing::clock::UnixMillis;
use unsplit_billing::ports::{Due, Mark, Queue};

use super::support::{Bench, LEASE, QUIET, customer};

async fn woken(wakes: &mut BoxStream<'static, ()>) {
    tokio::time::timeout(Duration::from_secs(20), wakes.next()).await.unwrap().unwrap();
}

/// A Redis of the test's own: what is published is heard in all databases.
const CHANNEL: &str = "stripe:due";

/// What is published, heard by a subscription of the test's own.
struct Ear(PubSub);

impl Ear {
    async fn of(bench: &Bench) -> Self {
        let mut pubsub = bench.redis.pubsub().await.unwrap();
        pubsub.subscribe(CHANNEL).await.unwrap();
        Self(pubsub)
    }

    /// How often it was published since the last time.
    async fn heard(&mut self, bench: &Bench) -> usize {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(CHANNEL).arg("end");
        let _: i64 = publish.query_async(&mut bench.redis.clone()).await.unwrap();
        let mut count = 0;
        let mut messages = self.0.on_message();
        while messages.next().await.unwrap().get_payload::<String>().unwrap() != "end" {
            count += 1;
        }
        count
    }
}

#[tokio::test]
async fn who_listens_is_woken_at_the_beginning_and_by_a_mark() {
    let bench = Bench::new().await;
    let mut wakes = bench.store.wakes();
    woken(&mut wakes).await;
    bench.mark("1", 0).await;
    woken(&mut wakes).await;
}

#[tokio::test]
async fn only_what_is_due_earlier_than_all_else_wakes() {
    let (_server, bench) = Bench::alone().await;
    let mut ear = Ear::of(&bench).await;
    bench.mark("1", 500).await;
    assert_eq!(ear.heard(&bench).await, 1, "the first one");
    bench.mark("2", 500).await;
    bench.mark("2", 900).await;
    bench.mark("1", 700).await;
    assert_eq!(ear.heard(&bench).await, 0, "nobody sleeps that long");
    bench.mark("2", 100).await;
    assert_eq!(ear.heard(&bench).await, 1);
    bench.pass(100);
    let claim = bench.claim_one().await;
    bench.pass(400);
    let other = bench.claim_one().await;
    assert_eq!(ear.heard(&bench).await, 0, "whoever looks sees the leases");

    bench.failed(&claim, LEASE + 1).await;
    ear.heard(&bench).await;
    bench.store.release(&[other]).await.unwrap();
    assert_eq!(ear.heard(&bench).await, 1, "given back");
    let again = bench.claim_one().await;
    bench.failed(&again, 10).await;
    assert_eq!(ear.heard(&bench).await, 1, "tried again soon");
    bench.pass(10);
    let last = bench.claim_one().await;
    bench.mark("1", 0).await;
    bench.done(&last).await;
    assert_eq!(ear.heard(&bench).await, 1, "due again after the quiet time");
    assert_eq!(bench.next_due().await, Some(QUIET));
}

#[tokio::test]
async fn an_eager_syncs_next_change_wakes_too() {
    let (_server, bench) = Bench::alone().await;
    let generation = bench.mark("1", 0).await;
    let claim = bench.claim_one().await;
    bench.done(&claim).await;
    let mut ear = Ear::of(&bench).await;
    bench.done_eagerly("1", generation, Some(bench.now() + 5)).await;
    assert_eq!(ear.heard(&bench).await, 1);
    assert_eq!(bench.next_due().await, Some(5));
}

/// What was published while nobody listened is made up for.
#[tokio::test]
async fn a_lost_subscription_comes_back_and_wakes() {
    let (mut server, bench) = Bench::alone().await;
    let mut wakes = bench.store.wakes();
    woken(&mut wakes).await;
    let _: i64 = redis::cmd("CLIENT")
        .arg(&["KILL", "TYPE", "pubsub"])
        .query_async(&mut bench.redis.clone())
        .await
        .unwrap();
    woken(&mut wakes).await;
    server.kill();
    server.restart();
    woken(&mut wakes).await;
    // The other connection learns of the restart by a mark that fails.
    let mark = Mark::of(customer("1"), Due::By(UnixMillis(bench.now())));
    while bench.store.mark(&mark).await.is_err() {}
    woken(&mut wakes).await;
}

/// A user of Redis 7 may use no channel unless it was said; the marks do not depend on it.
#[tokio::test]
async fn who_may_not_publish_marks_all_the_same() {
    let (server, bench) = Bench::alone().await;
    let mute = bench.mute(&server).await;
    mute.mark("1", 0).await;
    let claim = mute.claim_one().await;
    mute.failed(&claim, 0).await;
    let claim = mute.claim_one().await;
    mute.done_until(&claim, Some(mute.now() + 10)).await;
    assert_eq!(mute.next_due().await, Some(10));
}
