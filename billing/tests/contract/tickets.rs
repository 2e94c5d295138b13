//! A write needs a ticket, and writing tears up every older one.

use unsplit_billing::ports::{Snapshots, Ticket, Written};

use super::support::{Bench, customer, value};

async fn write(bench: &Bench, ticket: &Ticket, synced_at: i64) -> Written {
    bench.store.write(&customer("1"), ticket, &value(synced_at)).await.unwrap()
}

async fn stored(bench: &Bench) -> Option<i64> {
    bench.store.snapshot(&customer("1")).await.unwrap().map(|snapshot| snapshot.synced_at)
}

#[tokio::test]
async fn the_older_is_refused_after_the_newer_was_written() {
    let bench = Bench::new().await;
    let older = bench.store.begin(&customer("1")).await.unwrap();
    let newer = bench.store.begin(&customer("1")).await.unwrap();
    assert!(newer.seq > older.seq && newer.token != older.token);
    assert_eq!(stored(&bench).await, None);
    assert_eq!(write(&bench, &newer, 2).await, Written::Accepted);
    assert_eq!(write(&bench, &older, 1).await, Written::Refused);
    assert_eq!(stored(&bench).await, Some(2));
}

#[tokio::test]
async fn in_order_both_are_written_and_a_ticket_is_good_once() {
    let bench = Bench::new().await;
    let older = bench.store.begin(&customer("1")).await.unwrap();
    let newer = bench.store.begin(&customer("1")).await.unwrap();
    assert_eq!(write(&bench, &older, 1).await, Written::Accepted);
    assert_eq!(write(&bench, &newer, 2).await, Written::Accepted);
    for ticket in [&older, &newer] {
        assert_eq!(write(&bench, ticket, 3).await, Written::Refused);
    }
    assert_eq!(stored(&bench).await, Some(2));
}

#[tokio::test]
async fn a_ticket_nobody_has_given_out_or_of_another_customer_is_refused() {
    let bench = Bench::new().await;
    let unknown = Ticket { seq: 99, token: "0".repeat(32) };
    assert_eq!(write(&bench, &unknown, 1).await, Written::Refused);
    let other = bench.store.begin(&customer("2")).await.unwrap();
    assert_eq!(write(&bench, &other, 1).await, Written::Refused);
    assert_eq!(stored(&bench).await, None);
}

#[tokio::test]
async fn an_expired_ticket_is_refused() {
    let bench = Bench::new().await;
    let ticket = bench.store.begin(&customer("1")).await.unwrap();
    bench.delete("{stripe:customer:cus_1}:tickets").await;
    assert_eq!(write(&bench, &ticket, 1).await, Written::Refused);
}

/// What a bare counter would get wrong: after a failover the numbers begin again.
#[tokio::test]
async fn a_ticket_of_a_lost_history_is_refused_even_under_a_number_that_is_in_use_again() {
    let bench = Bench::new().await;
    let mut lost = bench.store.begin(&customer("1")).await.unwrap();
    for _ in 0..5 {
        lost = bench.store.begin(&customer("1")).await.unwrap();
    }
    bench.flush().await;
    let fresh = bench.store.begin(&customer("1")).await.unwrap();
    assert!(fresh.seq < lost.seq);
    assert_eq!(write(&bench, &lost, 1).await, Written::Refused);
    assert_eq!(write(&bench, &fresh, 2).await, Written::Accepted);
    assert_eq!(write(&bench, &lost, 1).await, Written::Refused);
    assert_eq!(stored(&bench).await, Some(2));
}

#[tokio::test]
async fn many_at_once_leave_the_newest_that_was_written_last() {
    let bench = Bench::new().await;
    let mut tickets = Vec::new();
    for _ in 0..20 {
        tickets.push(bench.store.begin(&customer("1")).await.unwrap());
    }
    let customer = customer("1");
    let writes = tickets.iter().map(|ticket| {
        let seq = i64::try_from(ticket.seq).unwrap();
        let (bench, customer) = (&bench, &customer);
        async move { (seq, bench.store.write(customer, ticket, &value(seq)).await.unwrap()) }
    });
    let written = futures::future::join_all(writes.rev()).await;
    let newest = written.iter().filter(|(_, it)| *it == Written::Accepted).map(|(seq, _)| *seq).max();
    assert_eq!(stored(&bench).await, newest);
    assert_eq!(newest, Some(20), "nothing can shut the newest out");
}

#[tokio::test]
async fn the_text_is_kept_to_the_letter() {
    let bench = Bench::new().await;
    assert_eq!(bench.store.snapshot_json(&customer("1")).await.unwrap(), None);
    let ticket = bench.store.begin(&customer("1")).await.unwrap();
    write(&bench, &ticket, 7).await;
    let text = bench.store.snapshot_json(&customer("1")).await.unwrap();
    assert_eq!(text.as_deref(), Some(r#"{"status":"none","syncedAt":7}"#));
}
