//! Which keys a customer's entry has. All keys of a shard share its hash tag, so that one script
//! may touch them on a Redis Cluster; several shards spread the queue over its nodes.

use crate::id::CustomerId;

/// Every shard wakes workers here.
pub(super) const CHANNEL: &str = "stripe:due";
/// The highest number of shards that this store has ever had.
pub(super) const HIGHEST: &str = "stripe:due:shards";

/// The keys of one shard.
pub(super) struct Keys {
    pub due: String,
    pub leased: String,
    pub entries: String,
    pub quiet: String,
    pub failing: String,
    pub events: String,
}

impl Keys {
    pub fn of(shard: u32) -> Self {
        let key = |name: &str| format!("{{stripe:due:{shard}}}:{name}");
        Self {
            due: key("due"),
            leased: key("leased"),
            entries: key("entries"),
            quiet: key("quiet"),
            failing: key("failing"),
            events: key("events"),
        }
    }
}

/// FNV-1a, 32 bits: the same in every process and every release, which Rust's own hasher is not.
pub(super) fn shard_of(customer: &CustomerId, shards: u32) -> u32 {
    let hash = customer
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % shards.max(1)
}

/// A lease names its shard: a customer may lie in another one than today's number of shards says.
pub(super) fn shard_of_lease(lease: &str) -> u32 {
    lease.split_once('.').and_then(|(shard, _)| shard.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_customers_shard_is_the_same_for_ever_and_all_are_used() {
        let shard = |id: &str, shards| shard_of(&CustomerId::parse(id).unwrap(), shards);
        assert_eq!(shard("cus_1", 1), 0);
        assert_eq!((shard("cus_1", 8), shard("cus_2", 8)), (shard("cus_1", 8), shard("cus_2", 8)));
        assert_eq!(shard("cus_NffrFeUfNV2Hib", 16), 8, "another hash would leave entries in the wrong shard");
        let mut used: Vec<u32> = (0..100).map(|number| shard(&format!("cus_{number}"), 8)).collect();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used.len(), 8);
        assert_eq!((shard_of_lease("3.abc:1"), shard_of_lease("old")), (3, 0));
    }
}
