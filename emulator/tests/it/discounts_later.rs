//! Discounts that come after the beginning: on a subscription, its items, an invoice, an invoice item, in a preview, a
//! schedule's phases and the portal.

use serde_json::{Value, json};

use crate::discounts::{coupon, payer, promotion};
use crate::portal_api::portal;
use crate::support::{Stripe, id};
use crate::time::{HOUR, period};

/// Somebody's subscription over 12 dollars a month; its path.
async fn subscriber(stripe: &Stripe) -> (String, Value, String) {
    let (customer, price) = (payer(stripe).await, stripe.price().await);
    let fields = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
    let subscription = stripe.post("/v1/subscriptions", &fields).await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    (customer, subscription, path)
}

async fn renewed(stripe: &Stripe, customer: &str) -> Value {
    let (_, end) = period(&stripe.only_subscription(customer).await);
    stripe.pass_until(end + HOUR).await;
    stripe.invoices(customer).await.remove(0)
}

#[tokio::test]
async fn a_subscription_gets_another_discount_and_loses_it() {
    let stripe = Stripe::start().await;
    for (name, off) in [("TEN", "10"), ("HALF", "50")] {
        coupon(&stripe, name, &[("percent_off", off), ("duration", "forever")]).await;
    }
    let (customer, subscription, path) = subscriber(&stripe).await;
    let count = stripe.event_count().await;
    let changed = stripe.post(&path, &[("discounts[0][coupon]", "TEN"), ("expand[]", "discounts")]).await;
    let first = id(&changed["discounts"][0]);
    assert_eq!(changed["discounts"][0]["subscription"], subscription["id"]);
    assert_eq!(changed["latest_invoice"], subscription["latest_invoice"], "nothing is billed for it");
    let told = ["customer.discount.created", "coupon.updated", "customer.subscription.updated"];
    assert_eq!(stripe.events_since(count).await, told);
    assert_eq!(stripe.get("/v1/coupons/TEN").await["times_redeemed"], 1);

    let both = [("discounts[0][discount]", first.as_str()), ("discounts[1][coupon]", "HALF")];
    let changed = stripe.post(&path, &both).await;
    assert_eq!(
        (changed["discounts"].as_array().unwrap().len(), &changed["discounts"][0]),
        (2, &json!(first))
    );
    assert_eq!(stripe.get("/v1/coupons/TEN").await["times_redeemed"], 1, "it goes on");
    assert_eq!(renewed(&stripe, &customer).await["total"], 540);

    let count = stripe.event_count().await;
    assert_eq!(stripe.post(&path, &[("discounts", "")]).await["discounts"], json!([]));
    let told = ["customer.discount.deleted", "customer.discount.deleted", "customer.subscription.updated"];
    assert_eq!(stripe.events_since(count).await, told);
    assert_eq!(renewed(&stripe, &customer).await["total"], 1200);
}

#[tokio::test]
async fn what_may_not_be_redeemed_later_is_refused_and_changes_nothing() {
    let stripe = Stripe::start().await;
    coupon(&stripe, "LAST", &[("percent_off", "10"), ("max_redemptions", "1")]).await;
    coupon(&stripe, "EURO", &[("amount_off", "10"), ("currency", "eur")]).await;
    let first =
        promotion(&stripe, "LAST", "FIRST", &[("restrictions[first_time_transaction]", "true")]).await;
    let (_, _, path) = subscriber(&stripe).await;
    let cases = [
        ("discounts[0][promotion_code]", first.as_str(), "prior transactions"),
        ("discounts[0][coupon]", "EURO", "currency"),
        ("discounts[0][discount]", "di_none", "No such discount"),
        ("items[0][discounts][0][coupon]", "NONE", "No such coupon"),
    ];
    let item = id(&stripe.get(&path).await["items"]["data"][0]);
    for (param, value, message) in cases {
        let reply = stripe.try_post(&path, &[("items[0][id]", &item), (param, value)]).await;
        assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some(param)));
        assert!(reply.error()["message"].as_str().unwrap().contains(message), "{}", reply.body);
    }
    assert_eq!(stripe.get("/v1/coupons/LAST").await["times_redeemed"], 0);
    stripe.post(&path, &[("discounts[0][coupon]", "LAST")]).await;
    let again = stripe.try_post(&path, &[("discounts[0][coupon]", "LAST")]).await;
    assert_eq!(again.error()["code"], "coupon_expired");
    let waits = [("discounts[0][coupon]", "EURO"), ("payment_behavior", "pending_if_incomplete")];
    assert_eq!(stripe.try_post(&path, &waits).await.error()["param"], "discounts");
}

#[tokio::test]
async fn an_item_has_a_discount_of_its_own_before_that_of_all() {
    let stripe = Stripe::start().await;
    coupon(&stripe, "TWO", &[("amount_off", "200"), ("currency", "usd"), ("duration", "forever")]).await;
    coupon(&stripe, "HALF", &[("percent_off", "50"), ("duration", "forever")]).await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    let other = stripe.price_of("1000", "month").await;
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", price.as_str()),
        ("items[0][discounts][0][coupon]", "TWO"),
        ("items[0][metadata][seat]", "a"),
        ("items[1][price]", other.as_str()),
        ("discounts[0][coupon]", "HALF"),
        ("expand[]", "latest_invoice"),
    ];
    let subscription = stripe.post("/v1/subscriptions", &fields).await;
    let item = &subscription["items"]["data"][0];
    assert_eq!(item["metadata"]["seat"], "a");
    // 12 less 2, and 10: half of each.
    assert_eq!(subscription["latest_invoice"]["total"], 1000);
    let line = &subscription["latest_invoice"]["lines"]["data"][0];
    assert_eq!(line["discounts"], item["discounts"]);
    let path = format!("/v1/subscription_items/{}", id(item));
    let expanded = stripe.get(&format!("{path}?expand[]=discounts")).await;
    assert_eq!(expanded["discounts"][0]["subscription_item"], item["id"]);
    assert_eq!(renewed(&stripe, &customer).await["total"], 1000);
    assert_eq!(stripe.post(&path, &[("discounts", "")]).await["discounts"], json!([]));
    assert_eq!(renewed(&stripe, &customer).await["total"], 1100);
    let kept = stripe.post(&path, &[("metadata[seat]", "b"), ("discounts[0][coupon]", "HALF")]).await;
    assert_eq!((&kept["metadata"]["seat"], kept["discounts"].as_array().unwrap().len()), (&json!("b"), 1));
}

#[tokio::test]
async fn invoices_and_their_items_have_discounts_of_their_own() {
    let stripe = Stripe::start().await;
    coupon(&stripe, "TWO", &[("amount_off", "200"), ("currency", "usd")]).await;
    coupon(&stripe, "HALF", &[("percent_off", "50")]).await;
    let customer = payer(&stripe).await;
    let item = [("customer", customer.as_str()), ("amount", "1000"), ("currency", "usd")];
    let first =
        stripe.post("/v1/invoiceitems", &[&item[..], &[("discounts[0][coupon]", "TWO")]].concat()).await;
    assert_eq!(first["discounts"].as_array().unwrap().len(), 1);
    let left_alone =
        stripe.post("/v1/invoiceitems", &[&item[..], &[("discountable", "false")]].concat()).await;
    let fields = [
        ("customer", customer.as_str()),
        ("pending_invoice_items_behavior", "include"),
        ("discounts[0][coupon]", "HALF"),
        ("expand[]", "discounts"),
    ];
    let draft = stripe.post("/v1/invoices", &fields).await;
    assert_eq!(draft["total"], 400 + 1000);
    assert_eq!(draft["discounts"][0]["invoice"], draft["id"]);
    let path = format!("/v1/invoices/{}", id(&draft));
    stripe.post(&format!("/v1/invoiceitems/{}", id(&left_alone)), &[("discountable", "true")]).await;
    assert_eq!(stripe.get(&path).await["total"], 400 + 500);
    stripe.post(&format!("/v1/invoiceitems/{}", id(&first)), &[("discounts", "")]).await;
    assert_eq!(stripe.get(&path).await["total"], 500 + 500);
    assert_eq!(stripe.post(&path, &[("discounts", "")]).await["total"], 2000);
    let open = stripe.post(&format!("{path}/finalize"), &[]).await;
    assert_eq!(open["amount_due"], 2000);
    let late = stripe.try_post(&path, &[("discounts[0][coupon]", "HALF")]).await;
    assert_eq!(late.error()["code"], "invoice_not_editable");
}

#[tokio::test]
async fn a_preview_tries_discounts_and_items_out() {
    let stripe = Stripe::start().await;
    coupon(&stripe, "HALF", &[("percent_off", "50"), ("duration", "forever")]).await;
    let (customer, subscription, path) = subscriber(&stripe).await;
    let (of, item) = (id(&subscription), id(&subscription["items"]["data"][0]));
    let total = async |more: &[(&str, &str)]| {
        let fields = [&[("subscription", of.as_str())], more].concat();
        stripe.post("/v1/invoices/create_preview", &fields).await["total"].as_i64().unwrap()
    };
    assert_eq!(total(&[("discounts[0][coupon]", "HALF")]).await, 600);
    let extra = [
        ("invoice_items[0][amount]", "300"),
        ("invoice_items[0][currency]", "usd"),
        ("invoice_items[0][discounts][0][coupon]", "HALF"),
    ];
    assert_eq!(total(&extra).await, 1350);
    let of_item = [
        ("subscription_details[items][0][id]", item.as_str()),
        ("subscription_details[items][0][discounts][0][coupon]", "HALF"),
    ];
    assert_eq!(total(&of_item).await, 600);
    assert_eq!(stripe.get("/v1/coupons/HALF").await["times_redeemed"], 0);
    assert_eq!(stripe.get(&path).await, subscription);
    stripe.post(&path, &[("discounts[0][coupon]", "HALF")]).await;
    assert_eq!((total(&[]).await, total(&[("discounts", "")]).await), (600, 1200));
    let price = id(&subscription["items"]["data"][0]["price"]);
    let new = [
        ("customer", customer.as_str()),
        ("subscription_details[items][0][price]", price.as_str()),
        ("discounts[0][coupon]", "HALF"),
        ("invoice_items[0][amount]", "300"),
        ("invoice_items[0][currency]", "usd"),
    ];
    assert_eq!(stripe.post("/v1/invoices/create_preview", &new).await["total"], 750);
}

#[tokio::test]
async fn a_phase_brings_its_discounts_and_takes_them_away() {
    let stripe = Stripe::start().await;
    coupon(&stripe, "HALF", &[("percent_off", "50"), ("duration", "forever")]).await;
    coupon(&stripe, "TEN", &[("percent_off", "10"), ("duration", "forever")]).await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    let fields = [
        ("customer", customer.as_str()),
        ("start_date", "now"),
        ("phases[0][items][0][price]", price.as_str()),
        ("phases[0][items][0][metadata][seat]", "a"),
        ("phases[0][discounts][0][coupon]", "HALF"),
        ("phases[0][duration][interval]", "month"),
        ("phases[1][items][0][price]", price.as_str()),
        ("phases[1][items][0][discounts][0][coupon]", "TEN"),
        ("phases[1][duration][interval]", "month"),
    ];
    let schedule = stripe.post("/v1/subscription_schedules", &fields).await;
    let named = json!([{"coupon": "HALF", "discount": null, "promotion_code": null}]);
    assert_eq!(schedule["phases"][0]["discounts"], named);
    let subscription = stripe.only_subscription(&customer).await;
    assert_eq!(subscription["items"]["data"][0]["metadata"]["seat"], "a");
    assert_eq!(stripe.invoices(&customer).await[0]["total"], 600);
    assert_eq!(renewed(&stripe, &customer).await["total"], 1080);
    let now = stripe.only_subscription(&customer).await;
    assert_eq!(
        (&now["discounts"], now["items"]["data"][0]["discounts"].as_array().unwrap().len()),
        (&json!([]), 1)
    );
    assert_eq!(stripe.get("/v1/coupons/HALF").await["times_redeemed"], 1);
    assert!(stripe.event_types().await.contains(&"customer.discount.deleted".to_owned()));
}

#[tokio::test]
async fn a_phase_sells_something_once() {
    let stripe = Stripe::start().await;
    coupon(&stripe, "HALF", &[("percent_off", "50")]).await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    let product = id(&stripe.post("/v1/products", &[("name", "Setup")]).await);
    let names: Vec<String> = [0, 1]
        .iter()
        .flat_map(|at| {
            let once = format!("phases[{at}][add_invoice_items][0]");
            let data =
                ["currency", "product", "unit_amount"].map(|name| format!("{once}[price_data][{name}]"));
            data.into_iter().chain([format!("{once}[discounts][0][coupon]")])
        })
        .collect();
    let values = ["usd", product.as_str(), "500", "HALF"].into_iter().cycle();
    let mut fields: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values).collect();
    fields.extend([
        ("customer", customer.as_str()),
        ("start_date", "now"),
        ("phases[0][items][0][price]", price.as_str()),
        ("phases[0][duration][interval]", "month"),
        ("phases[1][items][0][price]", price.as_str()),
        ("phases[1][duration][interval]", "month"),
    ]);
    let schedule = stripe.post("/v1/subscription_schedules", &fields).await;
    assert_eq!(schedule["phases"][1]["add_invoice_items"][0]["quantity"], 1);
    let first = stripe.invoices(&customer).await.remove(0);
    assert_eq!(first["total"], 1450);
    assert_eq!(renewed(&stripe, &customer).await["total"], 1450);
    stripe.pass(31 * crate::time::DAY).await;
    assert_eq!(stripe.invoices(&customer).await[0]["total"], 1200);
    assert_eq!(stripe.get("/v1/coupons/HALF").await["times_redeemed"], 2);
}

#[tokio::test]
async fn the_portal_confirms_a_change_with_a_discount() {
    let stripe = Stripe::start().await;
    coupon(&stripe, "HALF", &[("percent_off", "50"), ("duration", "forever")]).await;
    let (customer, subscription, path) = subscriber(&stripe).await;
    let (item, price) =
        (id(&subscription["items"]["data"][0]), id(&subscription["items"]["data"][0]["price"]));
    let more = [("features[subscription_update][default_allowed_updates][]", "quantity")];
    let configuration = id(&portal(&stripe, &[&price], &more).await);
    let flow = "flow_data[subscription_update_confirm]";
    let names = ["[subscription]", "[items][0][id]", "[items][0][quantity]", "[discounts][0][coupon]"];
    let names = names.map(|name| format!("{flow}{name}"));
    let fields = [
        ("customer", customer.as_str()),
        ("configuration", configuration.as_str()),
        ("flow_data[type]", "subscription_update_confirm"),
        (names[0].as_str(), subscription["id"].as_str().unwrap()),
        (names[1].as_str(), item.as_str()),
        (names[2].as_str(), "2"),
        (names[3].as_str(), "HALF"),
    ];
    let session = stripe.post("/v1/billing_portal/sessions", &fields).await;
    let shown = json!([{"coupon": "HALF", "promotion_code": null}]);
    assert_eq!(session["flow"]["subscription_update_confirm"]["discounts"], shown);
    assert_eq!(stripe.get(&path).await["discounts"], json!([]));
    let confirm =
        format!("{}/subscriptions/{}/update/confirm", session["url"].as_str().unwrap(), id(&subscription));
    let answer = stripe.submit(&confirm, &[("price", &price), ("quantity", "2")]).await;
    assert_eq!(answer.status(), 303);
    assert_eq!(stripe.get(&path).await["discounts"].as_array().unwrap().len(), 1);
    assert_eq!(stripe.get("/v1/coupons/HALF").await["times_redeemed"], 1);
}
