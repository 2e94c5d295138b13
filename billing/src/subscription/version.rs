//! Tells whether two values say the same, without keeping either.

use super::Snapshot;

/// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): no secret and nobody to keep out, as
/// each compares only their own values.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

impl Snapshot {
    /// Equal for values that say the same, whenever they were fetched, and else different. 16 hex digits.
    #[must_use]
    pub fn version(&self) -> String {
        let timeless = Self { synced_at: 0, ..self.clone() };
        // Text and numbers alone: there is nothing in it that JSON can't say.
        let json = serde_json::to_string(&timeless).unwrap_or_default();
        let hash = json.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
        format!("{hash:016x}")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    fn parsed(json: &str) -> Snapshot {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_time_of_the_fetch_is_no_difference_and_all_else_is() {
        let text = r#"{"subscriptionId":"sub_1","status":"active","priceId":"price_1","currentPeriodStart":1,
            "currentPeriodEnd":2,"cancelAtPeriodEnd":false,"paymentMethod":null,"syncedAt":7}"#;
        let version = parsed(text).version();
        assert_eq!(parsed(&text.replace(":7}", ":8}")).version(), version);
        assert_eq!(Snapshot::none(1).version(), Snapshot::none(2).version());
        assert_ne!(Snapshot::none(1).version(), version);
        for (before, after) in [("active", "past_due"), (":2,", ":3,"), ("false", "true"), ("sub_1", "sub_2")]
        {
            assert_ne!(parsed(&text.replace(before, after)).version(), version, "{after}");
        }
    }
}
