//! Who waits for what in this process. A bell is all that they get: it says to look, not what there is to
//! see, so any number of rings that nobody has answered yet is one. May not know Redis.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::gauge;
use tokio::sync::Notify;
use tower_sessions::session::Id;
use unsplit_billing::id::{CustomerId, UserId};

use super::LiveSettings;

/// What somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Another value.
    Customer(CustomerId),
    /// Another customer.
    User(UserId),
    /// Its end.
    Session(Id),
}

/// All who wait.
#[derive(Default)]
pub struct Listeners {
    pub settings: LiveSettings,
    bells: Mutex<HashMap<Topic, Vec<Arc<Notify>>>>,
    closed: AtomicBool,
}

/// One who waits, until it is dropped.
pub struct Ear {
    listeners: Arc<Listeners>,
    topics: Vec<Topic>,
    bell: Arc<Notify>,
}

impl Listeners {
    #[must_use]
    pub fn new(settings: LiveSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Waits for news of a user. `None` where too many of theirs do.
    #[must_use]
    pub fn listen(self: &Arc<Self>, user: &UserId) -> Option<Ear> {
        let topic = Topic::User(user.clone());
        let bell = Arc::new(Notify::new());
        {
            let mut bells = self.bells();
            let theirs = bells.entry(topic.clone()).or_default();
            if theirs.len() >= self.settings.most_of_a_user {
                return None;
            }
            theirs.push(bell.clone());
        }
        gauge!("unsplit_live_streams").increment(1.0);
        Some(Ear { listeners: self.clone(), topics: vec![topic], bell })
    }

    /// Rings the bells of who waits for this.
    pub fn ring(&self, topic: &Topic) {
        for bell in self.bells().get(topic).into_iter().flatten() {
            bell.notify_one();
        }
    }

    /// Rings everybody's bell.
    pub fn ring_all(&self) {
        let bells = self.bells();
        let everybody = bells.iter().filter(|(topic, _)| matches!(topic, Topic::User(_)));
        for bell in everybody.flat_map(|(_, bells)| bells) {
            bell.notify_one();
        }
    }

    /// Ends all streams, and those that would begin.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.ring_all();
    }

    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn bells(&self) -> MutexGuard<'_, HashMap<Topic, Vec<Arc<Notify>>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ear {
    /// Waits for this, too. Whether that is new.
    pub fn also(&mut self, topic: Topic) -> bool {
        if self.topics.contains(&topic) {
            return false;
        }
        self.listeners.bells().entry(topic.clone()).or_default().push(self.bell.clone());
        self.topics.push(topic);
        true
    }

    /// Until the bell rings, or has rung since the last time.
    pub async fn rings(&self) {
        self.bell.notified().await;
    }

    #[must_use]
    pub fn listeners(&self) -> &Listeners {
        &self.listeners
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut bells = self.listeners.bells();
        for topic in &self.topics {
            if let Some(those) = bells.get_mut(topic) {
                those.retain(|bell| !Arc::ptr_eq(bell, &self.bell));
                if those.is_empty() {
                    bells.remove(topic);
                }
            }
        }
        gauge!("unsplit_live_streams").decrement(1.0);
    }
}

#[cfg(test)]
#[path = "listeners_tests.rs"]
mod tests;
