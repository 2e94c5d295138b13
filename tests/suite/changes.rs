//! Changing the plan: shown to the cent before, asked of Stripe, and told as Stripe tells it after.

use serde_json::{Value, json};

use crate::support::{App, Browser, GOOD, Page};

const ADA: &str = "ada@example.com";
const DAY: i64 = 24 * 3600;
const CONFIRM_TEAM: &str = "/account/plan/confirm?plan=team&interval=month";

async fn half_a_month_later(app: &App) {
    app.stripe.control("clock", &json!({ "advance_seconds": 15 * DAY })).await;
}

async fn subscription(app: &App, id: &str) -> Value {
    app.stripe.get(&format!("/v1/subscriptions/{id}?expand[]=latest_invoice")).await
}

/// The amount that a page says is paid today.
fn today(page: &Page) -> String {
    let facts = page.text("dl.facts");
    let (_, rest) = facts.split_once("You pay today").unwrap_or_else(|| panic!("{}", page.text("main")));
    rest.split_once("Next payment").unwrap().0.trim().to_owned()
}

fn dollars(cents: &Value) -> String {
    let cents = cents.as_i64().unwrap();
    if cents % 100 == 0 {
        format!("${}", cents / 100)
    } else {
        format!("${}.{:02}", cents / 100, cents % 100)
    }
}

async fn change(browser: &mut Browser, path: &str) -> Page {
    let confirm = browser.get(path).await;
    browser.press(&confirm, "/api/change_plan", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn up_costs_what_was_shown_and_is_had_at_once() {
    let app = App::start().await;
    let (mut browser, customer, id) = app.subscriber(ADA).await;
    half_a_month_later(&app).await;
    let offers = browser.get("/account/plan").await;
    assert!(offers.text("main").contains("Team$40 a month"), "{}", offers.text("main"));
    let confirm = browser.get(CONFIRM_TEAM).await;
    assert_eq!(confirm.heading(), "Change to Team, $40 a month");
    assert!(confirm.text("main").contains("You gain"), "{}", confirm.text("main"));
    let shown = today(&confirm);
    let account = browser.press(&confirm, "/api/change_plan", &[]).await;
    assert_eq!(account.path(), "/account");
    assert!(account.heading().starts_with("Team, renews on"), "{}", account.text("main"));
    let there = subscription(&app, &id).await;
    assert_eq!(dollars(&there["latest_invoice"]["amount_paid"]), shown, "charged as shown");
    assert!(there["latest_invoice"]["amount_paid"].as_i64().unwrap() < 2000, "half a month's difference");
    assert_eq!(app.snapshot(&customer).await["plan"], "team");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_click_changes_and_charges_nothing_more() {
    let app = App::start().await;
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    half_a_month_later(&app).await;
    let confirm = browser.get(CONFIRM_TEAM).await;
    let mut other = browser.window();
    let (one, two) = tokio::join!(
        browser.press(&confirm, "/api/change_plan", &[]),
        other.press(&confirm, "/api/change_plan", &[]),
    );
    for page in [&one, &two] {
        assert!(page.heading().starts_with("Team, renews on"), "{}", page.text("main"));
    }
    browser.press(&confirm, "/api/change_plan", &[]).await;
    let invoices = app.stripe.list(&format!("/v1/invoices?customer={customer}&limit=100")).await;
    assert_eq!(invoices.len(), 2, "the purchase and one change");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_cost_something_else_by_now_is_shown_again_and_not_charged() {
    let app = App::start().await;
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    half_a_month_later(&app).await;
    let confirm = browser.get(CONFIRM_TEAM).await;
    // Forged, stale and broken alike.
    let fields = confirm.hidden("/api/change_plan");
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).unwrap().1.clone();
    let (date, total) = (field("proration_date"), field("total"));
    let earlier = (date.parse::<i64>().unwrap() - 14 * DAY).to_string();
    for (date, total) in
        [(&date, "1"), (&earlier, &total), (&"soon".to_owned(), &total), (&String::new(), "")]
    {
        let form = [("plan", "team"), ("interval", "month"), ("proration_date", date), ("total", total)];
        let page = browser.post("/api/change_plan", &form).await;
        assert_eq!(page.heading(), "Change to Team, $40 a month", "{date} {total}: {}", page.text("main"));
        assert!(page.text("main").contains("Please look once more"), "{date} {total}: {}", page.text("main"));
    }
    app.stripe.control("clock", &json!({ "advance_seconds": 2 * DAY })).await;
    let again = browser.press(&confirm, "/api/change_plan", &[]).await;
    assert!(again.text("main").contains("Please look once more"), "{}", again.text("main"));
    assert_ne!(today(&again), today(&confirm));
    assert_eq!(app.snapshot(&customer).await["plan"], "pro");
    let done = browser.press(&again, "/api/change_plan", &[]).await;
    assert!(done.heading().starts_with("Team, renews on"), "{}", done.text("main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_neither_gives_the_new_plan_nor_takes_the_old_one() {
    let app = App::start().await;
    let (mut browser, customer, id) = app.subscriber(ADA).await;
    half_a_month_later(&app).await;
    let card = app
        .stripe
        .post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", &[("customer", &customer)])
        .await;
    let card = [("default_payment_method", card["id"].as_str().unwrap())];
    app.stripe.post(&format!("/v1/subscriptions/{id}"), &card).await;
    let account = change(&mut browser, CONFIRM_TEAM).await;
    assert!(account.heading().starts_with("Pro, renews on"), "{}", account.text("main"));
    assert!(
        account.text(".notice").contains("Your change to Team isn't paid yet"),
        "{}",
        account.text("main")
    );
    let stored = app.snapshot(&customer).await;
    assert_eq!((&stored["plan"], &stored["status"]), (&json!("pro"), &json!("active")));
    assert_eq!(stored["pendingUpdate"]["terms"]["plan"], "team");
    // It blocks another change, and can be dropped.
    let blocked = browser.get("/account/plan").await;
    assert!(blocked.text(".notice").contains("An earlier change isn't paid yet"), "{}", blocked.text("main"));
    let dropped = browser.press(&account, "/api/drop_waiting_change", &[]).await;
    assert!(dropped.text("main").contains("Pro stays"), "{}", dropped.text("main"));
    assert_eq!(app.snapshot(&customer).await["pendingUpdate"], Value::Null);
    // Once more, and paid on Stripe's page.
    let account = change(&mut browser, CONFIRM_TEAM).await;
    let invoice = app.snapshot(&customer).await["latestInvoice"]["url"].as_str().unwrap().to_owned();
    assert!(account.html.contains(&invoice), "the way to pay");
    app.stripe.pay(&invoice, GOOD).await;
    app.eventually_plan(&customer, "team").await;
    assert!(browser.get("/account").await.heading().starts_with("Team, renews on"));
}

#[tokio::test(flavor = "multi_thread")]
async fn down_happens_when_the_paid_period_ends_and_can_be_taken_back() {
    let app = App::start().await;
    let (mut browser, customer, id) = app.subscriber(ADA).await;
    change(&mut browser, CONFIRM_TEAM).await;
    let to_pro = "/account/plan/confirm?plan=pro&interval=month";
    let confirm = browser.get(to_pro).await;
    assert_eq!(today(&confirm), "$0", "{}", confirm.text("main"));
    assert!(confirm.text("main").contains("You lose"), "{}", confirm.text("main"));
    let account = browser.press(&confirm, "/api/change_plan", &[]).await;
    assert!(account.heading().starts_with("Team until"), "{}", account.text("main"));
    assert!(account.heading().ends_with("then Pro"), "{}", account.text("main"));
    assert_eq!(app.snapshot(&customer).await["scheduledChange"]["plan"], "pro");
    let back = browser.press(&account, "/api/drop_planned_change", &[]).await;
    assert!(back.heading().starts_with("Team, renews on"), "{}", back.text("main"));
    assert_eq!(subscription(&app, &id).await["schedule"], Value::Null);
    // Again, and up to the end.
    change(&mut browser, to_pro).await;
    app.stripe.control("clock", &json!({ "advance_seconds": 32 * DAY })).await;
    app.eventually_plan(&customer, "pro").await;
    let account = browser.get("/account").await;
    assert!(account.heading().starts_with("Pro, renews on"), "{}", account.text("main"));
    let newest = subscription(&app, &id).await["latest_invoice"]["total"].clone();
    assert_eq!(newest, 1200, "the new price from the new period on");
}

#[tokio::test(flavor = "multi_thread")]
async fn up_takes_the_place_of_a_planned_change() {
    let app = App::start().await;
    let (mut browser, customer, id) = app.subscriber(ADA).await;
    change(&mut browser, CONFIRM_TEAM).await;
    change(&mut browser, "/account/plan/confirm?plan=pro&interval=month").await;
    let confirm = browser.get("/account/plan/confirm?plan=team&interval=year").await;
    assert!(confirm.text("main").contains("planned change to Pro is dropped"), "{}", confirm.text("main"));
    let account = browser.press(&confirm, "/api/change_plan", &[]).await;
    assert!(account.heading().starts_with("Team, renews on"), "{}", account.text("main"));
    let stored = app.snapshot(&customer).await;
    assert_eq!((&stored["interval"], &stored["scheduledChange"]), (&json!("year"), &Value::Null));
    assert_eq!(subscription(&app, &id).await["schedule"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_what_is_not_theirs_and_nonsense_changes_nothing() {
    let app = App::start().await;
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    let before = app.snapshot(&customer).await["plan"].clone();
    let mut stranger = app.browser();
    for action in [
        "change_plan",
        "cancel",
        "resume",
        "drop_planned_change",
        "drop_waiting_change",
        "cancel_other",
        "open_portal",
    ] {
        let page = stranger
            .post(&format!("/api/{action}"), &[("end", "now"), ("plan", "team"), ("interval", "month")])
            .await;
        assert_eq!(page.path(), "/login", "{action}");
    }
    for path in [
        "/account/plan",
        "/account/plan/confirm?plan=team&interval=month",
        "/account/payment",
        "/account/cancel",
        "/account/back",
    ] {
        assert_eq!(stranger.get(path).await.path(), "/login", "{path}");
    }
    let plans = [("nothing", "month"), ("team", "week"), ("free", "month"), ("", "")];
    for (plan, interval) in plans {
        let form = [("plan", plan), ("interval", interval), ("proration_date", "1"), ("total", "0")];
        let page = browser.post("/api/change_plan", &form).await;
        assert_eq!(page.status, 200, "{plan} {interval}: {}", page.text("main"));
    }
    assert_eq!(app.snapshot(&customer).await["plan"], before);
}
