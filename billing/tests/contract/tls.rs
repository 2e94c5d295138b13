//! TLS and passwords: what connects, and what each mistake is told as.

use std::path::PathBuf;

use futures::StreamExt;
use unsplit_billing::adapters::redis::{ConnectError, RedisConnection, RedisOptions};

use crate::redis_server::database;
use crate::redis_tls::{PASSWORD, RedisTls, USER};

async fn refusal(url: String, ca_file: Option<PathBuf>) -> ConnectError {
    let error = RedisConnection::open(RedisOptions { url, ca_file }).await.err().unwrap();
    let text = format!("{error} {error:?}");
    assert!(!text.contains(PASSWORD), "{text}");
    assert!(error.to_string().contains("REDIS_"), "{text}");
    error
}

#[tokio::test]
async fn a_user_with_a_password_over_tls() {
    let server = RedisTls::start();
    let options = RedisOptions { url: server.url(), ca_file: Some(server.ca_file()) };
    let redis = RedisConnection::open(options).await.unwrap();
    let whom: String = redis::cmd("ACL").arg("WHOAMI").query_async(&mut redis.clone()).await.unwrap();
    assert_eq!(whom, USER);
    let mut listener = redis.pubsub().await.unwrap();
    listener.subscribe("news").await.unwrap();
    let _: u64 = redis::cmd("PUBLISH").arg("news").arg("one").query_async(&mut redis.clone()).await.unwrap();
    assert!(listener.on_message().next().await.is_some());
}

#[tokio::test]
async fn each_mistake_has_a_message_of_its_own() {
    let server = RedisTls::start();
    let (port, authority) = (server.port(), Some(server.ca_file()));
    let at = |start: &str, host: &str| format!("{start}{host}:{port}");
    let ada = format!("{USER}:{PASSWORD}@");

    let public = refusal(server.url(), None).await;
    assert!(matches!(public, ConnectError::Certificate(..)), "{public}");
    let stranger = refusal(server.url(), Some(server.another_ca_file())).await;
    assert!(matches!(stranger, ConnectError::Certificate(..)), "{stranger}");
    let other_name = refusal(at(&format!("rediss://{ada}"), "127.0.0.1"), authority.clone()).await;
    assert!(matches!(other_name, ConnectError::Certificate(..)), "{other_name}");

    for wrong in ["rediss://ada:topsecret2@", "rediss://eve:topsecret@", "rediss://:topsecret@", "rediss://"]
    {
        let refused = refusal(at(wrong, "localhost"), authority.clone()).await;
        assert!(matches!(refused, ConnectError::Refused(..)), "{wrong}: {refused}");
    }

    let plain = refusal(at(&format!("redis://{ada}"), "localhost"), None).await;
    assert!(matches!(plain, ConnectError::Closed(..)) && plain.to_string().contains("rediss://"), "{plain}");
    let not_tls = refusal(database().replace("redis://", "rediss://"), None).await;
    assert!(matches!(not_tls, ConnectError::NotTls(..)), "{not_tls}");
    let nobody = refusal(format!("rediss://{ada}localhost:1"), authority).await;
    assert!(matches!(nobody, ConnectError::Unreachable(..)), "{nobody}");
}
