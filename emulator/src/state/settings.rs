//! What the Dashboard's billing settings say: how unpaid invoices are tried again, and what comes after. Kept
//! over a restart; forgotten by a reset.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kind::Kind;
use super::store::Store;

const ID: &str = "billing";
const MOST_RETRIES: usize = 8;
const MOST_DAYS: i64 = 60;

/// The days between the tries, and what becomes of a subscription whose invoice nobody paid in the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BillingSettings {
    pub retry_days: Vec<i64>,
    pub after_retries: AfterRetries,
    /// So many days before an invoice that was sent is due, `invoice.will_be_due` tells of it; not at all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub will_be_due_days: Option<i64>,
    /// The same of `invoice.overdue`, so many days after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdue_days: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterRetries {
    Cancel,
    MarkUnpaid,
    LeavePastDue,
}

impl Default for BillingSettings {
    fn default() -> BillingSettings {
        BillingSettings {
            retry_days: vec![3, 5, 7],
            after_retries: AfterRetries::Cancel,
            will_be_due_days: None,
            overdue_days: None,
        }
    }
}

impl BillingSettings {
    pub fn read(store: &Store) -> BillingSettings {
        let stored = store.find(Kind::Setting, ID).map(|record| record.field("billing").into_owned());
        stored.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    }

    /// As it is stored.
    pub fn setting(&self) -> Value {
        json!({ "id": ID, "billing": self })
    }

    /// Says what is wrong, and how it would be right.
    pub fn check(&self) -> Result<(), String> {
        let told = [self.will_be_due_days, self.overdue_days];
        if !told.into_iter().flatten().all(|days| (0..=MOST_DAYS).contains(&days)) {
            return Err(format!(
                "will_be_due_days and overdue_days must be numbers of 0 to {MOST_DAYS} days"
            ));
        }
        let days_are_right = self.retry_days.iter().all(|days| (1..=MOST_DAYS).contains(days));
        if self.retry_days.len() <= MOST_RETRIES && days_are_right {
            return Ok(());
        }
        Err(format!("retry_days must be at most {MOST_RETRIES} numbers of 1 to {MOST_DAYS} days"))
    }
}
