//! With what a subscription may begin: an anchor, a start in the past, an end that is planned, things that are sold
//! once, prices of its own, settings.

use serde_json::{Value, json};

use crate::changes::near;
use crate::discounts::payer;
use crate::support::{Reply, Stripe, id};
use crate::time::{DAY, HOUR, period};

/// 15 January 2031, 00:00:00.
const MIDDLE: i64 = 1_926_201_600;
/// 1 February 2031, 00:00:00.
const FIRST: i64 = MIDDLE + 17 * DAY;

/// A subscription over 12 dollars a month that begins in the middle of January.
async fn begun(stripe: &Stripe, more: &[(&str, &str)]) -> (String, Reply) {
    stripe.pass_until(MIDDLE).await;
    let (customer, price) = (payer(stripe).await, stripe.price().await);
    let base = [
        ("customer", customer.as_str()),
        ("items[0][price]", price.as_str()),
        ("expand[]", "latest_invoice"),
    ];
    let reply = stripe.try_post("/v1/subscriptions", &[&base, more].concat()).await;
    (customer, reply)
}

fn total(subscription: &Value) -> i64 {
    subscription["latest_invoice"]["total"].as_i64().unwrap()
}

#[tokio::test]
async fn until_the_anchor_a_share_is_paid_and_then_the_whole() {
    for (name, value) in [
        ("billing_cycle_anchor", FIRST.to_string()),
        ("billing_cycle_anchor_config[day_of_month]", "1".to_owned()),
    ] {
        let stripe = Stripe::start().await;
        let midnight = [
            ("billing_cycle_anchor_config[hour]", "0"),
            ("billing_cycle_anchor_config[minute]", "0"),
            ("billing_cycle_anchor_config[second]", "0"),
        ];
        let mut more = vec![(name, value.as_str())];
        more.extend(midnight.iter().filter(|_| name.ends_with("[day_of_month]")));
        let (customer, reply) = begun(&stripe, &more).await;
        let subscription = reply.body;
        assert_eq!(subscription["billing_cycle_anchor"], FIRST);
        assert_eq!(period(&subscription).1, FIRST);
        // 17 of the 31 days from 1 January to 1 February.
        near(total(&subscription), 658);
        stripe.pass_until(FIRST + HOUR).await;
        let renewal = stripe.invoices(&customer).await.remove(0);
        assert_eq!(
            (&renewal["total"], &renewal["billing_reason"]),
            (&json!(1200), &json!("subscription_cycle"))
        );
    }
}

#[tokio::test]
async fn a_change_before_the_anchor_is_of_the_share() {
    let stripe = Stripe::start().await;
    let anchor = FIRST.to_string();
    let (customer, reply) = begun(&stripe, &[("billing_cycle_anchor", &anchor)]).await;
    let dear = stripe.price_of("2400", "month").await;
    let item = id(&reply.body["items"]["data"][0]);
    let fields = [("price", dear.as_str()), ("proration_behavior", "always_invoice")];
    stripe.post(&format!("/v1/subscription_items/{item}"), &fields).await;
    near(stripe.invoices(&customer).await[0]["total"].as_i64().unwrap(), 658);
}

#[tokio::test]
async fn without_prorations_the_time_until_the_anchor_is_free() {
    let stripe = Stripe::start().await;
    let anchor = FIRST.to_string();
    let more = [("billing_cycle_anchor", anchor.as_str()), ("proration_behavior", "none")];
    let (customer, reply) = begun(&stripe, &more).await;
    assert_eq!((total(&reply.body), &reply.body["status"]), (0, &json!("active")));
    stripe.pass_until(FIRST + HOUR).await;
    assert_eq!(stripe.invoices(&customer).await[0]["total"], 1200);
}

#[tokio::test]
async fn an_anchor_is_soon_and_said_once() {
    let stripe = Stripe::start().await;
    let (late, early) = ((MIDDLE + 40 * DAY).to_string(), (MIDDLE - DAY).to_string());
    let cases = [
        (vec![("billing_cycle_anchor", late.as_str())], "billing_cycle_anchor"),
        (vec![("billing_cycle_anchor", early.as_str())], "billing_cycle_anchor"),
        (
            vec![("billing_cycle_anchor", late.as_str()), ("billing_cycle_anchor_config[day_of_month]", "3")],
            "billing_cycle_anchor_config",
        ),
        (
            vec![("billing_cycle_anchor_config[day_of_month]", "32")],
            "billing_cycle_anchor_config[day_of_month]",
        ),
        (vec![("backdate_start_date", late.as_str())], "backdate_start_date"),
        (
            vec![("payment_settings[payment_method_types][0]", "sepa_debit")],
            "payment_settings[payment_method_types]",
        ),
        (vec![("currency", "eur")], "currency"),
    ];
    for (more, param) in cases {
        let (_, reply) = begun(&stripe, &more).await;
        assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some(param)), "{}", reply.body);
    }
}

#[tokio::test]
async fn the_time_since_a_start_in_the_past_is_billed_with_the_first_period() {
    let stripe = Stripe::start().await;
    // Two months and a half before: 15 November, 1 December and so on are not boundaries; the 15th of a month is.
    let since = (MIDDLE - 61 * DAY).to_string();
    let (_, reply) = begun(&stripe, &[("backdate_start_date", &since)]).await;
    let lines = &reply.body["latest_invoice"]["lines"]["data"];
    assert_eq!((&lines[0]["amount"], &lines[1]["amount"]), (&json!(2400), &json!(1200)));
    assert_eq!(lines[0]["period"]["start"].to_string(), since);
    assert_eq!(reply.body["start_date"].to_string(), since);
}

#[tokio::test]
async fn it_begins_with_its_end() {
    let stripe = Stripe::start().await;
    let at = (MIDDLE + 10 * DAY).to_string();
    let (customer, reply) = begun(&stripe, &[("cancel_at", &at)]).await;
    assert_eq!(reply.body["cancel_at"].to_string(), at);
    assert_eq!(reply.body["cancel_at_period_end"], false);
    stripe.pass_until(MIDDLE + 10 * DAY + 1).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "canceled");
    let (_, reply) = begun_later(&stripe, "max_period_end").await;
    assert_eq!(reply.body["cancel_at"].as_i64(), Some(period(&reply.body).1));
}

async fn begun_later(stripe: &Stripe, word: &str) -> (String, Reply) {
    let (customer, price) = (payer(stripe).await, stripe.price().await);
    let fields = [("customer", customer.as_str()), ("items[0][price]", price.as_str()), ("cancel_at", word)];
    let reply = stripe.try_post("/v1/subscriptions", &fields).await;
    (customer, reply)
}

#[tokio::test]
async fn what_is_sold_once_is_on_the_first_invoice_or_the_next() {
    let stripe = Stripe::start().await;
    let product = id(&stripe.post("/v1/products", &[("name", "Setup")]).await);
    let once = [
        ("add_invoice_items[0][price_data][currency]", "usd"),
        ("add_invoice_items[0][price_data][product]", product.as_str()),
        ("add_invoice_items[0][price_data][unit_amount]", "500"),
        ("add_invoice_items[0][quantity]", "2"),
        ("add_invoice_items[0][metadata][kind]", "setup"),
    ];
    let (customer, reply) = begun(&stripe, &once).await;
    let invoice = &reply.body["latest_invoice"];
    assert_eq!((&invoice["total"], &invoice["amount_paid"]), (&json!(2200), &json!(2200)));
    let item = &stripe.get(&format!("/v1/invoiceitems?customer={customer}")).await["data"][0];
    assert_eq!((&item["invoice"], &item["metadata"]["kind"]), (&invoice["id"], &json!("setup")));
    assert_eq!(item["parent"]["subscription_details"]["subscription"], reply.body["id"]);

    let path = format!("/v1/subscriptions/{}", id(&reply.body));
    stripe.post(&path, &once).await;
    assert_eq!(stripe.pending_items(&customer).await[0]["amount"], 1000);
    stripe.pass_until(period(&reply.body).1 + HOUR).await;
    assert_eq!(stripe.invoices(&customer).await[0]["total"], 2200);

    let monthly = stripe.price().await;
    let wrong = stripe.try_post(&path, &[("add_invoice_items[0][price]", &monthly)]).await;
    assert_eq!(wrong.error()["param"], "add_invoice_items[0][price]");
}

#[tokio::test]
async fn an_item_brings_a_price_of_its_own() {
    let stripe = Stripe::start().await;
    let product = id(&stripe.post("/v1/products", &[("name", "Own")]).await);
    let names = ["currency", "product", "unit_amount", "recurring[interval]"];
    let names = names.map(|name| match name.split_once('[') {
        Some((first, rest)) => format!("items[1][price_data][{first}][{rest}"),
        None => format!("items[1][price_data][{name}]"),
    });
    let own: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(["usd", product.as_str(), "700", "month"]).collect();
    let (_, reply) = begun(&stripe, &own).await;
    assert_eq!(total(&reply.body), 1900);
    let price = &reply.body["items"]["data"][1]["price"];
    assert_eq!((&price["active"], &price["unit_amount"]), (&json!(false), &json!(700)));
    let twice = [&own[..], &[("items[1][price]", "price_1")]].concat();
    assert_eq!(begun(&stripe, &twice).await.1.error()["param"], "items[1][price_data]");
}

#[tokio::test]
async fn the_card_that_pays_later_becomes_the_subscriptions_own() {
    let stripe = Stripe::start().await;
    let more = [
        ("payment_settings[save_default_payment_method]", "on_subscription"),
        ("payment_behavior", "default_incomplete"),
    ];
    let (customer, reply) = begun(&stripe, &more).await;
    assert_eq!(reply.body["default_payment_method"], Value::Null);
    let path = format!("/v1/invoices/{}/pay", id(&reply.body["latest_invoice"]));
    stripe.post(&path, &[]).await;
    let own = &stripe.only_subscription(&customer).await["default_payment_method"];
    let customer = stripe.get(&format!("/v1/customers/{customer}")).await;
    assert_eq!(*own, customer["invoice_settings"]["default_payment_method"]);
}

#[tokio::test]
async fn settings_are_kept_and_do_what_they_say() {
    let stripe = Stripe::start().await;
    let more = [
        ("payment_settings[save_default_payment_method]", "on_subscription"),
        ("payment_settings[payment_method_types][0]", "card"),
        ("invoice_settings[description]", "Thank you"),
        ("invoice_settings[footer]", "Ltd"),
        ("description", "The plan"),
        ("trial_settings[end_behavior][missing_payment_method]", "pause"),
    ];
    let (customer, reply) = begun(&stripe, &more).await;
    let customer = stripe.get(&format!("/v1/customers/{customer}")).await;
    let subscription = reply.body;
    assert_eq!(
        subscription["default_payment_method"],
        customer["invoice_settings"]["default_payment_method"]
    );
    assert_eq!(subscription["payment_settings"]["payment_method_types"], json!(["card"]));
    let invoice = &subscription["latest_invoice"];
    assert_eq!((&invoice["description"], &invoice["footer"]), (&json!("Thank you"), &json!("Ltd")));
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let changes = [("payment_settings[payment_method_types]", ""), ("invoice_settings[footer]", "")];
    let changed = stripe.post(&path, &changes).await;
    assert_eq!(changed["payment_settings"]["payment_method_types"], Value::Null);
    let settings = &changed["invoice_settings"];
    assert_eq!((&settings["description"], &settings["footer"]), (&json!("Thank you"), &Value::Null));
}
