//! What coupons and promotion codes do to a purchase, by API and on the checkout page.

use serde_json::{Value, json};

use crate::support::{DECLINED, GOOD, Reply, Stripe, id};

async fn coupon(stripe: &Stripe, id: &str, more: &[(&str, &str)]) {
    stripe.post("/v1/coupons", &[&[("id", id)], more].concat()).await;
}

async fn promotion(stripe: &Stripe, coupon: &str, code: &str, more: &[(&str, &str)]) -> String {
    let base = [("promotion[type]", "coupon"), ("promotion[coupon]", coupon), ("code", code)];
    id(&stripe.post("/v1/promotion_codes", &[&base, more].concat()).await)
}

/// A customer with a good card as their default.
async fn payer(stripe: &Stripe) -> String {
    let customer = stripe.customer().await;
    let method = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    let fields = [("invoice_settings[default_payment_method]", method["id"].as_str().unwrap())];
    stripe.post(&format!("/v1/customers/{customer}"), &fields).await;
    customer
}

async fn subscribe(stripe: &Stripe, customer: &str, price: &str, more: &[(&str, &str)]) -> Reply {
    let base = [("customer", customer), ("items[0][price]", price), ("expand[]", "latest_invoice")];
    stripe.try_post("/v1/subscriptions", &[&base, more].concat()).await
}

async fn apply(stripe: &Stripe, session: &Value, code: &str) -> reqwest::Response {
    let url = format!("{}/promotion_code", session["url"].as_str().unwrap());
    stripe.submit(&url, &[("promotion_code", code), ("action", "apply")]).await
}

async fn page(stripe: &Stripe, session: &Value) -> String {
    stripe.http.get(session["url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_subscription_begins_with_a_discounted_invoice() {
    let stripe = Stripe::start().await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    coupon(&stripe, "QUARTER", &[("percent_off", "25"), ("duration", "forever")]).await;
    let reply = subscribe(&stripe, &customer, &price, &[("discounts[0][coupon]", "QUARTER")]).await;
    let invoice = &reply.body["latest_invoice"];
    let discount = reply.body["discounts"][0].as_str().unwrap();
    assert!(discount.starts_with("di_"));
    let amounts = ["subtotal", "total", "amount_due", "amount_paid", "total_excluding_tax"];
    assert_eq!(amounts.map(|field| invoice[field].as_i64().unwrap()), [1200, 900, 900, 900, 900]);
    let taken = json!([{"amount": 300, "discount": discount}]);
    assert_eq!((&invoice["total_discount_amounts"], &invoice["discounts"]), (&taken, &json!([discount])));
    let line = &invoice["lines"]["data"][0];
    assert_eq!((&line["amount"], &line["discount_amounts"]), (&json!(1200), &taken));
    let intent = &stripe.get("/v1/payment_intents").await["data"][0];
    assert_eq!(intent["amount_received"], 900);
    assert_eq!(stripe.get("/v1/coupons/QUARTER").await["times_redeemed"], 1);
    let receipt = stripe.http.get(invoice["hosted_invoice_url"].as_str().unwrap()).send().await.unwrap();
    assert!(receipt.text().await.unwrap().contains("-$3.00"));

    let path = format!("/v1/subscriptions/{}?expand[]=discounts.source.coupon", id(&reply.body));
    let expanded = &stripe.get(&path).await["discounts"][0];
    assert_eq!((&expanded["subscription"], &expanded["customer"]), (&reply.body["id"], &json!(customer)));
    assert_eq!((&expanded["end"], &expanded["source"]["type"]), (&Value::Null, &json!("coupon")));
    assert_eq!(expanded["source"]["coupon"]["percent_off"], 25);
    let types = stripe.event_types().await;
    let begins = types.iter().position(|name| name == "customer.discount.created").unwrap();
    assert_eq!(
        types[begins..begins + 3],
        ["customer.discount.created", "coupon.updated", "customer.subscription.created"]
    );
}

#[tokio::test]
async fn a_fixed_amount_is_split_over_the_lines_it_applies_to() {
    let stripe = Stripe::start().await;
    let (customer, first, second) = (payer(&stripe).await, stripe.price().await, stripe.price().await);
    let product = stripe.get(&format!("/v1/prices/{second}")).await["product"].clone();
    coupon(&stripe, "ALL", &[("amount_off", "1001"), ("currency", "usd")]).await;
    let more =
        [("amount_off", "5000"), ("currency", "usd"), ("applies_to[products][]", product.as_str().unwrap())];
    coupon(&stripe, "SECOND", &more).await;
    let taken = async |coupon: &str| {
        let more = [
            ("items[1][price]", second.as_str()),
            ("items[1][quantity]", "2"),
            ("discounts[0][coupon]", coupon),
        ];
        let invoice = subscribe(&stripe, &customer, &first, &more).await.body["latest_invoice"].clone();
        let lines = invoice["lines"]["data"].as_array().unwrap().clone();
        let of = |line: &Value| line["discount_amounts"][0]["amount"].as_i64();
        (of(&lines[0]), of(&lines[1]), invoice["total"].as_i64().unwrap())
    };
    assert_eq!(taken("ALL").await, (Some(334), Some(667), 3600 - 1001));
    assert_eq!(taken("SECOND").await, (None, Some(2400), 1200));
}

#[tokio::test]
async fn a_discount_lasts_as_long_as_its_coupon_says() {
    let stripe = Stripe::start().await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    let months = [("percent_off", "10"), ("duration", "repeating"), ("duration_in_months", "3")];
    coupon(&stripe, "MONTHS", &months).await;
    coupon(&stripe, "ONCE", &[("percent_off", "10")]).await;
    let with = async |coupon: &str, more: &[(&str, &str)]| {
        let fields = [&[("discounts[0][coupon]", coupon), ("expand[]", "discounts")], more].concat();
        subscribe(&stripe, &customer, &price, &fields).await.body
    };
    let months = with("MONTHS", &[]).await;
    let discount = &months["discounts"][0];
    let days = (discount["end"].as_i64().unwrap() - discount["start"].as_i64().unwrap()) / 86_400;
    assert!((89..=92).contains(&days), "{days}");
    let once = with("ONCE", &[]).await;
    assert_eq!((&once["discounts"], &once["latest_invoice"]["total"]), (&json!([]), &json!(1080)));
    let trial = with("ONCE", &[("trial_period_days", "7")]).await;
    assert_eq!(trial["discounts"][0]["source"]["coupon"], "ONCE", "a trial's invoice has nothing to reduce");
    assert_eq!(trial["latest_invoice"]["total_discount_amounts"][0]["amount"], 0);
}

#[tokio::test]
async fn everything_off_needs_no_payment() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    coupon(&stripe, "FREE", &[("percent_off", "100")]).await;
    let session = stripe.session(&customer, &price, &[("discounts[0][coupon]", "FREE")]).await;
    assert_eq!(session["amount_total"], 0);
    assert_eq!(stripe.pay(&session, GOOD).await.status(), 303);
    let path = format!("/v1/checkout/sessions/{}?expand[]=invoice", id(&session));
    let session = stripe.get(&path).await;
    assert_eq!(session["payment_status"], "no_payment_required");
    assert_eq!((&session["invoice"]["status"], &session["invoice"]["total"]), (&json!("paid"), &json!(0)));
    assert!(stripe.get("/v1/payment_intents").await["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn what_may_not_be_redeemed_is_refused_in_stripes_words() {
    let stripe = Stripe::start().await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    let other = stripe.customer().await;
    let product = id(&stripe.post("/v1/products", &[("name", "Other")]).await);
    coupon(&stripe, "USED", &[("percent_off", "10"), ("max_redemptions", "1")]).await;
    assert_eq!(subscribe(&stripe, &customer, &price, &[("discounts[0][coupon]", "USED")]).await.status, 200);
    coupon(&stripe, "NOTHING", &[("percent_off", "10"), ("applies_to[products][]", &product)]).await;
    coupon(&stripe, "EURO", &[("amount_off", "10"), ("currency", "eur")]).await;
    coupon(&stripe, "TEN", &[("percent_off", "10")]).await;
    let minimum =
        [("restrictions[minimum_amount]", "1201"), ("restrictions[minimum_amount_currency]", "usd")];
    let large = promotion(&stripe, "TEN", "LARGE", &minimum).await;
    let first = promotion(&stripe, "TEN", "FIRST", &[("restrictions[first_time_transaction]", "true")]).await;
    let theirs = promotion(&stripe, "TEN", "THEIRS", &[("customer", &other)]).await;
    let off = promotion(&stripe, "TEN", "OFF", &[("active", "false")]).await;
    let before = stripe.subscriptions(&customer).await.len();
    let cases = [
        ("coupon", "USED", "Coupon expired: USED", Some("coupon_expired")),
        ("coupon", "NO", "No such coupon: 'NO'", Some("resource_missing")),
        ("coupon", "NOTHING", "does not apply to anything in this order", None),
        ("coupon", "EURO", "currency", None),
        ("promotion_code", "promo_no", "No such promotion code: 'promo_no'", Some("resource_missing")),
        ("promotion_code", &large, "does not meet the minimum amount requirement", None),
        ("promotion_code", &first, "has prior transactions", None),
        ("promotion_code", &theirs, "another customer", None),
        ("promotion_code", &off, "inactive", Some("coupon_expired")),
    ];
    for (kind, id, message, code) in cases {
        let param = format!("discounts[0][{kind}]");
        let reply = subscribe(&stripe, &customer, &price, &[(&param, id)]).await;
        let error = reply.error();
        assert_eq!(
            (reply.status, error["code"].as_str(), error["param"].as_str()),
            (400, code, Some(&*param))
        );
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
    assert_eq!(stripe.subscriptions(&customer).await.len(), before);
    assert_eq!(stripe.get("/v1/coupons/TEN").await["times_redeemed"], 0);
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

    // A card that was refused before the code came does not fix the amount.
    assert_eq!(stripe.pay(&session, DECLINED).await.status(), 402);
    apply(&stripe, &session, "SAVE20").await;
    assert_eq!(stripe.pay(&session, GOOD).await.status(), 303);
    let intent = &stripe.get("/v1/payment_intents").await["data"][0];
    assert_eq!((&intent["amount"], &intent["amount_received"]), (&json!(960), &json!(960)));
    let done = stripe.get(&format!("{path}?expand[]=invoice&expand[]=subscription.discounts")).await;
    assert_eq!(done["invoice"]["amount_paid"], 960);
    let discount = &done["subscription"]["discounts"][0];
    assert_eq!((&discount["promotion_code"], &discount["checkout_session"]), (&json!(code), &session["id"]));
    assert_eq!(stripe.get(&format!("/v1/promotion_codes/{code}")).await["times_redeemed"], 1);
    assert_eq!(stripe.get("/v1/coupons/C").await["times_redeemed"], 1);
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
async fn a_session_takes_one_discount_or_a_field() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    coupon(&stripe, "C", &[("percent_off", "20")]).await;
    let base = [
        ("mode", "subscription"),
        ("customer", customer.as_str()),
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "1"),
        ("success_url", "http://a.b"),
        ("discounts[0][coupon]", "C"),
    ];
    let cases = [
        ([("allow_promotion_codes", "true")], "allow_promotion_codes"),
        ([("discounts[1][coupon]", "C")], "discounts"),
        ([("discounts[0][promotion_code]", "promo_1")], "discounts[0][coupon]"),
    ];
    for (more, param) in cases {
        let reply = stripe.try_post("/v1/checkout/sessions", &[&base[..], &more].concat()).await;
        assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some(param)));
    }
}

#[tokio::test]
async fn a_discount_is_taken_away() {
    let stripe = Stripe::start().await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    coupon(&stripe, "C", &[("percent_off", "20"), ("duration", "forever")]).await;
    let subscription = subscribe(&stripe, &customer, &price, &[("discounts[0][coupon]", "C")]).await.body;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let deleted = stripe.delete(&format!("{path}/discount")).await;
    assert_eq!((&deleted["id"], &deleted["deleted"]), (&subscription["discounts"][0], &json!(true)));
    assert_eq!(stripe.get(&path).await["discounts"], json!([]));
    let types = stripe.event_types().await;
    assert_eq!(types[types.len() - 2..], ["customer.discount.deleted", "customer.subscription.updated"]);
    let invoice = stripe.get("/v1/invoices?expand[]=data.discounts").await["data"][0].clone();
    assert_eq!(invoice["discounts"][0]["id"], deleted["id"], "what was billed stays as it was");

    for path in [path, format!("/v1/customers/{customer}")] {
        let again =
            stripe.send(reqwest::Method::DELETE, &format!("{path}/discount"), &[], &[]).await.unwrap();
        assert_eq!((again.status, again.error()["code"].as_str()), (404, Some("resource_missing")));
    }
    let control = format!("/_emulator/objects/customers/{customer}");
    stripe.control(&control, json!({"discount": deleted})).await;
    let of_customer = stripe.delete(&format!("/v1/customers/{customer}/discount")).await;
    assert_eq!(of_customer["id"], deleted["id"]);
    assert!(stripe.get(&format!("/v1/customers/{customer}")).await["discount"].is_null());
}

#[tokio::test]
async fn a_discount_goes_on_with_the_renewals_until_it_ends() {
    let stripe = Stripe::start().await;
    let coupons = [
        ("ONCE", "once", vec![600, 1200, 1200]),
        ("TWICE", "repeating", vec![600, 600, 1200]),
        ("ALWAYS", "forever", vec![600, 600, 600]),
    ];
    for (coupon, duration, expected) in coupons {
        let mut fields = vec![("id", coupon), ("percent_off", "50"), ("duration", duration)];
        if duration == "repeating" {
            fields.push(("duration_in_months", "2"));
        }
        stripe.post("/v1/coupons", &fields).await;
        let (customer, price) = (stripe.customer().await, stripe.price().await);
        let session = stripe.session(&customer, &price, &[("discounts[0][coupon]", coupon)]).await;
        stripe.pay(&session, GOOD).await;
        for _ in 0..2 {
            let (_, end) = crate::time::period(&stripe.only_subscription(&customer).await);
            stripe.pass_until(end + crate::time::HOUR).await;
        }
        let invoices = stripe.invoices(&customer).await;
        let paid: Vec<i64> = invoices.iter().rev().map(|it| it["amount_paid"].as_i64().unwrap()).collect();
        assert_eq!(paid, expected, "{coupon}");
        let left = &stripe.only_subscription(&customer).await["discounts"];
        assert_eq!(left.as_array().unwrap().len(), usize::from(coupon == "ALWAYS"), "{coupon}");
    }
}
