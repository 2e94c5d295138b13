//! Hears Redis for all streams of this process: what was written, and which log-in has ended.

use futures::StreamExt;
use tower_sessions::session::Id;
use unsplit_billing::adapters::redis::{Heard, RedisConnection};
use unsplit_billing::ports::News;
use unsplit_billing::service::Billing;

use super::{Listeners, Topic};
use crate::server::session::ENDED;

/// Rings until `stop`, which ends all streams: nobody who only listens may hold up a stop.
pub async fn follow(
    listeners: &Listeners,
    billing: &Billing,
    redis: &RedisConnection,
    stop: impl Future<Output = ()>,
) {
    tokio::select! {
        () = stop => {}
        () = ring_for_news(listeners, billing) => {}
        () = ring_for_ends(listeners, redis) => {}
    }
    listeners.close();
}

async fn ring_for_news(listeners: &Listeners, billing: &Billing) {
    let mut news = billing.news();
    while let Some(news) = news.next().await {
        match news {
            News::Customer(customer) => listeners.ring(&Topic::Customer(customer)),
            News::User(user) => listeners.ring(&Topic::User(user)),
            News::Any => listeners.ring_all(),
        }
    }
}

async fn ring_for_ends(listeners: &Listeners, redis: &RedisConnection) {
    let mut ends = redis.hear(ENDED);
    while let Some(heard) = ends.next().await {
        match heard {
            Heard::Message(id) => {
                if let Ok(id) = id.parse::<Id>() {
                    listeners.ring(&Topic::Session(id));
                }
            }
            Heard::Anew => listeners.ring_all(),
        }
    }
}
