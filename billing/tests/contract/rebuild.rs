//! What a rebuild keeps, the cursor of reconciliation, and what Redis says of itself.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::AsyncCommands;
use serde_json::json;
use unsplit_billing::error::StoreError;
use unsplit_billing::fold::ListedSubscription;
use unsplit_billing::id::UserId;
use unsplit_billing::ports::{
    Cursor, RebuildCounts, RebuildProgress, RebuildStep, Reconciliation, Snapshots, StagedCustomer, Staging,
    Ticket, Written,
};

use super::support::{Bench, customer, value};

fn listed(id: &str, status: &str) -> ListedSubscription {
    serde_json::from_value(json!({
        "id": id, "status": status, "created": 5, "items": [], "cancel_at_period_end": false
    }))
    .unwrap()
}

#[tokio::test]
async fn what_is_kept_twice_is_kept_once_and_can_be_thrown_away() {
    let bench = Bench::new().await;
    let (store, ada) = (&bench.store, customer("ada"));
    let user = UserId::parse("user_ada").unwrap();
    store.stage("r1", &ada, &[listed("sub_1", "active")]).await.unwrap();
    store.stage("r1", &ada, &[listed("sub_1", "canceled"), listed("sub_2", "active")]).await.unwrap();
    let mut kept = store.staged("r1", &ada).await.unwrap();
    kept.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(kept, [listed("sub_1", "canceled"), listed("sub_2", "active")]);
    assert!(store.staged("r2", &ada).await.unwrap().is_empty(), "another rebuild has its own");

    let staged = vec![StagedCustomer { id: ada.clone(), user: Some(user.clone()), trial_used: false }];
    store.save_page("t1", 0, &staged).await.unwrap();
    store.save_page("t2", 0, &[]).await.unwrap();
    assert_eq!(store.page("t1", 0).await.unwrap(), Some(staged), "another run has its own pages");
    for _ in 0..2 {
        store.stage_user("r1", &user, &ada).await.unwrap();
    }
    store.stage_user("r1", &user, &customer("bob")).await.unwrap();
    assert_eq!(store.staged_user("r1", &user).await.unwrap().len(), 2);
    store.stage_strangers("r1", "t1", std::slice::from_ref(&ada)).await.unwrap();
    let keys: Vec<String> = bench.redis.clone().keys("stripe:rebuild:*").await.unwrap();
    for key in keys {
        let left: i64 = bench.redis.clone().ttl(&key).await.unwrap();
        let days = left.cast_unsigned().div_ceil(86_400);
        assert_eq!(days, 2, "{key} outlives the tickets, and not for long: {left}");
    }

    store.unstage("r1", &ada).await.unwrap();
    store.unstage_user("r1", &user).await.unwrap();
    store.drop_page("t1", 0).await.unwrap();
    assert!(store.staged("r1", &ada).await.unwrap().is_empty());
    assert!(store.staged_user("r1", &user).await.unwrap().is_empty());
    assert_eq!(store.page("t1", 0).await.unwrap(), None, "nothing is another answer than an empty page");
}

#[tokio::test]
async fn a_stranger_is_who_has_no_ticket_of_that_name() {
    let bench = Bench::new().await;
    let (store, ada) = (&bench.store, customer("ada"));
    store.begin_as(&ada, "t1").await.unwrap();
    store.stage_strangers("r1", "t1", std::slice::from_ref(&ada)).await.unwrap();
    assert!(store.staged_strangers("r1").await.unwrap().is_empty(), "she is on a page");
    let mut all: Vec<_> = (0..120).map(|number| customer(&number.to_string())).collect();
    for _ in 0..2 {
        store.stage_strangers("r1", "t1", &all).await.unwrap();
    }
    store.stage_strangers("r2", "t2", &[ada]).await.unwrap();
    assert_eq!(store.staged_strangers("r2").await.unwrap().len(), 1, "another run's ticket is none");
    let first = store.staged_strangers("r1").await.unwrap();
    assert_eq!(first.len(), 100, "a page's worth");
    store.unstage_strangers("r1", &first).await.unwrap();
    store.unstage_strangers("r1", &[]).await.unwrap();
    let mut found = store.staged_strangers("r1").await.unwrap();
    store.unstage_strangers("r1", &found).await.unwrap();
    assert!(store.staged_strangers("r1").await.unwrap().is_empty());
    found.extend(first);
    found.sort();
    all.sort();
    assert_eq!(found, all, "each of them once");
}

#[tokio::test]
async fn a_rebuilds_ticket_is_a_ticket_as_any_other() {
    let bench = Bench::new().await;
    let (store, ada) = (&bench.store, customer("ada"));
    let by_token = Ticket { seq: 0, token: "r1".to_owned() };
    store.begin_as(&ada, "r1").await.unwrap();
    assert_eq!(store.write(&ada, &by_token, &value(1)).await.unwrap(), Written::Accepted);
    assert_eq!(store.write(&ada, &by_token, &value(2)).await.unwrap(), Written::Refused, "it is used up");
    // A sync that began later and was faster.
    store.begin_as(&ada, "r1").await.unwrap();
    let sync = store.begin(&ada).await.unwrap();
    assert_eq!(store.write(&ada, &sync, &value(3)).await.unwrap(), Written::Accepted);
    assert_eq!(store.write(&ada, &by_token, &value(4)).await.unwrap(), Written::Refused);
    // One that began earlier and is slower.
    let sync = store.begin(&ada).await.unwrap();
    store.begin_as(&ada, "r1").await.unwrap();
    assert_eq!(store.write(&ada, &by_token, &value(5)).await.unwrap(), Written::Accepted);
    assert_eq!(store.write(&ada, &sync, &value(6)).await.unwrap(), Written::Refused);
    assert_eq!(store.snapshot(&ada).await.unwrap().unwrap().synced_at, 5);
}

/// A rebuild's progress at some page.
fn progress(pages: u64) -> RebuildProgress {
    RebuildProgress {
        token: "r1".to_owned(),
        runs: vec![(0, "a".to_owned()), (2, "b".to_owned())],
        replication_ids: BTreeSet::from(["0123".to_owned()]),
        began: 7,
        listed_since: 8,
        step: RebuildStep::Customers { after: Some(customer("ada")) },
        pages,
        counts: RebuildCounts { customers: 300, ..RebuildCounts::default() },
        unreadable: BTreeSet::from([customer("bob")]),
        conflicts: Vec::new(),
    }
}

#[tokio::test]
async fn a_progress_is_its_last_runs_and_no_earlier_one_saves_ends_or_brings_it_back() {
    let bench = Bench::new().await;
    let store = &bench.store;
    assert_eq!(store.adopt_rebuild("a").await.unwrap(), None);
    assert!(store.save_rebuild("a", &progress(1)).await.unwrap());
    assert_eq!(store.adopt_rebuild("b").await.unwrap(), Some(progress(1)));
    assert!(store.save_rebuild("b", &progress(2)).await.unwrap());
    assert!(!store.save_rebuild("a", &progress(3)).await.unwrap(), "a run that was overtaken");
    assert!(!store.end_rebuild("a").await.unwrap());
    assert_eq!(store.adopt_rebuild("b").await.unwrap(), Some(progress(2)), "nothing has changed");

    assert!(store.end_rebuild("b").await.unwrap());
    assert!(store.end_rebuild("b").await.unwrap(), "the call may be sent twice");
    for late in ["a", "b"] {
        assert!(!store.save_rebuild(late, &progress(3)).await.unwrap(), "it is over");
    }
    assert_eq!(store.adopt_rebuild("c").await.unwrap(), None);
}

#[tokio::test]
async fn a_progress_that_cannot_be_read_is_adopted_all_the_same() {
    let bench = Bench::new().await;
    let (store, mut redis) = (&bench.store, bench.redis.clone());
    let _: () = redis.set("stripe:rebuild", r#"{"token":"another release's"}"#).await.unwrap();
    for run in ["a", "b"] {
        assert!(!store.save_rebuild(run, &progress(1)).await.unwrap(), "it is not theirs yet");
        let unreadable = store.adopt_rebuild(run).await.unwrap_err();
        assert!(matches!(unreadable, StoreError::Unreadable { .. }), "{unreadable}");
        assert!(store.save_rebuild(run, &progress(1)).await.unwrap());
        let _: () = redis.hset("stripe:rebuild", "progress", "{}").await.unwrap();
    }
    assert!(store.end_rebuild("b").await.unwrap());
}

#[test]
fn each_page_has_the_tickets_of_the_last_run_that_listed_it() {
    let tickets = [0, 1, 2, 9].map(|page| progress(3).tickets_of(page).map(str::to_owned).unwrap());
    assert_eq!(tickets, ["a", "a", "b", "b"]);
}

#[tokio::test]
async fn a_cursor_comes_back_as_it_was() {
    let bench = Bench::new().await;
    let store = &bench.store;
    assert_eq!(store.cursor().await.unwrap(), None);
    let cursor = Cursor { events_until: 9, rebuild_due: Some("so".to_owned()), drift: 2, passes: Vec::new() };
    store.save_cursor(&cursor).await.unwrap();
    assert_eq!(store.cursor().await.unwrap(), Some(cursor));
}

#[tokio::test]
async fn one_has_the_turn_and_only_who_has_it_ends_it() {
    let bench = Bench::new().await;
    let (store, long) = (&bench.store, Duration::from_secs(60));
    assert!(store.take_turn("reconcile", "a", long).await.unwrap());
    assert!(!store.take_turn("reconcile", "b", long).await.unwrap());
    assert!(store.take_turn("reconcile", "a", long).await.unwrap(), "its holder prolongs it");
    assert!(store.take_turn("rebuild", "b", long).await.unwrap(), "another subject has its own");
    store.end_turn("reconcile", "b").await.unwrap();
    assert!(!store.take_turn("reconcile", "b", long).await.unwrap());
    store.end_turn("reconcile", "a").await.unwrap();
    assert!(store.take_turn("reconcile", "b", long).await.unwrap());
    let left: i64 = bench.redis.clone().pttl("stripe:turn:reconcile").await.unwrap();
    assert!(left > 0 && left <= 60_000, "who dies with the turn does not keep it: {left}");
}

#[tokio::test]
async fn redis_says_whose_history_it_has_and_how_safe_it_is() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let ids = store.replication_ids().await.unwrap();
    let primaries = if bench.redis.is_cluster() { 3 } else { 1 };
    assert_eq!(ids.iter().map(String::len).collect::<Vec<_>>(), vec![40; primaries]);
    assert!(store.known_replication_ids().await.unwrap().is_empty());
    store.save_replication_ids(&ids).await.unwrap();
    assert_eq!(store.known_replication_ids().await.unwrap(), ids);

    let safe = store.durability().await.unwrap();
    assert_eq!((safe.append_only, safe.append_fsync.as_deref()), (true, Some("always")), "{safe:?}");
    assert_eq!(safe.weaknesses(), Vec::<String>::new());
}
