//! GET /v1/…/search: customers, subscriptions, invoices, products, prices, charges and payment intents, by the fields
//! that Stripe's documents name for each (https://docs.stripe.com/search); `query` has the language. Unlike
//! Stripe's, this search sees what was written a moment ago.

mod query;

use serde_json::{Value, json};

use self::query::{Field, Query, Type};
use super::Call;
use crate::error::ApiError;
use crate::list;
use crate::state::{Key, Kind, Record, Store};

const CREATED: Field = Field { name: "created", of: "/created", is: Type::Number };
const CURRENCY: Field = Field { name: "currency", of: "/currency", is: Type::Token };
const CUSTOMER: Field = Field { name: "customer", of: "/customer", is: Type::Token };
const STATUS: Field = Field { name: "status", of: "/status", is: Type::Token };
const AMOUNT: Field = Field { name: "amount", of: "/amount", is: Type::Number };
const ACTIVE: Field = Field { name: "active", of: "/active", is: Type::Token };

const fn token(name: &'static str, of: &'static str) -> Field {
    Field { name, of, is: Type::Token }
}

const fn string(name: &'static str, of: &'static str) -> Field {
    Field { name, of, is: Type::Text }
}

const fn number(name: &'static str, of: &'static str) -> Field {
    Field { name, of, is: Type::Number }
}

const CHARGES: &[Field] = &[
    AMOUNT,
    CREATED,
    CURRENCY,
    CUSTOMER,
    STATUS,
    token("billing_details.address.postal_code", "/billing_details/address/postal_code"),
    token("disputed", "/disputed"),
    token("payment_method_details.card.brand", "/payment_method_details/card/brand"),
    number("payment_method_details.card.exp_month", "/payment_method_details/card/exp_month"),
    number("payment_method_details.card.exp_year", "/payment_method_details/card/exp_year"),
    token("payment_method_details.card.fingerprint", "/payment_method_details/card/fingerprint"),
    token("payment_method_details.card.last4", "/payment_method_details/card/last4"),
    token("refunded", "/refunded"),
];
const CUSTOMERS: &[Field] =
    &[CREATED, string("email", "/email"), string("name", "/name"), string("phone", "/phone")];
const INVOICES: &[Field] = &[
    CREATED,
    CURRENCY,
    CUSTOMER,
    STATUS,
    token("last_finalization_error_code", "/last_finalization_error/code"),
    token("last_finalization_error_type", "/last_finalization_error/type"),
    token("number", "/number"),
    token("receipt_number", "/receipt_number"),
    token("subscription", "/parent/subscription_details/subscription"),
    number("total", "/total"),
];
const PAYMENT_INTENTS: &[Field] = &[AMOUNT, CREATED, CURRENCY, CUSTOMER, STATUS];
const PRICES: &[Field] = &[
    ACTIVE,
    CURRENCY,
    token("lookup_key", "/lookup_key"),
    token("product", "/product"),
    token("type", "/type"),
];
const PRODUCTS: &[Field] = &[
    ACTIVE,
    string("description", "/description"),
    string("name", "/name"),
    token("shippable", "/shippable"),
    string("url", "/url"),
];
const SUBSCRIPTIONS: &[Field] = &[CREATED, STATUS];

pub fn charges(call: &mut Call) -> Result<Value, ApiError> {
    search(call, Kind::Charge, "/v1/charges/search", CHARGES)
}

pub fn customers(call: &mut Call) -> Result<Value, ApiError> {
    search(call, Kind::Customer, "/v1/customers/search", CUSTOMERS)
}

pub fn invoices(call: &mut Call) -> Result<Value, ApiError> {
    search(call, Kind::Invoice, "/v1/invoices/search", INVOICES)
}

pub fn payment_intents(call: &mut Call) -> Result<Value, ApiError> {
    search(call, Kind::PaymentIntent, "/v1/payment_intents/search", PAYMENT_INTENTS)
}

pub fn prices(call: &mut Call) -> Result<Value, ApiError> {
    search(call, Kind::Price, "/v1/prices/search", PRICES)
}

pub fn products(call: &mut Call) -> Result<Value, ApiError> {
    search(call, Kind::Product, "/v1/products/search", PRODUCTS)
}

pub fn subscriptions(call: &mut Call) -> Result<Value, ApiError> {
    search(call, Kind::Subscription, "/v1/subscriptions/search", SUBSCRIPTIONS)
}

fn search(call: &mut Call, kind: Kind, url: &str, fields: &'static [Field]) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let query = params.required_text("query")?;
    let limit = list::limit(&mut params)?;
    let page = params.text("page")?;
    params.finish()?;
    let query = Query::parse(&query, fields)?;
    let after = page.as_deref().map(read_page).transpose()?;
    let found: Vec<&Record> = candidates(call.tx.store(), kind, &query)
        .filter(|record| after.is_none_or(|seq| record.seq < seq) && *record.field("deleted") != true)
        .filter(|record| query.fits(&record.value()))
        .take(limit + 1)
        .collect();
    let has_more = found.len() > limit;
    let next = found.get(limit.saturating_sub(1)).filter(|_| has_more).map(|record| record.seq.to_string());
    let data: Vec<_> = found.iter().take(limit).map(|record| record.value()).collect();
    Ok(json!({
        "object": "search_result",
        "url": url,
        "has_more": has_more,
        "data": data,
        "next_page": next,
    }))
}

/// The objects that can fit, newest first: by an index where a clause allows it, otherwise all.
fn candidates<'s>(store: &'s Store, kind: Kind, query: &Query) -> Box<dyn Iterator<Item = &'s Record> + 's> {
    let Some(all) = store.collection(kind) else {
        return Box::new(std::iter::empty());
    };
    match query.pair().filter(|_| kind == Kind::Customer) {
        Some(pair) => Box::new(all.by_key(Key::Metadata, &pair).collect::<Vec<_>>().into_iter()),
        None => Box::new(all.newest_first()),
    }
}

fn read_page(page: &str) -> Result<u64, ApiError> {
    page.parse().map_err(|_| ApiError::invalid(format!("Invalid page: {page}")).param("page"))
}
