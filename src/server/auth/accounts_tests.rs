//! Sign-up and log-in, on a real Redis.
#![expect(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::Request;
use tokio::task::JoinSet;

use super::*;
use crate::server::auth::{Limit, TrustedProxies};
use crate::server::session::ask;
use crate::server::session::test_redis::TestRedis;

const ADA: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

/// Cheap hashes: what they cost in production is `hasher`'s test.
fn accounts(redis: &TestRedis, limits: AttemptLimits) -> Arc<Accounts> {
    let hashing = HashingSettings { memory_kib: 64, passes: 1, ..HashingSettings::default() };
    let settings = AccountSettings { limits, hashing };
    Arc::new(Accounts::new(redis.connection.clone(), b"secret", settings).unwrap())
}

fn from(address: &str) -> ClientAddress {
    let (mut parts, ()) = Request::new(()).into_parts();
    let peer: SocketAddr = format!("{address}:1").parse().unwrap();
    parts.extensions.insert(ConnectInfo(peer));
    ClientAddress::of(&parts, TrustedProxies::default())
}

fn rejected<T>(outcome: Result<T, AccountError>) -> Rejected {
    match outcome {
        Err(AccountError::Rejected(rejected)) => rejected,
        Err(AccountError::Unavailable(why)) => panic!("unavailable: {why}"),
        Ok(_) => panic!("passed"),
    }
}

#[tokio::test]
async fn who_signed_up_can_log_in() {
    let redis = TestRedis::start().await;
    let accounts = accounts(&redis, AttemptLimits::default());
    let here = from("1.1.1.1");
    let user = accounts.sign_up(" Ada@Example.com ", PASSWORD, here).await.unwrap();
    assert_eq!(user.email, ADA);
    let id = user.id.as_str();
    assert!(id.starts_with("user_") && id.len() == 27, "{id}");
    assert_eq!(accounts.log_in("ADA@example.com", PASSWORD, here).await.unwrap(), user);
    assert_eq!(rejected(accounts.log_in(ADA, "wrong horse", here).await), Rejected::Wrong);
    assert_eq!(rejected(accounts.log_in("bob@example.com", PASSWORD, here).await), Rejected::Wrong);
    assert!(!format!("{user:?}").contains("ada"));
}

#[tokio::test]
async fn both_fields_are_reported_and_nothing_is_stored() {
    let redis = TestRedis::start().await;
    let accounts = accounts(&redis, AttemptLimits::default());
    let fields = rejected(accounts.sign_up("ada", "short", from("1.1.1.1")).await);
    assert_eq!(
        fields,
        Rejected::Fields { email: Some(InvalidEmail::Malformed), password: Some(InvalidPassword::TooShort) }
    );
    let keys: Vec<String> = ask(&redis.connection, redis::cmd("KEYS").arg("*")).await.unwrap();
    assert!(keys.is_empty(), "{keys:?}");
}

#[tokio::test]
async fn an_email_has_one_account_however_often_it_signs_up() {
    let redis = TestRedis::start().await;
    let accounts = accounts(&redis, AttemptLimits::default());
    let mut all = JoinSet::new();
    for _ in 0..8 {
        let accounts = accounts.clone();
        all.spawn(async move { accounts.sign_up(ADA, PASSWORD, from("1.1.1.1")).await.unwrap().id });
    }
    let ids = all.join_all().await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let keys: Vec<String> =
        ask(&redis.connection, redis::cmd("KEYS").arg("unsplit:account:*")).await.unwrap();
    assert_eq!(keys.len(), 1);
    let taken = rejected(accounts.sign_up(ADA, "another password", from("1.1.1.1")).await);
    assert_eq!(taken, Rejected::EmailTaken);
}

#[tokio::test]
async fn an_index_whose_account_is_lost_does_not_block_the_email() {
    let redis = TestRedis::start().await;
    let accounts = accounts(&redis, AttemptLimits::default());
    let here = from("1.1.1.1");
    let lost = accounts.sign_up(ADA, PASSWORD, here).await.unwrap();
    let key = format!("unsplit:account:{}", lost.id);
    let () = ask(&redis.connection, redis::cmd("DEL").arg(key)).await.unwrap();
    assert_eq!(rejected(accounts.log_in(ADA, PASSWORD, here).await), Rejected::Wrong);
    let again = accounts.sign_up(ADA, PASSWORD, here).await.unwrap();
    assert_ne!(again.id, lost.id);
    assert_eq!(accounts.log_in(ADA, PASSWORD, here).await.unwrap(), again);
}

#[tokio::test]
async fn guesses_for_one_account_end_even_in_parallel_and_from_many_addresses() {
    let redis = TestRedis::start().await;
    let accounts = accounts(&redis, AttemptLimits::default());
    accounts.sign_up(ADA, PASSWORD, from("1.1.1.1")).await.unwrap();
    for email in [ADA, "nobody@example.com"] {
        let mut all = JoinSet::new();
        for n in 0..30 {
            let accounts = accounts.clone();
            let from = from(&format!("1.1.2.{n}"));
            all.spawn(async move { rejected(accounts.log_in(email, "a wrong guess", from).await) });
        }
        let outcomes = all.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Rejected::Wrong).count(), 10, "{email}");
        let blocked = rejected(accounts.log_in(email, PASSWORD, from("1.1.1.1")).await);
        assert!(matches!(blocked, Rejected::TooMany { again_in } if !again_in.is_zero()), "{email}");
    }
}

#[tokio::test]
async fn a_log_in_resets_the_account_and_not_the_address() {
    let redis = TestRedis::start().await;
    let limit = |attempts| Limit { attempts, window: Duration::from_secs(900) };
    let limits = AttemptLimits {
        log_ins_per_account: limit(2),
        log_ins_per_address: limit(5),
        sign_ups_per_address: limit(1),
    };
    let accounts = accounts(&redis, limits);
    let here = from("1.1.1.1");
    accounts.sign_up(ADA, PASSWORD, here).await.unwrap();
    assert!(matches!(
        rejected(accounts.sign_up("b@example.com", PASSWORD, here).await),
        Rejected::TooMany { .. }
    ));
    for _ in 0..2 {
        assert_eq!(rejected(accounts.log_in(ADA, "a wrong guess", here).await), Rejected::Wrong);
        accounts.log_in(ADA, PASSWORD, here).await.unwrap();
    }
    assert_eq!(rejected(accounts.log_in(ADA, "a wrong guess", here).await), Rejected::Wrong);
    assert!(matches!(rejected(accounts.log_in(ADA, PASSWORD, here).await), Rejected::TooMany { .. }));
    accounts.log_in(ADA, PASSWORD, from("2.2.2.2")).await.unwrap();
}

#[tokio::test]
async fn without_redis_the_answer_is_unavailable() {
    let mut redis = TestRedis::start().await;
    let accounts = accounts(&redis, AttemptLimits::default());
    redis.stop();
    let outcome = accounts.log_in(ADA, PASSWORD, from("1.1.1.1")).await;
    assert!(matches!(outcome, Err(AccountError::Unavailable(_))));
}
