//! Real kills: `unsplit serve` and its Redis are killed with -9 at random moments under the load of
//! webhooks, KILLS times. Whatever was answered 200 is in the stored value in the end, although no
//! event is sent twice and reconciliation can't help: Stripe's list of events answers 500.
//! KILLS_SEED repeats a run as far as real processes can be repeated; KILLS_LOG gets the app's log.

mod load;
mod victims;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redis::AsyncCommands;
use serde_json::{Value, json};
use stripe_emulator::{Emulator, Options};
use tokio::sync::watch;
use tokio::task::JoinSet;
use unsplit_billing::adapters::redis::RedisConnection;

use crate::support::Stripe;
use load::{Customer, Load};
use victims::{Victim, Victims};

const SENDERS: u64 = 6;
/// Customers for each kill.
const GROUP: usize = 8;
/// So many deliveries at most lie between two kills.
const MOST: u64 = 20;
const PREFIX: &str = "kills";

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

async fn prepare(stripe: Stripe, home: String, kills: usize) -> Arc<Load> {
    let order = json!({
        "customers": kills * GROUP, "price": "pro_monthly", "prefix": PREFIX, "metadata_user": false
    });
    stripe.control("load", &order).await;
    let customer = |kill: usize| move |place: usize| Arc::new(Customer::loaded(PREFIX, kill * GROUP + place));
    let groups = (0..kills).map(|kill| (0..GROUP).map(customer(kill)).collect()).collect();
    let (group, deliveries) = (watch::Sender::new(0), watch::Sender::new(0));
    Arc::new(Load { stripe, home, groups, group, deliveries })
}

/// Kills once for each group.
async fn kill_all(load: &Load, victims: &mut Victims, dice: &mut StdRng) {
    let client = reqwest::Client::new();
    for kill in 0..load.groups.len() {
        let (victim, more) = (Victim::by_chance(dice), dice.random_range(0..=MOST));
        victims.beside(load.delivered(more)).await;
        victims.kill(victim).await;
        if victim == Victim::Hung {
            victims.beside(load.until_unready(&client)).await;
        }
        load.group.send_modify(|group| *group += 1);
        victims.revive(victim);
        eprintln!("kill {}: {victim}, after {more} deliveries", kill + 1);
    }
}

/// The versions that Redis has, in the order of the customers.
async fn stored(redis: &RedisConnection, load: &Load) -> Vec<u64> {
    let keys: Vec<String> = load.customers().map(|it| format!("stripe:customer:{}", it.id)).collect();
    let values: Vec<Option<String>> = redis.clone().mget(keys).await.unwrap();
    let version = |value: Option<String>| {
        let value: Value = serde_json::from_str(&value?).unwrap();
        value["canceledAt"].as_u64()
    };
    values.into_iter().map(|value| version(value).unwrap_or(0)).collect()
}

/// Waits until Redis has the wanted version of everybody, or a newer one.
async fn until_stored(what: &str, redis: &RedisConnection, load: &Load, wanted: &[u64]) {
    // A lease of who was killed, what is quiet, and Stripe's budget for those who wait in line.
    let deadline =
        Duration::from_secs(40) + Duration::from_millis(100) * u32::try_from(wanted.len()).unwrap();
    let started = Instant::now();
    loop {
        let stored = stored(redis, load).await;
        let all = load.customers().zip(wanted).zip(&stored).enumerate();
        let behind: Vec<String> = all
            .filter(|(_, ((_, wanted), stored))| stored < wanted)
            .map(|(at, ((it, wanted), stored))| {
                format!("{} of kill {}: {stored}, not {wanted}", it.id, at / GROUP + 1)
            })
            .collect();
        if behind.is_empty() {
            return;
        }
        assert!(started.elapsed() < deadline, "{what}: {}", behind.join("; "));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What was not acknowledged, Stripe sends again. Returns the versions at Stripe.
async fn tell_again(load: &Load, stored: &[u64]) -> Vec<u64> {
    let (client, mut versions) = (reqwest::Client::new(), Vec::new());
    for (customer, stored) in load.customers().zip(stored) {
        let version = customer.at_stripe().await;
        if *stored < version {
            assert!(customer.tell(&client, &load.home, version).await, "{}", customer.id);
        }
        versions.push(version);
    }
    versions
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_answered_200_survives_kills_of_app_and_redis() {
    let kills = usize::try_from(number("KILLS").unwrap_or(12)).unwrap();
    let seed = number("KILLS_SEED").unwrap_or_else(rand::random);
    eprintln!("KILLS={kills} KILLS_SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let listen = "127.0.0.1:0".parse().unwrap();
    let emulator = Emulator::start(Options { listen, ..Options::default() }).await.unwrap();
    let stripe = Stripe::at(emulator.url());
    stripe.fault(&json!({ "path": "/v1/events", "status": 500 })).await;
    let mut victims = Victims::start(&stripe).await;
    let load = prepare(stripe, victims.home(), kills).await;

    let started = Instant::now();
    load.ready(&reqwest::Client::new()).await;
    let mut senders = JoinSet::new();
    (0..SENDERS).for_each(|_| drop(senders.spawn(load.clone().send(dice.random()))));
    kill_all(&load, &mut victims, &mut dice).await;
    let redis_url = victims.redis_url();
    victims.beside(judge(&load, senders, &redis_url, started)).await;
}

/// After the last restart.
async fn judge(load: &Load, mut senders: JoinSet<()>, redis_url: &str, started: Instant) {
    while let Some(ended) = senders.join_next().await {
        ended.unwrap();
    }
    let killed = started.elapsed();
    let redis = RedisConnection::open(redis_url).await.unwrap();
    let acknowledged: Vec<u64> = load.customers().map(Customer::acknowledged).collect();
    until_stored("answered 200, and lost", &redis, load, &acknowledged).await;
    let durable = started.elapsed();
    let wanted = tell_again(load, &stored(&redis, load).await).await;
    until_stored("sent again, and lost", &redis, load, &wanted).await;
    assert_eq!(stored(&redis, load).await, wanted, "Redis says what Stripe says");
    assert!(
        !redis.clone().exists::<_, bool>("stripe:reconciled").await.unwrap(),
        "nothing else has healed it"
    );
    let told = acknowledged.iter().sum::<u64>();
    assert!(told > 0);
    eprintln!(
        "{} deliveries in {killed:?}; what was answered was there after {durable:?}, all after {:?}",
        *load.deliveries.borrow(),
        started.elapsed()
    );
}
