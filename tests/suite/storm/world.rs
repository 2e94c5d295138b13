//! Where storms take place: one Redis and one emulator, used again for the next storm, and what a
//! storm looks up in them. Its own requests are repeated until they are through, as the faults that
//! it orders meet it too.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rand::Rng;
use reqwest::Method;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use stripe_emulator::{Emulator, Options};
use tokio::sync::Mutex;
use unsplit::server::config::Config;
use unsplit::server::run::{Tuning, open_billing, read_catalog};
use unsplit_billing::adapters::redis::RedisConnection;
use unsplit_billing::ports::{AccountMode, SystemClock};
use unsplit_billing::service::Billing;

use super::process::hurried;
use crate::support::{KEY, RedisServer, WEBHOOK_SECRET, free_port};

/// The database of `World::patient`; those of the storms come after it.
const PATIENT: u32 = 1;
/// Of a redis-server that was not told otherwise.
const DATABASES: u32 = 16;

pub struct World {
    server: RedisServer,
    /// Cut by nobody.
    redis: std::sync::Mutex<RedisConnection>,
    /// The database of the present storm: what one of an earlier storm still writes meets nobody.
    database: AtomicU32,
    pub stripe: String,
    /// The subscriptions of each customer, oldest first. Held by whoever works in the Dashboard.
    pub dashboard: Mutex<HashMap<String, Vec<String>>>,
    /// The verbs over the same Stripe, and a database that no app uses.
    pub patient: Arc<Billing>,
    emulator: Emulator,
    client: reqwest::Client,
}

impl World {
    pub async fn new() -> Self {
        let port = free_port();
        let server = RedisServer::spawn(port, &["--port", &port.to_string(), "--appendonly", "no"]);
        server.wait();
        let redis = std::sync::Mutex::new(RedisConnection::open(&server.url()).await.unwrap());
        let listen = "127.0.0.1:0".parse().unwrap();
        let options = Options { listen, secret_key: KEY.to_owned(), ..Options::default() };
        let emulator = Emulator::start(options).await.unwrap();
        let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        let patient = Tuning { budget: hurried(Arc::new(SystemClock)).budget, ..Tuning::default() };
        let config = config(&server, &emulator, PATIENT);
        let patient = open_billing(&config, read_catalog().unwrap(), &patient).await.unwrap().0;
        let stripe = emulator.url();
        let database = AtomicU32::new(PATIENT);
        Self { server, redis, database, stripe, dashboard: Mutex::default(), patient, emulator, client }
    }

    /// Forgets everything, and puts the plans on sale.
    pub async fn clear(&self) {
        self.control("reset", &json!({})).await;
        self.dashboard.lock().await.clear();
        let _: () = self.ask(&["FLUSHALL"]).await;
        let database = self.database.load(Ordering::Relaxed) % (DATABASES - 1) + 1;
        self.database.store(database.max(PATIENT + 1), Ordering::Relaxed);
        let redis = RedisConnection::open(&self.config().redis_url).await.unwrap();
        *self.redis.lock().unwrap() = redis;
        self.patient.push_plans().await.unwrap();
    }

    /// Of an app that is to run here.
    pub fn config(&self) -> Config {
        config(&self.server, &self.emulator, self.database.load(Ordering::Relaxed))
    }

    fn redis(&self) -> RedisConnection {
        self.redis.lock().unwrap().clone()
    }

    /// One of the emulator's controls, which no fault meets.
    pub async fn control(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/_emulator/{path}", self.stripe);
        let request = self.client.post(url).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// The newest events, oldest first.
    pub async fn events(&self, most: usize) -> Vec<Value> {
        let url = format!("{}/_emulator/events?limit={most}", self.stripe);
        let answer = self.client.get(url).send().await.unwrap().bytes().await.unwrap();
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        let mut events = std::mem::take(answer["data"].as_array_mut().unwrap());
        events.reverse();
        events
    }

    pub async fn heal(&self) {
        self.client.delete(format!("{}/_emulator/faults", self.stripe)).send().await.unwrap();
    }

    /// A call of Stripe's API, again and again under one idempotency key until Stripe has answered.
    /// The error is Stripe's refusal.
    pub async fn call(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Result<Value, String> {
        let key = format!("{:032x}", rand::rng().random::<u128>());
        loop {
            let request = self.client.request(method.clone(), format!("{}{path}", self.stripe));
            let request = request.bearer_auth(KEY).header("idempotency-key", &key);
            let request = if method == Method::POST { request.form(form) } else { request };
            let answer = async {
                let answer = request.send().await?;
                Ok::<_, reqwest::Error>((answer.status().as_u16(), answer.text().await?))
            };
            match answer.await {
                Ok((200, text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Ok((400..=408 | 410..=428, text)) => return Err(text),
                _ => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    }

    pub async fn list(&self, path: &str) -> Vec<Value> {
        let mut answer = self.call(Method::GET, path, &[]).await.unwrap();
        std::mem::take(answer["data"].as_array_mut().unwrap())
    }

    /// Fills in the form of the hosted checkout page. Whether it was paid.
    pub async fn pay(&self, url: &str) -> bool {
        let form =
            [("card_number", "4242424242424242"), ("expiry", "12 / 34"), ("cvc", "123"), ("name", "Ada")];
        self.client.post(url).form(&form).send().await.unwrap().status() == 303
    }

    /// Asks Redis until it has answered: a machine that stood still for a while lets every request time out.
    async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let command = redis::cmd(words[0]).arg(&words[1..]).clone();
        loop {
            if let Ok(answer) = command.query_async(&mut self.redis()).await {
                return answer;
            }
        }
    }

    /// Cuts every connection to Redis but ours, and those that wait for messages too.
    pub async fn cut_redis(&self) {
        for kind in ["normal", "pubsub"] {
            let _: u32 = self.ask(&["CLIENT", "KILL", "TYPE", kind]).await;
        }
    }

    pub async fn stored(&self, key: &str) -> Option<String> {
        self.ask(&["GET", key]).await
    }

    pub async fn keys(&self, pattern: &str) -> Vec<String> {
        self.ask(&["KEYS", pattern]).await
    }

    /// The queue's entries as they are stored.
    pub async fn entries(&self) -> HashMap<String, String> {
        self.ask(&["HGETALL", "{stripe:due:0}:entries"]).await
    }

    /// How many customers are lent to a worker.
    pub async fn in_flight(&self) -> u32 {
        self.ask(&["ZCARD", "{stripe:due:0}:leased"]).await
    }

    /// Forgets everything that is Stripe's.
    pub async fn flush_stripe(&self) {
        for pattern in ["stripe:*", "{stripe:*"] {
            for key in self.keys(pattern).await {
                let _: u64 = self.ask(&["DEL", &key]).await;
            }
        }
    }
}

fn config(server: &RedisServer, emulator: &Emulator, database: u32) -> Config {
    Config {
        stripe_key: KEY.to_owned(),
        mode: AccountMode::Test,
        stripe_base: Some(emulator.url()),
        webhook_secrets: vec![WEBHOOK_SECRET.to_owned()],
        redis_url: format!("redis://127.0.0.1:{}/{database}", server.port()),
        checkout_origin: None,
        public_url: "http://127.0.0.1:3000".to_owned(),
        site_addr: "127.0.0.1:3000".parse().unwrap(),
        metrics_token: None,
        queue_shards: 1,
        redis_ca_file: None,
        trusted_proxies: 0,
    }
}
