//! A failover that loses what was acknowledged: a replica takes over that has not heard of it. No webhook
//! comes again, and the next ordinary pass of reconciliation is minutes away: that the cluster has
//! another history must be enough.

use std::time::Duration;

use serde_json::json;
use unsplit_billing::ports::{Entry, EntryState};

use super::{ADA, told, until_promoted};
use crate::support::{App, AppOptions, RedisCluster, Tuning, eventually, tuning};

/// Longer than any test waits.
const LONG: u64 = 600;

/// Looks at once whether Redis has failed over.
pub(super) fn watchful() -> Tuning {
    let billing = |settings: &mut unsplit_billing::service::Settings| {
        (tuning().billing)(settings);
        settings.reconcile.watch_every = Duration::from_millis(50);
        settings.reconcile.every = Duration::from_secs(LONG);
    };
    Tuning { billing, ..tuning() }
}

/// Where Stripe's events can't be listed, nothing heals before the test has seen the loss.
pub(super) async fn hide_events(app: &App) {
    app.stripe.fault(&json!({ "path": "/v1/events", "status": 500 })).await;
}

struct Doomed {
    cluster: RedisCluster,
    app: App,
    customer: String,
    subscription: String,
}

impl Doomed {
    /// A subscriber of whom every node has heard, and of whom Stripe says no more.
    async fn start() -> Self {
        let cluster = RedisCluster::start();
        let options = AppOptions { redis_url: cluster.url(), tuning: watchful(), ..AppOptions::default() };
        let app = App::with(options).await;
        app.stripe.drop_webhooks().await;
        let (_, customer, subscription) = app.subscriber(ADA).await;
        app.eventually_quiet().await;
        hide_events(&app).await;
        cluster.until_replicated();
        Self { cluster, app, customer, subscription }
    }

    /// A change at Stripe, of which the app is told once.
    async fn fall_behind(&self) {
        let change = json!({ "status": "past_due", "_event": "customer.subscription.updated" });
        self.app.stripe.patch("subscriptions", &self.subscription, &change).await;
        assert_eq!(told(&self.app, &self.customer).await, 200);
    }

    async fn fail_over(&mut self, primary: usize) {
        self.cluster.fail_over_to_the_past(primary);
        until_promoted(&self.cluster, primary).await;
    }

    async fn entry(&self) -> Entry {
        eventually("the queue answers", async || {
            let entries = self.app.billing.queue_entries(10).await.ok()?;
            entries.into_iter().find(|it| it.customer.as_str() == self.customer)
        })
        .await
    }

    /// The value is the old one, and nobody in the queue would change that.
    async fn assert_lost(&self) {
        self.app.eventually_quiet().await;
        assert_eq!(self.app.snapshot(&self.customer).await["status"], "active", "it was lost");
    }

    async fn eventually_healed(&self) {
        self.app.stripe.heal().await;
        self.app.eventually_status(&self.customer, "past_due").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_a_failover_has_lost_is_fetched_again() {
    let mut doomed = Doomed::start().await;
    let primary = doomed.cluster.cut_off_replica_of(&format!("stripe:customer:{}", doomed.customer));
    let history = doomed.app.stored("stripe:replication").await;
    doomed.fall_behind().await;
    doomed.app.eventually_status(&doomed.customer, "past_due").await;
    doomed.app.eventually_quiet().await;

    doomed.fail_over(primary).await;
    doomed.assert_lost().await;
    doomed.eventually_healed().await;
    eventually("the new history is known", async || {
        (doomed.app.stored("stripe:replication").await != history).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_a_failover_has_lost_is_made_again() {
    let mut doomed = Doomed::start().await;
    let primary = doomed.cluster.cut_off_replica_of("{stripe:due:0}");
    let away = json!({ "path": "/v1/subscriptions", "status": 500, "retry_after": LONG });
    doomed.app.stripe.fault(&away).await;
    doomed.fall_behind().await;
    eventually("the mark waits for Stripe, and no sync is under way", async || {
        let entry = doomed.entry().await;
        (entry.attempts == 1 && entry.state == EntryState::Scheduled).then_some(())
    })
    .await;

    doomed.fail_over(primary).await;
    assert_eq!(doomed.entry().await.attempts, 0, "the mark was lost");
    doomed.assert_lost().await;
    doomed.eventually_healed().await;
}
