//! The subscription as Stripe shows it: what is sold, its items with their periods, and a price seen as a plan.

use serde_json::{Value, json};

use super::discount::{self, Applied, Part};
use super::period;
use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, ids, number, text};

/// One thing that is sold.
#[derive(Clone, Debug)]
pub struct Line {
    pub price: Value,
    pub quantity: i64,
}

impl Line {
    /// What a full period costs, in the currency's smallest unit.
    pub fn amount(&self) -> i64 {
        number(&self.price, "unit_amount") * self.quantity
    }
}

/// A subscription that is about to be.
#[derive(Clone, Debug)]
pub struct Draft {
    pub customer: String,
    /// What is subscribed to, and what is sold once with it.
    pub lines: Vec<Line>,
    /// When the trial ends, if there is one.
    pub trial_end: Option<i64>,
    pub metadata: Value,
    pub description: Value,
    pub default_payment_method: Option<String>,
    /// `create_invoice`, `cancel` or `pause`: what to do when a trial ends without a card.
    pub missing_payment_method: String,
    pub billing_reason: &'static str,
    pub discounts: Vec<Applied>,
}

impl Draft {
    /// What is to be paid today.
    pub fn due_today(&self) -> i64 {
        self.subtotal() - discount::total(&self.discounts, &self.parts())
    }

    /// The same without discounts.
    pub fn subtotal(&self) -> i64 {
        self.lines.iter().map(|line| self.due(line)).sum()
    }

    /// What is sold once.
    pub fn once(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.price["recurring"].is_null())
    }

    fn recurring(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.price["recurring"].is_null())
    }

    /// In a trial only what is sold once is due.
    fn due(&self, line: &Line) -> i64 {
        let is_free = self.trial_end.is_some() && !line.price["recurring"].is_null();
        if is_free { 0 } else { line.amount() }
    }

    /// What each line is due today, without discounts.
    pub fn parts(&self) -> Vec<Part> {
        let part =
            |line: &Line| Part { product: text(&line.price, "product").to_owned(), amount: self.due(line) };
        self.lines.iter().map(part).collect()
    }

    pub fn currency(&self) -> &str {
        self.lines.first().map_or("usd", |line| text(&line.price, "currency"))
    }
}

/// A new subscription object in `status`, without an invoice yet. It is not stored.
pub fn build(tx: &Tx, draft: &Draft, status: &str) -> Value {
    let (id, now) = (ids::new("sub_"), tx.now());
    let customer = tx.find(Kind::Customer, &draft.customer);
    let test_clock = customer.map_or(Value::Null, |customer| customer["test_clock"].clone());
    let items: Vec<Value> = draft.recurring().map(|line| item(&id, line, draft.trial_end, now)).collect();
    shapes::filled(
        Shape::Subscription,
        json!({
            "id": id,
            "billing_cycle_anchor": draft.trial_end.unwrap_or(now),
            "created": now,
            "currency": draft.currency(),
            "customer": draft.customer,
            "default_payment_method": draft.default_payment_method,
            "description": draft.description,
            "discounts": discount::left_after(&draft.discounts, draft.subtotal()),
            "items": {
                "object": "list",
                "data": items,
                "has_more": false,
                "total_count": draft.recurring().count(),
                "url": format!("/v1/subscription_items?subscription={id}"),
            },
            "metadata": draft.metadata,
            "start_date": now,
            "status": status,
            "test_clock": test_clock,
            "trial_end": draft.trial_end,
            "trial_settings": { "end_behavior": { "billing_cycle_anchor": null, "missing_payment_method": draft.missing_payment_method } },
            "trial_start": draft.trial_end.map(|_| now),
        }),
    )
}

/// A new item, which begins now.
pub fn item(subscription: &str, line: &Line, trial_end: Option<i64>, now: i64) -> Value {
    let recurring = &line.price["recurring"];
    let end = period::after(now, text(recurring, "interval"), number(recurring, "interval_count"), 1);
    json!({
        "id": ids::new("si_"),
        "object": "subscription_item",
        "billing_thresholds": null,
        "created": now,
        "current_period_end": trial_end.unwrap_or(end),
        "current_period_start": now,
        "current_trial": null,
        "discounts": [],
        "metadata": {},
        "plan": plan_of(&line.price),
        "price": line.price,
        "quantity": line.quantity,
        "subscription": subscription,
        "tax_rates": [],
    })
}

/// A recurring price in the shape of the older plan object.
pub fn plan_of(price: &Value) -> Value {
    json!({
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": false,
        "metadata": price["metadata"],
        "meter": null,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": null,
        "transform_usage": null,
        "trial_period_days": price["recurring"]["trial_period_days"],
        "usage_type": "licensed",
    })
}

/// The name of what a line sells.
pub fn product_name(tx: &Tx, price: &Value) -> String {
    let product = tx.find(Kind::Product, text(price, "product"));
    product.map_or_else(String::new, |product| text(&product, "name").to_owned())
}

/// Whether it is over for good.
pub fn has_ended(subscription: &Value) -> bool {
    matches!(text(subscription, "status"), "canceled" | "incomplete_expired")
}

/// When the items' periods end: the earliest and the latest.
pub fn period_ends(subscription: &Value) -> (i64, i64) {
    let items = subscription["items"]["data"].as_array().into_iter().flatten();
    let ends: Vec<i64> = items.map(|item| number(item, "current_period_end")).collect();
    (ends.iter().min().copied().unwrap_or_default(), ends.iter().max().copied().unwrap_or_default())
}
