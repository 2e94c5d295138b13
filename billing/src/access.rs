//! May this customer use the product? One pure function, and nobody else decides.

use serde::{Deserialize, Serialize};

use crate::id::PlanId;
use crate::subscription::{Snapshot, Status};

/// What an app grants beyond Stripe's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPolicy {
    /// How long a failed renewal keeps access, counted from the start of the unpaid period.
    pub past_due_grace_secs: i64,
}

impl Default for AccessPolicy {
    /// Two weeks: as long as Stripe's Smart Retries try by default.
    fn default() -> Self {
        Self { past_due_grace_secs: 14 * 24 * 60 * 60 }
    }
}

/// Whether, as what, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// `until` in Unix seconds, where an end is known.
    Granted {
        plan: PlanId,
        until: Option<i64>,
    },
    Denied,
}

impl Access {
    /// The plan that may be used, if any.
    #[must_use]
    pub fn plan(&self) -> Option<&PlanId> {
        match self {
            Access::Granted { plan, .. } => Some(plan),
            Access::Denied => None,
        }
    }
}

/// `now` in Unix seconds. A plan that we do not know gives no access, whatever its status.
#[must_use]
pub fn access(snapshot: &Snapshot, policy: AccessPolicy, now: i64) -> Access {
    let Some(subscription) = &snapshot.subscription else {
        return Access::Denied;
    };
    let Some(plan) = subscription.plan.clone() else {
        return Access::Denied;
    };
    let until = match subscription.status {
        Status::Active | Status::Trialing => subscription.ends_at(),
        Status::PastDue => grace_end(snapshot, policy),
        Status::Incomplete
        | Status::IncompleteExpired
        | Status::Canceled
        | Status::Unpaid
        | Status::Paused
        | Status::Unknown(_) => return Access::Denied,
    };
    match until {
        Some(end) if end <= now => Access::Denied,
        until => Access::Granted { plan, until },
    }
}

/// When a failed payment stops giving access, Unix seconds.
#[must_use]
pub fn grace_end(snapshot: &Snapshot, policy: AccessPolicy) -> Option<i64> {
    let subscription = snapshot.subscription.as_ref()?;
    let start = subscription.current_period_start.unwrap_or(subscription.created);
    let grace = start.saturating_add(policy.past_due_grace_secs);
    Some(subscription.ends_at().map_or(grace, |end| end.min(grace)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    fn snapshot(status: &str, extra: serde_json::Value) -> Snapshot {
        let mut value = json!({
            "subscriptionId": "sub_1", "status": status, "priceId": "price_1", "plan": "pro",
            "currentPeriodStart": NOW - 1000, "currentPeriodEnd": NOW + 1000,
            "cancelAtPeriodEnd": false, "paymentMethod": null,
        });
        for (key, field) in extra.as_object().unwrap() {
            value[key] = field.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn access_by_status_and_time() {
        let pro = |until| Access::Granted { plan: PlanId::parse("pro").unwrap(), until };
        let policy = AccessPolicy { past_due_grace_secs: 1500 };
        let cases = [
            ("active", json!({}), pro(None)),
            ("trialing", json!({}), pro(None)),
            ("active", json!({"cancelAtPeriodEnd": true}), pro(Some(NOW + 1000))),
            ("active", json!({"cancelAt": NOW + 5}), pro(Some(NOW + 5))),
            ("active", json!({"cancelAt": NOW}), Access::Denied),
            ("active", json!({"plan": null}), Access::Denied),
            ("past_due", json!({}), pro(Some(NOW + 500))),
            ("past_due", json!({"cancelAt": NOW + 5}), pro(Some(NOW + 5))),
            ("past_due", json!({"currentPeriodStart": NOW - 1500}), Access::Denied),
            ("incomplete", json!({}), Access::Denied),
            ("incomplete_expired", json!({}), Access::Denied),
            ("unpaid", json!({}), Access::Denied),
            ("paused", json!({}), Access::Denied),
            ("canceled", json!({}), Access::Denied),
            ("something_new", json!({}), Access::Denied),
        ];
        for (status, extra, expected) in cases {
            assert_eq!(access(&snapshot(status, extra.clone()), policy, NOW), expected, "{status} {extra}");
        }
        assert_eq!(access(&Snapshot::none(NOW), policy, NOW), Access::Denied);
    }
}
