//! What people see of the queue.

use redis::AsyncCommands;
use unsplit_billing::clock::UnixMillis;
use unsplit_billing::ports::{Entry, EntryState, Queue, QueueStats};

use super::support::{Bench, LEASE, START, customer};

fn seen(entry: &Entry) -> (&str, EntryState, i64, u32) {
    (entry.customer.as_str(), entry.state, entry.at.0 - START, entry.attempts)
}

/// One failing, one in flight, two due and one that is due later.
async fn busy() -> Bench {
    let bench = Bench::new().await;
    bench.mark("failing", 0).await;
    let claim = bench.claim_one().await;
    bench.failed(&claim, 9_000).await;
    bench.mark("flying", 0).await;
    bench.claim_one().await;
    bench.mark("second", 2).await;
    bench.mark("first", 1).await;
    bench.mark("later", 50_000).await;
    bench.pass(5);
    bench
}

#[tokio::test]
async fn the_queue_is_counted() {
    let bench = busy().await;
    let stats = QueueStats {
        scheduled: 2,
        due: 2,
        in_flight: 1,
        failing: 1,
        oldest_due: Some(UnixMillis(START + 1)),
    };
    assert_eq!(bench.store.stats().await.unwrap(), stats);
    bench.pass(LEASE - 5);
    let stats = bench.store.stats().await.unwrap();
    assert_eq!((stats.in_flight, stats.due), (0, 5), "a lease that ran out waits for a worker");
    for claim in bench.claim().await {
        bench.done(&claim).await;
    }
    assert_eq!(bench.store.stats().await.unwrap(), QueueStats::default(), "a success ends a failure");
    bench.flush().await;
    assert_eq!(bench.store.stats().await.unwrap(), QueueStats::default());
}

#[tokio::test]
async fn failing_customers_are_shown_first_then_those_in_flight_then_by_time() {
    let bench = busy().await;
    let entries = bench.store.entries(100).await.unwrap();
    let shown: Vec<_> = entries.iter().map(seen).collect();
    let expected = [
        ("cus_failing", EntryState::Scheduled, 9_000, 1),
        ("cus_flying", EntryState::InFlight, LEASE, 0),
        ("cus_first", EntryState::Due, 1, 0),
        ("cus_second", EntryState::Due, 2, 0),
        ("cus_later", EntryState::Scheduled, 50_000, 0),
    ];
    assert_eq!(shown, expected);
    assert_eq!(entries[0].last_error.as_deref(), Some("no answer"));
    assert_eq!(entries[2].since, Some(UnixMillis(START + 1)));
    let two: Vec<_> = bench.store.entries(2).await.unwrap();
    assert_eq!(two.iter().map(seen).collect::<Vec<_>>(), expected[..2]);
    assert!(bench.store.entries(0).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_can_not_be_read_is_shown_as_that_and_hides_nobody() {
    let bench = busy().await;
    let mut redis = bench.redis.clone();
    let _: u64 = redis.hset("{stripe:due:0}:entries", "cus_first", "{").await.unwrap();
    let _: u64 = redis.zadd("{stripe:due:0}:due", "no customer", START).await.unwrap();
    let entries = bench.store.entries(100).await.unwrap();
    let shown: Vec<_> = entries.iter().map(|entry| entry.customer.as_str()).collect();
    assert_eq!(shown, ["cus_failing", "cus_flying", "cus_first", "cus_second", "cus_later"]);
    assert_eq!(entries[2].last_error.as_deref(), Some("the entry can't be read"));
}

#[tokio::test]
async fn a_crash_is_a_failure_that_says_what_it_was() {
    let bench = Bench::new().await;
    bench.mark("1", 0).await;
    bench.claim_one().await;
    bench.pass(LEASE);
    bench.claim_one().await;
    let entries = bench.store.entries(10).await.unwrap();
    assert_eq!((&entries[0].customer, entries[0].attempts), (&customer("1"), 1));
    assert!(entries[0].last_error.as_deref().unwrap().contains("lease"), "{entries:?}");
    assert_eq!(bench.store.stats().await.unwrap().failing, 1);
}
