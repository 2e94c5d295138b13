//! What a stop, a crash and a worker's end cost: a clean stop nobody's lease, a crash one at most.
//! Leases are long here, so that whoever waits for one is late.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use redis::AsyncCommands;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use unsplit::server::run::{open_billing, read_catalog};
use unsplit_billing::adapters::redis::QueueSettings;
use unsplit_billing::clock::UnixMillis;
use unsplit_billing::id::CustomerId;
use unsplit_billing::ports::{Clock, Due, Mark, SystemClock};
use unsplit_billing::service::{Billing, Settings, Worker};

use crate::support::{
    App, AppOptions, Delivery, Place, RedisServer, SlowLine, Tuning, WEBHOOK_SECRET, event, eventually,
    tuning,
};

const ADA: &str = "ada@example.com";
const LIST: &str = "/v1/subscriptions";
const EVENTS: &str = "/v1/events";
const TURN: &str = "stripe:turn:reconcile";
const LEASED: &str = "{stripe:due:0}:leased";

fn with_lease(lease: Duration, billing: fn(&mut Settings)) -> Tuning {
    let queue = QueueSettings { lease, ..tuning().queue };
    Tuning { queue, billing, ..tuning() }
}

/// On a Redis of its own: on a shared one other tests would wake its workers.
async fn alone(redis: &RedisServer, tuning: Tuning) -> App {
    App::with(AppOptions { redis_url: redis.url(), tuning, ..AppOptions::default() }).await
}

/// A worker that is woken, or wakes when a lease runs out, and looks by itself too late for any test.
fn patient(settings: &mut Settings) {
    (tuning().billing)(settings);
    settings.poll = Duration::from_secs(600);
    settings.renew_every = Duration::from_millis(200);
}

fn hasty(settings: &mut Settings) {
    patient(settings);
    settings.drain = Duration::from_millis(200);
}

/// One process more that only works off what is due.
struct Process {
    billing: Arc<Billing>,
    working: JoinHandle<()>,
    /// Dropped, it is told to stop.
    _stop: oneshot::Sender<()>,
}

impl Process {
    async fn start(app: &App, stripe: &str, lease: Duration) -> Self {
        let mut config = app.config.clone();
        config.stripe_base = Some(stripe.to_owned());
        let tuning = with_lease(lease, patient);
        let (billing, _) = open_billing(&config, read_catalog().unwrap(), &tuning).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = Worker::new(billing.clone());
        let working = tokio::spawn(worker.run(async move { drop(stopped.await) }));
        Self { billing, working, _stop: stop }
    }

    /// As `kill -9` does: nothing is given back.
    async fn crash(self) {
        self.working.abort();
        assert!(self.working.await.unwrap_err().is_cancelled());
    }
}

/// When the one lease ends, Unix milliseconds.
async fn lease_end(app: &App) -> Option<i64> {
    let leased: Vec<(String, f64)> = app.redis.clone().zrange_withscores(LEASED, 0, -1).await.unwrap();
    assert!(leased.len() <= 1, "{leased:?}");
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds that we wrote")]
    leased.first().map(|(_, end)| *end as i64)
}

/// Waits until this was asked of Stripe once since the requests were forgotten.
async fn until_asked(app: &App, path: &str) {
    let what = format!("Stripe is asked for {path}");
    eventually(&what, async || (app.stripe.requests("GET", path).await.len() == 1).then_some(())).await;
}

/// A request that was begun on a connection, and is ended later.
struct Begun {
    connection: TcpStream,
    rest: String,
}

impl Begun {
    /// Sends all of it but the body's end, once the app has said that it waits for the body.
    fn webhook(site: SocketAddr, delivery: &Delivery) -> Self {
        let (body, signature) = (&delivery.body, delivery.signature.as_deref().unwrap());
        let mut connection = TcpStream::connect(site).unwrap();
        let head = format!(
            "POST /webhooks/stripe HTTP/1.1\r\nhost: {site}\r\nstripe-signature: {signature}\r\n\
             expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        connection.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 25];
        connection.read_exact(&mut answer).unwrap();
        assert_eq!(answer.as_slice(), b"HTTP/1.1 100 Continue\r\n\r\n");
        Self { connection, rest: body.clone() }
    }

    /// Sends all of it but the end of its head.
    async fn probe(site: SocketAddr) -> Self {
        let mut connection = TcpStream::connect(site).unwrap();
        write!(connection, "GET /readyz HTTP/1.1\r\nhost: {site}\r\n").unwrap();
        // Whoever came later has been answered, so what came before was read.
        for _ in 0..10 {
            assert!(reqwest::get(format!("http://{site}/livez")).await.unwrap().status().is_success());
        }
        Self { connection, rest: "\r\n".to_owned() }
    }

    /// The status line and the rest of the answer.
    fn end(mut self) -> String {
        self.connection.write_all(self.rest.as_bytes()).unwrap();
        let mut answer = String::new();
        self.connection.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_intake_at_once_and_the_process_when_its_syncs_are_written() {
    let mut app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (_, customer, subscription) = app.subscriber(ADA).await;
    app.stop().await;
    let (place, told) = (Place::new(), Delivery::signed(event("evt_1", &customer), WEBHOOK_SECRET));
    let home = place.home();
    let variables = app.variables(&home);
    app.stripe.forget_requests().await;
    for path in [LIST, EVENTS] {
        app.stripe.fault(&json!({ "path": path, "hold": true, "times": 1 })).await;
    }
    let mut running = place.answering(place.command(&["serve"], &variables)).await;
    until_asked(&app, EVENTS).await;
    assert!(app.stored(TURN).await.is_some(), "it reconciles");
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "past_due" })).await;
    assert_eq!(told.send(&home).await.0, 200);
    until_asked(&app, LIST).await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "unpaid" })).await;
    let (webhook, probe) = (Begun::webhook(place.site, &told), Begun::probe(place.site).await);

    running.tell("-TERM");
    eventually("nobody listens", async || TcpStream::connect(place.site).is_err().then_some(())).await;
    let red = probe.end();
    assert!(red.starts_with("HTTP/1.1 503") && red.ends_with("draining"), "{red}");
    let taken = webhook.end();
    assert!(taken.starts_with("HTTP/1.1 200") && taken.ends_with("marked"), "{taken}");
    assert_eq!(app.snapshot(&customer).await["status"], "active");
    let released = Instant::now();
    app.stripe.control("faults/release", &json!({})).await;
    assert_eq!(running.ended().code(), Some(0));
    assert!(released.elapsed() < Duration::from_secs(5), "{:?}", released.elapsed());
    assert_eq!(app.snapshot(&customer).await["status"], "past_due", "what was under way is written");
    assert_eq!(lease_end(&app).await, None);
    assert_eq!(app.stored(TURN).await, None, "the next process need not wait for its turn");

    // What was answered while it went down is the next one's first work.
    let _again = place.answering(place.command(&["serve"], &variables)).await;
    app.eventually_status(&customer, "unpaid").await;
    assert!(released.elapsed() < Duration::from_secs(15), "a lease's length: {:?}", released.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_finished_in_time_is_given_back_and_another_process_has_it_at_once() {
    let lease = Duration::from_secs(20);
    let redis = RedisServer::start();
    let mut app = alone(&redis, with_lease(lease, hasty)).await;
    app.stripe.hold_webhooks().await;
    let (_, customer, subscription) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    app.stripe.forget_requests().await;
    app.stripe.fault(&json!({ "path": LIST, "hold": true, "times": 1 })).await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "past_due" })).await;
    let told = Delivery::signed(event("evt_1", &customer), WEBHOOK_SECRET);
    assert_eq!(told.send(&app.url).await.0, 200);
    until_asked(&app, LIST).await;
    let other = Process::start(&app, &app.stripe.url, lease).await;
    let ahead = lease_end(&app).await.unwrap() - SystemClock.now().0;
    assert!(ahead > 15_000, "the lease is long: {ahead} ms");

    let stopped = Instant::now();
    app.stop().await;
    app.eventually_status(&customer, "past_due").await;
    assert!(stopped.elapsed() < Duration::from_secs(8), "nobody waits for a lease: {:?}", stopped.elapsed());
    assert_eq!(app.stripe.requests("GET", LIST).await.len(), 2, "the answer to the first is still held");
    eventually("it is done", async || lease_end(&app).await.is_none().then_some(())).await;
    let entries = other.billing.queue_entries(10).await.unwrap();
    assert!(entries.iter().all(|it| it.attempts == 0 && it.last_error.is_none()), "{entries:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_costs_one_lease_and_no_more() {
    let (lease, redis) = (Duration::from_secs(2), RedisServer::start());
    let mut app = alone(&redis, tuning()).await;
    app.stripe.hold_webhooks().await;
    let (_, customer, subscription) = app.subscriber(ADA).await;
    app.stop().await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "past_due" })).await;
    let line = SlowLine::to(&app.stripe.url, LIST).await;
    let dying = Process::start(&app, &line.url, lease).await;
    let mark = Mark::of(CustomerId::parse(customer.as_str()).unwrap(), Due::By(SystemClock.now()));
    dying.billing.mark(&mark).await.unwrap();
    line.answered().await;
    let first = lease_end(&app).await.unwrap();
    eventually("its lease is renewed", async || (lease_end(&app).await? > first).then_some(())).await;
    dying.crash().await;

    let end = lease_end(&app).await.unwrap();
    let _living = Process::start(&app, &app.stripe.url, lease).await;
    app.eventually_status(&customer, "past_due").await;
    let late = SystemClock.now().0 - end;
    assert!(late >= 0, "somebody else's work was taken {} ms before its lease had run out", -late);
    assert!(late < 5_000, "nobody saw that the lease had run out: {late} ms late");
}

/// A clock that breaks: whoever looks at it then panics.
struct Fragile {
    broken: AtomicBool,
}

impl Clock for Fragile {
    fn now(&self) -> UnixMillis {
        assert!(!self.broken.load(Ordering::SeqCst), "a panic that a test wants");
        SystemClock.now()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_worker_has_panicked_is_not_ready() {
    let clock = Arc::new(Fragile { broken: AtomicBool::new(false) });
    let tuning = Tuning { clock: clock.clone(), ..tuning() };
    let app = App::with(AppOptions { tuning, ..AppOptions::default() }).await;
    let answer = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", app.url)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(answer("/readyz").await.0, 200);
    clock.broken.store(true, Ordering::SeqCst);
    eventually("it is red", async || (answer("/readyz").await.0 == 503).then_some(())).await;
    assert!(answer("/readyz").await.1.contains("worker"), "it says why");
    assert_eq!(answer("/livez").await.0, 200);
}
