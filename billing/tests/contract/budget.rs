//! The budget of calls to Stripe. Nobody sleeps here: what is looked at are the waits it answers.

use std::time::Duration;

use redis::AsyncCommands;
use unsplit_billing::adapters::redis::BudgetSettings;
use unsplit_billing::ports::{AccountMode, Budget, Leave, Limit, Priority, Slowdown};

use super::support::Bench;

const LIST: &str = "GET /v1/subscriptions";
const CUSTOMERS: &str = "POST /v1/customers";

/// So slow that a test takes no time of it: a call a minute, ten at once.
fn slow() -> BudgetSettings {
    BudgetSettings {
        account_rate: 20.0 / 600.0,
        endpoint_rate: 10.0 / 600.0,
        burst_secs: 600.0,
        reserve: 0.2,
        ahead: Duration::from_secs(600),
        recover: Duration::from_secs(6000),
        ..BudgetSettings::of(AccountMode::Test)
    }
}

async fn bench() -> Bench {
    let mut bench = Bench::new().await;
    bench.store = bench.store.with_budget(slow());
    bench
}

async fn granted(bench: &Bench, endpoint: &str, priority: Priority) -> bool {
    bench.store.take(endpoint, priority).await.unwrap() == Leave::After(Duration::ZERO)
}

async fn limit(bench: &Bench, name: &str) -> Limit {
    let limits = bench.store.limits().await.unwrap();
    limits.into_iter().find(|limit| limit.name == name).unwrap()
}

/// As if the buckets were counted so much earlier.
async fn pass(bench: &Bench, time: Duration) {
    let mut redis = bench.redis.clone();
    let names: Vec<String> = redis.keys("{stripe:budget}:*").await.unwrap();
    for bucket in names.iter().filter(|name| !name.ends_with(":names")) {
        let earlier = -i64::try_from(time.as_millis()).unwrap();
        let _: i64 = redis.hincr(bucket, "at", earlier).await.unwrap();
    }
}

#[tokio::test]
async fn background_work_leaves_a_reserve_for_people() {
    let bench = bench().await;
    let mut calls = 0;
    while granted(&bench, LIST, Priority::Background).await {
        calls += 1;
    }
    assert_eq!(calls, 8, "of ten, two are kept");
    let Leave::AskAgain(wait) = bench.store.take(LIST, Priority::Background).await.unwrap() else {
        panic!("there is nothing left for background work")
    };
    assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60), "one a minute: {wait:?}");
    assert!(granted(&bench, LIST, Priority::Waiting).await);
    assert!(granted(&bench, LIST, Priority::Waiting).await);
    // Who waits books ahead, one after the other, and not for ever.
    for minute in 1..=10 {
        let Leave::After(wait) = bench.store.take(LIST, Priority::Waiting).await.unwrap() else {
            panic!("minute {minute} can be booked")
        };
        assert!(wait > Duration::from_secs(60 * minute - 10) && wait <= Duration::from_secs(60 * minute));
    }
    let full = bench.store.take(LIST, Priority::Waiting).await.unwrap();
    assert!(matches!(full, Leave::AskAgain(_)), "{full:?}");
    assert!(limit(&bench, LIST).await.available < -9.0);
}

#[tokio::test]
async fn each_endpoint_has_its_own_and_all_share_the_accounts() {
    let bench = bench().await;
    for endpoint in [LIST, CUSTOMERS] {
        for _ in 0..10 {
            assert!(granted(&bench, endpoint, Priority::Waiting).await, "{endpoint}");
        }
    }
    // Both have used up the account's twenty.
    assert!(!granted(&bench, "GET /v1/events", Priority::Waiting).await);
    let names: Vec<String> = bench.store.limits().await.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names[0], "all");
    assert!(names.contains(&LIST.to_owned()) && names.contains(&CUSTOMERS.to_owned()), "{names:?}");
}

#[tokio::test]
async fn a_refusal_slows_everybody_down() {
    let bench = bench().await;
    let wait = Duration::from_secs(30);
    assert!(granted(&bench, LIST, Priority::Background).await);
    bench.store.slow_down(LIST, Slowdown::Endpoint, wait).await.unwrap();
    assert!(!granted(&bench, LIST, Priority::Background).await);
    let Leave::After(paused) = bench.store.take(LIST, Priority::Waiting).await.unwrap() else { panic!() };
    assert!(paused > Duration::from_secs(20) && paused <= wait, "{paused:?}");
    assert!(granted(&bench, CUSTOMERS, Priority::Background).await, "another endpoint goes on");
    let slowed = limit(&bench, LIST).await;
    assert!(slowed.current_rate < slowed.rate * 0.6 && slowed.paused_until.is_some(), "{slowed:?}");
    // Refusals of calls that were under way together count once.
    bench.store.slow_down(LIST, Slowdown::Endpoint, wait).await.unwrap();
    assert!(limit(&bench, LIST).await.current_rate > slowed.rate * 0.4);

    bench.store.slow_down(LIST, Slowdown::Account, wait).await.unwrap();
    assert!(!granted(&bench, CUSTOMERS, Priority::Background).await, "now nobody does");
}

#[tokio::test]
async fn people_who_ask_all_the_time_leave_background_work_its_part() {
    for slowed in [None, Some(Slowdown::Endpoint), Some(Slowdown::Account)] {
        let bench = bench().await;
        if let Some(why) = slowed {
            bench.store.slow_down(LIST, why, Duration::ZERO).await.unwrap();
        }
        let mut calls = 0;
        for _ in 0..240 {
            while let Leave::After(_) = bench.store.take(LIST, Priority::Waiting).await.unwrap() {}
            calls += u32::from(granted(&bench, LIST, Priority::Background).await);
            pass(&bench, Duration::from_secs(60)).await;
        }
        assert!(
            calls >= 10,
            "a fifth of the rate is a call in ten minutes at the least: {calls}, {slowed:?}"
        );
    }
}

#[tokio::test]
async fn background_work_goes_on_at_the_lowest_rate() {
    let mut bench = bench().await;
    bench.store = bench.store.with_budget(BudgetSettings { burst_secs: 0.001, ..slow() });
    assert!(granted(&bench, LIST, Priority::Background).await, "a bucket of one is enough for one");
}
