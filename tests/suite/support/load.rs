//! A load: customers whose subscriptions change at Stripe, and senders that tell the app of each
//! change. A subscription's version is its `canceled_at`, which the stored value shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use unsplit_billing::adapters::redis::RedisConnection;

use super::{Delivery, Stripe, event, eventually};

const SENDERS: u64 = 6;
const PREFIX: &str = "load";

/// One customer. Versions begin at 1; 0 is none.
pub struct Customer {
    pub id: String,
    subscription: String,
    at_stripe: Mutex<u64>,
    acknowledged: AtomicU64,
}

impl Customer {
    /// The customer of this number among those that the emulator has loaded.
    fn loaded(number: usize) -> Self {
        Self {
            id: format!("cus_{PREFIX}{number:08}"),
            subscription: format!("sub_{PREFIX}{number:08}"),
            at_stripe: Mutex::new(0),
            acknowledged: AtomicU64::new(0),
        }
    }

    async fn at_stripe(&self) -> u64 {
        *self.at_stripe.lock().await
    }

    /// Changes the subscription at Stripe. Returns its version.
    async fn change(&self, stripe: &Stripe) -> u64 {
        let mut version = self.at_stripe.lock().await;
        *version += 1;
        let change = json!({ "canceled_at": *version, "_event": "customer.subscription.updated" });
        stripe.patch("subscriptions", &self.subscription, &change).await;
        *version
    }
}

/// What all senders share.
pub struct Load {
    stripe: Stripe,
    home: String,
    secret: &'static str,
    /// One group for each kill: whoever is told of before it is told of no more after it, so that
    /// a mark that it has lost stays lost.
    pub groups: Vec<Vec<Arc<Customer>>>,
    /// Which group is told of now; beyond the last one the senders end.
    group: watch::Sender<usize>,
    /// How many deliveries have ended, one way or the other.
    pub deliveries: watch::Sender<u64>,
}

impl Load {
    /// Of customers who pay already, in so many groups of this size.
    pub async fn prepare(
        stripe: Stripe,
        home: String,
        secret: &'static str,
        groups: usize,
        size: usize,
    ) -> Arc<Self> {
        let order = json!({
            "customers": groups * size, "price": "pro_monthly", "prefix": PREFIX, "metadata_user": false
        });
        stripe.control("load", &order).await;
        let customer = |group: usize| move |place: usize| Arc::new(Customer::loaded(group * size + place));
        let groups = (0..groups).map(|group| (0..size).map(customer(group)).collect()).collect();
        let (group, deliveries) = (watch::Sender::new(0), watch::Sender::new(0));
        Arc::new(Self { stripe, home, secret, groups, group, deliveries })
    }

    /// Starts the senders.
    pub fn start(self: &Arc<Self>, dice: &mut StdRng) -> JoinSet<()> {
        let mut senders = JoinSet::new();
        (0..SENDERS).for_each(|_| drop(senders.spawn(self.clone().send(dice.random()))));
        senders
    }

    /// From now on the next group is told of, or nobody.
    pub fn next_group(&self) {
        self.group.send_modify(|group| *group += 1);
    }

    pub fn customers(&self) -> impl Iterator<Item = &Customer> {
        self.groups.iter().flatten().map(Arc::as_ref)
    }

    /// The newest versions whose events were answered 200, in the order of the customers.
    pub fn acknowledged(&self) -> Vec<u64> {
        self.customers().map(|it| it.acknowledged.load(Ordering::SeqCst)).collect()
    }

    /// One sender: a change, and the event that tells of it, one after the other.
    async fn send(self: Arc<Self>, seed: u64) {
        let mut dice = StdRng::seed_from_u64(seed);
        let client = reqwest::Client::new();
        while let Some(customer) = self.anybody(&mut dice) {
            let version = customer.change(&self.stripe).await;
            let told = self.tell(&client, &customer, version).await;
            self.deliveries.send_modify(|deliveries| *deliveries += 1);
            if !told {
                self.ready(&client).await;
            }
        }
    }

    /// One further change of everybody. All are told of at the same time.
    pub async fn change_all(&self) {
        let client = reqwest::Client::new();
        let told = self.customers().map(async |customer| {
            let version = customer.change(&self.stripe).await;
            self.tell(&client, customer, version).await
        });
        join_all(told).await;
    }

    /// Whether the app has answered 200.
    async fn tell(&self, client: &reqwest::Client, customer: &Customer, version: u64) -> bool {
        let mut body = event(&format!("evt_{}_{version}", customer.id), &customer.id);
        body["data"]["object"]["id"] = json!(customer.subscription);
        let told = Delivery::signed(body, self.secret).send_by(client, &self.home).await == Some(200);
        if told {
            customer.acknowledged.fetch_max(version, Ordering::SeqCst);
        }
        told
    }

    /// What was not acknowledged, Stripe sends again. Returns the versions at Stripe.
    async fn tell_again(&self, stored: &[u64]) -> Vec<u64> {
        let (client, mut versions) = (reqwest::Client::new(), Vec::new());
        for (customer, stored) in self.customers().zip(stored) {
            let version = customer.at_stripe().await;
            if *stored < version {
                assert!(self.tell(&client, customer, version).await, "{}", customer.id);
            }
            versions.push(version);
        }
        versions
    }

    /// The versions that Redis has, in the order of the customers.
    pub async fn stored(&self, redis: &RedisConnection) -> Vec<u64> {
        // Not MGET: on a cluster it fails as long as any part of it is away.
        let value = async |customer: &Customer| {
            let key = format!("stripe:customer:{}", customer.id);
            eventually("Redis answers", async || redis.clone().get(&key).await.ok()).await
        };
        let values: Vec<Option<String>> = join_all(self.customers().map(value)).await;
        let version = |value: Option<String>| {
            let value: Value = serde_json::from_str(&value?).unwrap();
            value["canceledAt"].as_u64()
        };
        values.into_iter().map(|value| version(value).unwrap_or(0)).collect()
    }

    /// Waits until Redis has the wanted version of everybody, or a newer one; of the first only,
    /// where there are fewer versions than customers.
    pub async fn until_stored(&self, what: &str, redis: &RedisConnection, wanted: &[u64]) {
        // A lease of who was killed, what is quiet, and Stripe's budget for those who wait in line.
        let deadline =
            Duration::from_secs(40) + Duration::from_millis(100) * u32::try_from(wanted.len()).unwrap();
        let started = Instant::now();
        loop {
            let behind = self.behind(wanted, &self.stored(redis).await);
            if behind.is_empty() {
                return;
            }
            assert!(started.elapsed() < deadline, "{what}: {}", behind.join("; "));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until what was answered 200 is there.
    pub async fn until_acknowledged_is_stored(&self, redis: &RedisConnection) {
        self.until_stored("answered 200, and lost", redis, &self.acknowledged()).await;
    }

    /// Sends the rest again, and waits until all is there.
    pub async fn until_all_is_stored(&self, redis: &RedisConnection) {
        let wanted = self.tell_again(&self.stored(redis).await).await;
        self.until_stored("sent again, and lost", redis, &wanted).await;
        assert_eq!(self.stored(redis).await, wanted, "Redis says what Stripe says");
    }

    /// Whose stored version is older than the wanted one.
    pub fn behind(&self, wanted: &[u64], stored: &[u64]) -> Vec<String> {
        let groups = self.groups.iter().enumerate();
        let all = groups.flat_map(|(at, group)| group.iter().map(move |customer| (at, customer)));
        all.zip(wanted)
            .zip(stored)
            .filter(|((_, wanted), stored)| stored < wanted)
            .map(|(((at, it), wanted), stored)| {
                format!("{} of group {}: {stored}, not {wanted}", it.id, at + 1)
            })
            .collect()
    }

    /// Waits until so many further deliveries have ended.
    pub async fn delivered(&self, more: u64) {
        let mut deliveries = self.deliveries.subscribe();
        let moment = *deliveries.borrow() + more;
        let reached = deliveries.wait_for(|deliveries| *deliveries >= moment);
        tokio::time::timeout(Duration::from_secs(60), reached).await.unwrap().unwrap();
    }

    fn anybody(&self, dice: &mut StdRng) -> Option<Arc<Customer>> {
        let group = self.groups.get(*self.group.borrow())?;
        Some(group[dice.random_range(0..group.len())].clone())
    }

    /// Waits until the app wants to be given work.
    pub async fn ready(&self, client: &reqwest::Client) {
        self.until_ready_is(true, client).await;
    }

    /// Waits until the app wants none, as while its Redis says nothing, or is away.
    pub async fn until_unready(&self, client: &reqwest::Client) {
        self.until_ready_is(false, client).await;
    }

    async fn until_ready_is(&self, wanted: bool, client: &reqwest::Client) {
        let url = format!("{}/readyz", self.home);
        let is_ready =
            async || client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success());
        let reached = async {
            while is_ready().await != wanted {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reached).await.unwrap();
    }
}
