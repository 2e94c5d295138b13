//! A Redis behind TLS and a password: the app on it, and what `unsplit serve` says of each mistake.

use crate::commands::{one_line, variables};
use crate::support::{App, AppOptions, Place, RedisTls};

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_with_redis_behind_tls() {
    let redis = RedisTls::start();
    let (redis_url, redis_ca_file) = (redis.url(), Some(redis.ca_file()));
    let app = App::with(AppOptions { redis_url, redis_ca_file, ..AppOptions::default() }).await;
    let (_, customer, _) = app.subscriber("ada@example.com").await;
    app.eventually_status(&customer, "active").await;
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
