//! What a 429 does to the call, to everybody, and to the metrics.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use serde_json::json;
use unsplit_billing::adapters::stripe::StripeClient;
use unsplit_billing::error::{StoreError, StripeErrorKind};
use unsplit_billing::ports::{Budget, Leave, Limit, Priority, Slowdown, Stripe};

use super::scripted::{Answer, Scripted};

/// Lets every call through after `wait`, and remembers what it heard.
#[derive(Default)]
struct Remembering {
    wait: Duration,
    taken: Mutex<Vec<(String, Priority)>>,
    slowed: Mutex<Vec<(String, Slowdown, Duration)>>,
}

#[async_trait]
impl Budget for Remembering {
    async fn take(&self, endpoint: &str, priority: Priority) -> Result<Leave, StoreError> {
        self.taken.lock().unwrap().push((endpoint.to_owned(), priority));
        Ok(Leave::After(self.wait))
    }

    async fn slow_down(&self, endpoint: &str, why: Slowdown, wait: Duration) -> Result<(), StoreError> {
        self.slowed.lock().unwrap().push((endpoint.to_owned(), why, wait));
        Ok(())
    }

    async fn limits(&self) -> Result<Vec<Limit>, StoreError> {
        Ok(Vec::new())
    }
}

fn limited() -> Answer {
    Answer::error(429, json!({ "code": "rate_limit" }))
}

fn account() -> Answer {
    Answer::ok(json!({ "id": "acct_1" }))
}

async fn start(answers: &[Answer], budget: &Arc<Remembering>) -> (Scripted, StripeClient) {
    let (stripe, transport) = Scripted::start(answers.iter().cloned()).await;
    (stripe, StripeClient::new(transport.with_budget(budget.clone())))
}

#[tokio::test]
async fn a_429_is_told_to_all_and_tried_again_for_who_waits() {
    let budget = Arc::new(Remembering::default());
    let answers = [limited().with("stripe-rate-limited-reason", "endpoint-rate"), limited(), account()];
    let (stripe, client) = start(&answers, &budget).await;
    assert_eq!(client.account().await.unwrap().as_str(), "acct_1");
    assert_eq!(stripe.asked().len(), 3);
    let endpoint = || "GET /v1/account".to_owned();
    let pause = Duration::from_millis(1);
    assert_eq!(
        *budget.slowed.lock().unwrap(),
        [(endpoint(), Slowdown::Endpoint, pause), (endpoint(), Slowdown::Account, pause)]
    );
    assert_eq!(*budget.taken.lock().unwrap(), vec![(endpoint(), Priority::Waiting); 3]);
}

#[tokio::test]
async fn background_work_goes_back_to_its_queue() {
    let budget = Arc::new(Remembering::default());
    let (stripe, client) = start(&[limited().with("retry-after", 3), account()], &budget).await;
    let refused = Priority::Background.scope(client.account()).await.unwrap_err();
    assert_eq!(
        (refused.kind, refused.retry_after),
        (StripeErrorKind::Unavailable, Some(Duration::from_secs(3)))
    );
    assert_eq!(stripe.asked().len(), 1);
    assert_eq!(budget.slowed.lock().unwrap()[0].2, Duration::from_secs(3));
    assert_eq!(budget.taken.lock().unwrap()[0].1, Priority::Background);
}

#[tokio::test]
async fn a_pause_that_nobody_can_wait_for_is_handed_on() {
    let budget = Arc::new(Remembering::default());
    let (stripe, client) = start(&[limited().with("retry-after", 86_400), account()], &budget).await;
    let refused = client.account().await.unwrap_err();
    let longest = Duration::from_secs(15 * 60);
    assert_eq!((stripe.asked().len(), refused.retry_after), (1, Some(longest)));
    assert_eq!(budget.slowed.lock().unwrap()[0].2, longest);
}

#[tokio::test]
async fn a_used_up_budget_keeps_the_call_here() {
    let wait = Duration::from_secs(60);
    let budget = Arc::new(Remembering { wait, ..Remembering::default() });
    let (stripe, client) = start(&[account()], &budget).await;
    let refused = client.account().await.unwrap_err();
    assert_eq!((refused.kind, refused.retry_after), (StripeErrorKind::Unavailable, Some(wait)));
    assert!(refused.message.contains("budget"), "{refused}");
    assert!(stripe.asked().is_empty());
}

#[tokio::test]
async fn each_try_and_each_wait_is_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let budget = Arc::new(Remembering { wait: Duration::from_millis(1), ..Remembering::default() });
    let missing = Answer::error(404, json!({ "code": "resource_missing" }));
    let (_, client) = start(&[limited(), account(), missing], &budget).await;
    client.account().await.unwrap();
    let customer = unsplit_billing::id::CustomerId::parse("cus_1").unwrap();
    assert_eq!(client.customer(&customer).await.unwrap(), None);
    let mut counted = Vec::new();
    for (key, _, _, value) in snapshots.snapshot().into_vec() {
        let labels = key.key().labels().map(|label| label.value().to_owned()).collect::<Vec<_>>().join(", ");
        let count = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Histogram(seconds) => seconds.iter().filter(|it| it.0 > 0.0).count() as u64,
            DebugValue::Gauge(_) => 0,
        };
        let name = key.key().name().strip_prefix("unsplit_stripe_").unwrap().to_owned();
        counted.push(format!("{name}({labels}) {count}"));
    }
    counted.sort();
    assert_eq!(
        counted,
        [
            "budget_wait_seconds(waiting) 3",
            "budget_waits_total(GET /v1/account, waiting) 2",
            "budget_waits_total(GET /v1/customers/:id, waiting) 1",
            "request_seconds(GET /v1/account) 2",
            "request_seconds(GET /v1/customers/:id) 1",
            "requests_total(GET /v1/account, ok) 1",
            "requests_total(GET /v1/account, rate_limited) 1",
            "requests_total(GET /v1/customers/:id, missing) 1",
        ]
    );
}
