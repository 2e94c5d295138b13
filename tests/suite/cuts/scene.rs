//! Where processes are killed: an emulator and a database that nobody else works on, a process that
//! lives afterwards, and what must be true when it has had its time.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use unsplit::server::config::Config;
use unsplit::server::run::{open_billing, read_catalog};
use unsplit_billing::adapters::redis::QueueSettings;
use unsplit_billing::id::{CustomerId, UserId};
use unsplit_billing::plan::Interval;
use unsplit_billing::ports::{Clock, Due, Entry, EntryState, Mark, SystemClock};
use unsplit_billing::service::{Billing, Buyer, Checkout, CheckoutChoice, Worker};

use crate::support::{App, GOOD, Tuning, database, tuning, without_time};

/// What a dead process holds is free again after a moment.
pub fn swift() -> Tuning {
    let queue = QueueSettings { lease: Duration::from_millis(300), ..tuning().queue };
    let billing = |settings: &mut unsplit_billing::service::Settings| {
        let millis = Duration::from_millis;
        (tuning().billing)(settings);
        settings.eager_grace = millis(100);
        settings.renew_every = millis(100);
        settings.poll = millis(200);
        settings.turn = millis(200);
    };
    Tuning { queue, billing, ..tuning() }
}

pub struct Scene {
    /// Stopped, and its webhooks go nowhere.
    pub app: App,
    pub config: Config,
    /// The verbs over the same Stripe and a database that no process uses: what a sync gives there is
    /// what Stripe says.
    patient: Arc<Billing>,
}

/// A process that is not killed, with a worker.
pub struct Living {
    pub billing: Arc<Billing>,
    stop: oneshot::Sender<()>,
    worker: JoinHandle<()>,
}

impl Living {
    pub async fn end(self) {
        drop(self.stop);
        self.worker.await.unwrap();
    }
}

pub fn id(customer: &str) -> CustomerId {
    CustomerId::parse(customer).unwrap()
}

pub fn pro() -> CheckoutChoice {
    CheckoutChoice { plan: "pro".to_owned(), interval: Interval::Month }
}

pub fn buyer(name: &str) -> Buyer {
    Buyer { user: UserId::parse(name).unwrap(), email: format!("{name}@example.com") }
}

impl Scene {
    pub async fn new() -> Self {
        let mut app = App::start().await;
        app.stripe.drop_webhooks().await;
        app.stop().await;
        let config = app.config.clone();
        let elsewhere = Config { redis_url: database(), ..config.clone() };
        let patient = open_billing(&elsewhere, read_catalog().unwrap(), &tuning()).await.unwrap().0;
        Self { app, config, patient }
    }

    pub async fn living(&self) -> Living {
        let billing = open_billing(&self.config, read_catalog().unwrap(), &swift()).await.unwrap().0;
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = Worker::new(billing.clone()).run(async move { drop(stopped.await) });
        Living { billing, stop, worker: tokio::spawn(worker) }
    }

    /// Somebody who has bought Pro and whose value is stored: customer and subscription.
    pub async fn subscriber(&self, name: &str) -> (String, String) {
        let customer = self.buy(&self.app.billing, &buyer(name)).await;
        self.app.billing.sync_now(&id(&customer)).await.unwrap();
        let subscription = self.app.snapshot(&customer).await["subscriptionId"].as_str().unwrap().to_owned();
        (customer, subscription)
    }

    /// Opens a checkout and pays; nobody comes back from it.
    pub async fn buy(&self, billing: &Billing, buyer: &Buyer) -> String {
        let opened = billing.start_checkout(buyer, &pro()).await.unwrap();
        let Checkout::Open { url } = opened else { panic!("{opened:?}") };
        self.app.stripe.pay(&url, GOOD).await;
        billing.customer_of(&buyer.user).await.unwrap().unwrap().to_string()
    }

    /// Something else than before happens to a subscription, and no webhook tells.
    pub async fn change(&self, subscription: &str, number: usize) {
        let status = ["past_due", "unpaid", "active"][number % 3];
        let change = json!({ "status": status, "_event": "customer.subscription.updated" });
        self.app.stripe.patch("subscriptions", subscription, &change).await;
    }

    pub async fn mark(&self, customer: &str) {
        let now = Due::By(SystemClock.now());
        self.app.billing.mark(&Mark::of(id(customer), now)).await.unwrap();
    }

    /// Whether a worker will come to this customer in a moment.
    pub async fn is_due(&self, customer: &str) -> bool {
        let entries = self.app.billing.queue_entries(1000).await.unwrap();
        entries.iter().any(|it| it.customer.as_str() == customer && !rests(it))
    }

    /// What Stripe says of these customers, in the words of the store.
    async fn truth(&self, customers: &[&str]) -> Vec<Value> {
        let mut truth = Vec::new();
        for customer in customers {
            let synced = self.patient.sync(&id(customer)).await.unwrap();
            truth.push(without_time(serde_json::to_value(synced.snapshot).unwrap()));
        }
        truth
    }

    /// Waits until Redis says what Stripe says, and nobody is leased, failing or due.
    pub async fn settles(&self, customers: &[&str]) {
        let truth = self.truth(customers).await;
        let mut last = String::new();
        let settled = async {
            while let Some(wrong) = self.what_is_wrong(customers, &truth).await {
                last = wrong;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(30), settled).await;
        assert!(in_time.is_ok(), "it stays as it is: {last}");
    }

    /// A process that lives makes these customers right.
    pub async fn heals(&self, customers: &[&str]) {
        let living = self.living().await;
        self.settles(customers).await;
        living.end().await;
    }

    async fn what_is_wrong(&self, customers: &[&str], truth: &[Value]) -> Option<String> {
        for (customer, truth) in customers.iter().zip(truth) {
            let stored = self.app.snapshot(customer).await;
            let stored = if stored.is_null() { json!({ "status": "none" }) } else { without_time(stored) };
            if stored != *truth {
                return Some(format!("{customer}: stored {stored}, and Stripe says {truth}"));
            }
        }
        let mut entries = self.app.billing.queue_entries(1000).await.unwrap();
        entries.retain(|it| !rests(it));
        (!entries.is_empty()).then(|| format!("the queue has {entries:?}"))
    }

    /// Whether this customer's value is what Stripe says.
    pub async fn is_right(&self, customer: &str) -> bool {
        let stored = self.app.snapshot(customer).await;
        !stored.is_null() && without_time(stored) == self.truth(&[customer]).await[0]
    }

    /// One customer of this name at Stripe, with one live subscription, and nothing left to pay.
    pub async fn has_bought_once(&self, buyer: &Buyer) {
        let stripe = &self.app.stripe;
        // By the user: one that was made by a process that died has no e-mail yet.
        let theirs = format!("metadata%5B%27userId%27%5D%3A%27{}%27", buyer.user);
        let customers = stripe.list(&format!("/v1/customers/search?query={theirs}")).await;
        assert_eq!(customers.len(), 1, "{customers:?}");
        assert_eq!(customers[0]["email"], buyer.email);
        let customer = customers[0]["id"].as_str().unwrap();
        let bound = self.app.billing.customer_of(&buyer.user).await.unwrap();
        assert_eq!(bound, Some(id(customer)));
        let subscriptions = stripe.list(&format!("/v1/subscriptions?customer={customer}&status=all")).await;
        assert_eq!(subscriptions.len(), 1, "{subscriptions:?}");
        let sessions = stripe.list(&format!("/v1/checkout/sessions?customer={customer}&status=open")).await;
        assert!(sessions.is_empty(), "could be paid once more: {sessions:?}");
    }
}

/// Nothing is to be done but to look again at the next known change.
fn rests(entry: &Entry) -> bool {
    let soon = entry.at.0 < SystemClock.now().0 + 61_000;
    entry.state == EntryState::Scheduled && entry.attempts == 0 && !soon
}
