//! Coupons and promotion codes as resources; `discounts` has what they do to a purchase.

use serde_json::{Value, json};

use crate::support::{Stripe, id, ids};

type Fields<'f> = &'f [(&'f str, &'f str)];

async fn coupon(stripe: &Stripe, more: &[(&str, &str)]) -> Value {
    stripe.post("/v1/coupons", &[&[("percent_off", "25.5")], more].concat()).await
}

async fn promotion(stripe: &Stripe, coupon: &str, more: &[(&str, &str)]) -> Value {
    let base = [("promotion[type]", "coupon"), ("promotion[coupon]", coupon)];
    stripe.post("/v1/promotion_codes", &[&base, more].concat()).await
}

#[tokio::test]
async fn a_coupon_keeps_its_terms_and_takes_name_and_metadata() {
    let stripe = Stripe::start().await;
    let made = coupon(&stripe, &[("id", "SPRING"), ("metadata[a]", "1"), ("metadata[b]", "2")]).await;
    let expected = json!({
        "id": "SPRING", "object": "coupon", "amount_off": null, "created": made["created"], "currency": null,
        "duration": "once", "duration_in_months": null, "livemode": false, "max_redemptions": null,
        "metadata": {"a": "1", "b": "2"}, "name": null, "percent_off": 25.5, "redeem_by": null,
        "times_redeemed": 0, "valid": true,
    });
    assert_eq!(made, expected);
    let again = stripe.try_post("/v1/coupons", &[("id", "SPRING"), ("percent_off", "10")]).await;
    assert_eq!(again.error()["code"], "resource_already_exists");

    let changed = stripe
        .post("/v1/coupons/SPRING", &[("name", "Spring"), ("metadata[a]", ""), ("metadata[c]", "3")])
        .await;
    assert_eq!((&changed["name"], &changed["metadata"]), (&json!("Spring"), &json!({"b": "2", "c": "3"})));
    let refused = stripe.try_post("/v1/coupons/SPRING", &[("percent_off", "30")]).await;
    assert_eq!(refused.error()["code"], "parameter_unknown");
    let events = stripe.get("/v1/events?type=coupon.updated").await;
    let previous = &events["data"][0]["data"]["previous_attributes"];
    assert_eq!(*previous, json!({"name": null, "metadata": {"a": "1", "c": null}}));

    let random = id(&coupon(&stripe, &[]).await);
    assert_eq!(random.len(), 8);
    assert_eq!(ids(&stripe.get("/v1/coupons?limit=1").await), [random]);
}

#[tokio::test]
async fn a_deleted_coupon_is_gone_and_its_id_is_free() {
    let stripe = Stripe::start().await;
    coupon(&stripe, &[("id", "SPRING")]).await;
    let promotion = id(&promotion(&stripe, "SPRING", &[]).await);
    let deleted = stripe.delete("/v1/coupons/SPRING").await;
    assert_eq!(deleted, json!({"id": "SPRING", "object": "coupon", "deleted": true}));
    let gone = stripe.try_get("/v1/coupons/SPRING").await;
    assert_eq!((gone.status, gone.error()["message"].as_str()), (404, Some("No such coupon: 'SPRING'")));
    assert_eq!(gone.error()["param"], "coupon");
    assert!(ids(&stripe.get("/v1/coupons").await).is_empty());
    assert_eq!(stripe.get(&format!("/v1/promotion_codes/{promotion}")).await["active"], false);
    let event = &stripe.get("/v1/events?type=coupon.deleted").await["data"][0];
    assert_eq!(event["data"]["object"]["valid"], false);
    coupon(&stripe, &[("id", "SPRING")]).await;
    assert_eq!(ids(&stripe.get("/v1/coupons").await), ["SPRING"]);
}

/// What is asked for, Stripe's message, and the parameter that it is about.
const SENSELESS: [(Fields, &str, Option<&str>); 11] = [
    (&[("duration", "once")], "Must provide percent_off or amount_off.", None),
    (
        &[("percent_off", "5"), ("amount_off", "5"), ("currency", "usd")],
        "Received both percent_off and amount_off parameters. Please pass in only one.",
        None,
    ),
    (&[("amount_off", "5")], "You must pass currency when passing amount_off", Some("currency")),
    (
        &[("percent_off", "0")],
        "This value must be greater than or equal to 0.01 (it currently is '0.0').",
        Some("percent_off"),
    ),
    (
        &[("percent_off", "101")],
        "This value must be less than or equal to 100 (it currently is '101.0').",
        Some("percent_off"),
    ),
    (&[("percent_off", "1e1")], "Invalid decimal: 1e1", Some("percent_off")),
    (
        &[("percent_off", "5"), ("duration", "repeating")],
        "The duration_in_months param must be set when creating a coupon with a repeating duration",
        Some("duration"),
    ),
    (
        &[("percent_off", "5"), ("redeem_by", "1000")],
        "The parameter `redeem_by` expects a unix timestamp representing a date and time in the future. You \
         specified the value `1000` which is in the past.",
        Some("redeem_by"),
    ),
    (
        &[("percent_off", "5"), ("max_redemptions", "0")],
        "This value must be greater than or equal to 1.",
        Some("max_redemptions"),
    ),
    (
        &[("percent_off", "5"), ("applies_to[products][]", "prod_no")],
        "No such product: 'prod_no'",
        Some("applies_to[products]"),
    ),
    (
        &[("amount_off", "5"), ("currency", "usd"), ("currency_options[eur][amount_off]", "4")],
        "stripe-emulator does not support the parameter `currency_options` here.",
        Some("currency_options"),
    ),
];

#[tokio::test]
async fn terms_that_make_no_sense_are_refused() {
    let stripe = Stripe::start().await;
    for (fields, message, param) in SENSELESS {
        let reply = stripe.try_post("/v1/coupons", fields).await;
        assert_eq!((reply.status, reply.error()["message"].as_str()), (400, Some(message)));
        assert_eq!(reply.error()["param"].as_str(), param, "{message}");
    }
    assert!(stripe.event_types().await.is_empty());
}

#[tokio::test]
async fn what_a_coupon_applies_to_is_shown_when_asked_for() {
    let stripe = Stripe::start().await;
    let product = id(&stripe.post("/v1/products", &[("name", "Pro")]).await);
    coupon(&stripe, &[("id", "ONE"), ("applies_to[products][]", &product)]).await;
    coupon(&stripe, &[("id", "ALL")]).await;
    assert!(stripe.get("/v1/coupons/ONE").await.get("applies_to").is_none());
    let list = stripe.get("/v1/coupons?expand[]=data.applies_to").await;
    assert!(list["data"][0].get("applies_to").is_none());
    assert_eq!(list["data"][1]["applies_to"], json!({"products": [product]}));
}

#[tokio::test]
async fn time_ends_a_coupon_and_its_codes() {
    let stripe = Stripe::start().await;
    let now = stripe.get("/_emulator/clock").await["now"].as_i64().unwrap();
    let (hour, day) = ((now + 3600).to_string(), (now + 86_400).to_string());
    coupon(&stripe, &[("id", "DAY"), ("redeem_by", &day)]).await;
    let later = (now + 90_000).to_string();
    let base = [("promotion[type]", "coupon"), ("promotion[coupon]", "DAY"), ("expires_at", later.as_str())];
    assert_eq!(stripe.try_post("/v1/promotion_codes", &base).await.error()["param"], "expires_at");
    let short = id(&promotion(&stripe, "DAY", &[("expires_at", &hour)]).await);
    let long = id(&promotion(&stripe, "DAY", &[]).await);
    stripe.control("/_emulator/clock", json!({"advance_seconds": 3700})).await;
    assert_eq!(ids(&stripe.get("/v1/promotion_codes?active=true").await), std::slice::from_ref(&long));
    assert_eq!(ids(&stripe.get("/v1/promotion_codes?active=false").await), std::slice::from_ref(&short));
    stripe.control("/_emulator/clock", json!({"advance_seconds": 86_400})).await;
    assert_eq!(stripe.get("/v1/coupons/DAY").await["valid"], false);
    assert_eq!(stripe.get("/v1/coupons").await["data"][0]["valid"], false);
    let expand = "expand[]=promotion&expand[]=promotion.coupon";
    let expanded = stripe.get(&format!("/v1/promotion_codes/{long}?{expand}")).await;
    assert_eq!(
        (&expanded["active"], &expanded["promotion"]["coupon"]["valid"]),
        (&json!(false), &json!(false))
    );
    let reply = stripe.try_post(&format!("/v1/promotion_codes/{long}"), &[("active", "true")]).await;
    assert_eq!(reply.error()["param"], "active");
}

#[tokio::test]
async fn a_promotion_code_is_made_read_and_switched_off() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    coupon(&stripe, &[("id", "C")]).await;
    let more = [
        ("code", "Spring-26"),
        ("customer", customer.as_str()),
        ("max_redemptions", "5"),
        ("restrictions[first_time_transaction]", "true"),
        ("restrictions[minimum_amount]", "1000"),
        ("restrictions[minimum_amount_currency]", "usd"),
    ];
    let made = promotion(&stripe, "C", &more).await;
    let expected = json!({
        "id": made["id"], "object": "promotion_code", "active": true, "code": "Spring-26",
        "created": made["created"], "customer": customer, "customer_account": null, "expires_at": null,
        "livemode": false, "max_redemptions": 5, "metadata": {},
        "promotion": {"coupon": "C", "type": "coupon"},
        "restrictions": {
            "first_time_transaction": true, "minimum_amount": 1000, "minimum_amount_currency": "usd",
        },
        "times_redeemed": 0,
    });
    assert_eq!(made, expected);
    let path = format!("/v1/promotion_codes/{}", id(&made));
    let off = stripe.post(&path, &[("active", "false"), ("metadata[k]", "v")]).await;
    assert_eq!((&off["active"], &off["metadata"]), (&json!(false), &json!({"k": "v"})));
    let event = &stripe.get("/v1/events?type=promotion_code.updated").await["data"][0];
    assert_eq!(event["data"]["previous_attributes"], json!({"active": true, "metadata": {"k": null}}));
    assert_eq!(stripe.try_post(&path, &[("code", "X")]).await.error()["code"], "parameter_unknown");
    let missing = stripe.try_get("/v1/promotion_codes/promo_no").await;
    assert_eq!(missing.error()["message"], "No such promotion code: 'promo_no'");
    assert_eq!((missing.status, missing.error()["param"].as_str()), (404, Some("promotion_code")));
}

#[tokio::test]
async fn promotion_codes_are_found_by_what_is_known_of_them() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    coupon(&stripe, &[("id", "C")]).await;
    coupon(&stripe, &[("id", "D")]).await;
    let one = promotion(&stripe, "C", &[("code", "ONE"), ("customer", &customer)]).await;
    let two = promotion(&stripe, "D", &[]).await;
    let code = two["code"].as_str().unwrap();
    assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
    let cases = [
        ("code=one".to_owned(), id(&one)),
        (format!("code={}", code.to_lowercase()), id(&two)),
        ("coupon=D".to_owned(), id(&two)),
        (format!("customer={customer}"), id(&one)),
        ("active=true&limit=1".to_owned(), id(&two)),
    ];
    for (query, expected) in cases {
        assert_eq!(ids(&stripe.get(&format!("/v1/promotion_codes?{query}")).await), [expected], "{query}");
    }
    let unknown = stripe.try_get("/v1/promotion_codes?coupon=X").await;
    assert_eq!((unknown.status, unknown.error()["param"].as_str()), (400, Some("coupon")));
}

#[tokio::test]
async fn two_active_codes_are_never_the_same_for_one_customer() {
    let stripe = Stripe::start().await;
    let (ada, bob) = (stripe.customer().await, stripe.customer().await);
    coupon(&stripe, &[("id", "C")]).await;
    let base = [("promotion[type]", "coupon"), ("promotion[coupon]", "C"), ("code", "twice")];
    let everybodys = id(&promotion(&stripe, "C", &[("code", "TWICE")]).await);
    let reply = stripe.try_post("/v1/promotion_codes", &base).await;
    assert_eq!(reply.error()["message"], "An active promotion code with `code: twice` already exists.");
    stripe.post(&format!("/v1/promotion_codes/{everybodys}"), &[("active", "false")]).await;
    for customer in [&ada, &bob] {
        promotion(&stripe, "C", &[("code", "TWICE"), ("customer", customer)]).await;
    }
    let back = stripe.try_post(&format!("/v1/promotion_codes/{everybodys}"), &[("active", "true")]).await;
    assert_eq!(back.status, 400);
}

#[tokio::test]
async fn a_promotion_code_that_makes_no_sense_is_refused() {
    let stripe = Stripe::start().await;
    coupon(&stripe, &[("id", "C"), ("max_redemptions", "2")]).await;
    let no_promotion = stripe.try_post("/v1/promotion_codes", &[("code", "X")]).await;
    assert_eq!(no_promotion.error()["message"], "Missing required param: promotion.");
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[("promotion[coupon]", "NO")], "promotion[coupon]"),
        (&[("code", "a b")], "code"),
        (&[("customer", "cus_no")], "customer"),
        (&[("expires_at", "1000")], "expires_at"),
        (&[("expires_at", "4102444800")], "expires_at"),
        (&[("max_redemptions", "3")], "max_redemptions"),
        (&[("restrictions[minimum_amount]", "5")], "restrictions[minimum_amount_currency]"),
    ];
    for (more, param) in cases {
        let base = [("promotion[type]", "coupon"), ("promotion[coupon]", "C")];
        let kept: Vec<_> =
            base.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name)).collect();
        let reply = stripe.try_post("/v1/promotion_codes", &[&kept[..], more].concat()).await;
        assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some(param)));
    }
}
