//! What becomes of a customer who is lent to a worker: leases that are renewed, given back or run
//! out, in which order customers come, and since when a sync was waited for.

use unsplit_billing::clock::UnixMillis;
use unsplit_billing::ports::{Due, Queue};

use super::support::{Bench, LEASE, QUIET, START, customer};

fn since(claim: &unsplit_billing::ports::Claim) -> Option<i64> {
    claim.since.map(|since| since.0 - START)
}

#[tokio::test]
async fn a_sync_knows_since_when_its_oldest_mark_has_waited() {
    let bench = Bench::new().await;
    bench.mark("1", 0).await;
    bench.pass(100);
    bench.mark("1", 0).await;
    let claim = bench.claim_one().await;
    assert_eq!(since(&claim), Some(0));
    bench.pass(50);
    bench.mark("1", 0).await;
    assert_eq!(bench.done(&claim).await, Some(0));
    bench.pass(QUIET);
    let next = bench.claim_one().await;
    assert_eq!(since(&next), Some(150), "a mark during the lease belongs to the next one");
    assert_eq!(bench.done(&claim).await, None, "the first has nothing more to report");
    assert_eq!(bench.done_until(&next, Some(bench.now() + QUIET)).await, Some(150));
    bench.pass(QUIET);
    let by_itself = bench.claim_one().await;
    assert_eq!((since(&by_itself), bench.done(&by_itself).await), (None, None));
}

#[tokio::test]
async fn neither_a_failure_nor_a_release_nor_a_crash_forgets_the_oldest_mark() {
    let bench = Bench::new().await;
    bench.mark("1", 0).await;
    let failed = bench.claim_one().await;
    bench.pass(10);
    bench.mark("1", 0).await;
    bench.failed(&failed, 0).await;
    let released = bench.claim_one().await;
    assert_eq!(since(&released), Some(0));
    bench.mark("1", 0).await;
    bench.store.release(std::slice::from_ref(&released)).await.unwrap();
    let crashed = bench.claim_one().await;
    assert_eq!(since(&crashed), Some(0));
    bench.mark("1", 0).await;
    bench.pass(LEASE);
    let last = bench.claim_one().await;
    assert_eq!(since(&last), Some(0));
    assert_eq!(bench.done(&last).await, Some(0));
    assert_eq!(bench.next_due().await, None);
}

#[tokio::test]
async fn an_eager_sync_reports_only_what_it_has_served() {
    let bench = Bench::new().await;
    let old = bench.mark("1", 0).await;
    bench.pass(5);
    let new = bench.mark("1", 30_000).await;
    assert_eq!(bench.done_eagerly("1", old, None).await, None);
    assert_eq!(bench.done_eagerly("1", new, Some(bench.now() + 90_000)).await, Some(0));
    bench.pass(QUIET);
    let newest = bench.mark("1", 0).await;
    assert_eq!(bench.done_eagerly("1", newest, None).await, Some(5 + QUIET));
}

#[tokio::test]
async fn a_mark_from_a_time_waits_since_that_time() {
    let bench = Bench::new().await;
    bench.mark_as("1", Due::From(UnixMillis(START + 30_000))).await;
    bench.pass(40_000);
    let claim = bench.claim_one().await;
    assert_eq!((since(&claim), bench.done(&claim).await), (Some(30_000), Some(30_000)));
}

#[tokio::test]
async fn a_burst_around_a_claim_costs_two() {
    let bench = Bench::new().await;
    let mut claims = 0;
    for _ in 0..2 {
        for _ in 0..50 {
            bench.mark("1", 0).await;
        }
        if claims == 0 {
            let claim = bench.claim_one().await;
            for _ in 0..50 {
                bench.mark("1", 0).await;
            }
            bench.done(&claim).await;
            claims += 1;
        }
    }
    while let Some(wait) = bench.next_due().await {
        bench.pass(wait);
        bench.done(&bench.claim_one().await).await;
        claims += 1;
    }
    assert_eq!(claims, 2);
}

#[tokio::test]
async fn a_failing_customer_holds_up_no_other() {
    let bench = Bench::new().await;
    for id in ["bad", "good"] {
        bench.mark(id, 0).await;
    }
    for claim in bench.claim().await {
        if claim.customer == customer("bad") {
            bench.failed(&claim, 900_000).await;
        } else {
            bench.done(&claim).await;
        }
    }
    for id in ["bad", "good"] {
        bench.mark(id, 0).await;
    }
    bench.pass(QUIET);
    let claims = bench.store.claim(1).await.unwrap();
    assert_eq!(claims[0].customer, customer("good"));
    bench.done(&claims[0]).await;
    bench.claims_nothing().await;
    assert_eq!(bench.next_due().await, Some(900_000 - QUIET));
}

#[tokio::test]
async fn a_renewed_lease_begins_anew_and_a_lost_one_is_told() {
    let bench = Bench::new().await;
    for id in ["1", "2"] {
        bench.mark(id, 0).await;
    }
    let mine = bench.claim().await;
    bench.pass(LEASE - 1);
    assert!(bench.store.renew(&mine).await.unwrap().is_empty());
    bench.pass(LEASE - 1);
    bench.claims_nothing().await;
    bench.done(&mine[0]).await;
    bench.pass(1);
    let other = bench.claim_one().await;
    assert_eq!(other.attempts, 1, "who had it may have crashed");
    bench.pass(10);
    let mut lost = bench.store.renew(&mine).await.unwrap();
    lost.sort();
    let mut leases: Vec<_> = mine.iter().map(|claim| claim.lease.clone()).collect();
    leases.sort();
    assert_eq!(lost, leases, "one is done, the other has another worker");
    assert_eq!(bench.next_due().await, Some(LEASE - 10), "the other worker's lease is as it was");
    assert!(bench.store.renew(&[other]).await.unwrap().is_empty());
    assert_eq!(bench.next_due().await, Some(LEASE));
    assert!(bench.store.renew(&[]).await.unwrap().is_empty());
}

/// Held, as long as nobody else has taken it.
#[tokio::test]
async fn a_lease_that_has_run_out_and_was_taken_by_nobody_can_be_renewed() {
    let bench = Bench::new().await;
    bench.mark("1", 0).await;
    let claim = bench.claim_one().await;
    bench.pass(LEASE + 5);
    assert!(bench.store.renew(std::slice::from_ref(&claim)).await.unwrap().is_empty());
    bench.claims_nothing().await;
    bench.done(&claim).await;
    assert_eq!(bench.next_due().await, None);
}

#[tokio::test]
async fn what_is_given_back_is_due_at_once_and_counts_as_no_failure() {
    let bench = Bench::new().await;
    bench.mark("1", 0).await;
    bench.failed(&bench.claim_one().await, 5_000).await;
    bench.pass(5_000);
    let given = bench.claim_one().await;
    assert_eq!(given.attempts, 1);
    bench.store.release(std::slice::from_ref(&given)).await.unwrap();
    assert_eq!(bench.next_due().await, Some(0));
    let present = bench.claim_one().await;
    assert_eq!((present.attempts, present.generation), (1, given.generation));
    bench.pass(10);
    bench.store.release(&[given]).await.unwrap();
    assert_eq!(bench.next_due().await, Some(LEASE - 10), "a late release changes nothing");
    bench.store.release(&[]).await.unwrap();
}

#[tokio::test]
async fn a_customer_that_ends_every_worker_pushes_nobody_aside() {
    let bench = Bench::new().await;
    bench.mark("killer", 0).await;
    bench.claim_one().await;
    bench.pass(LEASE - 1);
    bench.mark("patient", 0).await;
    bench.pass(2);
    bench.mark("late", 0).await;
    let mut order = Vec::new();
    for _ in 0..3 {
        order.extend(bench.store.claim(1).await.unwrap());
    }
    let order: Vec<_> = order.iter().map(|claim| (claim.customer.as_str(), claim.attempts)).collect();
    assert_eq!(order, [("cus_patient", 0), ("cus_killer", 1), ("cus_late", 0)]);
}
