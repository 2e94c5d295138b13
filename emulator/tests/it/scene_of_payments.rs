//! What the endpoints of one-off payments need to say yes, as `scene` has it for the others.

use crate::scene::attached_card;
use crate::support::{Stripe, id};

const SHIPPING: &str = "shipping[name]=Ada&shipping[address][line1]=x";

/// The least fields, in the same words as `scene`'s.
pub const NEEDS: &[(&str, &str)] = &[
    (
        "POST /v1/products",
        "name=Pro&default_price_data[currency]=usd&default_price_data[unit_amount]=100\
         &default_price_data[recurring][interval]=month",
    ),
    (
        "POST /v1/products",
        "name=Pro&default_price_data[currency]=usd&default_price_data[unit_amount_decimal]=100",
    ),
    ("POST /v1/customers", ""),
    ("POST /v1/customers", SHIPPING),
    ("POST /v1/customers/:id", ""),
    ("POST /v1/customers/:id", SHIPPING),
    ("POST /v1/charges/:id", ""),
    ("POST /v1/charges/:id", SHIPPING),
    ("POST /v1/prices", "product_data[name]=Pro&currency=usd&unit_amount=100"),
    (
        "POST /v1/checkout/sessions",
        "mode=payment&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=500\
         &line_items[0][price_data][product_data][name]=Mug&line_items[0][quantity]=1\
         &success_url=http://shop.test/done",
    ),
    (
        "POST /v1/checkout/sessions",
        "mode=subscription&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount_decimal]=500\
         &line_items[0][price_data][recurring][interval]=month&line_items[0][price_data][product_data][name]=Mug\
         &line_items[0][quantity]=1&success_url=http://shop.test/done",
    ),
    (
        "POST /v1/checkout/sessions",
        "mode=payment&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=500\
         &line_items[0][price_data][product]={products}&line_items[0][quantity]=1\
         &payment_intent_data[shipping][name]=Ada&payment_intent_data[shipping][address][line1]=x\
         &success_url=http://shop.test/done",
    ),
    ("POST /v1/payment_intents", "amount=500&currency=usd"),
    ("POST /v1/payment_intents", "amount=500&currency=usd&shipping[name]=Ada&shipping[address][line1]=x"),
    (
        "POST /v1/payment_intents",
        "amount=500&currency=usd&confirm=true&payment_method=pm_card_visa&return_url=http://shop.test/done",
    ),
    ("POST /v1/payment_intents/:id", ""),
    ("POST /v1/payment_intents/:id", SHIPPING),
    ("POST /v1/payment_intents/:id/confirm", "payment_method=pm_card_visa&return_url=http://shop.test/done"),
    (
        "POST /v1/payment_intents/:id/confirm",
        "payment_method=pm_card_visa&return_url=http://shop.test/done&shipping[name]=Ada&shipping[address][line1]=x",
    ),
    ("POST /v1/payment_intents/:id/capture", ""),
];

/// A payment that is made, or whatever else comes of confirming it.
pub async fn intent(stripe: &Stripe, more: &[(&str, &str)]) -> String {
    let confirmed = [("payment_method", "pm_card_visa"), ("confirm", "true")];
    id(&stripe.intent(&[&confirmed[..], more].concat()).await)
}

/// The path of a card as its customer's.
pub async fn own_card(stripe: &Stripe) -> Option<String> {
    let card = attached_card(stripe).await?;
    let customer = stripe.get(&format!("/v1/payment_methods/{card}")).await["customer"].as_str()?.to_owned();
    Some(format!("/v1/customers/{customer}/payment_methods/{card}"))
}
