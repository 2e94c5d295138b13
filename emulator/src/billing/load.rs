//! Many customers at once, each with an active subscription that a card has paid: for tests and measurements at
//! size. One customer goes the real way of a purchase; the others are that one with other numbers.

use serde_json::{Value, json};

use super::cards::TestCard;
use super::customer;
use super::payment::{self, Authentication, Charged, Order};
use super::payment_method::{self, CardDetails};
use super::purchase::{self, Settlement};
use super::subscription::{Draft, Line};
use crate::state::{Kind, Pattern, Tx, text};

/// What to make.
#[derive(Clone, Debug)]
pub struct Load {
    pub customers: usize,
    /// What they buy: an active, recurring price.
    pub price: Value,
    /// Begins their ids (`cus_<prefix>00000000`), e-mails and users (`<prefix>0`).
    pub prefix: String,
    /// Whether `metadata.userId` is set.
    pub with_user: bool,
}

impl Load {
    /// The id of a loaded customer, from 0.
    pub fn customer_id(&self, number: usize) -> String {
        format!("cus_{}{number:08}", self.prefix)
    }

    fn user(&self) -> String {
        format!("{}{}", self.prefix, Pattern::PLAIN)
    }
}

/// Stores the customers, their cards, subscriptions and invoices. Tells no one.
pub fn run(tx: &mut Tx, load: &Load) {
    let before = tx.savepoint();
    let example = example(tx, load);
    let names = names(load, &example);
    let patterns = example.map(|(kind, mut value)| {
        let private = tx.private(kind, text(&value, "id")).clone();
        rename(&mut value, &names);
        (kind, value, private)
    });
    tx.roll_back_to(&before);
    tx.load(patterns, load.customers);
}

/// One of them, bought as `POST /v1/subscriptions` would.
fn example(tx: &mut Tx, load: &Load) -> [(Kind, Value); 4] {
    let metadata = if load.with_user { json!({ "userId": load.user() }) } else { json!({}) };
    let mut customer = customer::build(tx, json!(format!("{}@example.com", load.user())));
    customer["metadata"] = metadata.clone();
    let customer_id = text(&customer, "id").to_owned();
    tx.put(Kind::Customer, customer);
    let draft = Draft {
        lines: vec![Line { price: load.price.clone(), quantity: 1 }],
        trial_end: None,
        metadata,
        description: Value::Null,
        default_payment_method: card(tx, &customer_id),
        missing_payment_method: "create_invoice".to_owned(),
        billing_reason: "subscription_create",
        discounts: Vec::new(),
        customer: customer_id.clone(),
    };
    let settlement = pay(tx, &draft);
    let bought = purchase::begin(tx, &draft, settlement);
    let method = draft.default_payment_method.unwrap_or_default();
    let now = |kind, id: &str| (kind, tx.copy(kind, id).unwrap_or_default());
    [
        now(Kind::Customer, &customer_id),
        now(Kind::PaymentMethod, &method),
        now(Kind::Invoice, text(&bought.invoice, "id")),
        now(Kind::Subscription, text(&bought.subscription, "id")),
    ]
}

fn card(tx: &mut Tx, customer: &str) -> Option<String> {
    let details = CardDetails::of_test_card(TestCard::by_token("pm_card_visa")?, tx.now());
    let method = payment_method::create(tx, &details, json!({}));
    let id = text(&method, "id").to_owned();
    payment_method::attach(tx, &id, customer);
    Some(id)
}

fn pay(tx: &mut Tx, draft: &Draft) -> Settlement {
    let order = Order {
        customer: Some(draft.customer.clone()),
        payment_method: draft.default_payment_method.clone().unwrap_or_default(),
        amount: draft.due_today(),
        currency: draft.currency().to_owned(),
        description: "Subscription creation".to_owned(),
        intent: None,
    };
    match payment::charge(tx, &order, Authentication::NotYet) {
        Charged::Paid(paid) => Settlement::Paid(Some(paid)),
        Charged::Declined { .. } | Charged::NeedsAuthentication { .. } => Settlement::Paid(None),
    }
}

/// The example's ids, and what stands for them in the patterns.
fn names(load: &Load, example: &[(Kind, Value); 4]) -> Vec<(String, String)> {
    let [(_, customer), (_, method), (_, invoice), (_, subscription)] = example;
    let with_id = [
        customer,
        method,
        invoice,
        subscription,
        &invoice["lines"]["data"][0],
        &subscription["items"]["data"][0],
    ];
    let named = with_id.into_iter().filter_map(|object| {
        let id = text(object, "id");
        let (kind, _) = id.split_once('_')?;
        Some((id.to_owned(), format!("{kind}_{}{}", load.prefix, Pattern::PADDED)))
    });
    let numbering = format!("{}{}", load.prefix.to_uppercase(), Pattern::PADDED);
    named.chain([(text(customer, "invoice_prefix").to_owned(), numbering)]).collect()
}

fn rename(value: &mut Value, names: &[(String, String)]) {
    match value {
        Value::String(text) => {
            *text = names.iter().fold(std::mem::take(text), |text, (from, to)| text.replace(from, to));
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| rename(element, names)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, names)),
        _ => {}
    }
}
