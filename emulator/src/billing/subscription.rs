//! The subscription as Stripe shows it: what is sold, its items with their periods, and a price seen as a plan.

use serde_json::{Value, json};

use super::discount::{Applied, Part};
use super::period;
use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, ids, number, text};

/// One thing that is sold.
#[derive(Clone, Debug)]
pub struct Line {
    pub price: Value,
    pub quantity: i64,
    /// Those of this item alone.
    pub discounts: Vec<Applied>,
    pub metadata: Value,
}

impl Line {
    pub fn new(price: Value, quantity: i64) -> Line {
        Line { price, quantity, discounts: Vec::new(), metadata: json!({}) }
    }

    /// What a full period costs, in the currency's smallest unit.
    pub fn amount(&self) -> i64 {
        number(&self.price, "unit_amount") * self.quantity
    }
}

/// A subscription that is about to be.
#[derive(Clone, Debug)]
pub struct Draft {
    pub customer: String,
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
    pub beginning: Beginning,
}

/// What a subscription may begin with that most do not say.
#[derive(Clone, Debug, Default)]
pub struct Beginning {
    /// As Stripe shows it; flexible if `None`.
    pub billing_mode: Option<Value>,
    /// When the first full period begins, in seconds since 1970, and Stripe's configuration that says so.
    pub anchor: Option<i64>,
    pub anchor_config: Value,
    /// The time until then costs nothing.
    pub is_free_until_anchor: bool,
    /// A time in the past, since which it is to be paid.
    pub backdated: Option<i64>,
    /// Invoice items that are on the first invoice, and the discounts that they name.
    pub invoice_items: Vec<Value>,
    pub of_invoice_items: Vec<Applied>,
    /// `payment_settings`, where it says something.
    pub payment_settings: Option<Value>,
    pub invoice_settings: Option<Value>,
}

impl Beginning {
    /// In this billing mode, or the default one for `null`.
    pub fn in_mode(mode: &Value) -> Beginning {
        Beginning { billing_mode: Some(mode.clone()).filter(Value::is_object), ..Beginning::default() }
    }
}

impl Beginning {
    /// Writes down what it says in place of what most have.
    fn settle(&self, subscription: &mut Value) {
        let said = [
            ("billing_mode", &self.billing_mode),
            ("invoice_settings", &self.invoice_settings),
            ("payment_settings", &self.payment_settings),
        ];
        for (name, value) in said {
            if let Some(value) = value {
                subscription[name] = value.clone();
            }
        }
        subscription["billing_cycle_anchor_config"] = self.anchor_config.clone();
    }
}

impl Draft {
    /// The discounts of its items and of the items on its first invoice.
    pub fn own_discounts(&self) -> Vec<Applied> {
        let of_lines = self.lines.iter().flat_map(|line| &line.discounts);
        of_lines.chain(&self.beginning.of_invoice_items).cloned().collect()
    }

    /// What each line is due today, without discounts.
    pub fn parts(&self) -> Vec<Part> {
        let due = |line: &Line| if self.trial_end.is_some() { 0 } else { line.amount() };
        let part = |line: &Line| Part { product: text(&line.price, "product").to_owned(), amount: due(line) };
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
    let mut items: Vec<Value> =
        draft.lines.iter().map(|line| item(&id, line, draft.trial_end, now)).collect();
    if let (Some(anchor), None) = (draft.beginning.anchor, draft.trial_end) {
        items.iter_mut().for_each(|item| end_at_boundary(item, anchor, now));
    }
    let mut subscription = shapes::filled(
        Shape::Subscription,
        json!({
            "id": id,
            "billing_cycle_anchor": draft.beginning.anchor.or(draft.trial_end).unwrap_or(now),
            "created": now,
            "currency": draft.currency(),
            "customer": draft.customer,
            "default_payment_method": draft.default_payment_method,
            "description": draft.description,
            "discounts": ids_of(&draft.discounts),
            "items": {
                "object": "list",
                "data": items,
                "has_more": false,
                "total_count": draft.lines.len(),
                "url": format!("/v1/subscription_items?subscription={id}"),
            },
            "metadata": draft.metadata,
            "start_date": draft.beginning.backdated.unwrap_or(now),
            "status": status,
            "test_clock": test_clock,
            "trial_end": draft.trial_end,
            "trial_settings": { "end_behavior": { "billing_cycle_anchor": null, "missing_payment_method": draft.missing_payment_method } },
            "trial_start": draft.trial_end.map(|_| now),
        }),
    );
    draft.beginning.settle(&mut subscription);
    subscription
}

/// The ids of discounts, as Stripe shows them.
pub fn ids_of(discounts: &[Applied]) -> Value {
    discounts.iter().map(|discount| json!(discount.id)).collect()
}

/// The item's first period ends where the anchor's periods have a boundary.
fn end_at_boundary(item: &mut Value, anchor: i64, now: i64) {
    let recurring = &item["price"]["recurring"];
    let (interval, count) = (text(recurring, "interval"), number(recurring, "interval_count"));
    item["current_period_end"] = json!(period::next(anchor, interval, count, now));
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
        "discounts": ids_of(&line.discounts),
        "metadata": line.metadata,
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
