//! What is a cluster's own: finding it, asking all of it, hearing what is published in it, and going
//! on after a primary is killed.

use std::time::{Duration, Instant};

use futures::StreamExt;
use redis::Value;
use unsplit_billing::adapters::redis::{ConnectError, RedisConnection};
use unsplit_billing::clock::UnixMillis;
use unsplit_billing::error::StoreError;
use unsplit_billing::id::{CustomerId, UserId};
use unsplit_billing::ports::{Bindings, Due, Mark, Queue, Snapshots, Written};

use super::support::{Bench, customer, value};
use crate::redis_cluster::RedisCluster;

const PATIENCE: Duration = Duration::from_secs(15);

/// A store on a cluster of its own, to be killed.
async fn doomed() -> (RedisCluster, Bench) {
    let cluster = RedisCluster::start();
    let redis = RedisConnection::open(cluster.url()).await.unwrap();
    (cluster, Bench::on(redis))
}

/// Repeats what may fail during a failover. Each try ends soon, well or with a reason.
async fn until_served<T>(mut attempt: impl AsyncFnMut() -> Result<T, StoreError>) -> T {
    let started = Instant::now();
    loop {
        let tried = Instant::now();
        let outcome = attempt().await;
        assert!(tried.elapsed() < Duration::from_secs(4), "an answer took {:?}", tried.elapsed());
        match outcome {
            Ok(done) => return done,
            Err(error) => assert!(started.elapsed() < PATIENCE, "still: {error}"),
        }
    }
}

async fn mark(bench: &Bench, id: &str) {
    let due = Due::By(UnixMillis(bench.now()));
    let mark = Mark::of(customer(id), due);
    until_served(async || bench.store.mark(&mark).await).await;
}

#[tokio::test]
async fn a_cluster_is_told_from_a_single_redis_and_has_one_database() {
    let bench = Bench::new().await;
    assert!(bench.redis.is_cluster());
    let answers = bench.redis.on_each_primary(&redis::cmd("ECHO").arg("here").take()).await.unwrap();
    assert_eq!(answers, vec![Value::BulkString(b"here".to_vec()); 3]);

    let url = crate::home::url();
    let first = url.split(',').next().unwrap();
    assert!(RedisConnection::open(first).await.unwrap().is_cluster(), "one node is enough");
    let refused = RedisConnection::open(format!("{first}/3")).await.err().unwrap();
    assert!(matches!(refused, ConnectError::Database(_, 3)), "{refused}");
    assert!(refused.to_string().contains("REDIS_URL"), "{refused}");
    let mixed = format!("redis://127.0.0.1:1,{url}");
    assert!(RedisConnection::open(mixed).await.unwrap().is_cluster(), "a dead node stops nothing");

    let single = crate::redis_server::RedisServer::start();
    let refused = RedisConnection::open(format!("{},{first}", single.url())).await.err().unwrap();
    assert!(matches!(refused, ConnectError::NoCluster(_)), "{refused}");
}

#[tokio::test]
async fn what_is_published_anywhere_is_heard_everywhere() {
    let bench = Bench::new().await;
    let mut listener = bench.redis.pubsub().await.unwrap();
    listener.subscribe("news").await.unwrap();
    let mut news = listener.on_message();
    for text in ["one", "two", "three"] {
        let mut publish = redis::cmd("PUBLISH");
        let _: u64 = publish.arg("news").arg(text).query_async(&mut bench.redis.clone()).await.unwrap();
        assert_eq!(news.next().await.unwrap().get_payload::<String>().unwrap(), text);
    }
}

#[tokio::test]
async fn marks_survive_the_primary_of_the_queue() {
    let (mut cluster, bench) = doomed().await;
    for id in ["1", "2", "3"] {
        bench.mark(id, 0).await;
    }
    let claimed = bench.store.claim(1).await.unwrap().remove(0);
    cluster.until_replicated();

    let killed = cluster.kill_primary_of("{stripe:due:0}");
    assert!(
        cluster.replica_knows_no_script(killed),
        "so what follows also shows that scripts are loaded again"
    );
    mark(&bench, "4").await;
    assert!(cluster.is_promoted(killed), "who else has acknowledged the mark?");
    until_served(async || bench.store.failed(&claimed, "cut off", UnixMillis(bench.now())).await).await;
    let mut due: Vec<_> = bench.claim().await.into_iter().map(|claim| claim.customer).collect();
    due.sort();
    assert_eq!(due, ["1", "2", "3", "4"].map(customer));
}

#[tokio::test]
async fn values_and_bindings_survive_the_primary_of_a_customer() {
    let (mut cluster, bench) = doomed().await;
    let (ada, bob) = (customer("ada"), customer("bob"));
    let written = async |customer: &CustomerId, at| {
        let ticket = until_served(async || bench.store.begin(customer).await).await;
        until_served(async || bench.store.write(customer, &ticket, &value(at)).await).await
    };
    for customer in [&ada, &bob] {
        assert_eq!(written(customer, 1).await, Written::Accepted);
    }
    let early = bench.store.begin(&ada).await.unwrap();
    cluster.until_replicated();

    let killed = cluster.kill_primary_of("{stripe:customer:cus_ada}");
    // A binding's key lies anywhere; all of them are served again.
    for number in 0..20 {
        let user = UserId::parse(format!("user_{number}")).unwrap();
        assert_eq!(until_served(async || bench.store.bind(&user, &ada, None).await).await, ada);
    }
    let stored = async |customer: &CustomerId| {
        until_served(async || bench.store.snapshot(customer).await).await.unwrap().synced_at
    };
    assert_eq!((stored(&ada).await, stored(&bob).await), (1, 1));
    assert!(cluster.is_promoted(killed));
    assert_eq!(written(&ada, 2).await, Written::Accepted);
    let late = until_served(async || bench.store.write(&ada, &early, &value(0)).await).await;
    assert_eq!((late, stored(&ada).await), (Written::Refused, 2));
}

#[tokio::test]
async fn a_listener_whose_node_is_killed_gets_another() {
    let (mut cluster, bench) = doomed().await;
    let listener = bench.redis.pubsub().await.unwrap();
    cluster.kill_first_seed();
    assert!(listener.into_on_message().next().await.is_none(), "the end is told");
    let mut next = bench.redis.pubsub().await.unwrap();
    next.subscribe("news").await.unwrap();
}

#[tokio::test]
async fn a_shard_that_is_gone_is_an_error_within_seconds() {
    let (mut cluster, bench) = doomed().await;
    cluster.kill_shard_of("{stripe:due:0}");
    let started = Instant::now();
    let error = bench.store.next_due().await.unwrap_err();
    let took = started.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}: {error}");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn a_primary_that_answers_nothing_is_left() {
    let (cluster, bench) = doomed().await;
    bench.mark("1", 0).await;
    cluster.until_replicated();
    let frozen = cluster.freeze_primary_of("{stripe:due:0}");
    mark(&bench, "2").await;
    assert!(cluster.is_promoted(frozen), "who else has acknowledged the mark?");
    assert_eq!(bench.claim().await.len(), 2);
}
