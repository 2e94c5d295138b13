//! Wakes workers: the scripts publish whenever a customer has become the first of a shard, and each
//! process listens on a connection of its own. A message that is lost while the connection is away
//! is made good by one wake when it is there again. The process that marks is told directly.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::{mpsc, watch};

use super::shards::CHANNEL;
use crate::adapters::redis::RedisConnection;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

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

async fn listen(redis: &RedisConnection, wake: &mpsc::Sender<()>) {
    let mut pause = FIRST_PAUSE;
    loop {
        match redis.pubsub().await {
            Ok(mut listener) => match listener.subscribe(CHANNEL).await {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    let _ = wake.try_send(());
                    let mut messages = listener.on_message();
                    while messages.next().await.is_some() {
                        let _ = wake.try_send(());
                    }
                    tracing::debug!("the connection that wakes workers is lost");
                }
                Err(error) => {
                    tracing::warn!(%error, "Redis lets us not subscribe: workers look by themselves")
                }
            },
            Err(error) => tracing::debug!(%error, "no connection to be woken by"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
