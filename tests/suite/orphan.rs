//! Accounts are ours, and Stripe can't give them back: somebody whose account was lost is told to
//! contact support, and neither charged twice nor given what belongs to whoever has the e-mail.

use serde_json::json;

use crate::support::App;

const ADA: &str = "ada@example.com";

async fn lose_accounts(app: &App) {
    let keys = app.keys("unsplit:*").await;
    let _: u64 = redis::AsyncCommands::del(&mut app.redis.clone(), keys).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_up_again_is_not_charged_again() {
    // As we store it; as the Dashboard, or another app on the same account, may have written it; and as
    // we store it, where Stripe has no search.
    for (at_stripe, search) in [(ADA, true), ("Ada@Example.com", true), (ADA, false)] {
        let app = App::start().await;
        let (_, customer, _) = app.subscriber(ADA).await;
        app.stripe.post(&format!("/v1/customers/{customer}"), &[("email", at_stripe)]).await;
        lose_accounts(&app).await;
        if !search {
            app.stripe.fault(&json!({ "path": "/v1/customers/search", "status": 400 })).await;
        }
        for typed in [ADA, "ADA@example.COM"] {
            is_told_to_contact_support(&app, typed).await;
            lose_accounts(&app).await;
        }
    }
}

async fn is_told_to_contact_support(app: &App, email: &str) {
    let mut browser = app.signed_up(email).await;
    let before = app.stripe.sessions("open").await.len();
    let page = browser.post("/api/start_checkout", &[("plan", "pro"), ("interval", "month")]).await;
    assert_eq!(page.path(), "/pricing");
    let told = page.text(".notice");
    assert!(told.contains("You may have a plan already") && told.contains("contact our support"), "{told}");
    assert_eq!(app.stripe.sessions("open").await.len(), before, "nothing to pay was opened");
    assert_eq!(app.stripe.customers().await.len(), 1, "nor another customer made");
    assert!(browser.get("/app").await.text("main").contains("comes with any paid plan"), "nor access given");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_who_does_not_pay_is_in_nobodys_way() {
    let app = App::start().await;
    let (_, customer, subscription) = app.subscriber(ADA).await;
    app.stripe.delete(&format!("/v1/subscriptions/{subscription}")).await;
    lose_accounts(&app).await;
    let mut browser = app.signed_up(ADA).await;
    let checkout = browser.subscribe("pro", "month").await;
    let success = browser.pay(&checkout, crate::support::GOOD).await;
    assert_eq!(success.heading(), "Thank you. You're on Pro");
    assert_eq!(app.stripe.customers().await.len(), 2);
    assert_eq!(app.sync(&customer).await["status"], "canceled");
}
