//! The queue's table in docs/sync.md, row by row.

use unsplit_billing::clock::UnixMillis;
use unsplit_billing::id::EventId;
use unsplit_billing::ports::{Due, Queue, Received};

use super::support::{Bench, LEASE, QUIET, customer};

#[tokio::test]
async fn a_mark_is_due_at_its_time_or_earlier() {
    let bench = Bench::new().await;
    assert_eq!(bench.next_due().await, None);
    bench.mark("1", 500).await;
    bench.claims_nothing().await;
    bench.mark("1", 900).await;
    assert_eq!(bench.next_due().await, Some(500), "a later mark delays nothing");
    bench.mark("1", 100).await;
    assert_eq!(bench.next_due().await, Some(100));
    bench.pass(100);
    assert_eq!(bench.claim_one().await.customer, customer("1"));
}

#[tokio::test]
async fn a_thousand_marks_are_one_claim_and_the_last_generation() {
    let bench = Bench::new().await;
    let mut generation = 0;
    for _ in 0..1000 {
        let next = bench.mark("1", 0).await;
        assert_ne!(next, generation);
        generation = next;
    }
    let claim = bench.claim_one().await;
    assert_eq!((claim.generation, claim.attempts), (generation, 0));
    bench.claims_nothing().await;
    bench.done(&claim).await;
    assert_eq!(bench.next_due().await, None, "nothing is left");
}

#[tokio::test]
async fn a_claim_takes_as_many_as_asked_and_each_once() {
    let bench = Bench::new().await;
    for id in ["1", "2", "3"] {
        bench.mark(id, 0).await;
    }
    let two = bench.store.claim(2).await.unwrap();
    let rest = bench.claim().await;
    assert_eq!((two.len(), rest.len()), (2, 1));
    let leases: std::collections::BTreeSet<_> =
        two.iter().chain(&rest).map(|claim| claim.lease.clone()).collect();
    assert_eq!(leases.len(), 3, "no two share a lease");
}

#[tokio::test]
async fn a_mark_during_a_lease_moves_only_the_generation_and_is_not_lost() {
    let bench = Bench::new().await;
    bench.mark("1", 0).await;
    let claim = bench.claim_one().await;
    let later = bench.mark("1", 0).await;
    assert_ne!(later, claim.generation);
    bench.claims_nothing().await;
    bench.done_until(&claim, Some(bench.now() + 1_000_000)).await;
    assert_eq!(bench.next_due().await, Some(QUIET), "after the quiet time, before the next known change");
    bench.pass(QUIET);
    assert_eq!(bench.claim_one().await.generation, later);
}

#[tokio::test]
async fn done_leaves_the_next_known_change() {
    let bench = Bench::new().await;
    bench.mark("1", 0).await;
    let claim = bench.claim_one().await;
    bench.done_until(&claim, Some(bench.now() + 90_000)).await;
    assert_eq!(bench.next_due().await, Some(90_000));
    // A mark before it brings it forward.
    bench.pass(QUIET);
    bench.mark("1", 0).await;
    assert_eq!(bench.claim_one().await.attempts, 0);
}

#[tokio::test]
async fn a_quiet_time_folds_a_burst() {
    let bench = Bench::new().await;
    bench.mark("1", 0).await;
    let claim = bench.claim_one().await;
    bench.done(&claim).await;
    for _ in 0..100 {
        bench.mark("1", 0).await;
    }
    assert_eq!(bench.next_due().await, Some(QUIET));
    bench.claims_nothing().await;
    bench.pass(QUIET);
    bench.claim_one().await;
    bench.mark("2", 0).await;
    assert_eq!(bench.claim_one().await.customer, customer("2"), "another customer does not wait");
}

#[tokio::test]
async fn a_failure_backs_off_and_a_mark_keeps_the_backoff() {
    let bench = Bench::new().await;
    bench.mark("1", 0).await;
    for attempts in 0..3 {
        let claim = bench.claim_one().await;
        assert_eq!(claim.attempts, attempts);
        bench.failed(&claim, 5_000).await;
        bench.mark("1", 0).await;
        assert_eq!(bench.next_due().await, Some(5_000), "a mark does not shorten it");
        bench.claims_nothing().await;
        bench.pass(5_000);
    }
    let claim = bench.claim_one().await;
    bench.done(&claim).await;
    bench.pass(QUIET);
    bench.mark("1", 0).await;
    assert_eq!(bench.claim_one().await.attempts, 0, "a success forgets the failures");
}

#[tokio::test]
async fn a_lease_that_ran_out_is_given_to_another_and_late_reports_change_nothing() {
    let bench = Bench::new().await;
    bench.mark("1", 0).await;
    let late = bench.claim_one().await;
    assert_eq!(bench.next_due().await, Some(LEASE));
    bench.pass(LEASE - 1);
    bench.claims_nothing().await;
    bench.pass(1);
    let present = bench.claim_one().await;
    assert_eq!((&present.customer, present.generation), (&late.customer, late.generation));
    assert_ne!(present.lease, late.lease);

    bench.done(&late).await;
    bench.failed(&late, 1).await;
    assert_eq!(bench.next_due().await, Some(LEASE), "still with the present worker");
    bench.done(&present).await;
    assert_eq!(bench.next_due().await, None);
    bench.failed(&present, 1).await;
    bench.done(&late).await;
    assert_eq!(bench.next_due().await, None, "nor does a report bring it back");
}

#[tokio::test]
async fn an_eager_sync_uses_up_the_mark_it_began_after() {
    let bench = Bench::new().await;
    let generation = bench.mark("1", 30_000).await;
    bench.done_eagerly("1", generation, None).await;
    assert_eq!(bench.next_due().await, None);
    let generation = bench.mark("2", 30_000).await;
    bench.done_eagerly("2", generation, Some(bench.now() + 50_000)).await;
    assert_eq!(bench.next_due().await, Some(50_000));
}

#[tokio::test]
async fn an_eager_sync_uses_up_no_later_mark_and_takes_nothing_from_a_worker() {
    let bench = Bench::new().await;
    let old = bench.mark("1", 30_000).await;
    bench.mark("1", 0).await;
    bench.done_eagerly("1", old, None).await;
    let claim = bench.claim_one().await;
    bench.done_eagerly("1", claim.generation, None).await;
    assert_eq!(bench.next_due().await, Some(LEASE), "the worker's lease stands");
    bench.done(&claim).await;
    assert_eq!(bench.next_due().await, None);
}

#[tokio::test]
async fn who_died_after_the_mark_is_followed_by_a_worker() {
    let bench = Bench::new().await;
    bench.mark("1", 30_000).await;
    bench.pass(29_999);
    bench.claims_nothing().await;
    bench.pass(1);
    bench.claim_one().await;
}

/// An action marks, then calls Stripe; a webhook's sync in between saw nothing of it yet.
#[tokio::test]
async fn a_mark_from_a_time_is_used_up_by_no_sync_that_began_before_it() {
    let bench = Bench::new().await;
    let from = bench.now() + 30_000;
    bench.mark_as("1", Due::From(UnixMillis(from))).await;
    bench.mark("1", 0).await;
    let early = bench.claim_one().await;
    bench.done(&early).await;
    assert_eq!(bench.next_due().await, Some(30_000), "still due when the action may have happened");

    let generation = bench.mark("1", 10_000).await;
    bench.done_eagerly("1", generation, Some(bench.now() + 1_000_000)).await;
    assert_eq!(bench.next_due().await, Some(30_000), "nor by an eager one");

    bench.pass(30_000);
    let claim = bench.claim_one().await;
    bench.done(&claim).await;
    assert_eq!(bench.next_due().await, None, "one that began afterwards is enough");
}

#[tokio::test]
async fn a_mark_from_a_time_during_a_lease_is_not_used_up_either() {
    let bench = Bench::new().await;
    bench.mark("1", 0).await;
    let claim = bench.claim_one().await;
    bench.mark_as("1", Due::From(UnixMillis(bench.now() + 30_000))).await;
    bench.done(&claim).await;
    bench.pass(QUIET);
    let between = bench.claim_one().await;
    bench.done(&between).await;
    assert_eq!(bench.next_due().await, Some(30_000 - QUIET));
}

#[tokio::test]
async fn generations_never_begin_again() {
    let bench = Bench::new().await;
    let mut last = 0;
    for _ in 0..3 {
        let generation = bench.mark("1", 0).await;
        assert_ne!(generation, last);
        last = generation;
        let claim = bench.claim_one().await;
        bench.done(&claim).await;
        bench.pass(QUIET);
    }
    // So a report of the customer's former life is no report of this one.
    let old = last;
    let present = bench.mark("1", 0).await;
    bench.done_eagerly("1", old, None).await;
    assert_eq!(bench.claim_one().await.generation, present);
}

/// Stripe's list may lag behind its events.
#[tokio::test]
async fn an_expected_subscription_that_no_fetch_contained_keeps_the_customer_due_for_a_while() {
    let bench = Bench::new().await;
    bench.mark_expecting("1", "sub_1").await;
    bench.mark("1", 0).await;
    let claim = bench.claim_one().await;
    bench.failed(&claim, 0).await;
    let mut waits = Vec::new();
    loop {
        let claim = bench.claim_one().await;
        bench.done_with(&claim, &["sub_0"]).await;
        let Some(wait) = bench.next_due().await else { break };
        waits.push(wait);
        bench.pass(wait);
    }
    assert!(waits.len() >= 3 && waits[0] == QUIET, "{waits:?}");
    assert!(waits.is_sorted_by(|one, next| one < next), "less and less often: {waits:?}");
    assert!(waits.iter().sum::<i64>() >= 30_000, "long enough for a lag: {waits:?}");
}

#[tokio::test]
async fn an_expected_subscription_is_forgotten_once_it_was_listed() {
    let bench = Bench::new().await;
    for id in ["sub_1", "sub_2"] {
        bench.mark_expecting("1", id).await;
    }
    let claim = bench.claim_one().await;
    bench.done_with(&claim, &["sub_1"]).await;
    bench.pass(QUIET);
    let claim = bench.claim_one().await;
    bench.done_with(&claim, &["sub_2"]).await;
    assert_eq!(bench.next_due().await, None);
    // An eager sync forgets it as well.
    bench.pass(QUIET);
    let generation = bench.mark_expecting("1", "sub_1").await;
    bench.done_eagerly_with("1", generation, &["sub_1", "sub_2"]).await;
    assert_eq!(bench.next_due().await, None);
    bench.pass(QUIET);
    let generation = bench.mark_expecting("1", "sub_3").await;
    bench.done_eagerly_with("1", generation, &["sub_1", "sub_2"]).await;
    assert_eq!(bench.next_due().await, Some(QUIET));
}

#[tokio::test]
async fn the_list_of_received_events_is_short() {
    let bench = Bench::new().await;
    for number in 0..210 {
        let received = Received {
            id: EventId::parse(format!("evt_{number}")).unwrap(),
            kind: "invoice.paid".to_owned(),
            customer: Some(customer("1")),
            at: bench.now(),
            outcome: "marked".to_owned(),
        };
        bench.store.record(&received).await.unwrap();
    }
    let kept: Vec<String> = redis::cmd("LRANGE")
        .arg("{stripe:due:0}:events")
        .arg(0)
        .arg(-1)
        .query_async(&mut bench.redis.clone())
        .await
        .unwrap();
    assert_eq!(kept.len(), 200);
    assert!(kept[0].contains("evt_209"), "newest first");
}

#[tokio::test]
async fn what_is_about_to_happen_is_served_by_a_sync_that_succeeded_after_it() {
    let bench = Bench::new().await;
    bench.mark_as("1", Due::From(UnixMillis(bench.now() + 5_000))).await;
    let visit = bench.mark("1", 30_000).await;
    // The time has come, a worker fails, and a visit that began before it ends.
    bench.pass(6_000);
    let claim = bench.claim_one().await;
    bench.failed(&claim, 1_000).await;
    bench.done_eagerly("1", visit, None).await;
    bench.pass(2_000);
    let claim = bench.claim_one().await;
    bench.done(&claim).await;
    bench.pass(100_000);
    bench.claims_nothing().await;
}

#[tokio::test]
async fn no_generation_comes_a_second_time_after_a_failover() {
    let bench = Bench::new().await;
    let before = bench.mark("1", 0).await;
    bench.flush().await;
    assert_ne!(bench.mark("1", 0).await, before, "a late report would use it up");
    // In Redis' own JSON it is still exact.
    let claim = bench.claim_one().await;
    bench.done(&claim).await;
    bench.pass(100_000);
    bench.claims_nothing().await;
}
