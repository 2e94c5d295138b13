//! Buying on the hosted checkout page, by sending its form as a browser does.

use reqwest::header::LOCATION;
use serde_json::json;

use crate::support::{DECLINED, GOOD, Stripe, id, ids};

#[tokio::test]
async fn the_page_says_what_is_bought_and_leads_back_when_it_is() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[("client_reference_id", "c1")]).await;
    assert_eq!((&session["status"], &session["payment_status"]), (&json!("open"), &json!("unpaid")));
    let page = stripe.http.get(session["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    let expected =
        ["TEST MODE", "Subscribe to Pro", "$12.00 per month", "ada@example.com", "shop.test/pricing"];
    for text in expected {
        assert!(page.contains(text), "{text}");
    }
    let response = stripe.pay(&session, GOOD).await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()[LOCATION], format!("http://shop.test/done?session={}", id(&session)));
    let session = stripe.get(&format!("/v1/checkout/sessions/{}", id(&session))).await;
    assert_eq!((&session["status"], &session["payment_status"]), (&json!("complete"), &json!("paid")));
    assert!(session["url"].is_null());
}

#[tokio::test]
async fn a_purchase_makes_an_active_subscription() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[("subscription_data[metadata][plan]", "pro")]).await;
    stripe.pay(&session, GOOD).await;
    let path = format!("/v1/checkout/sessions/{}?expand[]=subscription", id(&session));
    let subscription = &stripe.get(&path).await["subscription"];
    assert_eq!((&subscription["status"], &subscription["customer"]), (&json!("active"), &json!(customer)));
    assert_eq!(subscription["metadata"]["plan"], "pro");
    assert!(subscription.get("current_period_end").is_none(), "periods stand on the items");
    let item = &subscription["items"]["data"][0];
    assert_eq!(item["price"]["id"], *price);
    let (start, end) = (item["current_period_start"].as_i64(), item["current_period_end"].as_i64());
    let days = (end.unwrap() - start.unwrap()) / 86_400;
    assert!((28..=31).contains(&days));
    let now = stripe.get(&format!("/v1/customers/{customer}")).await;
    assert_eq!(now["currency"], "usd");
    let default = &now["invoice_settings"]["default_payment_method"];
    assert!(default.is_null(), "checkout sets the card on the subscription only");
}

#[tokio::test]
async fn a_purchase_leaves_a_paid_invoice_with_a_receipt() {
    let stripe = Stripe::start().await;
    let (customer, session) = stripe.buy().await;
    let session = stripe.get(&format!("/v1/checkout/sessions/{}?expand[]=invoice", id(&session))).await;
    let invoice = &session["invoice"];
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(1200)));
    assert_eq!(invoice["parent"]["subscription_details"]["subscription"], session["subscription"]);
    let receipt = stripe.http.get(invoice["hosted_invoice_url"].as_str().unwrap()).send().await.unwrap();
    let receipt = receipt.text().await.unwrap();
    let heading = format!("<h1>Receipt {}</h1>", invoice["number"].as_str().unwrap());
    assert!(receipt.contains(&heading) && receipt.contains("$12.00"));
    assert_eq!(ids(&stripe.get(&format!("/v1/payment_intents?customer={customer}")).await).len(), 1);
    assert_eq!(ids(&stripe.get(&format!("/v1/invoices?customer={customer}&status=paid")).await).len(), 1);
}

#[tokio::test]
async fn its_events_come_in_stripes_order() {
    let stripe = Stripe::start().await;
    stripe.buy().await;
    let types = stripe.event_types().await;
    let expected = [
        "charge.succeeded",
        "payment_method.attached",
        "customer.updated",
        "checkout.session.completed",
        "customer.subscription.created",
        "payment_intent.created",
        "payment_intent.succeeded",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ];
    assert_eq!(types[types.len() - expected.len()..], expected);
    let event = &stripe.get("/v1/events?type=invoice.created").await["data"][0];
    assert_eq!(event["data"]["object"]["status"], "draft", "a snapshot, not the invoice as it is now");
    assert_eq!(event["api_version"], "2026-09-30.endive");
}

#[tokio::test]
async fn a_declined_card_buys_nothing_and_a_good_one_then_does() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[]).await;
    let cards = [
        (DECLINED, "Your card was declined."),
        ("4000000000009995", "Your card has insufficient funds."),
        ("4000000000000069", "Your card has expired."),
        ("4000000000000127", "Your card&#39;s security code is incorrect."),
        ("4000000000000119", "An error occurred while processing your card. Try again in a little bit."),
        ("4000000000000341", "Your card was declined."),
        ("4111111111111111", "Your request was in test mode, but used a non test card."),
    ];
    for (card, message) in cards {
        let response = stripe.pay(&session, card).await;
        assert_eq!(response.status(), 402, "{card}");
        let page = response.text().await.unwrap().replace("&apos;", "&#39;").replace('\'', "&#39;");
        assert!(page.contains(message), "{card}: {page}");
        assert!(page.contains("aria-invalid=\"true\""), "{card}");
    }
    assert!(stripe.subscriptions(&customer).await.is_empty());
    assert_eq!(stripe.get(&format!("/v1/checkout/sessions/{}", id(&session))).await["status"], "open");
    let failed = |types: &[String], name: &str| types.iter().filter(|one| *one == name).count();
    let types = stripe.event_types().await;
    assert_eq!((failed(&types, "charge.failed"), failed(&types, "payment_intent.payment_failed")), (7, 7));

    assert_eq!(stripe.pay(&session, GOOD).await.status(), 303);
    assert_eq!(stripe.subscriptions(&customer).await.len(), 1);
    let intents = stripe.get("/v1/payment_intents").await;
    assert_eq!(ids(&intents).len(), 1, "every try of a session is one intent's");
    assert_eq!(intents["data"][0]["status"], "succeeded");
}

#[tokio::test]
async fn what_is_typed_wrong_is_said_beside_the_field() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[]).await;
    let url = session["url"].as_str().unwrap();
    let fields = [("card_number", "4242424242424241"), ("expiry", "01/20"), ("cvc", ""), ("name", "")];
    let page = stripe.submit(url, &fields).await.text().await.unwrap();
    for field in ["card_number", "expiry", "cvc", "name"] {
        assert!(page.contains(&format!("id=\"{field}-error\"")), "{field}");
        assert!(page.contains(&format!("aria-describedby=\"{field}-error\"")), "{field}");
    }
    let focused = page.split("autofocus").next().unwrap();
    assert!(focused.contains("id=\"card_number\"") && !focused.contains("id=\"expiry\""));
    let types = stripe.event_types().await;
    assert!(!types.contains(&"charge.failed".to_owned()), "no attempt was made");
}

#[tokio::test]
async fn other_good_cards_are_shown_as_what_they_are() {
    let stripe = Stripe::start().await;
    for (number, cvc, brand, last4) in
        [("5555555555554444", "123", "mastercard", "4444"), ("378282246310005", "1234", "amex", "0005")]
    {
        let (customer, price) = (stripe.customer().await, stripe.price().await);
        let session = stripe.session(&customer, &price, &[]).await;
        let fields = [("card_number", number), ("expiry", "12/34"), ("cvc", cvc), ("name", "Ada")];
        let response = stripe.submit(session["url"].as_str().unwrap(), &fields).await;
        assert_eq!(response.status(), 303, "{number}");
        let path = format!("/v1/subscriptions?customer={customer}&expand[]=data.default_payment_method");
        let card = stripe.get(&path).await["data"][0]["default_payment_method"]["card"].clone();
        assert_eq!((card["brand"].as_str(), card["last4"].as_str()), (Some(brand), Some(last4)));
    }
}

#[tokio::test]
async fn ten_submits_at_once_buy_once_and_all_lead_on() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[]).await;
    let mut submits = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (http, url) = (stripe.http.clone(), session["url"].as_str().unwrap().to_owned());
        let fields = [("card_number", GOOD), ("expiry", "12/34"), ("cvc", "123"), ("name", "Ada")];
        let body = crate::support::form(&fields);
        submits.spawn(async move { http.post(url).body(body).send().await.unwrap() });
    }
    for response in submits.join_all().await {
        assert_eq!(response.status(), 303);
        assert!(response.headers()[LOCATION].to_str().unwrap().starts_with("http://shop.test/done"));
    }
    assert_eq!(stripe.subscriptions(&customer).await.len(), 1);
    let types = stripe.event_types().await;
    assert_eq!(types.iter().filter(|one| *one == "charge.succeeded").count(), 1);
}

#[tokio::test]
async fn a_trial_costs_nothing_today() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[("subscription_data[trial_period_days]", "14")]).await;
    assert_eq!(session["amount_total"], 0);
    let page = stripe.http.get(session["url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("14 days free") && page.contains("Start trial"));
    assert_eq!(stripe.pay(&session, DECLINED).await.status(), 402, "a trial needs a card that works, too");
    assert_eq!(stripe.pay(&session, GOOD).await.status(), 303);
    let subscription = &stripe.subscriptions(&customer).await[0];
    assert_eq!(subscription["status"], "trialing");
    assert_eq!(subscription["trial_end"], subscription["items"]["data"][0]["current_period_end"]);
    let session = stripe.get(&format!("/v1/checkout/sessions/{}?expand[]=invoice", id(&session))).await;
    assert_eq!(session["payment_status"], "no_payment_required");
    assert_eq!(
        (session["invoice"]["status"].as_str(), session["invoice"]["total"].as_i64()),
        (Some("paid"), Some(0))
    );
    assert!(!stripe.event_types().await.contains(&"charge.succeeded".to_owned()));
}

#[tokio::test]
async fn without_a_customer_checkout_makes_one() {
    let stripe = Stripe::start().await;
    let price = stripe.price().await;
    let fields = [
        ("mode", "subscription"),
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "3"),
        ("success_url", "http://shop.test/done"),
    ];
    let session = stripe.post("/v1/checkout/sessions", &fields).await;
    assert_eq!(session["amount_total"], 3600);
    let url = session["url"].as_str().unwrap();
    let card = [("card_number", GOOD), ("expiry", "12/34"), ("cvc", "123"), ("name", "Eva")];
    assert!(stripe.submit(url, &card).await.text().await.unwrap().contains("email-error"));
    let fields = [&card[..], &[("email", "eva@example.com")]].concat();
    assert_eq!(stripe.submit(url, &fields).await.status(), 303);
    let customers = stripe.get("/v1/customers").await;
    let customer = &customers["data"][0];
    assert_eq!(
        (customer["email"].as_str(), customer["name"].as_str()),
        (Some("eva@example.com"), Some("Eva"))
    );
    assert_eq!(stripe.subscriptions(&id(customer)).await.len(), 1);
    let session = stripe.get(&format!("/v1/checkout/sessions/{}", id(&session))).await;
    assert_eq!(session["customer"], customer["id"]);
}

#[tokio::test]
async fn a_customer_without_an_email_is_asked_for_it() {
    let stripe = Stripe::start().await;
    let price = stripe.price().await;
    let customer = id(&stripe.post("/v1/customers", &[("metadata[userId]", "u1")]).await);
    let session = stripe.session(&customer, &price, &[]).await;
    let fields = [
        ("email", "eva@example.com"),
        ("card_number", GOOD),
        ("expiry", "12/34"),
        ("cvc", "123"),
        ("name", "Eva"),
    ];
    assert_eq!(stripe.submit(session["url"].as_str().unwrap(), &fields).await.status(), 303);
    let now = stripe.get(&format!("/v1/customers/{customer}")).await;
    assert_eq!((now["email"].as_str(), now["name"].as_str()), (Some("eva@example.com"), None));
    let session = stripe.get(&format!("/v1/checkout/sessions/{}", id(&session))).await;
    assert_eq!(session["customer_details"]["email"], "eva@example.com");
}

#[tokio::test]
async fn currencies_without_decimals_are_shown_right() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let product = id(&stripe.post("/v1/products", &[("name", "Pro")]).await);
    let fields = [
        ("product", product.as_str()),
        ("currency", "jpy"),
        ("unit_amount", "1500"),
        ("recurring[interval]", "year"),
    ];
    let price = id(&stripe.post("/v1/prices", &fields).await);
    let session = stripe.session(&customer, &price, &[]).await;
    let page = stripe.http.get(session["url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("¥1,500 per year"));
    assert_eq!(stripe.pay(&session, GOOD).await.status(), 303);
    let in_dollars = stripe.price().await;
    let fields = [
        ("mode", "subscription"),
        ("customer", customer.as_str()),
        ("line_items[0][price]", in_dollars.as_str()),
        ("line_items[0][quantity]", "1"),
        ("success_url", "http://a.b"),
    ];
    let reply = stripe.try_post("/v1/checkout/sessions", &fields).await;
    assert!(reply.error()["message"].as_str().unwrap().contains("You cannot combine currencies"));
}
