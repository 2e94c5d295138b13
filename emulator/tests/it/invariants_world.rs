//! What befalls the emulator itself during a sequence: it is stopped or killed and goes on from its directory, time
//! passes by its own clock or by a test clock, and requests fail and are sent again as Stripe's libraries do.

use std::path::PathBuf;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use reqwest::Method;
use serde_json::{Value, json};
use stripe_emulator::Options;
use tempfile::TempDir;

use crate::support::{Reply, Stripe, id, options};

/// Of one request: an error or a connection that is cut.
const FAULTS: &[&str] = &[
    r#"{"status": 500}"#,
    r#"{"status": 503, "should_retry": true}"#,
    r#"{"status": 429, "reason": "endpoint-rate"}"#,
    r#"{"cut": "before"}"#,
    r#"{"cut": "after"}"#,
];
/// More often than a fault strikes.
const TRIES: usize = 100;

pub struct World {
    pub stripe: Stripe,
    /// One below the other for each life; without it nothing is kept.
    directory: Option<TempDir>,
    lives: usize,
    /// The test clock that the customer is on.
    pub clock: Option<String>,
    requests: usize,
}

fn kept_in(directory: PathBuf) -> Options {
    Options { data_dir: Some(directory), ..options() }
}

impl World {
    pub async fn begin(kept: bool, on_clock: bool) -> World {
        let directory = kept.then(|| tempfile::tempdir().unwrap());
        let options = directory.as_ref().map_or_else(options, |it| kept_in(it.path().join("0")));
        let stripe = Stripe::with(options).await;
        let clock = if on_clock {
            let now = stripe.now().await.to_string();
            Some(id(&stripe.post("/v1/test_helpers/test_clocks", &[("frozen_time", &now)]).await))
        } else {
            None
        };
        World { stripe, directory, lives: 0, clock, requests: 0 }
    }

    /// By the customer's clock.
    pub async fn now(&self) -> i64 {
        match &self.clock {
            None => self.stripe.now().await,
            Some(clock) => {
                let clock = self.stripe.get(&format!("/v1/test_helpers/test_clocks/{clock}")).await;
                clock["frozen_time"].as_i64().unwrap()
            }
        }
    }

    /// Lets so many seconds pass; a test clock may be killed while it advances, and may not go so far at once.
    pub async fn pass(&mut self, seconds: i64, dice: &mut StdRng) -> String {
        let Some(clock) = self.clock.clone() else {
            self.stripe.pass(seconds).await;
            return format!("{seconds} s pass");
        };
        let path = format!("/v1/test_helpers/test_clocks/{clock}");
        let to = (self.now().await + seconds).to_string();
        let reply = self.stripe.try_post(&format!("{path}/advance"), &[("frozen_time", &to)]).await;
        assert!(matches!(reply.status, 200 | 400), "{}", reply.body);
        let mut told = format!("{seconds} s pass by the test clock: {}", reply.status);
        if reply.status == 200 && dice.random_bool(0.2) {
            told.push_str(&format!(", and meanwhile {}", self.die(dice).await));
        }
        // What a clock that advances has to do happens before the next request is looked at.
        assert_eq!(self.stripe.get(&path).await["status"], "ready");
        told
    }

    /// Stops or kills the emulator, and starts it from what was on the disk at that moment.
    pub async fn die(&mut self, dice: &mut StdRng) -> String {
        let Some(directory) = &self.directory else { return "nobody dies: nothing is kept".to_owned() };
        let last = directory.path().join(self.lives.to_string());
        self.lives += 1;
        let next = directory.path().join(self.lives.to_string());
        if dice.random_bool(0.5) {
            std::fs::create_dir(&next).unwrap();
            // A kill leaves the file as it is, and nobody writes to it afterwards.
            std::fs::copy(last.join("journal.jsonl"), next.join("journal.jsonl")).unwrap();
            self.stripe = Stripe::with(kept_in(next)).await;
            return "it is killed".to_owned();
        }
        let idle = Stripe::start().await;
        std::mem::replace(&mut self.stripe, idle).emulator.stop().await;
        std::fs::rename(last, &next).unwrap();
        self.stripe = Stripe::with(kept_in(next)).await;
        "it is stopped".to_owned()
    }

    /// Everything about the customer, as it would be asked for.
    pub async fn all_of(&self, customer: &str) -> Vec<Value> {
        let mut all = self.stripe.subscriptions(customer).await;
        all.extend(self.stripe.invoices(customer).await);
        for path in ["subscription_schedules", "invoiceitems", "charges", "payment_intents"] {
            let list = self.stripe.get(&format!("/v1/{path}?customer={customer}&limit=100")).await;
            all.push(list["data"].clone());
        }
        let events = self.stripe.http.get(self.stripe.url("/_emulator/events?limit=100000"));
        let events = events.send().await.unwrap().text().await.unwrap();
        all.push(serde_json::from_str(&events).unwrap());
        all
    }

    /// The next requests about subscriptions and schedules may fail.
    pub async fn order_faults(&self) -> String {
        let fault = json!({"path": "/v1/subscription", "method": "POST", "status": 500, "probability": 0.5, "times": 3});
        self.stripe.control("/_emulator/faults", fault).await;
        "faults are ordered".to_owned()
    }

    /// A request that may fail on its way, and is then sent again under its key until it is answered.
    pub async fn send(&mut self, path: &str, fields: &[(&str, &str)], dice: &mut StdRng) -> Reply {
        self.requests += 1;
        let key = format!("request {}", self.requests);
        let fault = *FAULTS.choose(dice).unwrap();
        let strikes = dice.random_bool(0.25);
        let mut headers = vec![("idempotency-key", key.as_str())];
        if strikes {
            headers.push(("stripe-emulator-fault", fault));
        }
        for _ in 0..TRIES {
            let sent = self.stripe.send(Method::POST, path, fields, &headers).await;
            let is_first = headers.len() > 1;
            headers.truncate(1);
            let Ok(reply) = sent else { continue };
            if matches!(reply.status, 429 | 500..) && reply.status != 402 {
                continue;
            }
            let was_done = strikes && fault.contains("after") && !is_first && reply.status == 200;
            assert!(!was_done || reply.header("idempotent-replayed") == "true", "{path} was done twice");
            return reply;
        }
        panic!("{path} was never answered");
    }
}
