//! A customer's invoices: as Stripe lists them, from a copy where it is silent, and nobody else's.

use serde_json::json;

use crate::support::{App, GOOD};

const PAGE: &str = "/account/invoices";

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_listed_with_its_pdf_and_what_comes_next() {
    let app = App::start().await;
    let (mut browser, ..) = app.subscriber("ada@example.com").await;
    let page = browser.get(PAGE).await;
    let text = page.text("main");
    assert!(text.contains("Next invoice") && text.contains("Total$12"), "{text}");
    assert_eq!(page.text(".invoices .pill"), "Paid", "{text}");
    assert!(
        page.html.contains(&format!("{}/i/in_", app.stripe.url)) && page.html.contains("/pdf\""),
        "{text}"
    );
    // A new one is there at once: the sync that it brought makes the copy old.
    let confirm = browser.get("/account/plan/confirm?plan=team&interval=month").await;
    browser.press(&confirm, "/api/change_plan", &[]).await;
    let page = browser.get(PAGE).await;
    assert_eq!(page.text(".invoices .pill"), "Paid Paid", "{}", page.text("main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_stripe_leaves_the_copy_which_says_so() {
    let app = App::start().await;
    let (mut browser, customer, _) = app.subscriber("ada@example.com").await;
    app.eventually_quiet().await;
    app.stripe.fault(&json!({ "path": "/v1/", "status": 503 })).await;
    assert_eq!(browser.get(PAGE).await.status, 503, "nothing is known yet");
    app.stripe.heal().await;
    assert!(browser.get(PAGE).await.text("main").contains("Next invoice"));
    // A sync makes the copy old, and then nobody answers.
    app.sync(&customer).await;
    app.stripe.fault(&json!({ "path": "/v1/", "status": 503 })).await;
    let page = browser.get(PAGE).await;
    assert_eq!(page.status, 200);
    assert!(page.text(".notice").contains("Stripe doesn't answer right now"), "{}", page.text("main"));
    assert_eq!(page.text(".invoices .pill"), "Paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_the_invoices_of_somebody_else() {
    let app = App::start().await;
    let (_, ada, _) = app.subscriber("ada@example.com").await;
    let adas = app.stripe.list(&format!("/v1/invoices?customer={ada}")).await;
    let adas = adas[0]["id"].as_str().unwrap();
    let mut bob = app.signed_up("bob@example.com").await;
    assert!(bob.get(PAGE).await.text("main").contains("There are no invoices yet"));
    let checkout = bob.subscribe("team", "month").await;
    bob.pay(&checkout, GOOD).await;
    for after in [adas, "in_none", "", "%2e%2e%2f", "a b"] {
        let page = bob.get(&format!("{PAGE}?after={after}")).await;
        assert_eq!(page.status, 200, "{after}: {}", page.text("main"));
        assert!(!page.html.contains(adas) || after == adas, "{after}");
        assert!(!page.text(".invoices").contains("Pro"), "{after}: {}", page.text("main"));
    }
    assert_eq!(app.browser().get(PAGE).await.path(), "/login");
}
