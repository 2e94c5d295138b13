//! What is written is told, once it is there; and what was missed is made up for.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use unsplit_billing::id::UserId;
use unsplit_billing::ports::{Announcements, Bindings, News, Queue, Snapshots, Written};

use super::support::{Bench, customer, value};

async fn next(news: &mut BoxStream<'static, News>) -> News {
    tokio::time::timeout(Duration::from_secs(20), news.next()).await.unwrap().unwrap()
}

/// A Redis of the test's own: what is published is heard in all databases.
async fn write(bench: &Bench, id: &str) {
    let ticket = bench.store.begin(&customer(id)).await.unwrap();
    assert_eq!(bench.store.write(&customer(id), &ticket, &value(1)).await.unwrap(), Written::Accepted);
    assert_eq!(bench.store.write(&customer(id), &ticket, &value(2)).await.unwrap(), Written::Refused);
}

#[tokio::test]
async fn each_write_and_each_new_binding_is_told_and_nothing_else() {
    let (_server, bench) = Bench::alone().await;
    let mut news = bench.store.news();
    assert_eq!(next(&mut news).await, News::Any);
    let ada = UserId::parse("ada").unwrap();
    write(&bench, "1").await;
    bench.store.bind(&ada, &customer("1"), None).await.unwrap();
    bench.store.bind(&ada, &customer("2"), None).await.unwrap();
    bench.mark("1", 0).await;
    write(&bench, "3").await;
    for expected in [News::Customer(customer("1")), News::User(ada), News::Customer(customer("3"))] {
        assert_eq!(next(&mut news).await, expected);
    }
}

#[tokio::test]
async fn all_who_hear_share_one_connection_which_comes_back_and_says_so() {
    let (_server, bench) = Bench::alone().await;
    let (mut first, mut second, mut wakes) = (bench.store.news(), bench.store.news(), bench.store.wakes());
    for news in [&mut first, &mut second] {
        assert_eq!(next(news).await, News::Any);
    }
    wakes.next().await.unwrap();
    let kill = redis::cmd("CLIENT").arg(&["KILL", "TYPE", "pubsub"][..]).clone();
    let killed: u64 = kill.query_async(&mut bench.redis.clone()).await.unwrap();
    assert_eq!(killed, 1);
    for news in [&mut first, &mut second] {
        // One that began after the connection was made has said so twice.
        while next(news).await != News::Any {}
    }
    write(&bench, "1").await;
    for news in [&mut first, &mut second] {
        let mut told = next(news).await;
        while told == News::Any {
            told = next(news).await;
        }
        assert_eq!(told, News::Customer(customer("1")));
    }
}

/// A user of Redis 7 may use no channel unless it was said; the writes do not depend on it.
#[tokio::test]
async fn who_may_not_publish_writes_all_the_same() {
    let (server, bench) = Bench::alone().await;
    let mute = bench.mute(&server).await;
    write(&mute, "1").await;
    let ada = UserId::parse("ada").unwrap();
    assert_eq!(mute.store.bind(&ada, &customer("1"), None).await.unwrap(), customer("1"));
}
