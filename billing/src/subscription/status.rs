//! A subscription's status, and what it means for whoever has to choose between two. Pure.

use serde::{Deserialize, Serialize};

/// A subscription's status, in Stripe's words. One that we do not know is kept as it came: it
/// gives no access, and is no reason to lose the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Incomplete,
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Canceled,
    Unpaid,
    Paused,
    #[serde(untagged)]
    Unknown(String),
}

impl Status {
    /// Still there at Stripe: it can be charged, resumed or cancelled, so a second one beside it
    /// would be paid twice.
    #[must_use]
    pub fn is_live(&self) -> bool {
        use Status::{Active, PastDue, Paused, Trialing, Unknown, Unpaid};
        matches!(self, Active | Trialing | PastDue | Unpaid | Paused | Unknown(_))
    }

    /// How much a subscription in this status counts against another: the higher wins.
    pub(crate) fn weight(&self) -> u8 {
        match self {
            Status::Active | Status::Trialing => 7,
            Status::PastDue => 6,
            Status::Unpaid => 5,
            Status::Paused => 4,
            Status::Unknown(_) => 3,
            Status::Incomplete => 2,
            Status::Canceled => 1,
            Status::IncompleteExpired => 0,
        }
    }
}
