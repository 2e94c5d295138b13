//! Marks of one process go out in groups, nobody is lost on the way, and where Redis would answer
//! too early, they wait for the disk.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use unsplit_billing::adapters::redis::RedisConnection;
use unsplit_billing::clock::UnixMillis;
use unsplit_billing::error::StoreError;
use unsplit_billing::id::{CustomerId, SubscriptionId};
use unsplit_billing::ports::{Due, Mark, Queue, Reconciliation};

use super::proxy::Proxy;
use super::support::{Bench, customer};
use crate::redis_server::RedisServer;

fn mark_of(bench: &Bench, id: &str) -> Mark {
    Mark::of(customer(id), Due::By(UnixMillis(bench.now())))
}

async fn try_marks(bench: &Bench, ids: &[String]) -> Vec<Result<u64, StoreError>> {
    let marks: Vec<Mark> = ids.iter().map(|id| mark_of(bench, id)).collect();
    join_all(marks.iter().map(|mark| bench.store.mark(mark))).await
}

fn ids(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

async fn script_calls(bench: &Bench) -> u64 {
    let info: String =
        redis::cmd("INFO").arg("commandstats").query_async(&mut bench.redis.clone()).await.unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

async fn all_due(bench: &Bench) -> BTreeSet<CustomerId> {
    bench.store.claim(10_000).await.unwrap().into_iter().map(|claim| claim.customer).collect()
}

#[tokio::test]
async fn a_hundred_marks_at_once_are_few_calls_and_each_has_its_generation() {
    let (_server, bench) = Bench::alone().await;
    bench.mark("first", 0).await;
    let before = script_calls(&bench).await;
    let mut many = ids(0..50);
    many.extend(vec!["same".to_owned(); 50]);
    let marked = try_marks(&bench, &many).await;
    let calls = script_calls(&bench).await - before;
    assert!(calls <= 3, "{calls} calls");
    let generations: Vec<u64> = marked.into_iter().map(Result::unwrap).collect();
    assert_eq!(generations.iter().collect::<BTreeSet<_>>().len(), 100);
    let claims = bench.store.claim(1000).await.unwrap();
    for claim in claims.iter().filter(|claim| claim.customer != customer("first")) {
        let newest = many.iter().zip(&generations).filter(|(id, _)| customer(id) == claim.customer);
        assert_eq!(newest.map(|(_, generation)| *generation).max(), Some(claim.generation));
    }
}

#[tokio::test]
async fn what_the_marks_of_one_call_say_of_one_customer_all_counts() {
    let (_server, bench) = Bench::alone().await;
    bench.mark("first", 0).await;
    let expecting = |id: &str, subscription: &str| Mark {
        expects: Some(SubscriptionId::parse(subscription).unwrap()),
        ..mark_of(&bench, id)
    };
    let from = Mark::of(customer("acted"), Due::From(UnixMillis(bench.now() + 5_000)));
    let marks = [
        expecting("first_lacks", "sub_1"),
        expecting("first_lacks", "sub_2"),
        expecting("second_lacks", "sub_1"),
        expecting("second_lacks", "sub_2"),
        expecting("all", "sub_1"),
        expecting("all", "sub_2"),
        mark_of(&bench, "acted"),
        from,
    ];
    let before = script_calls(&bench).await;
    join_all(marks.iter().map(|mark| bench.store.mark(mark))).await;
    assert!(script_calls(&bench).await - before <= 2);
    for claim in bench.store.claim(10).await.unwrap() {
        let lacks = |id| claim.customer == customer(id);
        let listed: &[&str] = match () {
            () if lacks("first_lacks") => &["sub_2"],
            () if lacks("second_lacks") => &["sub_1"],
            () => &["sub_1", "sub_2"],
        };
        bench.done_with(&claim, listed).await;
    }
    let left = bench.store.entries(10).await.unwrap().into_iter().map(|entry| entry.customer);
    assert_eq!(left.collect::<BTreeSet<_>>(), ["acted", "first_lacks", "second_lacks"].map(customer).into());
}

#[tokio::test]
async fn more_marks_than_a_call_takes_all_arrive() {
    let (_server, bench) = Bench::alone().await;
    let many = ids(0..700);
    assert!(try_marks(&bench, &many).await.iter().all(Result::is_ok));
    assert_eq!(all_due(&bench).await.len(), 700);
}

#[tokio::test]
async fn who_is_cut_off_takes_nothing_from_the_others() {
    let bench = Bench::new().await;
    bench.mark("first", 0).await;
    for number in 0..20 {
        let mark = mark_of(&bench, &number.to_string());
        assert!(bench.store.mark(&mark).now_or_never().is_none());
    }
    bench.mark("last", 0).await;
    assert_eq!(all_due(&bench).await.len(), 22, "those that were cut off are marked too");
}

/// What was acknowledged is there, wherever the connection was cut; nobody waits for ever.
#[tokio::test]
async fn nothing_acknowledged_is_lost_when_connections_are_cut() {
    let (server, bench) = Bench::alone().await;
    let other = RedisConnection::open(server.url()).await.unwrap();
    let (mut acknowledged, mut refused) = (BTreeSet::new(), 0);
    for round in 0..30 {
        let many = ids(round * 40..round * 40 + 40);
        let mut cut = redis::cmd("CLIENT");
        cut.arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
        let mut other = other.clone();
        let kill = async {
            for _ in 0..round % 3 {
                tokio::task::yield_now().await;
            }
            cut.query_async::<i64>(&mut other).await.unwrap()
        };
        let (marked, _) = tokio::join!(try_marks(&bench, &many), kill);
        for (id, result) in many.iter().zip(marked) {
            match result {
                Ok(_) => drop(acknowledged.insert(customer(id))),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 0 && !acknowledged.is_empty(), "{refused} refused, {} taken", acknowledged.len());
    let fresh = Bench::on(other);
    let due = all_due(&fresh).await;
    assert!(acknowledged.is_subset(&due), "{:?}", acknowledged.difference(&due));
}

#[tokio::test]
async fn an_outage_is_an_error_for_each_and_the_next_mark_is_made() {
    let (mut server, bench) = Bench::alone().await;
    bench.mark("first", 0).await;
    server.kill();
    assert!(try_marks(&bench, &ids(0..20)).await.iter().all(Result::is_err));
    server.restart();
    let mark = mark_of(&bench, "last");
    while bench.store.mark(&mark).await.is_err() {}
    assert!(all_due(&bench).await.is_superset(&BTreeSet::from([customer("first"), customer("last")])));
}

async fn behind(fsync: Option<&'static str>) -> (RedisServer, Proxy, Bench) {
    let server = RedisServer::start();
    let proxy = Proxy::start(&server.url(), fsync).await;
    let bench = Bench::on(RedisConnection::open(proxy.url.clone()).await.unwrap());
    (server, proxy, bench)
}

#[tokio::test]
async fn a_mark_is_acknowledged_when_it_is_on_disk_and_holds_up_nobody_else() {
    for fsync in [Some("everysec"), None] {
        let (_server, proxy, bench) = behind(fsync).await;
        // The first one finds the script unknown, and waits twice.
        proxy.answers.add_permits(2);
        bench.mark("0", 0).await;
        proxy.asked.forget_permits(2);
        let mark = mark_of(&bench, "1");
        let marking = bench.store.mark(&mark);
        tokio::pin!(marking);
        tokio::select! {
            early = &mut marking => panic!("before it is on disk: {early:?}"),
            asked = proxy.asked.acquire() => asked.unwrap().forget(),
        }
        assert_eq!(all_due(&bench).await.len(), 2, "other commands go on");
        assert!((&mut marking).now_or_never().is_none());
        proxy.answers.add_permits(1);
        marking.await.unwrap();

        proxy.disks.store(0, Ordering::SeqCst);
        proxy.answers.add_permits(1);
        let error = bench.store.mark(&mark).await.unwrap_err();
        assert!(error.to_string().contains("disk"), "{error}");
        let safety = bench.store.durability().await.unwrap();
        assert!(safety.waits_for_disk, "{safety:?}");
        assert_eq!(safety.weaknesses(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn where_redis_answers_only_when_it_is_on_disk_nobody_asks() {
    let (_server, proxy, bench) = behind(Some("always")).await;
    bench.mark("1", 0).await;
    assert_eq!(proxy.waits.load(Ordering::SeqCst), 0);
    assert!(!bench.store.durability().await.unwrap().waits_for_disk);
}

/// Each wait may take a second, so that small groups would be slow.
#[tokio::test]
async fn a_burst_waits_for_the_disk_together() {
    let (_server, proxy, bench) = behind(Some("everysec")).await;
    proxy.answers.add_permits(1000);
    assert!(try_marks(&bench, &ids(0..600)).await.iter().all(Result::is_ok));
    let waits = proxy.waits.load(Ordering::SeqCst);
    assert!(waits <= 2, "{waits} waits");
    assert_eq!(all_due(&bench).await.len(), 600);
}

/// The bound is far above what one time-out takes, and far below what one after the other would.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.unwrap()
}

#[tokio::test]
async fn where_redis_hangs_all_who_wait_are_refused_together() {
    let (server, bench) = Bench::alone().await;
    server.freeze();
    let fresh = soon(try_marks(&bench, &ids(0..40))).await;
    assert!(fresh.iter().all(Result::is_err), "nothing was stored");
    server.thaw();
    bench.mark("first", 0).await;
    server.freeze();
    let many = soon(try_marks(&bench, &ids(0..5000))).await;
    assert!(many.iter().all(Result::is_err), "nothing was stored");
    server.thaw();
    bench.mark("last", 0).await;
    assert!(all_due(&bench).await.contains(&customer("last")));
}
