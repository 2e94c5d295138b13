//! Every status that Stripe has, as the account page and the gate show it.

use serde_json::{Value, json};

use crate::support::{App, Browser};

const NOW_AND: i64 = 20 * 24 * 3600;
/// Stripe's words that no buyer should have to know. "Paused" and "Active" are English.
const NOT_PLAIN: [&str; 9] = [
    "past_due",
    "past due",
    "incomplete",
    "unpaid",
    "trialing",
    "canceled",
    "cancel_at",
    "something_new",
    "null",
];

fn soon() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap() + NOW_AND
}

struct Case {
    change: Value,
    headline: &'static str,
    pill: &'static str,
    open: bool,
}

fn case(change: Value, headline: &'static str, pill: &'static str, open: bool) -> Case {
    Case { change, headline, pill, open }
}

fn cases() -> Vec<Case> {
    vec![
        case(json!({ "status": "active" }), "Pro, renews on", "Active", true),
        case(json!({ "status": "trialing", "trial_end": soon() }), "Pro, free for", "Trial", true),
        case(
            json!({ "status": "active", "trial_end": null, "cancel_at": soon() }),
            "Pro until",
            "Ending",
            true,
        ),
        case(json!({ "cancel_at": null, "cancel_at_period_end": true }), "Pro until", "Ending", true),
        case(
            json!({ "status": "past_due", "cancel_at_period_end": false }),
            "Pro, payment overdue",
            "Payment failed",
            true,
        ),
        case(
            json!({ "status": "incomplete" }),
            "Pro is waiting for your payment",
            "Waiting for payment",
            false,
        ),
        case(json!({ "status": "incomplete_expired" }), "You don't have a plan yet", "Nothing to pay", false),
        case(json!({ "status": "unpaid" }), "Pro is switched off", "", false),
        case(json!({ "status": "paused" }), "Pro is paused", "Paused", false),
        case(json!({ "status": "something_new" }), "We're checking your plan", "Being checked", false),
        case(json!({ "status": "canceled", "ended_at": soon() - 2 * NOW_AND }), "Pro ended", "Ended", false),
    ]
}

async fn look(browser: &mut Browser, case: &Case) {
    let what = &case.change;
    let account = browser.get("/account").await;
    assert_eq!(account.status, 200, "{what}");
    let text = account.text("main");
    assert!(account.heading().starts_with(case.headline), "{what}: {text}");
    assert!(account.text(".pill").starts_with(case.pill), "{what}: {text}");
    for word in NOT_PLAIN {
        assert!(!text.to_lowercase().contains(word), "{what} says {word:?}: {text}");
    }
    let gated = browser.get("/app").await.text("main");
    assert_eq!(!gated.contains("It comes with any paid plan"), case.open, "{what}: {gated}");
    for path in ["/", "/pricing", "/checkout/success"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{what} {path}");
        assert!(NOT_PLAIN.iter().all(|word| !page.text("main").contains(word)), "{what} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_status_is_told_in_plain_words_and_opens_the_gate_or_not() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (mut browser, customer, subscription) = app.subscriber("ada@example.com").await;
    for case in cases() {
        app.stripe.patch("subscriptions", &subscription, &case.change).await;
        app.sync(&customer).await;
        look(&mut browser, &case).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_product_opens_nothing_and_an_open_invoice_can_be_paid() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (mut browser, customer, subscription) = app.subscriber("ada@example.com").await;
    let invoice =
        app.stripe.get(&format!("/v1/subscriptions/{subscription}")).await["latest_invoice"].clone();
    app.stripe.patch("invoices", invoice.as_str().unwrap(), &json!({ "status": "open" })).await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "past_due" })).await;
    app.sync(&customer).await;
    let page = browser.get("/account").await;
    assert!(page.text(".notice a").contains("Pay the invoice"), "{}", page.text("main"));
    assert!(page.html.contains(&format!("{}/i/", app.stripe.url)));

    let product = app.stripe.post("/v1/products", &[("name", "Mug")]).await;
    let price = [
        ("product", product["id"].as_str().unwrap()),
        ("currency", "usd"),
        ("unit_amount", "500"),
        ("recurring[interval]", "month"),
        ("lookup_key", "mug"),
    ];
    app.stripe.post("/v1/prices", &price).await;
    app.stripe.delete(&format!("/v1/subscriptions/{subscription}")).await;
    app.stripe.subscribe(&customer, "mug").await;
    assert_eq!(app.sync(&customer).await["plan"], Value::Null);
    assert_eq!(browser.get("/account").await.heading(), "We don't know your plan");
    assert!(browser.get("/app").await.text("main").contains("It comes with any paid plan"));
}
