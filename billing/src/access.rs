//! May this customer use the product? One pure function, and nobody else decides.

use serde::{Deserialize, Serialize};

use crate::id::PlanId;
use crate::subscription::{Snapshot, Status, Subscription};

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
        Status::Active => subscription.ends_at(),
        Status::Trialing => trial_access_end(subscription),
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

/// A trial without a card ends with it: nothing can be charged, and Stripe cancels or pauses it, whether
/// we have heard of it or not. With a card it goes on.
fn trial_access_end(subscription: &Subscription) -> Option<i64> {
    let over = subscription.trial_end.filter(|_| subscription.payment_method.is_none());
    subscription.ends_at().into_iter().chain(over).min()
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

    /// Status | changed fields | until when, seen from now: a number of seconds, `open`, or `no`.
    /// The grace is 1500 seconds, and the period began 1000 ago.
    const CASES: &str = r#"
        active | {} | open
        active | {"currentPeriodEnd": -5000} | open
        active | {"cancelAtPeriodEnd": true} | 1000
        active | {"cancelAtPeriodEnd": true, "currentPeriodEnd": 0} | no
        active | {"cancelAt": 5} | 5
        active | {"cancelAt": 0} | no
        active | {"cancelAt": 5, "cancelAtPeriodEnd": true} | 5
        active | {"plan": null} | no
        active | {"pauseCollection": {"behavior": "void", "resumesAt": null}} | open
        active | {"pendingUpdate": {"expiresAt": 5, "terms": null}} | open
        trialing | {"trialEnd": 500} | 500
        trialing | {"trialEnd": 500, "cancelAt": 20} | 20
        trialing | {"trialEnd": 500, "cancelAtPeriodEnd": true} | 500
        trialing | {"trialEnd": 0} | no
        trialing | {"trialEnd": -5} | no
        trialing | {"trialEnd": 500, "paymentMethod": CARD} | open
        trialing | {"trialEnd": -5, "paymentMethod": CARD} | open
        trialing | {"trialEnd": 500, "cancelAt": 500, "paymentMethod": CARD} | 500
        trialing | {"trialEnd": null} | open
        past_due | {} | 500
        past_due | {"currentPeriodStart": -1499} | 1
        past_due | {"currentPeriodStart": -1500} | no
        past_due | {"currentPeriodStart": null, "created": -100} | 1400
        past_due | {"cancelAt": 5} | 5
        past_due | {"cancelAt": 900} | 500
        past_due | {"plan": null} | no
        incomplete | {} | no
        incomplete_expired | {} | no
        unpaid | {} | no
        paused | {} | no
        paused | {"paymentMethod": CARD} | no
        canceled | {} | no
        canceled | {"cancelAt": 500} | no
        something_new | {} | no
    "#;

    /// Times in the table are seconds from now.
    const TIMES: [&str; 6] =
        ["currentPeriodStart", "currentPeriodEnd", "cancelAt", "trialEnd", "created", "expiresAt"];

    fn fields(text: &str) -> serde_json::Value {
        let text = text.replace("CARD", r#"{"brand": "visa", "last4": "4242"}"#);
        let mut fields: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (name, field) in fields.as_object_mut().unwrap() {
            if let Some(offset) = field.as_i64().filter(|_| TIMES.contains(&name.as_str())) {
                *field = json!(NOW + offset);
            }
        }
        fields
    }

    #[test]
    fn access_by_status_and_time() {
        let policy = AccessPolicy { past_due_grace_secs: 1500 };
        let pro = |until| Access::Granted { plan: PlanId::parse("pro").unwrap(), until };
        for line in CASES.trim().lines() {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let expected = match cells[2] {
                "open" => pro(None),
                "no" => Access::Denied,
                seconds => pro(Some(NOW + seconds.parse::<i64>().unwrap())),
            };
            assert_eq!(access(&snapshot(cells[0], fields(cells[1])), policy, NOW), expected, "{line}");
        }
        assert_eq!(access(&Snapshot::none(NOW), policy, NOW), Access::Denied);
    }
}
