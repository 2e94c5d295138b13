//! Promotion codes on the checkout page, by sending its forms as a browser does.

use serde_json::{Value, json};

use crate::discounts::{coupon, promotion};
use crate::support::{DECLINED, GOOD, Stripe, id};

async fn apply(stripe: &Stripe, session: &Value, code: &str) -> reqwest::Response {
    let url = format!("{}/promotion_code", session["url"].as_str().unwrap());
    stripe.submit(&url, &[("promotion_code", code), ("action", "apply")]).await
}

async fn page(stripe: &Stripe, session: &Value) -> String {
    stripe.http.get(session["url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_code_is_applied_on_the_page_and_removed_again() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    coupon(&stripe, "C", &[("percent_off", "20"), ("duration", "repeating"), ("duration_in_months", "2")])
        .await;
    let code = promotion(&stripe, "C", "SAVE20", &[]).await;
    let session = stripe.session(&customer, &price, &[("allow_promotion_codes", "true")]).await;
    let path = format!("/v1/checkout/sessions/{}", id(&session));
    let open = page(&stripe, &session).await;
    assert!(open.contains("name=\"promotion_code\"") && !open.contains("Remove"));

    assert_eq!(apply(&stripe, &session, " save20 ").await.status(), 303);
    let shown = page(&stripe, &session).await;
    for text in ["SAVE20", "20% off for 2 months", "-$2.40", "$9.60", "Remove SAVE20"] {
        assert!(shown.contains(text), "{text}");
    }
    let applied = stripe.get(&path).await;
    assert_eq!(applied["discounts"], json!([{"coupon": null, "promotion_code": code}]));
    assert_eq!(applied["total_details"]["amount_discount"], 240);
    assert_eq!((&applied["amount_subtotal"], &applied["amount_total"]), (&json!(1200), &json!(960)));
    let item = &stripe.get(&format!("{path}/line_items")).await["data"][0];
    assert_eq!((&item["amount_discount"], &item["amount_total"]), (&json!(240), &json!(960)));

    let url = format!("{}/promotion_code", session["url"].as_str().unwrap());
    assert_eq!(stripe.submit(&url, &[("action", "remove")]).await.status(), 303);
    assert_eq!(stripe.get(&path).await["amount_total"], 1200);
    assert!(!page(&stripe, &session).await.contains("-$2.40"));
}

#[tokio::test]
async fn a_code_that_comes_after_a_refused_card_changes_what_is_charged() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    coupon(&stripe, "C", &[("percent_off", "20"), ("duration", "forever")]).await;
    let code = promotion(&stripe, "C", "SAVE20", &[]).await;
    let session = stripe.session(&customer, &price, &[("allow_promotion_codes", "true")]).await;
    assert_eq!(stripe.pay(&session, DECLINED).await.status(), 402);
    apply(&stripe, &session, "SAVE20").await;
    assert_eq!(stripe.pay(&session, GOOD).await.status(), 303);
    let intent = &stripe.get("/v1/payment_intents").await["data"][0];
    assert_eq!((&intent["amount"], &intent["amount_received"]), (&json!(960), &json!(960)));
    let path = format!("/v1/checkout/sessions/{}", id(&session));
    let done = stripe.get(&format!("{path}?expand[]=invoice&expand[]=subscription.discounts")).await;
    assert_eq!(done["invoice"]["amount_paid"], 960);
    let discount = &done["subscription"]["discounts"][0];
    assert_eq!((&discount["promotion_code"], &discount["checkout_session"]), (&json!(code), &session["id"]));
    assert_eq!(stripe.get(&format!("/v1/promotion_codes/{code}")).await["times_redeemed"], 1);
    assert_eq!(stripe.get("/v1/coupons/C").await["times_redeemed"], 1);
}

#[tokio::test]
async fn the_last_redemption_goes_to_who_pays_first() {
    let stripe = Stripe::start().await;
    let (ada, bob, price) = (stripe.customer().await, stripe.customer().await, stripe.price().await);
    coupon(&stripe, "C", &[("percent_off", "20")]).await;
    promotion(&stripe, "C", "LAST", &[("max_redemptions", "1")]).await;
    let mut sessions = Vec::new();
    for customer in [&ada, &bob] {
        let session = stripe.session(customer, &price, &[("allow_promotion_codes", "true")]).await;
        assert_eq!(apply(&stripe, &session, "LAST").await.status(), 303);
        sessions.push(session);
    }
    // A challenge stands between the code and the payment, and the code is still what is paid by.
    let challenge = stripe.pay(&sessions[0], "4000002500003155").await;
    let url = stripe.url(challenge.headers()["location"].to_str().unwrap());
    assert_eq!(stripe.submit(&url, &[("outcome", "complete")]).await.status(), 303);
    assert_eq!(stripe.get(&format!("/v1/invoices?customer={ada}")).await["data"][0]["amount_paid"], 960);
    let refused = stripe.pay(&sessions[1], GOOD).await;
    assert_eq!(refused.status(), 402);
    let page = refused.text().await.unwrap();
    assert!(page.contains("id=\"promotion_code-error\"") && page.contains("it is expired or inactive"));
    assert!(stripe.subscriptions(&bob).await.is_empty());
    let codes = stripe.get("/v1/promotion_codes?active=false").await;
    assert_eq!(codes["data"][0]["times_redeemed"], 1);
}

#[tokio::test]
async fn a_code_that_is_not_taken_says_why_beside_the_field() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    coupon(&stripe, "C", &[("percent_off", "20")]).await;
    let minimum =
        [("restrictions[minimum_amount]", "5000"), ("restrictions[minimum_amount_currency]", "usd")];
    promotion(&stripe, "C", "LARGE", &minimum).await;
    let session = stripe.session(&customer, &price, &[("allow_promotion_codes", "true")]).await;
    for (code, why) in
        [("NOPE", "This code is invalid."), ("", "This code is invalid."), ("LARGE", "minimum amount")]
    {
        let response = apply(&stripe, &session, code).await;
        assert_eq!(response.status(), 402, "{code}");
        let page = response.text().await.unwrap();
        let error = page.split("id=\"promotion_code-error\">").nth(1).unwrap();
        assert!(error.split('<').next().unwrap().contains(why), "{code}");
        assert!(page.contains("aria-describedby=\"promotion_code-error\""));
    }
    let plain = stripe.session(&customer, &price, &[]).await;
    assert!(!page(&stripe, &plain).await.contains("promotion_code"));
    promotion(&stripe, "C", "GOOD", &[]).await;
    assert_eq!(apply(&stripe, &plain, "GOOD").await.status(), 402);
    assert_eq!(stripe.get(&format!("/v1/checkout/sessions/{}", id(&plain))).await["discounts"], json!([]));
}

#[tokio::test]
async fn a_discount_that_ends_while_the_page_is_open_is_not_given() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    coupon(&stripe, "C", &[("percent_off", "20")]).await;
    let session = stripe.session(&customer, &price, &[("discounts[0][coupon]", "C")]).await;
    assert_eq!(session["discounts"], json!([{"coupon": "C", "promotion_code": null}]));
    assert!(page(&stripe, &session).await.contains("20% off once"));
    stripe.delete("/v1/coupons/C").await;
    let refused = stripe.pay(&session, GOOD).await;
    assert_eq!(refused.status(), 402);
    let page = refused.text().await.unwrap();
    assert!(page.contains("This code is invalid.") && page.contains("$12.00"));
    assert!(stripe.subscriptions(&customer).await.is_empty());
    assert_eq!(stripe.pay(&session, GOOD).await.status(), 303);
    assert_eq!(stripe.get("/v1/invoices").await["data"][0]["amount_paid"], 1200);
}

#[tokio::test]
async fn of_two_equal_codes_the_buyers_own_is_meant() {
    let stripe = Stripe::start().await;
    let (ada, bob, price) = (stripe.customer().await, stripe.customer().await, stripe.price().await);
    coupon(&stripe, "C", &[("percent_off", "20")]).await;
    for customer in [&ada, &bob] {
        promotion(&stripe, "C", "MINE", &[("customer", customer)]).await;
    }
    for customer in [&ada, &bob] {
        let session = stripe.session(customer, &price, &[("allow_promotion_codes", "true")]).await;
        assert_eq!(apply(&stripe, &session, "mine").await.status(), 303);
    }
    let other = stripe.customer().await;
    let session = stripe.session(&other, &price, &[("allow_promotion_codes", "true")]).await;
    assert_eq!(apply(&stripe, &session, "mine").await.status(), 402);
}
