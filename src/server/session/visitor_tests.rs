//! Sessions as the pages see them, on a real Redis.
#![expect(clippy::unwrap_used)]

use std::sync::Arc;

use tower_sessions::session::Id;

use super::*;
use crate::server::session::RedisSessionStore;
use crate::server::session::test_redis::TestRedis;

fn visit(redis: &TestRedis, id: Option<Id>) -> (Session, Visitor) {
    let store = Arc::new(RedisSessionStore::new(redis.connection.clone()));
    let session = Session::new(id, store, None);
    (session.clone(), Visitor::new(session))
}

fn user() -> UserId {
    UserId::parse("user_1").unwrap()
}

#[tokio::test]
async fn looking_changes_nothing() {
    let redis = TestRedis::start().await;
    let (session, visitor) = visit(&redis, None);
    assert_eq!(visitor.user().await.unwrap(), None);
    assert_eq!(visitor.take_flash().await.unwrap(), None);
    assert_eq!(visitor.take_return_to().await.unwrap(), None);
    assert!(!session.is_modified());
}

#[tokio::test]
async fn a_log_in_has_a_new_id_and_keeps_where_to_go() {
    let redis = TestRedis::start().await;
    let (session, visitor) = visit(&redis, None);
    let path = LocalPath::parse("/app").unwrap();
    visitor.set_return_to(&path).await.unwrap();
    assert!(session.expiry_age() <= PASSING_BY);
    session.save().await.unwrap();
    let before = session.id().unwrap();

    let (session, visitor) = visit(&redis, Some(before));
    visitor.log_in(&user()).await.unwrap();
    let after = session.id().unwrap();
    assert_ne!(before, after);
    assert!(session.expiry_age() > PASSING_BY);
    assert_eq!(visit(&redis, Some(before)).1.user().await.unwrap(), None);
    let (_, visitor) = visit(&redis, Some(after));
    assert_eq!(visitor.user().await.unwrap(), Some(user()));
    assert_eq!(visitor.take_return_to().await.unwrap(), Some(path));
    assert_eq!(visitor.take_return_to().await.unwrap(), None);
}

#[tokio::test]
async fn a_log_out_ends_the_session_and_a_flash_starts_another() {
    let redis = TestRedis::start().await;
    let (session, visitor) = visit(&redis, None);
    visitor.log_in(&user()).await.unwrap();
    let before = session.id().unwrap();
    visitor.log_out().await.unwrap();
    visitor.set_flash(&Flash::default()).await.unwrap();
    session.save().await.unwrap();
    let after = session.id().unwrap();
    assert_ne!(before, after);
    assert_eq!(visit(&redis, Some(before)).1.user().await.unwrap(), None);
    let (_, visitor) = visit(&redis, Some(after));
    assert_eq!(visitor.user().await.unwrap(), None);
    assert_eq!(visitor.take_flash().await.unwrap(), Some(Flash::default()));
}

#[tokio::test]
async fn a_log_in_in_use_is_made_longer_once_a_day() {
    let redis = TestRedis::start().await;
    let (session, visitor) = visit(&redis, None);
    visitor.log_in(&user()).await.unwrap();
    let id = session.id().unwrap();
    let (session, visitor) = visit(&redis, Some(id));
    visitor.stay().await.unwrap();
    assert!(!session.is_modified());
    session.insert(DAY, today() - 1).await.unwrap();
    session.save().await.unwrap();
    let (session, visitor) = visit(&redis, Some(id));
    visitor.stay().await.unwrap();
    assert!(session.is_modified());
}

#[tokio::test]
async fn without_redis_nobody_is_logged_out() {
    let mut redis = TestRedis::start().await;
    let (session, visitor) = visit(&redis, None);
    visitor.log_in(&user()).await.unwrap();
    let id = session.id().unwrap();
    redis.stop();
    let (session, visitor) = visit(&redis, Some(id));
    assert!(visitor.user().await.is_err());
    assert!(visitor.log_out().await.is_err());
    assert_eq!(session.id(), Some(id));
}
