//! From "Subscribe" to an active plan, and everything that can come between.

use reqwest::Method;
use serde_json::json;

use crate::support::{App, Browser, GOOD, Page, eventually};

const ADA: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const DECLINED: &str = "4000000000000002";
const CHALLENGED: &str = "4000002500003155";
const SUCCESS: &str = "/checkout/success";

/// Signed up, and on Stripe's page for Pro, monthly.
async fn at_checkout(app: &App) -> (Browser, Page) {
    let mut browser = app.signed_up(ADA).await;
    let checkout = browser.subscribe("pro", "month").await;
    assert!(checkout.url.as_str().starts_with(&app.stripe.url), "{} {}", checkout.url, checkout.text("main"));
    (browser, checkout)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_signs_up_and_buys() {
    let app = App::start().await;
    let mut browser = app.browser();
    let sign_up = browser.subscribe("pro", "month").await;
    assert_eq!(sign_up.path(), "/signup");
    assert!(browser.cookies.contains_key("unsplit_plan"));
    let checkout = browser.post("/api/sign_up", &[("email", ADA), ("password", PASSWORD)]).await;
    assert!(checkout.url.as_str().starts_with(&app.stripe.url), "{}", checkout.url);
    assert!(!browser.cookies.contains_key("unsplit_plan"), "a choice is used once");
    let success = browser.pay(&checkout, GOOD).await;
    assert_eq!((success.status, success.path()), (200, SUCCESS));
    assert_eq!(success.heading(), "Thank you. You're on Pro");
    let account = browser.get("/account").await;
    assert!(account.heading().starts_with("Pro, renews on"), "{}", account.heading());
    let stored = app.snapshot(&app.only_customer().await).await;
    assert_eq!(stored["status"], "active");
    assert_eq!(stored["plan"], "pro");
    assert_eq!(stored["paymentMethod"]["last4"], "4242");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_chosen_while_logged_out_is_bought_after_the_log_in_too() {
    let app = App::start().await;
    app.signed_up(ADA).await;
    let mut browser = app.browser();
    browser.subscribe("team", "year").await;
    let checkout = browser.post("/api/log_in", &[("email", ADA), ("password", PASSWORD)]).await;
    assert!(checkout.text("h1").contains("Team"), "{}", checkout.html);
    // A cookie that is not ours is worth nothing.
    let mut forger = app.browser();
    forger.cookies.insert("unsplit_plan".to_owned(), "pro:month".to_owned());
    let page = forger.post("/api/log_in", &[("email", ADA), ("password", PASSWORD)]).await;
    assert_eq!(page.path(), "/account");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_success_page_alone_shows_the_plan() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (mut browser, checkout) = at_checkout(&app).await;
    let success = browser.pay(&checkout, GOOD).await;
    assert_eq!(success.heading(), "Thank you. You're on Pro");
    assert!(browser.get("/app").await.text("main").contains("payments for Pro"));
    let deliveries = app.stripe.list("/_emulator/deliveries").await;
    let told = deliveries.iter().filter(|delivery| delivery["type"] == "checkout.session.completed");
    assert_eq!(told.map(|delivery| delivery["state"].as_str().unwrap()).collect::<Vec<_>>(), ["held"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_alone_is_enough() {
    let app = App::start().await;
    let (mut browser, checkout) = at_checkout(&app).await;
    let customer = app.only_customer().await;
    assert_eq!(app.snapshot(&customer).await["status"], "none");
    browser.pay_and_leave(&checkout, GOOD).await;
    app.eventually_status(&customer, "active").await;
    assert!(browser.get("/account").await.heading().starts_with("Pro, renews on"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_and_then_a_good_one() {
    let app = App::start().await;
    let (mut browser, checkout) = at_checkout(&app).await;
    let declined = browser.pay(&checkout, DECLINED).await;
    assert_eq!(declined.status, 402);
    assert!(declined.text("main").contains("Your card was declined."));
    assert_eq!(browser.get("/account").await.heading(), "You're on Free");
    assert_eq!(browser.pay(&checkout, GOOD).await.heading(), "Thank you. You're on Pro");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_d_secure_passed() {
    let app = App::start().await;
    let (mut browser, checkout) = at_checkout(&app).await;
    let challenge = browser.pay(&checkout, CHALLENGED).await;
    assert!(challenge.path().starts_with("/c/3ds/"), "{}", challenge.url);
    let success = browser.post(challenge.url.as_str(), &[("outcome", "complete")]).await;
    assert_eq!(success.heading(), "Thank you. You're on Pro");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_d_secure_failed_and_the_success_page_opened_by_hand() {
    let app = App::start().await;
    let (mut browser, checkout) = at_checkout(&app).await;
    let challenge = browser.pay(&checkout, CHALLENGED).await;
    let back = browser.post(challenge.url.as_str(), &[("outcome", "fail")]).await;
    assert!(back.text("main").contains("unable to authenticate"), "{}", back.text("main"));
    assert_eq!(browser.get(SUCCESS).await.heading(), "You haven't been charged");
    assert_eq!(browser.get("/account").await.heading(), "You're on Free");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_success_page_of_who_has_not_paid_is_not_logged_in_or_has_no_customer() {
    let app = App::start().await;
    let (mut browser, _) = at_checkout(&app).await;
    let page = browser.get(SUCCESS).await;
    assert_eq!((page.path(), page.heading().as_str()), (SUCCESS, "You haven't been charged"));

    let mut stranger = app.browser();
    assert_eq!(stranger.get("/checkout/success?session_id=cs_1").await.path(), "/login");
    let back = stranger.post("/api/log_in", &[("email", ADA), ("password", PASSWORD)]).await;
    assert_eq!(back.path(), SUCCESS);

    let mut other = app.signed_up("bob@example.com").await;
    assert_eq!(other.get(SUCCESS).await.path(), "/pricing");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_stripe_after_the_payment_heals_by_itself() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    for outage in [json!({ "path": "/v1", "status": 503 }), json!({ "path": "/v1", "cut": "before" })] {
        let email = format!("{}@example.com", outage.as_object().unwrap().len() + outage.to_string().len());
        let mut browser = app.signed_up(&email).await;
        let checkout = browser.subscribe("pro", "month").await;
        app.stripe.fault(&outage).await;
        let success = browser.pay(&checkout, GOOD).await;
        assert_eq!((success.status, success.heading().as_str()), (200, "Your payment is safe"));
        assert!(success.html.contains("http-equiv=\"refresh\""), "it looks again without a script");
        let checkouts = app.keys("stripe:checkout:*").await;
        let customers: Vec<_> =
            checkouts.iter().map(|key| key.trim_start_matches("stripe:checkout:")).collect();
        app.stripe.heal().await;
        for customer in customers {
            app.eventually_status(customer, "active").await;
        }
        assert_eq!(browser.get(SUCCESS).await.heading(), "Thank you. You're on Pro");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stripe_is_gone_but_what_redis_knows_is_served() {
    let mut app = App::start().await;
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    let bob = "bob@example.com";
    let mut second = app.signed_up(bob).await;
    app.stop_stripe().await;
    assert!(browser.get("/account").await.heading().starts_with("Pro, renews on"));
    assert_eq!(browser.get("/app").await.status, 200);
    assert_eq!(browser.get(SUCCESS).await.heading(), "Your payment is safe");
    assert_eq!(app.snapshot(&customer).await["status"], "active");

    let page = second.subscribe("pro", "month").await;
    assert_eq!(page.path(), "/pricing");
    let text = page.text(".flash");
    assert!(text.contains("can't be reached") && text.contains("Nothing was charged"), "{text}");
    assert_eq!(second.get("/account").await.heading(), "You're on Free");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_session_whose_subscription_is_not_listed_yet_is_processing() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (mut browser, checkout) = at_checkout(&app).await;
    browser.pay_and_leave(&checkout, GOOD).await;
    let customer = app.only_customer().await;
    let session = app.stripe.sessions("complete").await.remove(0);
    let (id, subscription) = (session["id"].as_str().unwrap(), session["subscription"].as_str().unwrap());
    app.stripe.patch("subscriptions", subscription, &json!({ "customer": "cus_elsewhere" })).await;

    let page = browser.get(SUCCESS).await;
    assert_eq!((page.status, page.heading().as_str()), (200, "Your payment has arrived"));
    assert!(page.html.contains("http-equiv=\"refresh\""), "the page finds out by itself");
    app.stripe
        .patch("checkout_sessions", id, &json!({ "payment_status": "unpaid", "subscription": null }))
        .await;
    assert_eq!(browser.get(SUCCESS).await.heading(), "Your payment is on its way");
    // Nothing is claimed while it is open, and no second session is sold over it.
    app.stripe.patch("subscriptions", subscription, &json!({ "customer": customer })).await;
    assert_eq!(browser.get(SUCCESS).await.heading(), "Thank you. You're on Pro");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_purchase_is_told_as_it_is_now() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (mut browser, _, subscription) = app.subscriber(ADA).await;
    let session = app.stripe.sessions("complete").await[0]["id"].as_str().unwrap().to_owned();
    for (status, payment, heading) in [
        ("trialing", "no_payment_required", "Thank you. You're on Pro"),
        // A bank debit leaves it incomplete for days.
        ("incomplete", "unpaid", "Your payment is on its way"),
        ("past_due", "unpaid", "Pro needs your attention"),
        ("canceled", "paid", "This plan has ended"),
        ("active", "paid", "Thank you. You're on Pro"),
    ] {
        app.stripe.patch("subscriptions", &subscription, &json!({ "status": status })).await;
        app.stripe.patch("checkout_sessions", &session, &json!({ "payment_status": payment })).await;
        assert_eq!(browser.get(SUCCESS).await.heading(), heading, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_purchase_on_its_way_is_sold_no_second_one() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (mut browser, checkout) = at_checkout(&app).await;
    browser.pay_and_leave(&checkout, GOOD).await;
    let subscription = app.stripe.sessions("complete").await[0]["subscription"].as_str().unwrap().to_owned();
    for change in [json!({ "status": "incomplete" }), json!({ "customer": "cus_elsewhere" })] {
        app.stripe.patch("subscriptions", &subscription, &change).await;
        let page = browser.subscribe("team", "month").await;
        assert!(page.url.as_str().starts_with(&app.url), "{change}: {}", page.url);
        assert!(app.stripe.sessions("open").await.is_empty(), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_success_page_streams_the_frame_before_the_outcome() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (browser, _, _) = app.subscriber(ADA).await;
    app.stripe.forget_requests().await;
    app.stripe.fault(&json!({ "path": "/v1/subscriptions", "latency_ms": 400, "times": 1 })).await;
    let cookies: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = reqwest::Client::new().get(format!("{}{SUCCESS}", app.url));
    let mut answer =
        request.header("cookie", cookies.join("; ")).header("accept", "text/html").send().await.unwrap();
    let mut html = String::new();
    let mut early = false;
    while let Some(chunk) = answer.chunk().await.unwrap() {
        html.push_str(std::str::from_utf8(&chunk).unwrap());
        if !html.contains("<h1") {
            assert!(app.stripe.requests("GET", "/v1/subscriptions").await.is_empty(), "the frame came late");
            early = html.contains("Checking your payment with Stripe");
        }
    }
    assert!(early && html.contains("Thank you. You"), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_forms_are_answered_in_words_and_reach_nobody() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    app.stripe.forget_requests().await;
    let bad: [&[(&str, &str)]; 6] = [
        &[],
        &[("plan", "pro")],
        &[("plan", "gold"), ("interval", "month")],
        &[("plan", "pro"), ("interval", "week")],
        &[("plan", "free"), ("interval", "month")],
        &[("plan", "<script>"), ("interval", "month")],
    ];
    for form in bad {
        let page = browser.post("/api/start_checkout", form).await;
        assert_eq!((page.status, page.path()), (200, "/pricing"), "{form:?}");
        assert!(page.text(".flash").contains("That plan isn't for sale"), "{form:?} {}", page.text("main"));
        assert!(!page.html.contains("<script>"), "{form:?}");
    }
    // A GET does nothing, also with the right parameters.
    let page = browser.once(Method::GET, "/api/start_checkout?plan=pro&interval=month", &[]).await;
    assert!(page.status == 405 || page.status == 404, "{}", page.status);
    assert_eq!(app.stripe.list("/_emulator/requests").await, Vec::<serde_json::Value>::new());
    assert!(app.keys("stripe:user:*").await.is_empty());
    eventually("the browser can still buy", async || {
        browser.subscribe("pro", "month").await.url.as_str().starts_with(&app.stripe.url).then_some(())
    })
    .await;
}
