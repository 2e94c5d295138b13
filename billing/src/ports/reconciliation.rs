//! What reconciliation keeps in the store, and what it asks about the store itself.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// Up to where Stripe's events have been gone through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cursor {
    /// Unix seconds: every event created before is dealt with.
    pub events_until: i64,
    /// Why a rebuild is due, until one has run.
    pub rebuild_due: Option<String>,
    /// Customers that a webhook should have brought and did not, since ever.
    pub drift: u64,
    /// The passes of the last minutes.
    #[serde(default)]
    pub passes: Vec<PastPass>,
}

/// When a pass of reconciliation ended, as it marks until then, and from where it went through the
/// events: Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastPass {
    pub at: i64,
    pub since: i64,
}

/// How safe an acknowledged write is, as far as Redis says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durability {
    pub version: String,
    pub append_only: bool,
    /// `always`, `everysec` or `no`; `None` where it may not be asked (CONFIG is forbidden).
    pub append_fsync: Option<String>,
    /// While the file is rewritten, or a snapshot is made, nothing is forced to disk.
    pub no_fsync_on_rewrite: bool,
    pub max_memory_policy: String,
    pub max_memory: u64,
    /// Each mark waits until it is on disk, by WAITAOF.
    pub waits_for_disk: bool,
}

impl Durability {
    /// Scripts use commands that came with Redis 6.2.
    #[must_use]
    pub fn is_too_old(&self) -> bool {
        let mut parts = self.version.split('.').map(|part| part.parse::<u32>().ok());
        match (parts.next().flatten(), parts.next().flatten()) {
            (Some(major), Some(minor)) => (major, minor) < (6, 2),
            // Who does not say is not refused.
            _ => false,
        }
    }

    /// What a person must know, a sentence each; empty where nothing acknowledged can be lost.
    #[must_use]
    pub fn weaknesses(&self) -> Vec<String> {
        let mut weak = Vec::new();
        let forced = self.append_fsync.as_deref() == Some("always") || self.waits_for_disk;
        if !self.append_only {
            weak.push("appendonly is off: a crash of Redis loses what it has acknowledged".to_owned());
        } else if !forced {
            let is = self.append_fsync.as_deref().unwrap_or("unknown");
            weak.push(format!(
                "appendfsync is {is}: a crash of Redis can lose the last second; set it to always"
            ));
        }
        // Who waits for the disk waits until the rewrite is over.
        if self.append_only && self.no_fsync_on_rewrite && !self.waits_for_disk {
            weak.push(
                "no-appendfsync-on-rewrite is yes: a crash of the machine during a rewrite loses what was \
                 acknowledged since it began; set it to no"
                    .to_owned(),
            );
        }
        if self.max_memory > 0 && self.max_memory_policy != "noeviction" {
            weak.push(format!(
                "maxmemory-policy is {}: Redis may drop values; set it to noeviction",
                self.max_memory_policy
            ));
        }
        weak
    }
}

#[async_trait]
pub trait Reconciliation: Send + Sync {
    /// `None` also where it can't be read: only a rebuild can tell what was missed, as where there was none.
    async fn cursor(&self) -> Result<Option<Cursor>, StoreError>;
    async fn save_cursor(&self, cursor: &Cursor) -> Result<(), StoreError>;
    /// One process at a time takes a turn, for so long at most; its holder prolongs it by taking it
    /// again. It saves requests; truth does not need it.
    async fn take_turn(&self, what: &str, token: &str, lasting: Duration) -> Result<bool, StoreError>;
    async fn end_turn(&self, what: &str, token: &str) -> Result<(), StoreError>;
    /// The replication id of each primary: another one than before means a failover or a restart.
    async fn replication_ids(&self) -> Result<BTreeSet<String>, StoreError>;
    /// Those that were seen the last time.
    async fn known_replication_ids(&self) -> Result<BTreeSet<String>, StoreError>;
    async fn save_replication_ids(&self, ids: &BTreeSet<String>) -> Result<(), StoreError>;
    async fn durability(&self) -> Result<Durability, StoreError>;
}
