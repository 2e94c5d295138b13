//! Any sequence of calls, cards, faults and time leaves a state that could be: legal changes of status, each invoice
//! paid once and adding up, one invoice a period, and events from which all of it can be built again.
//!
//! `SEED=n` runs one sequence and prints its steps.
#![expect(clippy::print_stdout, reason = "a replay says what it does")]

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::support::{Stripe, id};
use crate::time::{DAY, HOUR};

const SEQUENCES: u64 = 40;
const STEPS: usize = 25;
const CARDS: &[&str] = &[
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_chargeCustomerFail",
    "pm_card_authenticationRequired",
];
/// Which status may follow which (https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses).
const LEGAL: &[(&str, &[&str])] = &[
    ("incomplete", &["active", "incomplete_expired", "canceled"]),
    ("trialing", &["active", "past_due", "paused", "canceled"]),
    ("active", &["past_due", "trialing", "unpaid", "canceled"]),
    ("past_due", &["active", "unpaid", "trialing", "canceled"]),
    ("unpaid", &["active", "trialing", "canceled"]),
    ("paused", &["active", "past_due", "trialing", "canceled"]),
    ("canceled", &[]),
    ("incomplete_expired", &[]),
];

struct Sequence {
    stripe: Stripe,
    dice: StdRng,
    customer: String,
    prices: Vec<String>,
    log: Vec<String>,
}

impl Sequence {
    async fn begin(seed: u64) -> Sequence {
        let stripe = Stripe::start().await;
        let customer = stripe.customer().await;
        let mut prices = vec![stripe.price().await];
        for (amount, interval) in [("0", "month"), ("4900", "month"), ("12000", "year"), ("300", "week")] {
            prices.push(stripe.price_of(amount, interval).await);
        }
        Sequence { stripe, dice: StdRng::seed_from_u64(seed), customer, prices, log: Vec::new() }
    }

    fn pick<'p>(&mut self, all: &[&'p str]) -> &'p str {
        all.choose(&mut self.dice).unwrap()
    }

    fn price(&mut self) -> String {
        self.prices.choose(&mut self.dice).unwrap().clone()
    }

    /// A call that may be refused, in a way that Stripe has.
    async fn try_post(&mut self, path: &str, fields: &[(&str, &str)]) {
        let reply = self.stripe.try_post(path, fields).await;
        self.log.push(format!("POST {path} {fields:?}: {} {}", reply.status, reply.body["error"]["message"]));
        assert!(matches!(reply.status, 200 | 400 | 402 | 404), "{}: {}", reply.status, reply.body);
    }

    async fn live(&self) -> Option<Value> {
        let all = self.stripe.subscriptions(&self.customer).await;
        all.into_iter()
            .find(|it| !matches!(it["status"].as_str().unwrap(), "canceled" | "incomplete_expired"))
    }

    async fn step(&mut self) {
        let Some(subscription) = self.live().await else { return self.subscribe().await };
        let path = format!("/v1/subscriptions/{}", id(&subscription));
        match self.dice.random_range(0..12) {
            0..=3 => self.wait().await,
            4 => self.card().await,
            5..=6 => self.change(&path, &subscription).await,
            7 => self.pay_what_is_open().await,
            8 => self.cancel(&path).await,
            9 => {
                let end = (self.stripe.now().await + self.dice.random_range(1..40) * DAY).to_string();
                let end = if self.dice.random_bool(0.5) { "now".to_owned() } else { end };
                self.try_post(&path, &[("trial_end", &end)]).await;
            }
            10 => self.pause(&path, &subscription).await,
            _ => {
                let fields = [
                    ("customer", self.customer.clone()),
                    ("amount", "250".into()),
                    ("currency", "usd".into()),
                ];
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                self.try_post("/v1/invoiceitems", &fields).await;
            }
        }
    }

    async fn wait(&mut self) {
        let seconds = *[HOUR, DAY, 3 * DAY, 9 * DAY, 35 * DAY].choose(&mut self.dice).unwrap();
        self.log.push(format!("{seconds} s pass"));
        self.stripe.pass(seconds).await;
    }

    async fn card(&mut self) {
        let token = self.pick(CARDS);
        let to = self.customer.clone();
        let card =
            self.stripe.post(&format!("/v1/payment_methods/{token}/attach"), &[("customer", &to)]).await;
        let default = ("invoice_settings[default_payment_method]", id(&card));
        self.try_post(&format!("/v1/customers/{to}"), &[(default.0, &default.1)]).await;
    }

    async fn subscribe(&mut self) {
        let (customer, price) = (self.customer.clone(), self.price());
        let behavior = self.pick(&["allow_incomplete", "default_incomplete", "error_if_incomplete"]);
        let mut fields = vec![
            ("customer", customer.as_str()),
            ("items[0][price]", price.as_str()),
            ("payment_behavior", behavior),
        ];
        if self.dice.random_bool(0.4) {
            let missing = self.pick(&["create_invoice", "cancel", "pause"]);
            fields.push(("trial_period_days", self.pick(&["1", "7", "30"])));
            fields.push(("trial_settings[end_behavior][missing_payment_method]", missing));
        }
        self.try_post("/v1/subscriptions", &fields).await;
        self.card().await;
    }

    async fn change(&mut self, path: &str, subscription: &Value) {
        let (item, price) = (id(&subscription["items"]["data"][0]), self.price());
        let quantity = self.pick(&["1", "2", "5"]);
        let prorate = self.pick(&["none", "create_prorations", "always_invoice"]);
        let behaviors =
            ["allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"];
        let behavior = self.pick(&behaviors);
        let fields = [
            ("items[0][id]", item.as_str()),
            ("items[0][price]", price.as_str()),
            ("items[0][quantity]", quantity),
            ("proration_behavior", prorate),
            ("payment_behavior", behavior),
        ];
        self.try_post(path, &fields).await;
    }

    async fn pay_what_is_open(&mut self) {
        let open = self.stripe.invoices(&self.customer).await;
        let Some(open) = open.iter().find(|it| it["status"] == "open").map(id) else { return };
        let what = self.pick(&["pay", "pay", "pay", "void", "mark_uncollectible"]);
        self.try_post(&format!("/v1/invoices/{open}/{what}"), &[]).await;
    }

    async fn cancel(&mut self, path: &str) {
        let soon = (self.stripe.now().await + 5 * DAY).to_string();
        match self.dice.random_range(0..4) {
            0 => self.try_post(path, &[("cancel_at_period_end", "true")]).await,
            1 => self.try_post(path, &[("cancel_at_period_end", "false")]).await,
            2 => self.try_post(path, &[("cancel_at", &soon)]).await,
            _ => {
                self.log.push(format!("DELETE {path}"));
                self.stripe.delete(&format!("{path}?prorate=true&invoice_now=true")).await;
            }
        }
    }

    async fn pause(&mut self, path: &str, subscription: &Value) {
        if subscription["status"] == "paused" {
            return self.try_post(&format!("{path}/resume"), &[]).await;
        }
        match self.dice.random_bool(0.5) {
            true => self.try_post(path, &[("pause_collection", "")]).await,
            false => {
                let behavior = self.pick(&["void", "keep_as_draft", "mark_uncollectible"]);
                self.try_post(path, &[("pause_collection[behavior]", behavior)]).await;
            }
        }
    }
}

async fn events(stripe: &Stripe) -> Vec<Value> {
    let all = stripe.http.get(stripe.url("/_emulator/events?limit=100000")).send().await.unwrap();
    let mut all: Value = serde_json::from_str(&all.text().await.unwrap()).unwrap();
    let mut all = std::mem::take(all["data"].as_array_mut().unwrap());
    all.reverse();
    all
}

/// What is wrong with how things are, a line each.
async fn wrong(sequence: &Sequence) -> Vec<String> {
    let events = events(&sequence.stripe).await;
    let mut wrong = illegal_changes(&events);
    let invoices = sequence.stripe.invoices(&sequence.customer).await;
    wrong.extend(invoices.iter().filter_map(does_not_add_up));
    wrong.extend(billed_twice(&invoices));
    wrong.extend(paid_twice(&events));
    wrong.extend(not_told(sequence, &events).await);
    wrong
}

fn illegal_changes(events: &[Value]) -> Vec<String> {
    let mut statuses: BTreeMap<String, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    for event in events.iter().filter(|it| it["data"]["object"]["object"] == "subscription") {
        let object = &event["data"]["object"];
        let now = object["status"].as_str().unwrap().to_owned();
        let before = statuses.insert(id(object), now.clone());
        let legal =
            |before: &str| LEGAL.iter().any(|(from, to)| *from == before && to.contains(&now.as_str()));
        if let Some(before) = before.filter(|before| *before != now && !legal(before)) {
            wrong.push(format!("{} went from {before} to {now}", id(object)));
        }
    }
    wrong
}

fn does_not_add_up(invoice: &Value) -> Option<String> {
    let number = |field: &str| invoice[field].as_i64().unwrap();
    let lines = invoice["lines"]["data"].as_array().unwrap();
    let sum: i64 = lines.iter().map(|line| line["amount"].as_i64().unwrap()).sum();
    let due = (number("total") + number("starting_balance")).max(0);
    let paid = if invoice["status"] == "paid" { due } else { 0 };
    let expected = (sum, sum, due, paid, due - paid);
    let found = (
        number("subtotal"),
        number("total"),
        number("amount_due"),
        number("amount_paid"),
        number("amount_remaining"),
    );
    (found != expected).then(|| format!("{} has {found:?}, and not {expected:?}", id(invoice)))
}

/// Two renewals of one period.
fn billed_twice(invoices: &[Value]) -> Vec<String> {
    let mut periods = BTreeSet::new();
    let renewals = invoices.iter().filter(|it| it["billing_reason"] == "subscription_cycle");
    let twice = renewals.filter(|invoice| {
        let of = invoice["parent"]["subscription_details"]["subscription"].as_str().unwrap().to_owned();
        !periods.insert((of, invoice["period_end"].as_i64()))
    });
    twice.map(|invoice| format!("{} bills a period that is billed already", id(invoice))).collect()
}

fn paid_twice(events: &[Value]) -> Vec<String> {
    let mut paid = BTreeSet::new();
    let payments =
        events.iter().filter(|it| it["type"] == "invoice.paid").map(|it| id(&it["data"]["object"]));
    payments
        .filter(|invoice| !paid.insert(invoice.clone()))
        .map(|invoice| format!("{invoice} is paid twice"))
        .collect()
}

/// Every object is what the last event about it says.
async fn not_told(sequence: &Sequence, events: &[Value]) -> Vec<String> {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for object in events.iter().map(|it| &it["data"]["object"]) {
        if let Some(id) = object["id"].as_str() {
            known.insert(id.to_owned(), object.clone());
        }
    }
    let mut now = sequence.stripe.subscriptions(&sequence.customer).await;
    now.extend(sequence.stripe.invoices(&sequence.customer).await);
    now.push(sequence.stripe.get(&format!("/v1/customers/{}", sequence.customer)).await);
    let mut wrong = Vec::new();
    for mut object in now {
        let mut told = known.remove(&id(&object)).unwrap_or(json!({}));
        // Which number comes next is told by the invoices.
        for one in [&mut object, &mut told] {
            one.as_object_mut().unwrap().remove("next_invoice_sequence");
        }
        if object != told {
            let differs =
                object.as_object().unwrap().iter().filter(|(name, value)| told[name.as_str()] != **value);
            let names: Vec<_> =
                differs.map(|(name, value)| format!("{name} {} -> {value}", told[name.as_str()])).collect();
            wrong.push(format!("nobody was told of {}: {}", id(&object), names.join(", ")));
        }
    }
    wrong
}

async fn run(seed: u64) -> Result<(), String> {
    let mut sequence = Sequence::begin(seed).await;
    for _ in 0..STEPS {
        sequence.step().await;
        let wrong = wrong(&sequence).await;
        if !wrong.is_empty() {
            return Err(format!("SEED={seed}\n{}\nWRONG:\n{}", sequence.log.join("\n"), wrong.join("\n")));
        }
    }
    if std::env::var("SEED").is_ok() {
        println!("{}", sequence.log.join("\n"));
    }
    Ok(())
}

#[tokio::test]
async fn any_sequence_leaves_a_state_that_could_be() {
    let only = std::env::var("SEED").ok().map(|text| text.parse::<u64>().unwrap());
    for seed in only.map_or(0..SEQUENCES, |seed| seed..seed + 1) {
        if let Err(story) = run(seed).await {
            panic!("{story}");
        }
    }
}
