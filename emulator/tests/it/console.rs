//! The console: what its pages contain.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use axum::http::StatusCode;
use reqwest::{Method, Response};
use serde_json::json;
use stripe_emulator::Options;

use crate::support::{Stripe, id, ids, options};

impl Stripe {
    /// A page of the console.
    pub async fn console(&self, path: &str) -> (StatusCode, String) {
        let response = self.http.get(self.url(path)).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    pub async fn page(&self, path: &str) -> String {
        let (status, page) = self.console(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {page}");
        page
    }

    /// Presses a button; gives where it leads.
    pub async fn press(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let response = self.submit(&self.url(path), fields).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}: {}", response.text().await.unwrap());
        location(&response)
    }
}

fn location(response: &Response) -> String {
    response.headers()["location"].to_str().unwrap().to_owned()
}

pub fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

#[tokio::test]
async fn empty_pages_say_what_to_do_next() {
    let stripe = Stripe::start().await;
    let page = stripe.page("/_emulator").await;
    has(
        &page,
        &["Nothing is stored yet", &stripe.emulator.url(), "stripe-emulator trigger", "<main", "<nav"],
    );
    has(&stripe.page("/_emulator/log").await, &["No request came yet", &stripe.emulator.url()]);
    has(&stripe.page("/_emulator/timeline").await, &["No event happened yet", "trigger customer.created"]);
    has(&stripe.page("/_emulator/objects/customers").await, &["There are no customers"]);
    has(&stripe.page("/_emulator/objects?q=nobody").await, &["Nothing has <code>nobody</code>"]);
    has(&stripe.page("/_emulator/panel").await, &["No fault waits"]);
    for path in ["objects/unicorns", "objects/customers/cus_none", "log/req_none", "timeline/evt_none"] {
        let (status, page) = stripe.console(&format!("/_emulator/{path}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        has(&page, &["<h1>Not found</h1>", "class=\"button\""]);
    }
}

#[tokio::test]
async fn objects_are_found_and_linked_along_their_ids() {
    let stripe = Stripe::start().await;
    let (customer, session) = stripe.buy().await;
    let subscription = id(&stripe.subscriptions(&customer).await[0]);
    let invoice = ids(&stripe.get("/v1/invoices").await).remove(0);
    let customer_link = format!("href=\"/_emulator/objects/customers/{customer}\"");
    let subscription_link = format!("href=\"/_emulator/objects/subscriptions/{subscription}\"");
    for wanted in ["ada@example.com", "ADA@EXAMPLE", customer.as_str()] {
        has(&stripe.page(&format!("/_emulator/objects?q={wanted}")).await, &[&customer_link]);
    }
    let by_id = stripe.page(&format!("/_emulator/objects?q={subscription}")).await;
    has(&by_id, &[&subscription_link]);
    assert!(!by_id.contains(&customer_link), "an id is one object's");
    has(
        &stripe.page("/_emulator/objects/subscriptions").await,
        &[&subscription_link, "active", "$12.00 a month"],
    );

    let page = stripe.page(&format!("/_emulator/objects/customers/{customer}")).await;
    let invoice_link = format!("href=\"/_emulator/objects/invoices/{invoice}\"");
    has(
        &page,
        &[&subscription_link, &invoice_link, "/_emulator/objects/payment_methods/pm_", "visa ending in 4242"],
    );
    has(&page, &["customer.created", "customer.subscription.created", "$12.00"]);
    let page = stripe.page(&format!("/_emulator/objects/subscriptions/{subscription}")).await;
    has(
        &page,
        &[&customer_link, &invoice_link, "/_emulator/objects/prices/price_", "customer.subscription.created"],
    );
    let page = stripe.page(&format!("/_emulator/objects/invoices/{invoice}")).await;
    has(&page, &[&format!("href=\"{}/i/{invoice}\"", stripe.emulator.url()), &subscription_link]);
    let open = stripe.session(&customer, &stripe.price().await, &[]).await;
    let page = stripe.page(&format!("/_emulator/objects/checkout_sessions/{}", id(&open))).await;
    has(&page, &[&format!("href=\"{}\"", open["url"].as_str().unwrap()), "Checkout page"]);
    assert_ne!(id(&open), id(&session));
}

#[tokio::test]
async fn lists_of_objects_have_pages() {
    let stripe = Stripe::start().await;
    let price = stripe.price().await;
    stripe.control("/_emulator/load", json!({"customers": 60, "price": price})).await;
    let first = stripe.page("/_emulator/objects/customers").await;
    has(
        &first,
        &[
            "cus_load00000059",
            "cus_load00000010",
            "href=\"/_emulator/objects/customers?after=cus_load00000010\"",
        ],
    );
    assert!(!first.contains("/cus_load00000009\""));
    let second = stripe.page("/_emulator/objects/customers?after=cus_load00000010").await;
    has(&second, &["/cus_load00000009\"", "/cus_load00000000\""]);
    assert!(!second.contains("/cus_load00000010\"") && !second.contains("?after="));
}

#[tokio::test]
async fn a_request_is_shown_with_what_it_said_and_caused() {
    let stripe = Stripe::start().await;
    let headers = [("idempotency-key", "key-<1>")];
    let fields = [("email", "ada@example.com"), ("metadata[userId]", "u1")];
    let reply = stripe.send(Method::POST, "/v1/customers", &fields, &headers).await.unwrap();
    let request = reply.header("request-id").to_owned();
    let event = ids(&stripe.get("/v1/events").await).remove(0);
    let page = stripe.page(&format!("/_emulator/log/{request}")).await;
    has(&page, &["POST /v1/customers", "key-&lt;1&gt;", "userId", "ada@example.com", &request]);
    has(&page, &[&format!("href=\"/_emulator/timeline/{event}\""), "customer.created"]);
    let event_page = stripe.page(&format!("/_emulator/timeline/{event}")).await;
    has(&event_page, &[&format!("href=\"/_emulator/log/{request}\""), "No endpoint wanted this event"]);

    let refused = stripe.try_post("/v1/customers", &[("colour", "red")]).await;
    let url = refused.error()["request_log_url"].as_str().unwrap();
    let to = location(&stripe.http.get(url).send().await.unwrap());
    assert_eq!(to, format!("/_emulator/log/{}", refused.header("request-id")));
    has(&stripe.page(&to).await, &["Received unknown parameter: colour", "400", "It caused no event"]);
    let failed = stripe.page("/_emulator/log?only=failed").await;
    has(&failed, &["{&quot;colour&quot;:&quot;red&quot;}"]);
    assert!(failed.contains(&to) && !failed.contains(&request));
    let by_key = stripe.page("/_emulator/log?path=key-%3C1%3E").await;
    assert!(by_key.contains(&request) && !by_key.contains(&to));
    assert!(!stripe.page("/_emulator/log?path=/v1/prices").await.contains("req_"));
}

#[tokio::test]
async fn what_apps_write_is_text_to_the_pages() {
    let stripe = Stripe::start().await;
    let evil = "<script>alert(\"1\")</script>";
    let fields = [("name", evil), ("metadata[x\"><i>]", evil)];
    let customer = id(&stripe.post("/v1/customers", &fields).await);
    stripe.post("/v1/products", &[("name", evil), ("id", "a/b?c=\"<i>#%")]).await;
    let product = "a%2Fb%3Fc%3D%22%3Ci%3E%23%25";
    let link = format!("href=\"/_emulator/objects/products/{product}\"");
    has(&stripe.page("/_emulator/objects/products").await, &[&link]);
    has(&stripe.page("/_emulator/timeline").await, &["a/b?c=&quot;&lt;i&gt;#%"]);
    stripe.try_get("/v1/<script>/x?a=<script>").await;
    let paths = [
        "/_emulator".to_owned(),
        "/_emulator/log".to_owned(),
        "/_emulator/timeline?type=%3Cscript%3E".to_owned(),
        "/_emulator/log?path=%22%3E%3Cscript%3E".to_owned(),
        "/_emulator/objects?q=%3Cscript%3E".to_owned(),
        format!("/_emulator/objects/customers/{customer}"),
        format!("/_emulator/objects/products/{product}"),
        "/_emulator/objects/customers".to_owned(),
        "/_emulator/objects/customers/%3Cscript%3E%2F%22".to_owned(),
        "/_emulator/objects/%3Cscript%3E".to_owned(),
        "/_emulator/log/%3Cscript%3E".to_owned(),
        "/_emulator/timeline/%3Cscript%3E".to_owned(),
    ];
    for path in paths {
        let (_, page) = stripe.console(&path).await;
        assert!(
            page.contains("&lt;script&gt;") || ["/_emulator", "/_emulator/log"].contains(&path.as_str()),
            "{path}: {page}"
        );
        assert!(!page.contains("<script>") && !page.contains("<i>"), "{path}: {page}");
    }
    let response = stripe.http.get(stripe.url("/_emulator?request=a%2F..%2F%22%3Cb")).send().await.unwrap();
    assert_eq!(location(&response), "/_emulator/log/a%2F..%2F%22%3Cb");
}

#[tokio::test]
async fn the_live_parts_and_the_script_are_there_and_nothing_from_elsewhere() {
    let stripe = Stripe::start().await;
    stripe.customer().await;
    let response = stripe.http.get(stripe.url("/_emulator")).send().await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    let page = response.text().await.unwrap();
    has(&page, &["id=\"now\" data-live", "id=\"requests\" data-live", "id=\"events\" data-live"]);
    for (path, content_type) in
        [("console.js", "text/javascript"), ("console.css", "text/css"), ("icon.svg", "image/svg+xml")]
    {
        has(&page, &[&format!("\"/_emulator/{path}\"")]);
        let asset = stripe.http.get(stripe.url(&format!("/_emulator/{path}"))).send().await.unwrap();
        assert_eq!(asset.status(), StatusCode::OK);
        assert!(asset.headers()["content-type"].to_str().unwrap().starts_with(content_type));
    }
    has(&stripe.page("/_emulator/console.js").await, &["data-live", "document.hidden"]);
}

#[tokio::test]
async fn other_machines_see_nothing() {
    let stripe = Stripe::with(Options { listen: SocketAddr::from(([0, 0, 0, 0], 0)), ..options() }).await;
    let port = stripe.emulator.url().rsplit_once(':').unwrap().1.to_owned();
    // The address that this machine has towards others; who comes from it is not local.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let outward =
        socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()).map(|address| address.ip());
    for (ip, status) in
        [(Ok(IpAddr::from(Ipv4Addr::LOCALHOST)), StatusCode::OK), (outward, StatusCode::FORBIDDEN)]
    {
        // A machine without a network has no such address.
        let Ok(ip) = ip else { continue };
        for path in ["", "/log", "/objects", "/panel", "/console.js"] {
            let response =
                stripe.http.get(format!("http://{ip}:{port}/_emulator{path}")).send().await.unwrap();
            assert_eq!(response.status(), status, "{ip} {path}");
        }
    }
}
