//! Wakes workers: the scripts publish whenever a customer has become the first of a shard, and each
//! process hears it. A message that is lost while the connection is away is made good by one wake when
//! it is there again. The process that marks is told directly.

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::{mpsc, watch};

use super::shards::CHANNEL;
use crate::adapters::redis::RedisConnection;

/// Never ends. Several messages that nobody has taken yet are one.
pub(super) fn wakes(redis: RedisConnection, here: watch::Receiver<()>) -> BoxStream<'static, ()> {
    let (wake, woken) = mpsc::channel(1);
    tokio::spawn(async move {
        tokio::select! {
            () = wake.closed() => {}
            () = listen(&redis, &wake) => {}
            () = pass_on(here, &wake) => {}
        }
    });
    stream::unfold(woken, async |mut woken| Some((woken.recv().await?, woken))).boxed()
}

/// What this process has marked itself.
async fn pass_on(mut here: watch::Receiver<()>, wake: &mpsc::Sender<()>) {
    while here.changed().await.is_ok() {
        let _ = wake.try_send(());
    }
    std::future::pending().await
}

/// What any process has marked. Whatever is heard is a wake, also that the connection is new.
async fn listen(redis: &RedisConnection, wake: &mpsc::Sender<()>) {
    let mut heard = redis.hear(CHANNEL);
    while heard.next().await.is_some() {
        let _ = wake.try_send(());
    }
    std::future::pending().await
}
