//! Real kills: `unsplit serve` and its Redis are killed with -9 at random moments under the load of
//! webhooks, KILLS times. Whatever was answered 200 is in the stored value in the end, although no
//! event is sent twice and reconciliation can't help: Stripe's list of events answers 500.
//! KILLS_SEED repeats a run as far as real processes can be repeated; KILLS_LOG gets the app's log.

mod victims;

use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redis::AsyncCommands;
use serde_json::json;
use stripe_emulator::{Emulator, Options};
use tokio::task::JoinSet;
use unsplit_billing::adapters::redis::RedisConnection;

use crate::support::{Load, Stripe};
use victims::{SECRET, Victim, Victims};

/// Customers for each kill.
const GROUP: usize = 8;
/// So many deliveries at most lie between two kills.
const MOST: u64 = 20;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
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
        load.next_group();
        victims.revive(victim);
        eprintln!("kill {}: {victim}, after {more} deliveries", kill + 1);
    }
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
    let load = Load::prepare(stripe, victims.home(), SECRET, kills, GROUP).await;

    let started = Instant::now();
    load.ready(&reqwest::Client::new()).await;
    let senders = load.start(&mut dice);
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
    let told = load.acknowledged().iter().sum::<u64>();
    assert!(told > 0);
    load.until_acknowledged_is_stored(&redis).await;
    let durable = started.elapsed();
    load.until_all_is_stored(&redis).await;
    assert!(
        !redis.clone().exists::<_, bool>("stripe:reconciled").await.unwrap(),
        "nothing else has healed it"
    );
    eprintln!(
        "{} deliveries in {killed:?}; what was answered was there after {durable:?}, all after {:?}",
        *load.deliveries.borrow(),
        started.elapsed()
    );
}
