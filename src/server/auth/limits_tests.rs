//! The limits, on a real Redis.
#![expect(clippy::unwrap_used)]

use std::sync::Arc;

use tokio::task::JoinSet;

use super::*;
use crate::server::session::test_redis::TestRedis;

fn attempts(redis: &TestRedis, limit: Limit) -> Attempts {
    let limits = AttemptLimits { log_ins_per_account: limit, ..AttemptLimits::default() };
    Attempts::new(redis.connection.clone(), b"secret", limits)
}

#[tokio::test]
async fn of_many_at_once_exactly_so_many_are_granted() {
    let redis = TestRedis::start().await;
    let attempts = Arc::new(attempts(&redis, Limit { attempts: 10, window: QUARTER }));
    let reserve = async |attempts: Arc<Attempts>, email: &str| {
        let email = Email::parse(email).unwrap();
        attempts.reserve(Counted::LogInsOf(&email)).await.unwrap()
    };
    let mut all = JoinSet::new();
    for _ in 0..50 {
        let attempts = attempts.clone();
        all.spawn(async move { reserve(attempts, "ada@example.com").await });
    }
    let turns = all.join_all().await;
    assert_eq!(turns.iter().filter(|turn| **turn == Turn::Granted).count(), 10);

    let Turn::Refused { again_in } = reserve(attempts.clone(), "ada@example.com").await else {
        panic!("granted")
    };
    assert!(again_in <= QUARTER && again_in > QUARTER - Duration::from_secs(60));
    assert_eq!(reserve(attempts.clone(), "bob@example.com").await, Turn::Granted);
    let ada = Email::parse("ada@example.com").unwrap();
    attempts.reset(Counted::LogInsOf(&ada)).await.unwrap();
    assert_eq!(reserve(attempts, "ada@example.com").await, Turn::Granted);
}

#[tokio::test]
async fn the_window_ends_even_for_a_key_that_had_no_end() {
    let redis = TestRedis::start().await;
    let attempts = attempts(&redis, Limit { attempts: 1, window: Duration::from_millis(100) });
    let email = Email::parse("ada@example.com").unwrap();
    let counted = Counted::LogInsOf(&email);
    let () = ask(&redis.connection, redis::cmd("SET").arg(attempts.key(counted)).arg(7)).await.unwrap();
    assert!(matches!(attempts.reserve(counted).await.unwrap(), Turn::Refused { .. }));
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(attempts.reserve(counted).await.unwrap(), Turn::Granted);
}

#[tokio::test]
async fn keys_name_nobody() {
    let redis = TestRedis::start().await;
    let attempts = attempts(&redis, Limit { attempts: 1, window: QUARTER });
    let email = Email::parse("ada@example.com").unwrap();
    let key = attempts.key(Counted::LogInsOf(&email));
    assert!(!key.contains("ada") && !key.contains("example"), "{key}");
    let others = Attempts::new(redis.connection.clone(), b"another", AttemptLimits::default());
    assert_ne!(key, others.key(Counted::LogInsOf(&email)));
}
