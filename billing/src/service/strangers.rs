//! Users that Stripe's search does not know, remembered for a minute: whoever reloads a page must not
//! use up the searches that others need to buy.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::id::UserId;

/// As long as the search may lag behind.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Beyond that the oldest are forgotten with the rest.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Strangers {
    searched: Mutex<HashMap<UserId, Instant>>,
}

impl Strangers {
    pub(super) fn knows(&self, user: &UserId) -> bool {
        let searched = self.searched.lock().unwrap_or_else(PoisonError::into_inner);
        searched.get(user).is_some_and(|at| at.elapsed() < REMEMBERED)
    }

    pub(super) fn remember(&self, user: &UserId) {
        let mut searched = self.searched.lock().unwrap_or_else(PoisonError::into_inner);
        if searched.len() >= MOST {
            searched.retain(|_, at| at.elapsed() < REMEMBERED);
        }
        if searched.len() < MOST {
            searched.insert(user.clone(), Instant::now());
        }
    }
}
