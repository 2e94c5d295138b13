//! A Redis behind TLS and a password, also a cluster of them: the app on it, and what `unsplit serve` says
//! of each mistake.

use crate::commands::{one_line, variables};
use crate::fleet::{another_process_wakes_the_worker, never_looks};
use crate::support::{Access, App, AppOptions, Door, PASSWORD, Place, RedisCluster, RedisTls, USER};

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_with_redis_behind_tls() {
    let redis = RedisTls::start();
    let (redis_url, redis_ca_file) = (redis.url(), Some(redis.ca_file()));
    let app = App::with(AppOptions { redis_url, redis_ca_file, ..AppOptions::default() }).await;
    let (_, customer, _) = app.subscriber("ada@example.com").await;
    app.eventually_status(&customer, "active").await;
}

/// Its nodes tell of each other by address, so their certificates have it.
fn cluster_behind(door: &std::sync::Arc<Door>) -> RedisCluster {
    let (home, authority) = (door.home(), Some(std::fs::read(door.ca_file()).unwrap()));
    let door = door.clone();
    let among_themselves = ["--tls-cluster", "yes", "--tls-replication", "yes"];
    let login = ["--masteruser", USER, "--masterauth", PASSWORD];
    let own = [among_themselves, login].concat();
    let settings = move |port| [door.settings(port), own.iter().map(ToString::to_string).collect()].concat();
    RedisCluster::behind(Access { home, authority, settings: Box::new(settings) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_and_a_wake_up_with_a_cluster_behind_tls() {
    let door = std::sync::Arc::new(Door::of(&["localhost", "127.0.0.1"]));
    let cluster = cluster_behind(&door);
    let (redis_url, redis_ca_file) = (cluster.url(), Some(door.ca_file()));
    let app = App::with(AppOptions { redis_url, redis_ca_file, ..never_looks() }).await;
    assert!(app.redis.is_cluster());
    another_process_wakes_the_worker(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_authority_password_or_scheme_is_one_line_and_shows_no_password() {
    let (place, redis) = (Place::new(), RedisTls::start());
    let (right, url) = (redis.ca_file(), redis.url());
    let (right, wrong) = (right.to_string_lossy(), redis.another_ca_file());
    for (url, authority, says) in [
        (url.as_str(), wrong.to_string_lossy().as_ref(), "REDIS_CA_FILE"),
        (&url, "", "REDIS_CA_FILE"),
        (&url, "nowhere.pem", "nowhere.pem"),
        (&url.replace(":topsecret", ":topsecret2"), &right, "the password of REDIS_URL"),
        (&url.replace("rediss", "redis"), "", "rediss://"),
        (&url.replace("rediss", "redis"), &right, "rediss://"),
    ] {
        let mut command = place.command(&["serve"], &variables(url));
        command.env("REDIS_CA_FILE", authority);
        let line = one_line(command).await;
        assert!(line.contains(says), "{line}");
        assert!(!line.contains("topsecret"), "{line}");
    }
}
