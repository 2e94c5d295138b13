//! What coupons and promotion codes do to a purchase by API; `codes` has the checkout page.

use serde_json::{Value, json};

use crate::support::{GOOD, Reply, Stripe, id};

pub async fn coupon(stripe: &Stripe, id: &str, more: &[(&str, &str)]) {
    stripe.post("/v1/coupons", &[&[("id", id)], more].concat()).await;
}

pub async fn promotion(stripe: &Stripe, coupon: &str, code: &str, more: &[(&str, &str)]) -> String {
    let base = [("promotion[type]", "coupon"), ("promotion[coupon]", coupon), ("code", code)];
    id(&stripe.post("/v1/promotion_codes", &[&base, more].concat()).await)
}

/// A customer with a good card as their default.
pub async fn payer(stripe: &Stripe) -> String {
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
    assert_eq!(stripe.subscriptions(&customer).await.len(), 1);
    assert_eq!(stripe.get("/v1/coupons/TEN").await["times_redeemed"], 0);
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
    stripe.delete("/v1/coupons/C").await;
    let kept = stripe.get(&format!("{path}?expand[]=discounts.source.coupon")).await;
    let coupon = &kept["discounts"][0]["source"]["coupon"];
    assert_eq!((&coupon["percent_off"], &coupon["valid"]), (&json!(20), &json!(false)), "it goes on");
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

#[tokio::test]
async fn a_preview_takes_no_discount_that_stripe_has_elsewhere() {
    let stripe = Stripe::start().await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    coupon(&stripe, "C", &[("percent_off", "25")]).await;
    let fields = [
        ("customer", customer.as_str()),
        ("subscription_details[items][0][price]", price.as_str()),
        ("subscription_details[discounts][0][coupon]", "C"),
    ];
    let reply = stripe.try_post("/v1/invoices/create_preview", &fields).await;
    let param = reply.error()["param"].as_str();
    assert_eq!((reply.status, param), (400, Some("subscription_details[discounts]")));
}
