//! Says which value or binding was written: the scripts publish the key on `stripe:written`, and each
//! process hears it. Losing a message loses no change, as nothing but a look at the key says what is there.

use std::future::ready;

use futures::StreamExt;
use futures::stream::BoxStream;

use super::{Heard, RedisStore, bindings, snapshots};
use crate::id::{CustomerId, UserId};
use crate::ports::{Announcements, News};

pub(super) const CHANNEL: &str = "stripe:written";

impl Announcements for RedisStore {
    fn news(&self) -> BoxStream<'static, News> {
        let read = |heard| match heard {
            Heard::Anew => Some(News::Any),
            Heard::Message(key) => whose(&key),
        };
        self.redis.hear(CHANNEL).filter_map(move |heard| ready(read(heard))).boxed()
    }
}

/// `None` for what another release may publish.
fn whose(key: &str) -> Option<News> {
    if let Some(id) = key.strip_prefix(snapshots::VALUE) {
        return CustomerId::parse(id).ok().map(News::Customer);
    }
    let id = key.strip_prefix(bindings::BINDING)?;
    UserId::parse(id).ok().map(News::User)
}
