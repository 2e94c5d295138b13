//! What a snapshot says beside the subscription's own fields: what it is paid with, what it costs, and
//! what is to become of it. Plain data in camelCase.

use serde::{Deserialize, Serialize};

use super::Status;
use crate::id::{InvoiceId, PaymentMethodId, PlanId, PriceId, ScheduleId, SubscriptionId};
use crate::money::Currency;

/// The card that will be charged. Stripe has payment methods without either of Theo's fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    pub brand: Option<String>,
    pub last4: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<PaymentMethodId>,
}

/// The newest invoice, as far as a person needs it: to pay it, or to keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LatestInvoice {
    pub status: Option<String>,
    /// Stripe's page of the invoice: pays it while open, shows the receipt once paid.
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<InvoiceId>,
    /// What is still to be paid, in the minor unit of the subscription's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_remaining: Option<i64>,
    /// When Stripe tries to charge again by itself; Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_payment_attempt: Option<i64>,
}

impl LatestInvoice {
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status.as_deref() == Some("open")
    }
}

/// What is paid for, and how much: the plan's item, as it is now or will be. `amount` is of one, in
/// the currency's minor unit; `None` for a price by tiers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    pub price_id: PriceId,
    pub plan: Option<PlanId>,
    pub quantity: Option<u64>,
    pub amount: Option<i64>,
    pub currency: Option<Currency>,
    pub interval: Option<String>,
    pub interval_count: Option<u32>,
}

/// A change that a subscription schedule makes by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledChange {
    pub schedule_id: ScheduleId,
    /// Unix seconds.
    pub starts_at: i64,
    #[serde(flatten)]
    pub terms: Terms,
}

/// A change that waits for its payment: https://docs.stripe.com/billing/subscriptions/pending-updates
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingUpdate {
    /// When it is dropped if nobody has paid; Unix seconds.
    pub expires_at: i64,
    /// `None` where it changes something else than the plan.
    #[serde(default)]
    pub terms: Option<Terms>,
}

/// A coupon in force. One of `basis_points_off` and `amount_off` is set; `amount_off` in the minor unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discount {
    pub name: Option<String>,
    /// In hundredths of a per cent: 12.5 % is 1250.
    pub basis_points_off: Option<u32>,
    pub amount_off: Option<i64>,
    pub currency: Option<Currency>,
    /// `once`, `repeating` or `forever`.
    pub duration: Option<String>,
    /// Unix seconds; `None` for ever, or for one invoice.
    pub ends_at: Option<i64>,
}

/// Stripe makes invoices and does not collect them: https://docs.stripe.com/billing/subscriptions/pause-payment
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PauseCollection {
    pub behavior: Option<String>,
    /// Unix seconds; `None` until somebody resumes it.
    pub resumes_at: Option<i64>,
}

/// A live subscription beside the one that is shown. `amount` is what is charged at a time, of all
/// its items; `None` where that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OtherSubscription {
    pub subscription_id: SubscriptionId,
    pub status: Status,
    pub plan: Option<PlanId>,
    #[serde(default)]
    pub amount: Option<i64>,
    #[serde(default)]
    pub currency: Option<Currency>,
    #[serde(default)]
    pub interval: Option<String>,
    #[serde(default)]
    pub interval_count: Option<u32>,
    #[serde(default)]
    pub current_period_end: Option<i64>,
    /// When it ends, where that is settled; Unix seconds.
    #[serde(default)]
    pub ends_at: Option<i64>,
}
