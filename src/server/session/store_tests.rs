//! The store's contract, on a real Redis.
#![expect(clippy::unwrap_used)]

use serde_json::json;
use time::Duration;

use super::*;
use crate::server::session::test_redis::TestRedis;

fn record(lasts: Duration) -> Record {
    Record {
        id: Id::default(),
        data: HashMap::from([("user".to_owned(), json!("user_1"))]),
        // Redis counts whole seconds here.
        expiry_date: (OffsetDateTime::now_utc() + lasts).replace_nanosecond(0).unwrap(),
    }
}

#[tokio::test]
async fn what_is_created_is_loaded_until_it_is_deleted() {
    let redis = TestRedis::start().await;
    let store = RedisSessionStore::new(redis.connection.clone());
    let mut first = record(Duration::hours(1));
    store.create(&mut first).await.unwrap();
    assert_eq!(store.load(&first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.load(&Id::default()).await.unwrap(), None);

    first.data.insert("more".to_owned(), json!({"a": [1, 2]}));
    store.save(&first).await.unwrap();
    assert_eq!(store.load(&first.id).await.unwrap(), Some(first.clone()));

    store.delete(&first.id).await.unwrap();
    assert_eq!(store.load(&first.id).await.unwrap(), None);
    store.delete(&first.id).await.unwrap();
}

#[tokio::test]
async fn an_id_that_is_taken_is_not_overwritten() {
    let redis = TestRedis::start().await;
    let store = RedisSessionStore::new(redis.connection.clone());
    let mut first = record(Duration::hours(1));
    store.create(&mut first).await.unwrap();
    let mut second = record(Duration::hours(1));
    second.id = first.id;
    second.data.clear();
    store.create(&mut second).await.unwrap();
    assert_ne!(second.id, first.id);
    assert_eq!(store.load(&first.id).await.unwrap(), Some(first));
    assert_eq!(store.load(&second.id).await.unwrap(), Some(second));
}

#[tokio::test]
async fn a_slow_save_does_not_bring_a_deleted_session_back() {
    let redis = TestRedis::start().await;
    let store = RedisSessionStore::new(redis.connection.clone());
    let mut session = record(Duration::hours(1));
    store.create(&mut session).await.unwrap();
    store.delete(&session.id).await.unwrap();
    store.save(&session).await.unwrap();
    assert_eq!(store.load(&session.id).await.unwrap(), None);
}

#[tokio::test]
async fn redis_drops_a_session_when_it_ends() {
    let redis = TestRedis::start().await;
    let store = RedisSessionStore::new(redis.connection.clone());
    let mut session = record(Duration::hours(1));
    store.create(&mut session).await.unwrap();
    let left: i64 = ask(&redis.connection, redis::cmd("TTL").arg(key(&session.id))).await.unwrap();
    assert!((3590..=3600).contains(&left), "{left}");
    session.expiry_date -= Duration::hours(2);
    store.save(&session).await.unwrap();
    assert_eq!(store.load(&session.id).await.unwrap(), None);
}

#[tokio::test]
async fn without_redis_there_is_an_error_and_no_empty_session() {
    let mut redis = TestRedis::start().await;
    let store = RedisSessionStore::new(redis.connection.clone());
    let mut session = record(Duration::hours(1));
    store.create(&mut session).await.unwrap();
    redis.stop();
    assert!(matches!(store.load(&session.id).await, Err(Error::Backend(_))));
    assert!(matches!(store.save(&session).await, Err(Error::Backend(_))));
    assert!(matches!(store.delete(&session.id).await, Err(Error::Backend(_))));
    redis.start_again().await;
    assert!(store.load(&session.id).await.is_ok());
}
