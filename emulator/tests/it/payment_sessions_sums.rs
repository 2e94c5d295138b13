//! Sums of a session, its payment and its invoice: discounts, quantities, invoices, and what is sold once beside a
//! subscription.

use serde_json::{Value, json};

use crate::payment_sessions::pay_as_guest;
use crate::support::{GOOD, Stripe, id, ids};

/// The session's amount is the intent's and the charge's, and its lines add up to it.
fn adds_up(session: &Value) -> i64 {
    let amount = session["amount_total"].as_i64().unwrap();
    let intent = &session["payment_intent"];
    assert_eq!((&intent["amount"], &intent["amount_received"]), (&json!(amount), &json!(amount)));
    assert_eq!(intent["latest_charge"]["amount"], amount);
    let lines = session["line_items"]["data"].as_array().unwrap();
    let sum = |field: &str| lines.iter().map(|line| line[field].as_i64().unwrap()).sum::<i64>();
    assert_eq!(
        (sum("amount_total"), sum("amount_discount")),
        (amount, session["total_details"]["amount_discount"].as_i64().unwrap())
    );
    assert_eq!(sum("amount_subtotal"), session["amount_subtotal"]);
    amount
}

#[tokio::test]
async fn a_discount_reduces_what_is_paid_and_is_redeemed() {
    let stripe = Stripe::start().await;
    let coupon = id(&stripe.post("/v1/coupons", &[("percent_off", "33"), ("duration", "once")]).await);
    let session = stripe.payment_session(&[("discounts[0][coupon]", &coupon)]).await;
    assert_eq!(pay_as_guest(&stripe, &session).await, 303);
    assert_eq!(adds_up(&stripe.paid_session(&session).await), 1005);
    assert_eq!(stripe.get(&format!("/v1/coupons/{coupon}")).await["times_redeemed"], 1);
}

#[tokio::test]
async fn nothing_to_pay_needs_no_card_and_too_little_cannot_be_paid() {
    let stripe = Stripe::start().await;
    let code = async |name: &str, off: &str| {
        let coupon = stripe.post("/v1/coupons", &[("percent_off", off), ("duration", "once")]).await;
        let fields = [("promotion[type]", "coupon"), ("promotion[coupon]", &id(&coupon)), ("code", name)];
        stripe.post("/v1/promotion_codes", &fields).await;
    };
    code("FREE", "100").await;
    code("NEARLY", "98").await;
    let session = stripe.payment_session(&[("allow_promotion_codes", "true")]).await;
    let action = format!("{}/promotion_code", session["url"].as_str().unwrap());
    let refused = stripe.submit(&action, &[("promotion_code", "NEARLY")]).await;
    assert_eq!(refused.status(), 402);
    assert!(refused.text().await.unwrap().contains("at least $0.50 usd"));
    assert_eq!(stripe.paid_session(&session).await["amount_total"], 1500);
    assert_eq!(stripe.submit(&action, &[("promotion_code", "FREE")]).await.status(), 303);
    let page = stripe.session_page(&session).await;
    assert!(page.contains("Complete order") && !page.contains("card_number"));
    let url = session["url"].as_str().unwrap();
    assert_eq!(stripe.submit(url, &[("email", "eva@example.com")]).await.status(), 303);
    let session = stripe.paid_session(&session).await;
    assert_eq!(
        (&session["payment_status"], &session["payment_intent"]),
        (&json!("no_payment_required"), &json!(null))
    );
    assert!(ids(&stripe.get("/v1/charges").await).is_empty());
}

#[tokio::test]
async fn the_buyer_says_how_many_within_limits() {
    let stripe = Stripe::start().await;
    let coupon = id(&stripe.post("/v1/coupons", &[("amount_off", "200"), ("currency", "usd")]).await);
    let more = [
        ("line_items[0][adjustable_quantity][enabled]", "true"),
        ("line_items[0][adjustable_quantity][maximum]", "5"),
        ("line_items[1][price_data][currency]", "usd"),
        ("line_items[1][price_data][unit_amount]", "300"),
        ("line_items[1][price_data][product_data][name]", "Tea"),
        ("line_items[1][quantity]", "1"),
        ("discounts[0][coupon]", &coupon),
    ];
    let session = stripe.payment_session(&more).await;
    let lines = stripe.get(&format!("/v1/checkout/sessions/{}/line_items", id(&session))).await;
    let (mugs, tea) = (id(&lines["data"][0]), id(&lines["data"][1]));
    let action = format!("{}/quantities", session["url"].as_str().unwrap());
    for (line, quantity, why) in [
        (&mugs, "6", "Choose a quantity from 0 to 5."),
        (&mugs, "many", "Enter a whole number."),
        (&tea, "2", "The quantity of this item cannot be changed."),
    ] {
        let refused = stripe.submit(&action, &[(line, quantity)]).await;
        assert_eq!(refused.status(), 402, "{quantity}");
        assert!(refused.text().await.unwrap().contains(why), "{why}");
        assert_eq!(stripe.paid_session(&session).await["amount_total"], 1600);
    }
    assert_eq!(stripe.submit(&action, &[(&mugs, "5")]).await.status(), 303);
    assert!(stripe.session_page(&session).await.contains("Pay $38.50"));
    assert_eq!(stripe.submit(&action, &[(&mugs, "0")]).await.status(), 303);
    assert_eq!(pay_as_guest(&stripe, &session).await, 303);
    let paid = stripe.paid_session(&session).await;
    assert_eq!(adds_up(&paid), 100);
    assert_eq!(ids(&paid["line_items"]), [tea], "what nobody wants is no line any more");
    assert_eq!(stripe.submit(&action, &[(&mugs, "5")]).await.status(), 303);
    assert_eq!(stripe.paid_session(&session).await["amount_total"], 100, "it is paid");
}

#[tokio::test]
async fn an_invoice_comes_of_it_that_is_paid_by_the_payment() {
    let stripe = Stripe::start().await;
    let coupon = id(&stripe.post("/v1/coupons", &[("percent_off", "10"), ("duration", "once")]).await);
    let more = [
        ("invoice_creation[enabled]", "true"),
        ("invoice_creation[invoice_data][description]", "Two mugs"),
        ("invoice_creation[invoice_data][metadata][order]", "6"),
        ("discounts[0][coupon]", &coupon),
    ];
    let session = stripe.payment_session(&more).await;
    let count = stripe.event_count().await;
    assert_eq!(pay_as_guest(&stripe, &session).await, 303);
    let events = stripe.events_since(count).await;
    let last = ["invoice.finalized", "invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid"];
    assert_eq!(events[events.len() - 4..], last);
    let session = stripe.paid_session(&session).await;
    assert_eq!(adds_up(&session), 1350);
    let invoice = &session["invoice"];
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(1350)));
    assert_eq!((&invoice["subtotal"], &invoice["customer"]), (&json!(1500), &session["customer"]));
    assert_eq!((&invoice["description"], &invoice["metadata"]["order"]), (&json!("Two mugs"), &json!("6")));
    let payments = stripe.get(&format!("/v1/invoice_payments?invoice={}", id(invoice))).await;
    assert_eq!(payments["data"][0]["payment"]["payment_intent"], session["payment_intent"]["id"]);
    assert_eq!(stripe.get(&format!("/v1/coupons/{coupon}")).await["times_redeemed"], 1);
    let customer = session["customer"].as_str().unwrap();
    let wrong = crate::invariants_of_money::wrong(&stripe, customer, std::slice::from_ref(invoice)).await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn a_subscription_takes_what_is_sold_once_on_its_first_invoice_only() {
    let stripe = Stripe::start().await;
    for (trial, due) in [(None, 1700), (Some("7"), 500)] {
        let (customer, price) = (stripe.customer().await, stripe.price().await);
        let mut more = vec![
            ("line_items[1][price_data][currency]", "usd"),
            ("line_items[1][price_data][unit_amount]", "500"),
            ("line_items[1][price_data][product_data][name]", "Setup"),
            ("line_items[1][quantity]", "1"),
        ];
        more.extend(trial.map(|days| ("subscription_data[trial_period_days]", days)));
        let session = stripe.session(&customer, &price, &more).await;
        assert_eq!(session["amount_total"], due);
        assert!(stripe.session_page(&session).await.contains("Setup"));
        assert_eq!(stripe.pay(&session, GOOD).await.status(), 303);
        let invoice = stripe.paid_session(&session).await["invoice"].clone();
        assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(due)));
        let items = stripe.subscriptions(&customer).await[0]["items"]["data"].clone();
        assert_eq!(items.as_array().unwrap().len(), 1);
        let wrong = crate::invariants_of_money::wrong(&stripe, &customer, &[invoice]).await;
        assert!(wrong.is_empty(), "{wrong:?}");
        let subscription = id(&stripe.subscriptions(&customer).await[0]);
        let next = stripe.post("/v1/invoices/create_preview", &[("subscription", &subscription)]).await;
        assert_eq!(next["total"], 1200);
    }
}

#[tokio::test]
async fn what_is_too_little_to_charge_goes_to_the_next_invoice() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let card = id(&stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await);
    let default = [("invoice_settings[default_payment_method]", card.as_str())];
    stripe.post(&format!("/v1/customers/{customer}"), &default).await;
    let bill = async |amount: &str| {
        stripe
            .post("/v1/invoiceitems", &[("customer", &customer), ("amount", amount), ("currency", "usd")])
            .await;
        let fields = [("customer", customer.as_str()), ("pending_invoice_items_behavior", "include")];
        let draft = stripe.post("/v1/invoices", &fields).await;
        stripe.post(&format!("/v1/invoices/{}/pay", id(&draft)), &[]).await
    };
    let balance =
        async || stripe.get(&format!("/v1/customers/{customer}")).await["balance"].as_i64().unwrap();
    let small = bill("30").await;
    assert_eq!(
        (&small["status"], &small["amount_due"], &small["ending_balance"]),
        (&json!("paid"), &json!(0), &json!(30))
    );
    assert_eq!(balance().await, 30);
    assert!(ids(&stripe.get("/v1/charges").await).is_empty());
    let session =
        stripe.payment_session(&[("customer", &customer), ("invoice_creation[enabled]", "true")]).await;
    assert_eq!(stripe.pay(&session, GOOD).await.status(), 303);
    assert_eq!(stripe.paid_session(&session).await["invoice"]["amount_paid"], 1500);
    assert_eq!(balance().await, 30, "a payment that is made already leaves it alone");
    let next = bill("100").await;
    assert_eq!((&next["status"], &next["amount_paid"]), (&json!("paid"), &json!(130)));
    assert_eq!(balance().await, 0);
    assert_eq!(stripe.get("/v1/charges").await["data"][0]["amount"], 130);
}

#[tokio::test]
async fn a_session_can_be_noted_upon() {
    let stripe = Stripe::start().await;
    let session = stripe.payment_session(&[("metadata[a]", "b")]).await;
    let path = format!("/v1/checkout/sessions/{}", id(&session));
    let noted = stripe.post(&path, &[("metadata[order]", "6"), ("metadata[a]", "")]).await;
    assert_eq!(noted["metadata"], json!({ "order": "6" }));
    assert_eq!(
        stripe.try_post(&path, &[("line_items[0][quantity]", "3")]).await.error()["code"],
        "parameter_unknown"
    );
}
