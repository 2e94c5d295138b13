//! What must hold when a storm is over: Redis says what Stripe says, nothing is left to do, users keep
//! their customers, and nobody was sold two subscriptions.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use unsplit_billing::id::CustomerId;
use unsplit_billing::ports::EntryState;

use super::dashboard;
use super::storm::{Storm, user};
use crate::support::without_time;

/// How long the truth may take after a storm; each mechanism's own time is well below.
const PATIENCE: Duration = Duration::from_secs(10);
/// So often one must have looked, too: all processes are in this one, and a machine that stood still for
/// the whole time has not let them do anything.
const LOOKS: u32 = 300;

/// What is wrong, a line each; empty where all is well.
pub async fn judge(storm: &Storm) -> Vec<String> {
    let customers = customers(storm).await;
    let fresh = fresh(storm, &customers).await;
    let since = Instant::now();
    let mut looks = 0;
    let mut wrong = loop {
        let mut wrong = differences(storm, &fresh).await;
        wrong.extend(unrest(storm).await);
        looks += 1;
        if wrong.is_empty() {
            break wrong;
        }
        if since.elapsed() > PATIENCE && looks > LOOKS {
            wrong.push(evidence(storm, &customers, since.elapsed(), looks).await);
            break wrong;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    storm.watch().await;
    wrong.extend(bindings(storm).await);
    for number in 0..storm.schedule.users.len() {
        let live = dashboard::bought(&storm.world, number).await;
        if live.len() > 1 {
            wrong.push(format!("user {number} has bought {live:?}"));
        }
    }
    wrong
}

/// For whoever has to find out why.
async fn evidence(storm: &Storm, customers: &BTreeSet<String>, waited: Duration, looks: u32) -> String {
    let entries = storm.world.entries().await;
    format!("after {waited:?} and {looks} looks; heard of {customers:?}; entries {entries:?}")
}

/// Everybody who was ever heard of.
async fn customers(storm: &Storm) -> BTreeSet<String> {
    let prefix = "stripe:customer:";
    let keys = storm.world.keys(&format!("{prefix}*")).await;
    let mut all: BTreeSet<String> = keys.iter().map(|key| key.replace(prefix, "")).collect();
    for event in storm.world.events(1000).await {
        if event["type"] == "customer.created" {
            all.insert(event["data"]["object"]["id"].as_str().unwrap().to_owned());
        }
    }
    all
}

/// What a sync into an empty Redis gives.
async fn fresh(storm: &Storm, customers: &BTreeSet<String>) -> Vec<(String, Value)> {
    let mut fresh = Vec::new();
    for customer in customers {
        let id = CustomerId::parse(customer.as_str()).unwrap();
        // Its connection to Redis was cut, too.
        let synced = loop {
            if let Ok(synced) = storm.world.patient.sync(&id).await {
                break synced;
            }
        };
        fresh.push((customer.clone(), without_time(serde_json::to_value(synced.snapshot).unwrap())));
    }
    fresh
}

async fn differences(storm: &Storm, fresh: &[(String, Value)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (customer, expected) in fresh {
        let stored = storm.world.stored(&format!("stripe:customer:{customer}")).await;
        // Nothing is stored of somebody who never had anything.
        let stored = stored.map_or_else(
            || serde_json::json!({ "status": "none" }),
            |text| without_time(serde_json::from_str(&text).unwrap()),
        );
        if stored != *expected {
            wrong.push(format!("{customer}: stored {stored}, and Stripe says {expected}"));
        }
    }
    wrong
}

/// What the queue still has to do. A deleted customer's events name subscriptions that no fetch will
/// ever contain, and are waited for a while.
async fn unrest(storm: &Storm) -> Vec<String> {
    let Some(alive) = storm.processes[0].alive() else { return vec!["a process is down".to_owned()] };
    let now = unsplit_billing::ports::Clock::now(&unsplit_billing::ports::SystemClock).0;
    let mut wrong = Vec::new();
    for entry in alive.billing.queue_entries(100).await.unwrap_or_default() {
        let soon = entry.at.0 < now + 61_000 && entry.since.is_some();
        if entry.state == EntryState::InFlight || entry.attempts > 0 || soon {
            wrong.push(format!("the queue still has {entry:?}"));
        }
    }
    wrong
}

/// A user keeps the customer, unless that was deleted.
async fn bindings(storm: &Storm) -> Vec<String> {
    let mut wrong = Vec::new();
    let bound = storm.bound.lock().await.clone();
    let events = storm.world.events(1000).await;
    let deleted = |customer: &str| {
        events.iter().any(|it| it["type"] == "customer.deleted" && it["data"]["object"]["id"] == *customer)
    };
    for (number, customers) in bound.iter().enumerate() {
        let left = customers.iter().rev().skip(1);
        for lost in left.filter(|customer| !deleted(customer)) {
            wrong.push(format!("{} was bound to {lost}, and then not any more: {customers:?}", user(number)));
        }
    }
    let last: Vec<_> = bound.iter().filter_map(|customers| customers.last()).collect();
    if last.iter().collect::<BTreeSet<_>>().len() < last.len() {
        wrong.push(format!("two users share a customer: {bound:?}"));
    }
    wrong
}
