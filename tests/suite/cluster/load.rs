//! The primary of the queue is killed while several senders tell of many customers. Whatever was answered
//! 200 is in the stored values in the end, although no event is sent twice.

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

use super::failover::{hide_events, watchful};
use super::{until_promoted, until_worked_off};
use crate::support::{App, AppOptions, Load, RedisCluster, WEBHOOK_SECRET};

/// Before the kill and around it, and after it.
const GROUPS: usize = 2;
/// Many more than senders: whoever is told of while the primary dies is told of again.
const GROUP: usize = 24;

/// So many deliveries before the kill, and after it.
const MANY: u64 = 100;

struct Loaded {
    cluster: RedisCluster,
    app: App,
    load: Arc<Load>,
}

impl Loaded {
    /// Customers of whom the app has never heard, and a Stripe that lists no events.
    async fn start() -> Self {
        let cluster = RedisCluster::start();
        let options = AppOptions { redis_url: cluster.url(), tuning: watchful(), ..AppOptions::default() };
        let app = App::with(options).await;
        app.stripe.drop_webhooks().await;
        hide_events(&app).await;
        let (stripe, home) = (app.stripe.clone(), app.url.clone());
        let load = Load::prepare(stripe, home, WEBHOOK_SECRET, GROUPS, GROUP).await;
        cluster.until_replicated();
        Self { cluster, app, load }
    }

    fn senders(&self) -> JoinSet<()> {
        let seed = rand::random();
        eprintln!("seed {seed}");
        self.load.start(&mut StdRng::seed_from_u64(seed))
    }

    async fn judge(&self, senders: JoinSet<()>) {
        senders.join_all().await;
        until_worked_off(&self.app, &self.load).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_answered_200_and_replicated_survives_the_queues_primary() {
    let mut loaded = Loaded::start().await;
    let senders = loaded.senders();
    loaded.load.delivered(MANY).await;
    let killed = loaded.cluster.kill_primary_without_loss("{stripe:due:0}");
    loaded.load.next_group();
    until_promoted(&loaded.cluster, killed).await;
    loaded.load.delivered(MANY).await;
    loaded.load.next_group();
    // Reconciliation can't help: Stripe still lists no events.
    loaded.judge(senders).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_answered_200_and_lost_with_the_queues_primary_is_found_again() {
    let mut loaded = Loaded::start().await;
    let doomed = loaded.cluster.cut_off_replica_of("{stripe:due:0}");
    let senders = loaded.senders();
    loaded.load.delivered(MANY).await;
    loaded.load.next_group();
    // The first group's marks are worked off: only their values can be lost, and the second one's marks.
    let first = loaded.load.acknowledged()[..GROUP].to_vec();
    loaded.load.until_stored("answered 200", &loaded.app.redis, &first).await;
    loaded.load.delivered(MANY).await;

    loaded.cluster.fail_over_to_the_past(doomed);
    until_promoted(&loaded.cluster, doomed).await;
    let lost = loaded.load.behind(&first, &loaded.load.stored(&loaded.app.redis).await);
    assert!(!lost.is_empty(), "the failover has lost nothing: {first:?}");
    loaded.app.stripe.heal().await;
    loaded.load.delivered(MANY).await;
    loaded.load.next_group();
    loaded.judge(senders).await;
}
