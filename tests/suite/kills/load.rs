//! The load: customers whose subscriptions change at Stripe, and senders that tell the app of each
//! change. A subscription's version is its `canceled_at`, which the stored value shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tokio::sync::{Mutex, watch};

use super::victims::SECRET;
use crate::support::{Delivery, Stripe, event};

/// One customer. Versions begin at 1; 0 is none.
pub struct Customer {
    pub id: String,
    subscription: String,
    at_stripe: Mutex<u64>,
    acknowledged: AtomicU64,
}

impl Customer {
    /// The customer of this number among those that the emulator has loaded under the prefix.
    pub fn loaded(prefix: &str, number: usize) -> Self {
        Self {
            id: format!("cus_{prefix}{number:08}"),
            subscription: format!("sub_{prefix}{number:08}"),
            at_stripe: Mutex::new(0),
            acknowledged: AtomicU64::new(0),
        }
    }

    /// The newest version whose event was answered 200.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    pub async fn at_stripe(&self) -> u64 {
        *self.at_stripe.lock().await
    }

    /// Changes the subscription at Stripe. Returns its version.
    async fn change(&self, stripe: &Stripe) -> u64 {
        let mut version = self.at_stripe.lock().await;
        *version += 1;
        stripe.patch("subscriptions", &self.subscription, &json!({ "canceled_at": *version })).await;
        *version
    }

    /// Whether the app has answered 200.
    pub async fn tell(&self, client: &reqwest::Client, home: &str, version: u64) -> bool {
        let mut body = event(&format!("evt_{}_{version}", self.id), &self.id);
        body["data"]["object"]["id"] = json!(self.subscription);
        let told = Delivery::signed(body, SECRET).send_by(client, home).await == Some(200);
        if told {
            self.acknowledged.fetch_max(version, Ordering::SeqCst);
        }
        told
    }
}

/// What all senders share.
pub struct Load {
    pub stripe: Stripe,
    pub home: String,
    /// One group for each kill: whoever is told of before it is told of no more after it, so that
    /// a mark that it has lost stays lost.
    pub groups: Vec<Vec<Arc<Customer>>>,
    /// Which group is told of now; beyond the last one the senders end.
    pub group: watch::Sender<usize>,
    /// How many deliveries have ended, one way or the other.
    pub deliveries: watch::Sender<u64>,
}

impl Load {
    pub fn customers(&self) -> impl Iterator<Item = &Customer> {
        self.groups.iter().flatten().map(Arc::as_ref)
    }

    /// One sender: a change, and the event that tells of it, one after the other.
    pub async fn send(self: Arc<Self>, seed: u64) {
        let mut dice = StdRng::seed_from_u64(seed);
        let client = reqwest::Client::new();
        while let Some(customer) = self.anybody(&mut dice) {
            let version = customer.change(&self.stripe).await;
            let told = customer.tell(&client, &self.home, version).await;
            self.deliveries.send_modify(|deliveries| *deliveries += 1);
            if !told {
                self.ready(&client).await;
            }
        }
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
