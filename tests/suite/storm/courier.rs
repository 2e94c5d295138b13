//! Brings the emulator's events to the app's own router, as the seed says: at once, late, twice, in
//! any order, or never. What was not answered with 200 is brought again, as Stripe does.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::process::Process;
use super::schedule::{Fate, Fates, Schedule};
use super::world::World;
use crate::support::{Delivery, WEBHOOK_SECRET};

pub struct Courier {
    world: Arc<World>,
    processes: Arc<[Process; 2]>,
    bag: tokio::sync::Mutex<Bag>,
    pub log: Arc<Mutex<Log>>,
}

struct Bag {
    seen: HashSet<String>,
    fates: Fates,
    under_way: JoinSet<()>,
}

/// What became of the events.
#[derive(Default)]
pub struct Log {
    pub lines: Vec<String>,
    pub lost: u32,
    pub taken: u32,
    pub refused: u32,
}

impl Courier {
    pub fn new(world: Arc<World>, processes: Arc<[Process; 2]>, schedule: &Schedule) -> Self {
        let bag = Bag { seen: HashSet::new(), fates: Fates::of(schedule), under_way: JoinSet::new() };
        Self { world, processes, bag: bag.into(), log: Arc::default() }
    }

    /// Brings nothing of what has happened so far.
    pub async fn skip(&self) {
        let events = self.world.events(200).await;
        let ids = events.iter().map(|event| event["id"].as_str().unwrap().to_owned());
        self.bag.lock().await.seen.extend(ids);
    }

    /// Fetches what has happened at Stripe, and sets out with it.
    pub async fn collect(&self, most: usize) {
        let events = self.world.events(most).await;
        let mut bag = self.bag.lock().await;
        for event in events {
            let id = event["id"].as_str().unwrap().to_owned();
            // What was for sale before the storm concerns nobody.
            let ours = !["product.", "price.", "plan."]
                .iter()
                .any(|it| event["type"].as_str().unwrap().starts_with(it));
            if !ours || !bag.seen.insert(id.clone()) {
                continue;
            }
            let fate = bag.fates.next().unwrap();
            self.note(&event, fate);
            for pause in fate.deliveries.into_iter().flatten() {
                let (processes, log) = (self.processes.clone(), self.log.clone());
                let body = event.to_string();
                bag.under_way.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    deliver(&processes, fate.process, &body, &log).await;
                });
            }
        }
    }

    /// Waits until everything that is not lost was taken.
    pub async fn finish(&self) {
        self.collect(1000).await;
        let mut bag = self.bag.lock().await;
        while let Some(done) = bag.under_way.join_next().await {
            done.unwrap();
        }
    }

    fn note(&self, event: &Value, fate: Fate) {
        let mut log = self.log.lock().unwrap();
        let object = &event["data"]["object"];
        let what = format!("{} {} {}", event["type"], object["id"], object["status"]).replace('"', "");
        log.lines.push(match fate.deliveries {
            [None, _] => format!("event {what}: lost"),
            [Some(first), None] => format!("event {what}: to {} after {first} ms", fate.process),
            [Some(first), Some(second)] => {
                format!("event {what}: to {} after {first} and {second} ms", fate.process)
            }
        });
        log.lost += u32::from(fate.deliveries[0].is_none());
    }
}

async fn deliver(processes: &[Process; 2], first: usize, body: &str, log: &Mutex<Log>) {
    for number in first.. {
        if let Some(alive) = processes[number % 2].alive() {
            let Delivery { body, signature } = Delivery::signed(body, WEBHOOK_SECRET);
            let request = Request::post("/webhooks/stripe").header("stripe-signature", signature.unwrap());
            let request = request.body(Body::from(body)).unwrap();
            let answer = alive.run(alive.router.clone().oneshot(request)).await;
            if answer.is_some_and(|answer| answer.unwrap().status() == 200) {
                log.lock().unwrap().taken += 1;
                return;
            }
            log.lock().unwrap().refused += 1;
        }
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
}
