//! A queue in several shards, whose number changes from release to release.

use std::collections::BTreeSet;

use unsplit_billing::id::{CustomerId, EventId};
use unsplit_billing::ports::{Claim, Due, Mark, Queue, Received};

use super::support::{Bench, customer};

const MANY: usize = 40;

async fn mark_many(bench: &Bench) {
    for number in 0..MANY {
        bench.mark(&number.to_string(), 0).await;
    }
}

fn customers(claims: &[Claim]) -> BTreeSet<CustomerId> {
    claims.iter().map(|claim| claim.customer.clone()).collect()
}

#[tokio::test]
async fn everything_works_on_every_shard() {
    let bench = Bench::new().await.sharded(4);
    mark_many(&bench).await;
    let claims = bench.store.claim(1000).await.unwrap();
    assert_eq!(customers(&claims).len(), MANY);
    assert!(bench.store.renew(&claims).await.unwrap().is_empty());
    bench.store.release(&claims).await.unwrap();
    assert_eq!(bench.store.renew(&claims).await.unwrap().len(), MANY);
    assert_eq!(bench.store.stats().await.unwrap().due, MANY as u64);
    assert_eq!(bench.store.entries(1000).await.unwrap().len(), MANY);
    let claims = bench.store.claim(1000).await.unwrap();
    bench.failed(&claims[0], 700).await;
    assert_eq!(bench.next_due().await, Some(700));
    for claim in &claims[1..] {
        assert_eq!(bench.done(claim).await, Some(0));
    }
    bench.pass(700);
    bench.done(&bench.claim_one().await).await;
    assert_eq!(bench.next_due().await, None);
}

#[tokio::test]
async fn none_starves() {
    let bench = Bench::new().await.sharded(4);
    mark_many(&bench).await;
    let mut first = BTreeSet::new();
    for _ in 0..4 {
        let claim = bench.store.claim(1).await.unwrap().remove(0);
        first.insert(claim.lease.split('.').next().unwrap().to_owned());
    }
    assert_eq!(first.len(), 4, "one of each shard: {first:?}");
}

#[tokio::test]
async fn a_release_with_fewer_finds_what_one_with_more_has_left() {
    let bench = Bench::new().await.sharded(4);
    mark_many(&bench).await;
    let bench = bench.sharded(1);
    let claims = bench.store.claim(1000).await.unwrap();
    assert_eq!(customers(&claims).len(), MANY);
    bench.store.release(&claims).await.unwrap();
    // What lies in an old shard as well is synced twice, and both reports are taken.
    bench.mark("0", 0).await;
    let twice = bench.store.claim(1000).await.unwrap();
    assert_eq!(customers(&twice).len(), MANY);
    for claim in &twice {
        bench.done(claim).await;
    }
    assert_eq!(bench.next_due().await, None);
}

#[tokio::test]
async fn received_events_are_one_list() {
    let bench = Bench::new().await.sharded(4);
    for number in 0..MANY {
        let customer = customer(&number.to_string());
        let received = Received {
            id: EventId::parse(format!("evt_{number}")).unwrap(),
            kind: "invoice.paid".to_owned(),
            customer: Some(customer.clone()),
            at: bench.now(),
            outcome: "marked".to_owned(),
        };
        if number % 10 == 0 {
            bench.store.record(&received).await.unwrap();
        } else {
            let mark = Mark::of(customer, Due::By(unsplit_billing::clock::UnixMillis(bench.now())));
            bench.store.mark(&Mark { received: Some(received), ..mark }).await.unwrap();
        }
        bench.pass(1);
    }
    let numbers: Vec<String> =
        bench.store.received(12).await.unwrap().iter().map(|event| event.id.to_string()).collect();
    let newest: Vec<String> = (MANY - 12..MANY).rev().map(|number| format!("evt_{number}")).collect();
    assert_eq!(numbers, newest);
    assert_eq!(bench.store.received(1000).await.unwrap().len(), MANY);
    assert!(bench.store.received(0).await.unwrap().is_empty());
}
