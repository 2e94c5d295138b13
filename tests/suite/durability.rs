//! A Redis that may lose what it has acknowledged is named: in the log at start, and in a metric.

use std::process::Stdio;

use crate::support::{App, Place, RedisServer, free_port};

/// What the log of a start on such a Redis warns of, and what the metric says.
async fn told(app: &App, settings: &[&str]) -> (Vec<String>, String) {
    let port = free_port();
    let port_text = port.to_string();
    let redis = RedisServer::spawn(port, &[&["--port", &port_text], settings].concat());
    redis.wait();
    let place = Place::new();
    let home = place.home();
    let mut command = place.command(&["serve"], &app.variables(&home));
    command.env("REDIS_URL", redis.url());
    let log = place.path().join("log");
    let file = std::fs::File::create(&log).unwrap();
    let mut running = place.answering_and_logging(command, Stdio::from(file)).await;
    let metrics = reqwest::get(format!("{home}/metrics")).await.unwrap().text().await.unwrap();
    assert!(running.signal("-TERM").success());
    let line = |line: &&str| line.starts_with("unsplit_redis_weak_durability ");
    let metric = metrics.lines().find(line).unwrap_or_else(|| panic!("it is missing:\n{metrics}")).to_owned();
    let warnings = std::fs::read_to_string(log).unwrap();
    let warnings = warnings.lines().filter(|it| it.contains("\"WARN\"") && it.contains("docs/operations.md"));
    (warnings.map(str::to_owned).collect(), metric)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_setting_that_may_lose_what_was_acknowledged_is_named() {
    let app = App::start().await;
    let evicting = ["--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lru"];
    let weak: [(&[&str], &[&str]); 7] = [
        (&["--appendonly", "no"], &["appendonly is off"]),
        (&["--appendfsync", "everysec"], &["appendfsync is everysec"]),
        (&["--appendfsync", "no"], &["appendfsync is no"]),
        (&evicting, &["maxmemory-policy is allkeys-lru"]),
        (&["--no-appendfsync-on-rewrite", "yes"], &["no-appendfsync-on-rewrite is yes"]),
        (&[&evicting[..], &["--appendonly", "no"]].concat(), &["appendonly is off", "maxmemory-policy"]),
        // Without a limit nothing is evicted.
        (&["--maxmemory-policy", "allkeys-lru"], &[]),
    ];
    for (settings, names) in weak {
        let (warnings, metric) = told(&app, settings).await;
        assert_eq!(warnings.len(), names.len(), "{settings:?}: {warnings:?}");
        for (warning, name) in warnings.iter().zip(names) {
            assert!(warning.contains(name), "{settings:?}: {warning}");
        }
        assert_eq!(metric, format!("unsplit_redis_weak_durability {}", names.len()), "{settings:?}");
    }
}
