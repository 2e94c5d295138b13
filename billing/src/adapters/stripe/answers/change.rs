//! What Stripe answers while somebody changes their subscription: previews, schedules, portal sessions.

use serde::Deserialize;

use super::{Id, List, Reference};
use crate::id::PriceId;
use crate::money::Currency;
use crate::ports::{InvoicePreview, PreviewLine};

#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct PortalSession {
    pub url: String,
}

#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct Preview {
    currency: Option<String>,
    lines: List<Line>,
    #[serde(default)]
    subtotal: i64,
    #[serde(default)]
    total: i64,
    #[serde(default)]
    amount_due: i64,
    total_discount_amounts: Option<Vec<Amount>>,
    total_taxes: Option<Vec<Amount>>,
    next_payment_attempt: Option<i64>,
    period_end: Option<i64>,
}

#[derive(Deserialize)]
struct Amount {
    amount: i64,
}

#[derive(Deserialize)]
struct Line {
    description: Option<String>,
    amount: i64,
    period: Period,
    parent: Option<Parent>,
}

#[derive(Deserialize)]
struct Period {
    start: i64,
    end: i64,
}

#[derive(Deserialize)]
struct Parent {
    subscription_item_details: Option<Details>,
    invoice_item_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    proration: bool,
}

fn sum(amounts: Option<&Vec<Amount>>) -> i64 {
    amounts.into_iter().flatten().map(|it| it.amount).sum()
}

impl Preview {
    /// `None` without a currency.
    pub fn into_domain(self) -> Option<InvoicePreview> {
        Some(InvoicePreview {
            currency: Currency::parse(self.currency.as_deref()?).ok()?,
            discount: sum(self.total_discount_amounts.as_ref()),
            tax: sum(self.total_taxes.as_ref()),
            lines: self.lines.data.into_iter().map(Line::into_domain).collect(),
            subtotal: self.subtotal,
            total: self.total,
            amount_due: self.amount_due,
            at: self.next_payment_attempt.or(self.period_end),
        })
    }
}

impl Line {
    fn into_domain(self) -> PreviewLine {
        let parent = self.parent.as_ref();
        let details =
            parent.and_then(|it| it.subscription_item_details.as_ref().or(it.invoice_item_details.as_ref()));
        PreviewLine {
            description: self.description.unwrap_or_default(),
            amount: self.amount,
            proration: details.is_some_and(|it| it.proration),
            period_start: self.period.start,
            period_end: self.period.end,
        }
    }
}

/// A schedule, as far as its present phase must be written again to add another one.
#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct SchedulePhases {
    current_phase: Option<Times>,
    #[serde(default)]
    phases: Vec<Phase>,
}

#[derive(Deserialize)]
struct Times {
    start_date: i64,
}

#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct Phase {
    pub start_date: i64,
    pub end_date: i64,
    pub trial_end: Option<i64>,
    pub default_payment_method: Option<Reference<Id>>,
    #[serde(default)]
    pub discounts: Vec<PhaseDiscount>,
    #[serde(default)]
    pub items: Vec<PhaseItem>,
}

/// One of the three is set.
#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct PhaseDiscount {
    discount: Option<Reference<Id>>,
    promotion_code: Option<Reference<Id>>,
    coupon: Option<Reference<Id>>,
}

impl PhaseDiscount {
    /// The parameter, and its id.
    pub fn named(&self) -> Option<(&'static str, &str)> {
        let known = [
            ("discount", &self.discount),
            ("promotion_code", &self.promotion_code),
            ("coupon", &self.coupon),
        ];
        known.into_iter().find_map(|(name, id)| Some((name, id.as_ref()?.id())))
    }
}

#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct PhaseItem {
    pub price: PriceId,
    pub quantity: Option<u64>,
}

impl SchedulePhases {
    pub fn present(&self) -> Option<&Phase> {
        let start = self.current_phase.as_ref()?.start_date;
        self.phases.iter().find(|phase| phase.start_date == start)
    }
}
