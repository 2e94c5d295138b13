//! Prorations respect discounts: what is given back was paid, what is to come is as cheap as a full period, and a
//! preview says both to the cent.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::changes::near;
use crate::discounts::{coupon, payer};
use crate::support::{Stripe, id};
use crate::time::{DAY, period};

/// Somebody who pays 12 dollars a month less this coupon, in the middle of the month: the subscription, and its item.
async fn halfway(stripe: &Stripe, more: &[(&str, &str)]) -> (String, Value, String) {
    let (customer, price) = (payer(stripe).await, stripe.price().await);
    let base = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
    let subscription = stripe.post("/v1/subscriptions", &[&base, more].concat()).await;
    let (start, end) = period(&subscription);
    stripe.pass_until(start + (end - start) / 2).await;
    let item = id(&subscription["items"]["data"][0]);
    (customer, subscription, item)
}

/// Amounts of the lines of the customer's newest invoice.
async fn newest(stripe: &Stripe, customer: &str) -> (Value, Vec<i64>) {
    let invoice = stripe.invoices(customer).await.remove(0);
    let lines = invoice["lines"]["data"].as_array().unwrap();
    let amounts = lines.iter().map(|line| line["amount"].as_i64().unwrap()).collect();
    (invoice, amounts)
}

async fn upgrade(stripe: &Stripe, subscription: &Value, item: &str, amount: &str) -> Value {
    let dear = stripe.price_of(amount, "month").await;
    let date = stripe.now().await.to_string();
    let of = id(subscription);
    let fields = [
        ("items[0][id]", item),
        ("items[0][price]", dear.as_str()),
        ("proration_behavior", "always_invoice"),
        ("proration_date", date.as_str()),
    ];
    let named: Vec<(String, &str)> = fields
        .iter()
        .map(|(name, value)| {
            let (first, rest) =
                name.split_once('[').map_or((*name, String::new()), |(a, b)| (a, format!("[{b}")));
            (format!("subscription_details[{first}]{rest}"), *value)
        })
        .collect();
    let mut preview: Vec<(&str, &str)> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    preview.push(("subscription", of.as_str()));
    let preview = stripe.post("/v1/invoices/create_preview", &preview).await;
    stripe.post(&format!("/v1/subscriptions/{of}"), &fields).await;
    preview
}

#[tokio::test]
async fn a_percentage_is_in_the_credit_and_in_the_charge() {
    let stripe = Stripe::start().await;
    coupon(&stripe, "HALF", &[("percent_off", "50"), ("duration", "forever")]).await;
    let (customer, subscription, item) = halfway(&stripe, &[("discounts[0][coupon]", "HALF")]).await;
    let preview = upgrade(&stripe, &subscription, &item, "2400").await;
    let (invoice, amounts) = newest(&stripe, &customer).await;
    // 6 dollars were paid for the month, and the new plan is 12: half of each.
    near(amounts[0], -300);
    near(amounts[1], 600);
    assert_eq!(preview["total"], invoice["total"], "to the cent");
    let discount = &subscription["discounts"][0];
    for line in invoice["lines"]["data"].as_array().unwrap() {
        assert_eq!(line["discount_amounts"], json!([{"amount": 0, "discount": discount}]));
        assert_eq!((&line["discounts"], &line["discountable"]), (&json!([discount]), &json!(false)));
    }
    let credited = &invoice["lines"]["data"][0]["parent"]["subscription_item_details"]["proration_details"];
    assert_eq!(credited["credited_items"]["invoice"], subscription["latest_invoice"]);
    let items = stripe.get(&format!("/v1/invoiceitems?customer={customer}")).await;
    let credit = items["data"].as_array().unwrap().iter().find(|it| it["amount"].as_i64() < Some(0)).unwrap();
    let details = &credit["proration_details"];
    assert_eq!(details["credited_items"]["type"], "invoice_line_items");
    near(details["discount_amounts"][0]["amount"].as_i64().unwrap(), -300);
}

#[tokio::test]
async fn itemized_prorations_tell_of_the_discount_beside_the_amount() {
    let stripe = Stripe::start().await;
    coupon(&stripe, "HALF", &[("percent_off", "50"), ("duration", "forever")]).await;
    let mode = [
        ("discounts[0][coupon]", "HALF"),
        ("billing_mode[type]", "flexible"),
        ("billing_mode[flexible][proration_discounts]", "itemized"),
    ];
    let (customer, subscription, item) = halfway(&stripe, &mode).await;
    let preview = upgrade(&stripe, &subscription, &item, "2400").await;
    let (invoice, amounts) = newest(&stripe, &customer).await;
    near(amounts[0], -600);
    near(amounts[1], 1200);
    let lines = &invoice["lines"]["data"];
    near(lines[0]["discount_amounts"][0]["amount"].as_i64().unwrap(), -300);
    near(lines[1]["discount_amounts"][0]["amount"].as_i64().unwrap(), 600);
    near(invoice["total"].as_i64().unwrap(), 300);
    assert_eq!(preview["total"], invoice["total"]);
    assert_eq!(invoice["total_discount_amounts"][0]["discount"], subscription["discounts"][0]);
}

#[tokio::test]
async fn a_fixed_amount_that_was_for_one_invoice_is_not_given_back() {
    let stripe = Stripe::start().await;
    coupon(&stripe, "FIVE", &[("amount_off", "500"), ("currency", "usd")]).await;
    let (customer, subscription, item) = halfway(&stripe, &[("discounts[0][coupon]", "FIVE")]).await;
    assert_eq!(subscription["discounts"], json!([]), "it is used up");
    upgrade(&stripe, &subscription, &item, "2400").await;
    let (_, amounts) = newest(&stripe, &customer).await;
    near(amounts[0], -350);
    near(amounts[1], 1200);
}

/// https://docs.stripe.com/billing/subscriptions/billing-mode/compare: classic mode credits what the item is now, and
/// flexible mode what was debited.
#[tokio::test]
async fn what_was_free_is_credited_in_classic_mode_only() {
    for (mode, expected) in [("flexible", -600), ("classic", -1200)] {
        let stripe = Stripe::start().await;
        let (customer, subscription, item) = halfway(&stripe, &[("billing_mode[type]", mode)]).await;
        let path = format!("/v1/subscriptions/{}", id(&subscription));
        let twice =
            [("items[0][id]", item.as_str()), ("items[0][quantity]", "2"), ("proration_behavior", "none")];
        stripe.post(&path, &twice).await;
        stripe.delete(&format!("{path}?prorate=true&invoice_now=true")).await;
        near(newest(&stripe, &customer).await.1[0], expected);
    }
}

#[tokio::test]
async fn each_debit_has_a_credit_of_its_own() {
    let stripe = Stripe::start().await;
    let (customer, subscription, item) = halfway(&stripe, &[]).await;
    upgrade(&stripe, &subscription, &item, "2400").await;
    let twice = [("price", stripe.price_of("4800", "month").await)];
    let path = format!("/v1/subscription_items/{item}");
    stripe.post(&path, &[("price", &twice[0].1), ("proration_behavior", "always_invoice")]).await;
    let (_, amounts) = newest(&stripe, &customer).await;
    assert_eq!(amounts.len(), 2, "the first debit was credited before: {amounts:?}");
    near(amounts[0], -1200);
    near(amounts[1], 2400);
}

struct Walk {
    stripe: Stripe,
    dice: StdRng,
    customer: String,
    prices: Vec<String>,
    log: Vec<String>,
}

impl Walk {
    async fn begin(seed: u64) -> Walk {
        let stripe = Stripe::start().await;
        let (customer, first) = (payer(&stripe).await, stripe.price().await);
        let mut prices = vec![first];
        for amount in ["0", "777", "4900", "99"] {
            prices.push(stripe.price_of(amount, "month").await);
        }
        coupon(&stripe, "THIRD", &[("percent_off", "33.33"), ("duration", "forever")]).await;
        coupon(&stripe, "ONCE", &[("amount_off", "650"), ("currency", "usd")]).await;
        let months = [("amount_off", "250"), ("currency", "usd"), ("duration", "repeating")];
        coupon(&stripe, "MONTHS", &[&months[..], &[("duration_in_months", "2")]].concat()).await;
        Walk { stripe, dice: StdRng::seed_from_u64(seed), customer, prices, log: Vec::new() }
    }

    fn price(&mut self) -> String {
        self.prices.choose(&mut self.dice).unwrap().clone()
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> u16 {
        let reply = self.stripe.try_post(path, fields).await;
        self.log.push(format!("{path} {fields:?} {}: {}", reply.status, reply.body["error"]["message"]));
        reply.status
    }

    /// A change of plan, quantity or discounts, and what its preview said.
    async fn change(&mut self, path: &str, subscription: &Value) {
        let (item, price) = (id(&subscription["items"]["data"][0]), self.price());
        let coupon = *["", "THIRD", "ONCE", "MONTHS"].choose(&mut self.dice).unwrap();
        match self.dice.random_range(0..4) {
            0 => drop(self.post(path, &[("discounts[0][coupon]", coupon)]).await),
            1 => drop(self.post(path, &[("discounts", "")]).await),
            _ => {
                let quantity = self.dice.random_range(1..5).to_string();
                let prorate =
                    *["none", "create_prorations", "always_invoice"].choose(&mut self.dice).unwrap();
                let mut fields = vec![
                    ("items[0][id]", item.as_str()),
                    ("items[0][price]", price.as_str()),
                    ("items[0][quantity]", quantity.as_str()),
                    ("proration_behavior", prorate),
                ];
                if !coupon.is_empty() && self.dice.random_bool(0.4) {
                    fields.push(("items[0][discounts][0][coupon]", coupon));
                }
                self.post(path, &fields).await;
            }
        }
    }
}

/// However a subscription changes, nobody gets more back than they paid, and each line's discounts are of it.
#[tokio::test]
async fn no_sequence_of_changes_gives_back_more_than_was_paid() {
    for seed in 0..12 {
        let mut walk = Walk::begin(seed).await;
        let (customer, price) = (walk.customer.clone(), walk.price());
        let base = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
        let mode = if seed % 2 == 0 { "included" } else { "itemized" };
        let mode = [
            ("billing_mode[type]", "flexible"),
            ("billing_mode[flexible][proration_discounts]", mode),
            ("discounts[0][coupon]", "THIRD"),
        ];
        let subscription = walk.stripe.post("/v1/subscriptions", &[&base[..], &mode].concat()).await;
        let path = format!("/v1/subscriptions/{}", id(&subscription));
        for _ in 0..10 {
            let days = walk.dice.random_range(0..12);
            walk.stripe.pass(days * DAY).await;
            let now = walk.stripe.get(&path).await;
            walk.change(&path, &now).await;
        }
        walk.stripe.delete(&format!("{path}?prorate=true&invoice_now=true")).await;
        let paid: i64 =
            walk.stripe.invoices(&customer).await.iter().map(|it| it["amount_paid"].as_i64().unwrap()).sum();
        let balance =
            walk.stripe.get(&format!("/v1/customers/{customer}")).await["balance"].as_i64().unwrap();
        assert!(
            -balance <= paid,
            "{seed}: {paid} were paid, and {} are theirs\n{}",
            -balance,
            walk.log.join("\n")
        );
        let items = walk.stripe.get(&format!("/v1/invoiceitems?customer={customer}&limit=100")).await;
        let wrong = items["data"].as_array().unwrap().iter().filter(|it| is_over_credited(it, &items));
        assert_eq!(wrong.count(), 0, "{seed}: {}", walk.log.join("\n"));
    }
}

/// Whether the credits for one debit are more than it was.
fn is_over_credited(debit: &Value, all: &Value) -> bool {
    let net = debit["net_amount"].as_i64().unwrap();
    if net <= 0 {
        return false;
    }
    let items = all["data"].as_array().unwrap().iter();
    let of_it = items.filter(|it| it["proration_details"]["credited_items"]["invoice_item"] == debit["id"]);
    -of_it.map(|it| it["net_amount"].as_i64().unwrap()).sum::<i64>() > net
}
