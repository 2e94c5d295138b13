//! What a rebuild keeps, the cursor of reconciliation, and what Redis says of itself.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::AsyncCommands;
use serde_json::json;
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

    let staged = [StagedCustomer { id: ada.clone(), user: Some(user.clone()), ticket: "t".to_owned() }];
    store.save_page("r1", 0, &staged).await.unwrap();
    assert_eq!(store.page("r1", 0).await.unwrap(), staged);
    for _ in 0..2 {
        store.stage_user("r1", &user, &ada).await.unwrap();
    }
    store.stage_user("r1", &user, &customer("bob")).await.unwrap();
    assert_eq!(store.staged_user("r1", &user).await.unwrap().len(), 2);
    let keys: Vec<String> = bench.redis.clone().keys("stripe:rebuild:*").await.unwrap();
    for key in keys {
        let left: i64 = bench.redis.clone().ttl(&key).await.unwrap();
        assert!(left > 86_400, "{key} would stay for ever, or not long enough: {left}");
    }

    store.unstage("r1", &ada).await.unwrap();
    store.unstage_user("r1", &user).await.unwrap();
    store.drop_page("r1", 0).await.unwrap();
    assert!(store.staged("r1", &ada).await.unwrap().is_empty());
    assert!(store.staged_user("r1", &user).await.unwrap().is_empty());
    assert!(store.page("r1", 0).await.unwrap().is_empty());
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

#[tokio::test]
async fn progress_and_cursor_come_back_as_they_were() {
    let bench = Bench::new().await;
    let store = &bench.store;
    assert_eq!(store.rebuild_progress().await.unwrap(), None);
    let progress = RebuildProgress {
        token: "r1".to_owned(),
        began: 7,
        step: RebuildStep::Customers { after: Some(customer("ada")) },
        pages: 3,
        counts: RebuildCounts { customers: 300, ..RebuildCounts::default() },
        unreadable: BTreeSet::from([customer("bob")]),
        conflicts: Vec::new(),
    };
    store.save_rebuild_progress(&progress).await.unwrap();
    assert_eq!(store.rebuild_progress().await.unwrap(), Some(progress));
    store.end_rebuild().await.unwrap();
    assert_eq!(store.rebuild_progress().await.unwrap(), None);

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
