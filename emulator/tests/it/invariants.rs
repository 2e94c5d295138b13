//! Any sequence of calls, schedules, cards, faults, restarts and time leaves a state that could be: legal changes of
//! status, each invoice paid once and adding up, one invoice a period, and events from which all of it can be built
//! again. A third of the sequences is kept in a directory and dies now and then, a third lives by a test clock.
//!
//! `SEED=n` runs one sequence and prints its steps; `SEEDS=n` runs so many.
#![expect(clippy::print_stdout, reason = "a replay says what it does")]

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use crate::invariants_of_state;
use crate::invariants_world::World;
use crate::support::id;
use crate::time::{DAY, HOUR};

const SEQUENCES: u64 = 16;
const STEPS: usize = 24;
/// After so many steps all is looked at; after each one in a replay.
const LOOK: usize = 12;
const CARDS: &[&str] = &[
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_chargeCustomerFail",
    "pm_card_authenticationRequired",
];
pub struct Sequence {
    pub world: World,
    pub dice: StdRng,
    pub customer: String,
    prices: Vec<String>,
    log: Vec<String>,
}

impl Sequence {
    async fn begin(seed: u64) -> Sequence {
        let mut dice = StdRng::seed_from_u64(seed);
        let world = World::begin(dice.random_ratio(1, 3), dice.random_ratio(1, 3)).await;
        let stripe = &world.stripe;
        let clock = world.clock.clone().unwrap_or_default();
        let fields = [("email", "ada@example.com"), ("test_clock", clock.as_str())];
        let customer = id(&stripe.post("/v1/customers", &fields[..2 - usize::from(clock.is_empty())]).await);
        let mut prices = vec![stripe.price().await];
        for (amount, interval) in [("0", "month"), ("4900", "month"), ("12000", "year"), ("300", "week")] {
            prices.push(stripe.price_of(amount, interval).await);
        }
        for (name, off) in [("once", ("percent_off", "33")), ("forever", ("amount_off", "700"))] {
            let fields = [("id", name), ("duration", name), off, ("currency", "usd")];
            let most = if off.0 == "amount_off" { 4 } else { 3 };
            stripe.post("/v1/coupons", &fields[..most]).await;
        }
        let repeating = [("id", "repeating"), ("duration", "repeating"), ("duration_in_months", "2")];
        stripe.post("/v1/coupons", &[&repeating[..], &[("percent_off", "50")]].concat()).await;
        Sequence { world, dice, customer, prices, log: Vec::new() }
    }

    pub fn pick<'p>(&mut self, all: &[&'p str]) -> &'p str {
        all.choose(&mut self.dice).unwrap()
    }

    pub fn price(&mut self) -> String {
        self.prices.choose(&mut self.dice).unwrap().clone()
    }

    /// A call that may be refused, in a way that Stripe has.
    pub async fn try_post(&mut self, path: &str, fields: &[(&str, &str)]) {
        let reply = self.world.send(path, fields, &mut self.dice).await;
        self.log.push(format!("POST {path} {fields:?}: {} {}", reply.status, reply.body["error"]["message"]));
        assert!(matches!(reply.status, 200 | 400 | 402 | 404), "{}: {}", reply.status, reply.body);
    }

    async fn live(&self) -> Option<Value> {
        let all = self.world.stripe.subscriptions(&self.customer).await;
        all.into_iter()
            .find(|it| !matches!(it["status"].as_str().unwrap(), "canceled" | "incomplete_expired"))
    }

    async fn step(&mut self) {
        let Some(subscription) = self.live().await else { return self.begin_anew().await };
        let path = format!("/v1/subscriptions/{}", id(&subscription));
        match self.dice.random_range(0..17) {
            0..=3 => self.wait().await,
            4 => self.card().await,
            5..=6 => self.change(&path, &subscription).await,
            7 => self.pay_what_is_open().await,
            8 => self.cancel(&path).await,
            9 => {
                let end = (self.world.now().await + self.dice.random_range(1..40) * DAY).to_string();
                let end = if self.dice.random_bool(0.5) { "now".to_owned() } else { end };
                self.try_post(&path, &[("trial_end", &end)]).await;
            }
            10 => self.pause(&path, &subscription).await,
            11..=13 => self.schedule(&subscription).await,
            14..=15 => self.befall().await,
            _ => {
                let fields = [
                    ("customer", self.customer.clone()),
                    ("amount", self.pick(&["250", "-900"]).into()),
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
        let told = self.world.pass(seconds, &mut self.dice).await;
        self.log.push(told);
    }

    /// Something happens to the emulator: it dies and has forgotten nothing, or requests begin to fail.
    async fn befall(&mut self) {
        if self.dice.random_bool(0.3) {
            self.log.push(self.world.order_faults().await);
            return;
        }
        let before = self.world.all_of(&self.customer).await;
        let told = self.world.die(&mut self.dice).await;
        self.log.push(told);
        let after = self.world.all_of(&self.customer).await;
        assert!(before == after, "{}\nis after that not what it was", self.log.join("\n"));
    }

    async fn begin_anew(&mut self) {
        match self.dice.random_range(0..6) {
            0 => self.schedule_ahead().await,
            1 => self.wait().await,
            _ => self.subscribe().await,
        }
    }

    async fn card(&mut self) {
        let token = self.pick(CARDS);
        let to = self.customer.clone();
        let card = self
            .world
            .stripe
            .post(&format!("/v1/payment_methods/{token}/attach"), &[("customer", &to)])
            .await;
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
        let coupon = self.pick(&["", "", "once", "forever", "repeating"]);
        if !coupon.is_empty() {
            fields.push(("discounts[0][coupon]", coupon));
        }
        self.try_post("/v1/subscriptions", &fields).await;
        self.card().await;
    }

    async fn change(&mut self, path: &str, subscription: &Value) {
        let (item, price) = (id(&subscription["items"]["data"][0]), self.price());
        let quantity = self.pick(&["0", "1", "2", "5"]);
        let prorate = self.pick(&["none", "create_prorations", "always_invoice"]);
        let behaviors =
            ["allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"];
        let behavior = self.pick(&behaviors);
        let what = self.dice.random_range(0..4);
        let (last, several) = (subscription["items"]["data"].as_array().unwrap().last().unwrap(), what > 1);
        let gone = id(last);
        let mut fields = vec![("proration_behavior", prorate), ("payment_behavior", behavior)];
        match what {
            0 => fields.extend([("items[0][price]", price.as_str()), ("items[0][quantity]", quantity)]),
            1 => fields.extend([("items[0][id]", gone.as_str()), ("items[0][deleted]", "true")]),
            _ => fields.extend([("items[0][id]", item.as_str()), ("items[0][price]", price.as_str())]),
        }
        if several {
            fields.push(("items[0][quantity]", quantity));
        }
        self.try_post(path, &fields).await;
    }

    async fn pay_what_is_open(&mut self) {
        let open = self.world.stripe.invoices(&self.customer).await;
        let Some(open) = open.iter().find(|it| it["status"] == "open").map(id) else { return };
        let what = self.pick(&["pay", "pay", "pay", "void", "mark_uncollectible"]);
        self.try_post(&format!("/v1/invoices/{open}/{what}"), &[]).await;
    }

    async fn cancel(&mut self, path: &str) {
        let soon = (self.world.now().await + 5 * DAY).to_string();
        match self.dice.random_range(0..4) {
            0 => self.try_post(path, &[("cancel_at_period_end", "true")]).await,
            1 => self.try_post(path, &[("cancel_at_period_end", "false")]).await,
            2 => self.try_post(path, &[("cancel_at", &soon)]).await,
            _ => {
                self.log.push(format!("DELETE {path}"));
                self.world.stripe.delete(&format!("{path}?prorate=true&invoice_now=true")).await;
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

async fn run(seed: u64) -> Result<(), String> {
    println!("SEED={seed}");
    let mut sequence = Sequence::begin(seed).await;
    let replays = std::env::var("SEED").is_ok();
    for step in 1..=STEPS {
        sequence.step().await;
        if step % LOOK != 0 && !replays {
            continue;
        }
        let wrong = invariants_of_state::wrong(&sequence.world, &sequence.customer).await;
        if !wrong.is_empty() {
            return Err(format!("SEED={seed}\n{}\nWRONG:\n{}", sequence.log.join("\n"), wrong.join("\n")));
        }
    }
    if replays {
        println!("{}", sequence.log.join("\n"));
    }
    Ok(())
}

#[tokio::test]
async fn any_sequence_leaves_a_state_that_could_be() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = 0..number("SEEDS").unwrap_or(SEQUENCES);
    for seed in number("SEED").map_or(seeds, |seed| seed..seed + 1) {
        if let Err(story) = run(seed).await {
            panic!("{story}");
        }
    }
}
