//! What the seller decides, as plans.toml says under `[policy]`. Plain data; nothing here acts.

use serde::{Deserialize, Serialize};

use crate::access::AccessPolicy;
use crate::plan::TrialCard;

/// Who pays for the rest of a period in which the plan changes
/// (https://docs.stripe.com/billing/subscriptions/prorations).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proration {
    /// The difference is charged at once.
    #[default]
    AlwaysInvoice,
    /// The difference is on the next invoice.
    CreateProrations,
    /// Nobody does: the new price counts from the next period on.
    None,
}

impl Proration {
    /// Stripe's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Proration::AlwaysInvoice => "always_invoice",
            Proration::CreateProrations => "create_prorations",
            Proration::None => "none",
        }
    }
}

/// What becomes of a trial at its end where no card was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialWithoutCard {
    #[default]
    Cancel,
    Pause,
}

impl TrialWithoutCard {
    /// Stripe's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            TrialWithoutCard::Cancel => "cancel",
            TrialWithoutCard::Pause => "pause",
        }
    }
}

/// What becomes of a trial on a card that somebody has had a trial with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReusedCard {
    /// The trial ends, and the first payment is due.
    #[default]
    EndTrial,
    /// The subscription is canceled.
    Cancel,
    Allow,
}

/// A trial as it is offered at checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrialTerms {
    pub days: u32,
    pub card: TrialCard,
    pub without_card: TrialWithoutCard,
}

/// `[policy]` of plans.toml.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub proration: Proration,
    pub trial_without_card: TrialWithoutCard,
    pub reused_card: ReusedCard,
    pub access: AccessPolicy,
}
