//! The budget of calls to Stripe that all processes share, on a Stripe that refuses what is too much.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redis::AsyncCommands;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use unsplit::server::run::{open_billing, read_catalog};
use unsplit_billing::adapters::redis::BudgetSettings;
use unsplit_billing::adapters::stripe::StripeSettings;
use unsplit_billing::id::{CustomerId, UserId};
use unsplit_billing::plan::Interval;
use unsplit_billing::ports::{AccountMode, Clock, Due, Limit, Mark, Priority, SystemClock};
use unsplit_billing::service::{Billing, Buyer, Checkout, CheckoutChoice, Settings, Worker};

use crate::support::{App, AppOptions, Tuning, eventually, tuning};

const LIST: &str = "/v1/subscriptions";
/// Calls a second.
const RATE: u32 = 50;

/// Two workers that run so few syncs at once stay below what is kept back for people: however late their
/// calls arrive, and together, Stripe has room for them.
fn few_at_once(settings: &mut Settings) {
    (tuning().billing)(settings);
    settings.concurrency = 4;
}

fn at_stripes_rate() -> Tuning {
    let rate = f64::from(RATE);
    let budget = BudgetSettings {
        account_rate: rate,
        endpoint_rate: rate,
        search_rate: rate,
        ..BudgetSettings::of(AccountMode::Test)
    };
    Tuning { budget: Some(budget), billing: few_at_once, ..tuning() }
}

/// Fifty calls at once, and then one in twelve seconds: no test waits for another.
fn used_up_for_long() -> Tuning {
    let rate = 50.0 / 600.0;
    let budget = BudgetSettings {
        account_rate: rate,
        endpoint_rate: rate,
        search_rate: rate,
        burst_secs: 600.0,
        reserve: 0.4,
        ..BudgetSettings::of(AccountMode::Test)
    };
    Tuning { budget: Some(budget), billing: few_at_once, ..tuning() }
}

/// Who may not ask is told so at once, and the rate stays as low as it has become.
fn slow_to_recover() -> Tuning {
    let longest = Duration::from_millis(300);
    let stripe =
        StripeSettings { longest_background_wait: longest, longest_wait: longest, ..tuning().stripe };
    let recover = Duration::from_secs(6000);
    let budget = BudgetSettings { recover, ..BudgetSettings::of(AccountMode::Test) };
    Tuning { budget: Some(budget), stripe, ..tuning() }
}

/// An app, and a second process on its Redis, with a worker as well.
struct Two {
    app: App,
    other: Arc<Billing>,
    _stop: oneshot::Sender<()>,
    _working: JoinHandle<()>,
}

impl Two {
    async fn with(tuning: fn() -> Tuning) -> Self {
        let app = App::with(AppOptions { tuning: tuning(), ..AppOptions::default() }).await;
        app.stripe.drop_webhooks().await;
        let other = open_billing(&app.config, read_catalog().unwrap(), &tuning()).await.unwrap().0;
        let (stop, stopped) = oneshot::channel::<()>();
        let working = Worker::new(other.clone()).run(async move { drop(stopped.await) });
        let two = Self { app, other, _stop: stop, _working: tokio::spawn(working) };
        two.forget_calls().await;
        two
    }

    /// As if nothing had been asked for a long time.
    async fn forget_calls(&self) {
        let limits = self.app.keys("{stripe:budget}:*").await;
        if !limits.is_empty() {
            let _: u64 = self.app.redis.clone().del(limits).await.unwrap();
        }
        self.app.stripe.forget_requests().await;
    }

    /// So many customers are due, all at once.
    async fn backlog(&self, customers: usize) {
        let mut marks = JoinSet::new();
        for number in 0..customers {
            let due = Mark::of(customer(number), Due::By(SystemClock.now()));
            let billing = self.app.billing.clone();
            marks.spawn(async move { billing.mark(&due).await.unwrap() });
        }
        assert_eq!(marks.join_all().await.len(), customers);
    }

    /// Which of the backlog's customers Stripe was asked for.
    async fn worked_off(&self) -> BTreeSet<String> {
        let asked = self.app.stripe.requests("GET", LIST).await;
        let theirs = asked.iter().filter_map(|it| it["params"]["customer"].as_str());
        theirs.filter(|it| it.starts_with("cus_due")).map(str::to_owned).collect()
    }

    async fn limit(&self, name: &str) -> Limit {
        let limits = self.other.stripe_limits().await.unwrap();
        limits.into_iter().find(|limit| limit.name == name).unwrap()
    }
}

fn customer(number: usize) -> CustomerId {
    CustomerId::parse(format!("cus_due{number}")).unwrap()
}

/// Goes to the checkout in this process; Stripe's page is open in the end.
async fn checkout(billing: &Billing) {
    let buyer = Buyer { user: UserId::parse("ada").unwrap(), email: "ada@example.com".to_owned() };
    let choice = CheckoutChoice { plan: "pro".to_owned(), interval: Interval::Month };
    let opened = billing.start_checkout(&buyer, &choice).await.unwrap();
    assert!(matches!(opened, Checkout::Open { .. }), "{opened:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_together_ask_no_more_than_stripe_allows() {
    let two = Two::with(at_stripes_rate).await;
    let stripe = &two.app.stripe;
    stripe.control("limits", &json!({ "account": RATE, "endpoint": RATE })).await;
    two.backlog(250).await;
    eventually("the backlog has come to the limit", async || {
        (two.worked_off().await.len() >= RATE as usize).then_some(())
    })
    .await;
    checkout(&two.other).await;
    two.app.eventually_quiet().await;
    assert_eq!(two.worked_off().await.len(), 250);
    let mut all = stripe.list("/_emulator/requests?limit=2000").await;
    let asked = all.len();
    all.retain(|it| it["status"] == 429);
    assert!(all.is_empty(), "{} of {asked} calls were refused: {}", all.len(), all[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_is_not_behind_the_backlog() {
    let two = Two::with(used_up_for_long).await;
    two.backlog(200).await;
    eventually("background work has had its part", async || {
        (two.worked_off().await.len() >= 25).then_some(())
    })
    .await;
    checkout(&two.other).await;
    let worked_off = two.worked_off().await.len();
    assert!(worked_off <= 40, "{worked_off} of the backlog were faster");
    let left = two.app.billing.queue_entries(1000).await.unwrap().len();
    assert!(left >= 160, "{left} are still to come");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_one_process_slows_the_other_down() {
    let two = Two::with(slow_to_recover).await;
    let (one, other) = (&two.app.billing, &two.other);
    for (fault, limit) in [
        (json!({ "reason": "endpoint-rate" }), "GET /v1/subscriptions"),
        (json!({ "reason": "global-rate" }), "all"),
        (json!({ "code": "lock_timeout" }), "all"),
    ] {
        two.forget_calls().await;
        let ada = CustomerId::parse("cus_ada").unwrap();
        other.sync(&ada).await.unwrap();
        let before = two.limit(limit).await;
        assert!(before.current_rate >= before.rate && before.paused_until.is_none(), "{before:?}");
        let mut once = fault.clone();
        for (field, value) in [("path", json!(LIST)), ("status", json!(429)), ("retry_after", json!(60))] {
            once[field] = value;
        }
        once["times"] = json!(1);
        two.app.stripe.fault(&once).await;
        one.sync(&ada).await.unwrap_err();
        let slowed = two.limit(limit).await;
        assert!(slowed.current_rate < slowed.rate * 0.6, "{fault}: {slowed:?}");
        assert!(slowed.paused_until.is_some(), "{fault}: {slowed:?}");
        // The pause is the other's, too: it asks nothing.
        let asked = two.app.stripe.requests("GET", LIST).await.len();
        for priority in [Priority::Background, Priority::Waiting] {
            let refused = priority.scope(other.sync(&ada)).await.unwrap_err();
            assert!(refused.to_string().contains("budget"), "{fault}: {refused}");
        }
        assert_eq!(two.app.stripe.requests("GET", LIST).await.len(), asked, "{fault}");
    }
}
