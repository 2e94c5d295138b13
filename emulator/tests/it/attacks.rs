//! Somebody who means harm: pages of other sites in the browser of whoever runs this, a name that is made to mean
//! this machine, addresses that are no place to go, numbers and forms that are too large.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Reply, Stripe, form, id};

impl Stripe {
    /// The status of a request as a browser sends it, with these headers.
    async fn sent_by_browser(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = self.http.request(method, self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// A price of so many cents a month.
    async fn price_at(&self, amount: &str) -> Reply {
        let product = id(&self.post("/v1/products", &[("name", "Pro")]).await);
        let fields = [
            ("product", product.as_str()),
            ("currency", "usd"),
            ("unit_amount", amount),
            ("recurring[interval]", "month"),
        ];
        self.try_post("/v1/prices", &fields).await
    }
}

/// What a browser says of a request that another site, or another program on this machine, makes it send.
const FOREIGN: [(&str, &str); 4] = [
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("origin", "http://evil.test"),
    ("origin", "null"),
];

#[tokio::test]
async fn other_sites_send_no_forms_to_the_pages_and_the_controls() {
    let stripe = Stripe::start().await;
    let (customer, session) = stripe.buy().await;
    let subscription = id(&stripe.only_subscription(&customer).await);
    let portal = stripe.portal_session(&customer, &[]).await;
    let portal = portal["url"].as_str().unwrap().replace(&stripe.url(""), "");
    let paths = [
        format!("{portal}/subscriptions/{subscription}/cancel"),
        format!("/c/pay/{}", id(&session)),
        format!("/i/{}", id(&stripe.invoices(&customer).await[0])),
        "/_emulator/reset".to_owned(),
    ];
    for header in FOREIGN {
        for path in &paths {
            assert_eq!(stripe.sent_by_browser(Method::POST, path, &[header]).await, 403, "{path} {header:?}");
        }
    }
    assert!(stripe.only_subscription(&customer).await["cancel_at"].is_null());
    let own = stripe.url("");
    for header in [("sec-fetch-site", "same-origin"), ("origin", own.as_str())] {
        assert_eq!(stripe.sent_by_browser(Method::POST, &paths[0], &[header]).await, 303, "{header:?}");
    }
    assert_eq!(stripe.sent_by_browser(Method::GET, &portal, &[FOREIGN[0]]).await, 200, "a link leads there");
}

#[tokio::test]
async fn a_name_that_is_made_to_mean_this_machine_does_not_reach_the_controls() {
    let stripe = Stripe::start().await;
    let port = stripe.url("").rsplit_once(':').unwrap().1.to_owned();
    let own = [("sec-fetch-site", "same-origin")];
    for name in ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test"] {
        let host = format!("{name}:{port}");
        for (method, path) in [(Method::GET, "/_emulator/events"), (Method::POST, "/_emulator/reset")] {
            let status = stripe.sent_by_browser(method, path, &[("host", &host), own[0]]).await;
            assert_eq!(status, 403, "{host}{path}");
        }
    }
    for host in [
        format!("localhost:{port}"),
        format!("shop.localhost:{port}"),
        format!("[::1]:{port}"),
        "LOCALHOST".to_owned(),
    ] {
        let status = stripe.sent_by_browser(Method::GET, "/_emulator/events", &[("host", &host)]).await;
        assert_eq!(status, 200, "{host}");
    }
}

#[tokio::test]
async fn addresses_that_are_no_place_to_go_are_refused() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let long = format!("https://shop.test/{}", "x".repeat(5_000));
    let odd = [
        "javascript:alert(1)",
        "https://shop.test/\r\nSet-Cookie: a=b",
        "https://",
        "http:///x",
        "https://shop test/",
        &long,
    ];
    for url in odd {
        for field in ["success_url", "cancel_url"] {
            let mut fields = vec![
                ("mode", "subscription"),
                ("line_items[0][price]", price.as_str()),
                ("line_items[0][quantity]", "1"),
            ];
            if field == "cancel_url" {
                fields.push(("success_url", "http://shop.test/"));
            }
            fields.push((field, url));
            let refused = stripe.try_post("/v1/checkout/sessions", &fields).await;
            assert_eq!((refused.status, &refused.error()["param"]), (400, &json!(field)), "{url}");
        }
        let fields = [("customer", customer.as_str()), ("return_url", url)];
        let refused = stripe.try_post("/v1/billing_portal/sessions", &fields).await;
        assert_eq!((refused.status, &refused.error()["param"]), (400, &json!("return_url")), "{url}");
    }
    let intent = id(&stripe.post("/v1/setup_intents", &[("customer", &customer)]).await);
    for url in
        ["javascript:alert(1)", " JavaScript://x/%0aalert(1)", "data:text/html,x", "https://shop.test/\n"]
    {
        let fields = [("payment_method", "pm_card_visa"), ("return_url", url)];
        let refused = stripe.try_post(&format!("/v1/setup_intents/{intent}/confirm"), &fields).await;
        assert_eq!((refused.status, &refused.error()["param"]), (400, &json!("return_url")), "{url}");
    }
    let button = stripe.url("/_emulator/panel/deliveries");
    let back = stripe.submit(&button, &[("mode", "normal"), ("back", "/_emulator/\r\nx: y")]).await;
    assert_eq!(back.headers()["location"], "/_emulator/panel?done=deliveries");
}

type Fields<'f> = &'f [(&'f str, &'f str)];

/// A quantity whose amounts no number holds.
const HUGE: &str = "9223372036854775807";

#[tokio::test]
async fn numbers_that_are_too_large_are_refused_everywhere() {
    let stripe = Stripe::start().await;
    assert_eq!(stripe.price_at(HUGE).await.error()["param"], "unit_amount");
    let dear = id(&stripe.price_at("99999999").await.body);
    let (customer, _) = stripe.buy().await;
    let subscription = id(&stripe.only_subscription(&customer).await);
    let item = "items[0][quantity]";
    let line = "line_items[0][quantity]";
    let asked: [(&str, Fields, &str); 5] = [
        ("/v1/subscriptions", &[("customer", &customer), ("items[0][price]", &dear), (item, HUGE)], item),
        ("/v1/subscriptions", &[("customer", &customer), ("items[0][price]", &dear), (item, "-1")], item),
        (
            "/v1/subscription_items",
            &[("subscription", &subscription), ("price", &dear), ("quantity", HUGE)],
            "quantity",
        ),
        (
            "/v1/checkout/sessions",
            &[
                ("mode", "subscription"),
                ("line_items[0][price]", &dear),
                (line, HUGE),
                ("success_url", "http://a.test/"),
            ],
            line,
        ),
        ("/v1/invoiceitems", &[("customer", &customer), ("currency", "usd"), ("amount", HUGE)], "amount"),
    ];
    for (path, fields, param) in asked {
        let refused = stripe.try_post(path, fields).await;
        assert_eq!((refused.status, &refused.error()["param"]), (400, &json!(param)), "{path} {fields:?}");
    }
}

#[tokio::test]
async fn a_quantity_that_no_number_holds_is_refused_in_the_portal_too() {
    let stripe = Stripe::start().await;
    let (customer, subscription, _) = stripe.halfway().await;
    let price = subscription["items"]["data"][0]["price"]["id"].as_str().unwrap().to_owned();
    let more = [("features[subscription_update][default_allowed_updates][1]", "quantity")];
    let configuration = id(&crate::portal_api::portal(&stripe, &[&price], &more).await);
    let session = stripe.portal_session(&customer, &[("configuration", &configuration)]).await;
    let page = format!(
        "{}/subscriptions/{}/update/confirm?price={price}&quantity=",
        session["url"].as_str().unwrap(),
        id(&subscription)
    );
    assert_eq!(stripe.look(&format!("{page}2")).await.0, 200);
    let (status, text) = stripe.look(&format!("{page}{HUGE}")).await;
    assert!(status == 400 && text.contains("quantity must be at least"), "{status} {text}");
}

#[tokio::test]
async fn a_form_of_too_many_fields_is_refused_and_not_worked_through() {
    let stripe = Stripe::start().await;
    let fields: Vec<(String, String)> =
        (0..6_000).map(|number| (format!("metadata[k{number}]"), "x".to_owned())).collect();
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let refused = stripe.try_post("/v1/customers", &fields).await;
    assert_eq!(refused.status, 400);
    assert!(refused.error()["message"].as_str().unwrap().contains("too many parameters"), "{}", refused.body);
    let request = stripe.http.post(stripe.url("/_emulator/clock"));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form(&fields));
    assert_eq!(request.send().await.unwrap().status(), 400);
}

/// What a person may call things: nothing of it becomes part of a page, or of an address.
#[tokio::test]
async fn odd_names_and_ids_stay_text_on_every_page() {
    let stripe = Stripe::start().await;
    let odd = "\"><script>alert(1)</script>/../?a=b&c#d";
    let customer = stripe.customer().await;
    stripe.post(&format!("/v1/customers/{customer}"), &[("name", odd), ("metadata[a]", odd)]).await;
    let product = id(&stripe.post("/v1/products", &[("id", "prod_<b>&\"x"), ("name", odd)]).await);
    let coupon = id(&stripe
        .post("/v1/coupons", &[("id", "<i>%2F\""), ("name", "<i>off"), ("percent_off", "10")])
        .await);
    let fields = [
        ("product", product.as_str()),
        ("currency", "usd"),
        ("unit_amount", "1200"),
        ("recurring[interval]", "month"),
    ];
    let price = id(&stripe.post("/v1/prices", &fields).await);
    let session = stripe.session(&customer, &price, &[("discounts[0][coupon]", &coupon)]).await;
    let checkout = session["url"].as_str().unwrap();
    let portal = stripe.portal_session(&customer, &[]).await;
    let pages = [
        checkout.to_owned(),
        portal["url"].as_str().unwrap().to_owned(),
        format!("{}/details", portal["url"].as_str().unwrap()),
        stripe.url("/p/session/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
        stripe.url(&format!("/_emulator/objects/customers/{customer}")),
        stripe.url("/_emulator/objects/products"),
        stripe.url("/_emulator/objects/coupons"),
        stripe.url("/_emulator/objects?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
    ];
    for page in pages {
        let (_, text) = stripe.look(&page).await;
        for raw in ["<script>alert", "<b>&", "<i>"] {
            assert!(!text.contains(raw), "{page} has {raw}");
        }
    }
    let refused = stripe.submit(checkout, &[("name", odd), ("card_number", odd), ("expiry", odd)]).await;
    assert!(!refused.text().await.unwrap().contains("<script>alert"));
}

/// Each door of somebody's portal, with the ids of somebody else.
#[tokio::test]
async fn ids_of_other_customers_open_nothing() {
    let stripe = Stripe::start().await;
    let (mine, _) = stripe.buy().await;
    let (other, _) = stripe.buy().await;
    let before: Value = stripe.only_subscription(&other).await;
    let card = before["default_payment_method"].as_str().unwrap().to_owned();
    let invoice = id(&stripe.invoices(&mine).await[0]);
    stripe.control(&format!("/_emulator/objects/invoices/{invoice}"), json!({"status": "open"})).await;
    let paid = stripe.submit(&stripe.url(&format!("/i/{invoice}")), &[("payment_method", &card)]).await;
    assert_eq!(paid.status(), 404);
    let home = stripe.portal_session(&mine, &[]).await["url"].as_str().unwrap().to_owned();
    let foreign = format!("{home}/subscriptions/{}", id(&before));
    for (path, fields) in [
        (format!("{foreign}/cancel"), vec![]),
        (format!("{foreign}/renew"), vec![]),
        (format!("{foreign}/card"), vec![("card", card.as_str())]),
        (format!("{home}/cards/{card}/default"), vec![]),
        (format!("{home}/cards/{card}/remove"), vec![]),
    ] {
        assert_eq!(stripe.submit(&path, &fields).await.status(), 404, "{path}");
    }
    let own = id(&stripe.only_subscription(&mine).await);
    let chosen = stripe.submit(&format!("{home}/subscriptions/{own}/card"), &[("card", &card)]).await;
    assert_eq!(chosen.status(), 404);
    assert_eq!(stripe.only_subscription(&other).await, before);
}
