//! Whoever does the same for the same one in this process does it one after the other: the next may
//! find that there is nothing left to do. Truth never needs it; it saves calls.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Held by whose turn it is.
type Turn<T> = Arc<tokio::sync::Mutex<T>>;

/// A queue for each key, as long as somebody stands in it. `T` is what one leaves to the next.
pub(super) struct Queues<K, T>(Mutex<HashMap<K, Turn<T>>>);

impl<K, T> Default for Queues<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, T: Default> Queues<K, T> {
    /// Stands in the queue until the place is dropped, which is to be done after the turn.
    pub fn join<'a>(&'a self, key: &'a K) -> (Place<'a, K, T>, Turn<T>) {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = queues.entry(key.clone()).or_default().clone();
        (Place { queues: self, key, turn: Some(turn.clone()) }, turn)
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// Somebody's place. The last one to leave, also by being cut off, takes the queue away.
pub(super) struct Place<'a, K: Eq + Hash, T> {
    queues: &'a Queues<K, T>,
    key: &'a K,
    turn: Option<Turn<T>>,
}

impl<K: Eq + Hash, T> Drop for Place<'_, K, T> {
    fn drop(&mut self) {
        let mut queues = self.queues.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.turn.take());
        if queues.get(self.key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            queues.remove(self.key);
        }
    }
}
