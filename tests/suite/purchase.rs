//! From "Subscribe" to an active plan, and everything that can come between.

use crate::support::App;

const GOOD: &str = "4242424242424242";

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_signs_up_and_buys() {
    let app = App::start().await;
    let mut browser = app.browser();
    let sign_up = browser.subscribe("pro", "month").await;
    assert_eq!(sign_up.path(), "/signup");
    let checkout = browser.post("/api/sign_up", &[("email", "ada@example.com"), ("password", "correct horse")]).await;
    assert!(checkout.url.as_str().starts_with(&app.stripe.url), "{}", checkout.url);
    let success = browser.pay(&checkout, GOOD).await;
    assert_eq!(success.path(), "/checkout/success");
    assert_eq!(success.heading(), "Thank you. You're on Pro");
    let account = browser.get("/account").await;
    assert!(account.heading().starts_with("Pro, renews on"), "{}", account.heading());
    let stored = app.snapshot(&app.only_customer().await).await;
    assert_eq!(stored["status"], "active");
    assert_eq!(stored["plan"], "pro");
    assert_eq!(stored["paymentMethod"]["last4"], "4242");
}
