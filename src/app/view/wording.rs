//! One subscription in words: what it is called, what it costs, when money moves next, and by
//! which card. Shared by the account page and the page after checkout.

use unsplit_billing::plan::Catalog;
use unsplit_billing::policy::TrialWithoutCard;
use unsplit_billing::subscription::{Discount, LatestInvoice, PaymentMethod, Status, Subscription, Terms};

use super::{OpenPaymentView, PurchaseView};
use crate::app::format::{
    days_left, format_date, format_interval, format_money, format_price, on_day, relative_day,
};

/// A subscription, its plan's name, and the moment it is looked at (Unix seconds).
pub struct Wording<'a> {
    pub subscription: &'a Subscription,
    pub name: String,
    pub now: i64,
    catalog: &'a Catalog,
}

/// The plan's name as it stands in a sentence.
#[must_use]
pub fn plan_name(subscription: Option<&Subscription>, catalog: &Catalog) -> String {
    let plan = subscription.and_then(|it| it.plan.as_ref()).and_then(|id| catalog.plan(id));
    plan.map_or_else(|| "your plan".to_owned(), |plan| plan.name.clone())
}

impl<'a> Wording<'a> {
    pub fn new(subscription: &'a Subscription, catalog: &'a Catalog, now: i64) -> Self {
        Self { subscription, name: plan_name(Some(subscription), catalog), now, catalog }
    }

    /// The name where a sentence begins.
    pub fn title(&self) -> String {
        let mut letters = self.name.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string());
        first.unwrap_or_default() + letters.as_str()
    }

    pub fn on(&self, unix: i64) -> String {
        on_day(unix, self.now)
    }

    pub fn day(&self, unix: i64) -> String {
        relative_day(unix, self.now)
    }

    /// How long a trial still lasts, where it does: "5 more days, until 3 March 2027", "1 more day,
    /// until tomorrow".
    pub fn trial_left(&self) -> Option<String> {
        let trial = self.subscription.status == Status::Trialing;
        let until = self.next_charge_at().filter(|at| trial && *at > self.now)?;
        let left = days_left(until, self.now).replacen(' ', " more ", 1);
        Some(format!("{left}, until {}", self.day(until)))
    }

    /// What becomes of a trial that ends without a card.
    pub fn without_card(&self) -> &'static str {
        match self.catalog.policy().trial_without_card {
            TrialWithoutCard::Cancel => "stops then",
            TrialWithoutCard::Pause => "is paused then",
        }
    }

    /// Whether it ended with its trial, so that nothing was ever charged.
    pub fn ended_in_trial(&self) -> bool {
        let (end, trial) = (self.subscription.ended_at, self.subscription.trial_end);
        end.zip(trial).is_some_and(|(end, trial)| end <= trial)
    }

    /// What the newest invoice still asks for, as "$12".
    pub fn owed(&self) -> Option<String> {
        let amount = self.open()?.amount_remaining.filter(|amount| *amount > 0)?;
        Some(format_money(amount, self.subscription.currency.as_ref()?))
    }

    /// When Stripe tries to charge the card again by itself.
    pub fn next_try(&self) -> Option<i64> {
        self.open()?.next_payment_attempt.filter(|at| *at > self.now)
    }

    /// What is charged at a time: the price times the quantity. `None` for a price by tiers.
    pub fn charge(&self) -> Option<String> {
        let quantity = i64::try_from(self.subscription.quantity.unwrap_or(1)).ok()?;
        let amount = self.subscription.amount?.checked_mul(quantity)?;
        Some(format_money(amount, self.subscription.currency.as_ref()?))
    }

    /// By when: "by today", "by 3 March 2027".
    pub fn by(&self, unix: i64) -> String {
        format!("by {}", relative_day(unix, self.now))
    }

    /// The plan of other terms than the present ones, where a sentence begins.
    pub fn plan_of(&self, terms: &Terms) -> String {
        let plan = terms.plan.as_ref().and_then(|id| self.catalog.plan(id));
        plan.map_or_else(|| "Another plan".to_owned(), |plan| plan.name.clone())
    }

    /// What other terms cost: "$12 a month".
    pub fn price_of(terms: &Terms) -> Option<String> {
        let quantity = i64::try_from(terms.quantity.unwrap_or(1)).ok()?;
        let amount = terms.amount?.checked_mul(quantity)?;
        let interval = terms.interval.as_deref()?;
        format_price(amount, terms.currency.as_ref()?, interval, terms.interval_count.unwrap_or(1))
    }

    /// The coupons in force: "25% off", "$5 off until 3 March 2027".
    pub fn discounts(&self) -> Option<String> {
        let each = self.subscription.discounts.iter().map(discount);
        let all: Vec<String> = each.collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// "$12 a month", or "$60 a month (5 × $12)".
    pub fn price(&self) -> Option<String> {
        let charge = self.charge()?;
        let interval = self.subscription.interval.as_deref()?;
        let interval = format_interval(interval, self.subscription.interval_count.unwrap_or(1))?;
        let one = format_money(self.subscription.amount?, self.subscription.currency.as_ref()?);
        Some(match self.subscription.quantity {
            Some(quantity) if quantity > 1 => format!("{charge} {interval} ({quantity} × {one})"),
            _ => format!("{charge} {interval}"),
        })
    }

    /// When it ends, if that is settled and still to come.
    pub fn ending(&self) -> Option<i64> {
        self.subscription.ends_at().filter(|end| *end > self.now)
    }

    /// Whether the settled end comes before the next payment.
    pub fn ends_unpaid(&self) -> bool {
        let next = self.next_charge_at();
        self.ending().is_some_and(|end| next.is_none_or(|next| end <= next))
    }

    /// When the next payment is due: the trial's end, else the period's.
    pub fn next_charge_at(&self) -> Option<i64> {
        match self.subscription.status {
            Status::Trialing => self.subscription.trial_end.or(self.subscription.current_period_end),
            _ => self.subscription.current_period_end,
        }
    }

    /// Label and value of the next payment: "Next payment", "$12 on 3 March 2027".
    pub fn next_payment(&self) -> Option<(String, String)> {
        let at = self.next_charge_at()?;
        if self.ends_unpaid() || self.subscription.ends_at().is_some_and(|end| end <= self.now) {
            return None;
        }
        let label = match self.subscription.status {
            Status::Trialing => "First payment",
            Status::Active => "Next payment",
            _ => return None,
        };
        let text = match self.charge() {
            Some(charge) => format!("{charge} {}", self.on(at)),
            None => format_date(at),
        };
        Some((label.to_owned(), text))
    }

    pub fn card(&self) -> Option<String> {
        self.subscription.payment_method.as_ref().map(card)
    }

    /// Stripe's page of the newest invoice, while it waits to be paid.
    pub fn open_invoice(&self) -> Option<String> {
        self.open()?.url.clone()
    }

    /// The newest invoice, while it waits to be paid.
    fn open(&self) -> Option<&LatestInvoice> {
        self.subscription.latest_invoice.as_ref().filter(|invoice| invoice.is_open())
    }

    pub fn receipt(&self) -> Option<String> {
        let invoice = self.subscription.latest_invoice.as_ref()?;
        invoice.url.clone().filter(|_| invoice.status.as_deref() == Some("paid"))
    }
}

fn discount(discount: &Discount) -> String {
    let percent = discount.basis_points_off.map(|points| match (points / 100, points % 100) {
        (whole, 0) => format!("{whole}% off"),
        (whole, rest) => format!("{whole}.{} off", format!("{rest:02}%").replace("0%", "%")),
    });
    let fixed = discount.amount_off.zip(discount.currency.as_ref());
    let fixed = fixed.map(|(amount, currency)| format!("{} off", format_money(amount, currency)));
    let off = percent.or(fixed).unwrap_or_else(|| "A discount".to_owned());
    let name = discount.name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
    let long = match (discount.duration.as_deref(), discount.ends_at) {
        (_, Some(end)) => format!(" until {}", format_date(end)),
        (Some("once"), None) => " your next payment".to_owned(),
        (_, None) => String::new(),
    };
    format!("{off}{long}{name}")
}

fn card(method: &PaymentMethod) -> String {
    let brand = match method.brand.as_deref() {
        None => "Card".to_owned(),
        Some("amex") => "American Express".to_owned(),
        Some("diners") => "Diners Club".to_owned(),
        Some("jcb") => "JCB".to_owned(),
        Some("unionpay") => "UnionPay".to_owned(),
        Some(other) => {
            let mut letters = other.chars();
            letters.next().map_or_else(
                || "Card".to_owned(),
                |first| first.to_uppercase().to_string() + letters.as_str(),
            )
        }
    };
    match &method.last4 {
        Some(last4) => format!("{brand} ending in {last4}"),
        None => brand,
    }
}

/// What the page after checkout says about a subscription that gives access.
#[must_use]
pub fn active_view(subscription: &Subscription, catalog: &Catalog, now: i64) -> PurchaseView {
    let wording = Wording::new(subscription, catalog, now);
    let row = |label: &str, value: Option<String>| value.map(|value| (label.to_owned(), value));
    let facts = [
        row("Price", wording.price()),
        row("Free for", wording.trial_left()),
        wording.next_payment(),
        row("Ends", wording.ending().map(format_date)),
        row("Card", wording.card()),
    ];
    PurchaseView {
        plan_name: wording.name.clone(),
        facts: facts.into_iter().flatten().collect(),
        receipt_url: wording.receipt(),
    }
}

/// What the page after checkout says about a subscription whose payment is not done.
#[must_use]
pub fn open_payment_view(subscription: &Subscription, catalog: &Catalog, now: i64) -> OpenPaymentView {
    let wording = Wording::new(subscription, catalog, now);
    OpenPaymentView { plan_name: wording.title(), pay_url: wording.open_invoice() }
}
