//! Hears what is published, over one connection for all who share a `RedisConnection`: one a process.
//! It comes back by itself when it is lost, and says so, as what was published meanwhile nobody has heard.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use redis::aio::PubSub;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use super::RedisConnection;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Messages of a channel that may wait for who hears them; whoever is slower hears `Anew` in their place.
const BACKLOG: usize = 1024;

/// What comes over a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Message(String),
    /// From now on messages come. Any number may have been lost before: look for yourself.
    Anew,
}

/// The channels that somebody wants to hear, and the task that listens to them.
#[derive(Default)]
pub(super) struct Listening {
    heard: Mutex<Channels>,
    /// Dropped with the last who could want another channel, so that the task ends.
    wanted: watch::Sender<()>,
}

#[derive(Default)]
struct Channels {
    open: HashMap<&'static str, broadcast::Sender<Heard>>,
    task: Option<JoinHandle<()>>,
}

impl Listening {
    /// `redis` is where the connection is made. The stream ends when all clones of the connection
    /// that this belongs to are gone.
    pub fn hear(
        self: &Arc<Self>,
        redis: RedisConnection,
        channel: &'static str,
    ) -> BoxStream<'static, Heard> {
        let mut channels = self.channels();
        let known = channels.open.contains_key(channel);
        let sender = channels.open.entry(channel).or_insert_with(|| broadcast::Sender::new(BACKLOG));
        let receiver = sender.subscribe();
        if channels.task.as_ref().is_none_or(JoinHandle::is_finished) {
            let listening = Arc::downgrade(self);
            channels.task = Some(tokio::spawn(listen(listening, redis, self.wanted.subscribe())));
        }
        drop(channels);
        self.wanted.send_replace(());
        // The task says it of a channel that is new to it.
        stream::iter(known.then_some(Heard::Anew)).chain(stream::unfold(receiver, next)).boxed()
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, channel: &str, heard: Heard) {
        if let Some(sender) = self.channels().open.get(channel) {
            // Nobody may be there any more.
            let _ = sender.send(heard);
        }
    }
}

async fn next(mut heard: broadcast::Receiver<Heard>) -> Option<(Heard, broadcast::Receiver<Heard>)> {
    match heard.recv().await {
        Ok(message) => Some((message, heard)),
        Err(broadcast::error::RecvError::Lagged(_)) => Some((Heard::Anew, heard)),
        Err(broadcast::error::RecvError::Closed) => None,
    }
}

async fn listen(listening: Weak<Listening>, redis: RedisConnection, mut wanted: watch::Receiver<()>) {
    let mut pause = FIRST_PAUSE;
    while wanted.has_changed().is_ok() {
        match redis.pubsub().await {
            Ok(pubsub) => {
                pause = FIRST_PAUSE;
                pass_on(&listening, pubsub, &mut wanted).await;
                tracing::debug!("the connection that hears what is published is lost");
            }
            Err(error) => tracing::debug!(%error, "no connection to hear what is published"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Until the connection is lost, or nobody can want it any more.
async fn pass_on(listening: &Weak<Listening>, pubsub: PubSub, wanted: &mut watch::Receiver<()>) {
    let (mut sink, mut messages) = pubsub.split();
    let mut joined = HashSet::new();
    loop {
        let Some(all) = listening.upgrade().map(|it| it.channels().open.keys().copied().collect::<Vec<_>>())
        else {
            return;
        };
        for channel in all.into_iter().filter(|channel| joined.insert(*channel)) {
            match sink.subscribe(channel).await {
                Ok(()) => listening.upgrade().map_or((), |it| it.tell(channel, Heard::Anew)),
                Err(error) => {
                    tracing::warn!(%error, channel, "Redis lets us not subscribe: who waits looks by themselves");
                }
            }
        }
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { return },
            message = messages.next() => {
                let (Some(message), Some(listening)) = (message, listening.upgrade()) else { return };
                if let Ok(text) = message.get_payload() {
                    listening.tell(message.get_channel_name(), Heard::Message(text));
                }
            }
        }
    }
}
