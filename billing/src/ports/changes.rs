//! What a subscriber changes at Stripe. Each method is one call; none of them says what is then
//! stored: a sync does.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::change::PlannedEnd;
use crate::error::StripeError;
use crate::id::{
    CustomerId, InvoiceId, PaymentMethodId, PriceId, ScheduleId, SubscriptionId, SubscriptionItemId,
};
use crate::money::Currency;
use crate::plan::Interval;
use crate::policy::Proration;

/// The plan's item of a subscription gets another price, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanChange {
    pub subscription: SubscriptionId,
    pub item: SubscriptionItemId,
    pub price: PriceId,
    pub quantity: u64,
    pub proration: Proration,
    /// Unix seconds, by Stripe's clock: until when the old price has been used. `None` where nothing
    /// is prorated.
    pub proration_date: Option<i64>,
}

/// The same at the end of the period, by a subscription schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterChange {
    /// The price that the plan's item has now.
    pub from: PriceId,
    pub to: PriceId,
    /// The new price's.
    pub interval: Interval,
}

/// A line of an invoice that is not made. `amount` in the currency's minor unit, below zero for a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewLine {
    pub description: String,
    pub amount: i64,
    pub proration: bool,
    /// Unix seconds.
    pub period_start: i64,
    pub period_end: i64,
}

/// An invoice that is not made (https://docs.stripe.com/api/invoices/create_preview). Amounts in the
/// currency's minor unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePreview {
    pub currency: Currency,
    pub lines: Vec<PreviewLine>,
    pub subtotal: i64,
    pub discount: i64,
    pub tax: i64,
    pub total: i64,
    /// What is charged, after what the customer has in credit.
    pub amount_due: i64,
    /// When it would be charged; Unix seconds.
    pub at: Option<i64>,
}

/// Why somebody leaves: https://docs.stripe.com/api/subscriptions/cancel `cancellation_details`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    /// One of Stripe's words, such as `too_expensive`.
    pub feedback: Option<String>,
    pub comment: Option<String>,
}

/// Where in the portal somebody begins; each ends where it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortalFlow {
    /// Its first page.
    Home,
    /// https://docs.stripe.com/customer-management/portal-deep-links
    PaymentMethod,
}

#[async_trait]
pub trait SubscriptionChanges: Send + Sync {
    /// What the change would cost now. Nothing is changed.
    async fn preview_change(&self, change: &PlanChange) -> Result<InvoicePreview, StripeError>;
    /// Happens at once, or, where its payment fails or needs the customer, waits as a pending update.
    async fn change_plan(&self, change: &PlanChange, idempotency_key: &str) -> Result<(), StripeError>;
    /// Puts the subscription under a schedule, as it is. Returns the schedule.
    async fn begin_schedule(
        &self,
        subscription: &SubscriptionId,
        idempotency_key: &str,
    ) -> Result<ScheduleId, StripeError>;
    /// The schedule that manages a subscription now.
    async fn schedule_of(&self, subscription: &SubscriptionId) -> Result<Option<ScheduleId>, StripeError>;
    /// Lets the schedule end its present phase, go on with the other price for one period, and then
    /// end itself. Two calls: Stripe wants the present phase again, as it is.
    async fn schedule_change(&self, schedule: &ScheduleId, change: &LaterChange) -> Result<(), StripeError>;
    /// Ends the schedule and leaves the subscription as it is. One that is not there is no error.
    async fn release_schedule(&self, schedule: &ScheduleId) -> Result<(), StripeError>;
    async fn cancel_at_period_end(
        &self,
        subscription: &SubscriptionId,
        reason: &Reason,
    ) -> Result<(), StripeError>;
    /// Without a refund, and without a last invoice.
    async fn cancel_now(&self, subscription: &SubscriptionId, reason: &Reason) -> Result<(), StripeError>;
    async fn keep(&self, subscription: &SubscriptionId, end: PlannedEnd) -> Result<(), StripeError>;
    /// Begins a new period of a paused subscription.
    async fn resume(&self, subscription: &SubscriptionId) -> Result<(), StripeError>;
    /// A pending update goes with its invoice.
    async fn void_invoice(&self, invoice: &InvoiceId) -> Result<(), StripeError>;
    /// Charges this card for an open invoice. `Refused` where the card says no, or the owner has to
    /// confirm it first.
    async fn pay_invoice(
        &self,
        invoice: &InvoiceId,
        card: &PaymentMethodId,
        idempotency_key: &str,
    ) -> Result<(), StripeError>;
    /// The card that was last tried for an invoice, and in vain; `None` where Stripe does not say.
    async fn failed_card(&self, invoice: &InvoiceId) -> Result<Option<PaymentMethodId>, StripeError>;
    /// From now on the subscription is charged to this card of its customer's.
    async fn use_card(
        &self,
        subscription: &SubscriptionId,
        card: &PaymentMethodId,
    ) -> Result<(), StripeError>;
    /// Sets `metadata.trial` to `refused`, and nothing else.
    async fn refuse_trial(&self, subscription: &SubscriptionId) -> Result<(), StripeError>;
    /// Sets `metadata.trial` to `refused` and ends the trial: the first payment is due now.
    async fn end_refused_trial(
        &self,
        subscription: &SubscriptionId,
        idempotency_key: &str,
    ) -> Result<(), StripeError>;
    /// The URL of a new session of Stripe's customer portal.
    async fn open_portal(
        &self,
        customer: &CustomerId,
        return_url: &str,
        flow: &PortalFlow,
    ) -> Result<String, StripeError>;
}
