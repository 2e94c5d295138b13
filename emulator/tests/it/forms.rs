//! Parameters, keys, versions and errors: everything a request meets before its resource.

use reqwest::Method;

use crate::support::Stripe;

#[tokio::test]
async fn nested_parameters_arrive_in_every_spelling() {
    let stripe = Stripe::start().await;
    let price = stripe.price().await;
    let body = format!(
        "mode=subscription&line_items[][price]={price}&line_items[][quantity]=2&success_url=http://a.b"
    );
    let request = stripe.http.post(stripe.url("/v1/checkout/sessions")).bearer_auth("sk_test_emulator");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let encoded = format!(
        "/v1/prices?expand%5B0%5D=data.product&lookup_keys%5B%5D=none&product={}",
        stripe.get(&format!("/v1/prices/{price}")).await["product"].as_str().unwrap()
    );
    assert_eq!(stripe.get(&encoded).await["data"].as_array().unwrap().len(), 0);
    let list = stripe.get("/v1/prices?expand%5B0%5D=data.product").await;
    assert_eq!(list["data"][0]["product"]["name"], "Pro");
}

#[tokio::test]
async fn unknown_parameters_are_refused_by_their_full_name() {
    let stripe = Stripe::start().await;
    let reply = stripe.try_post("/v1/customers", &[("email", "a@b.c"), ("nonsense", "1")]).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.error()["code"], "parameter_unknown");
    assert_eq!(reply.error()["message"], "Received unknown parameter: nonsense");
    assert_eq!(reply.error()["param"], "nonsense");
    assert_eq!(stripe.get("/v1/customers").await["data"].as_array().unwrap().len(), 0);

    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let fields = [
        ("mode", "subscription"),
        ("customer", customer.as_str()),
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][colour]", "red"),
        ("success_url", "http://a.b"),
    ];
    let reply = stripe.try_post("/v1/checkout/sessions", &fields).await;
    assert_eq!(reply.error()["message"], "Received unknown parameter: line_items[0][colour]");
    let fields =
        [&fields[..4], &[("success_url", "http://a.b"), ("payment_method_types[0]", "card")]].concat();
    let reply = stripe.try_post("/v1/checkout/sessions", &fields).await;
    assert_eq!(reply.error()["param"], "payment_method_types");
}

#[tokio::test]
async fn wrong_values_name_the_parameter() {
    let stripe = Stripe::start().await;
    let cases = [
        ("/v1/customers?limit=x", "parameter_invalid_integer", "limit"),
        ("/v1/customers?limit=101", "parameter_invalid_integer", "limit"),
        ("/v1/customers?starting_after=cus_none", "resource_missing", "starting_after"),
        ("/v1/customers/search", "parameter_missing", "query"),
    ];
    for (path, code, param) in cases {
        let reply = stripe.try_get(path).await;
        assert_eq!(reply.status, 400, "{path}");
        assert_eq!(reply.error()["type"], "invalid_request_error", "{path}");
        assert_eq!(
            (reply.error()["code"].as_str(), reply.error()["param"].as_str()),
            (Some(code), Some(param))
        );
        assert!(
            reply.error()["doc_url"].as_str().unwrap().starts_with("https://docs.stripe.com/error-codes/")
        );
        let request_id = reply.header("request-id").to_owned();
        assert!(request_id.starts_with("req_"));
        assert!(reply.error()["request_log_url"].as_str().unwrap().contains(&request_id));
    }
    let reply = stripe.try_post("/v1/products", &[("name", "")]).await;
    assert_eq!(reply.error()["code"], "parameter_invalid_empty");
    let reply = stripe.try_get("/v1/products?active=maybe").await;
    assert_eq!(reply.error()["message"], "Invalid boolean: maybe");
    assert_eq!((reply.error()["param"].as_str(), reply.error().get("code")), (Some("active"), None));
}

#[tokio::test]
async fn the_key_is_taken_as_bearer_and_as_basic_and_nothing_else() {
    let stripe = Stripe::start().await;
    let url = stripe.url("/v1/account");
    let basic = stripe.http.get(&url).basic_auth("sk_test_emulator", Some("")).send().await.unwrap();
    assert_eq!(basic.status(), 200);
    let none = stripe.http.get(&url).send().await.unwrap();
    assert_eq!(none.status(), 401);
    assert!(none.text().await.unwrap().contains("You did not provide an API key."));
    let wrong = stripe.http.get(&url).bearer_auth("sk_test_abcdefghijkl").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert!(wrong.text().await.unwrap().contains("Invalid API Key provided: sk_test_********ijkl"));
}

#[tokio::test]
async fn only_the_one_version_is_served() {
    let stripe = Stripe::start().await;
    for (version, status) in [("2026-09-30.endive", 200), ("2025-03-31.basil", 400)] {
        let headers = [("stripe-version", version)];
        let reply = stripe.send(Method::GET, "/v1/account", &[], &headers).await.unwrap();
        assert_eq!(reply.status, status, "{version}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_made_up() {
    let stripe = Stripe::start().await;
    let reply = stripe.try_get("/v1/quotes").await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.error()["type"], "invalid_request_error");
    assert!(
        reply.error()["message"].as_str().unwrap().starts_with("Unrecognized request URL (GET: /v1/quotes).")
    );
    let reply = stripe.try_get("/v1/customers/").await;
    assert_eq!(reply.status, 404, "an empty id is not a list");
    assert!(reply.error()["message"].as_str().unwrap().contains("remove the trailing slash"));
    assert_eq!(stripe.try_get("/api/v1/customers").await.error()["type"], "invalid_request_error");
    let too_much = "x".repeat(1_100_000);
    assert_eq!(
        stripe.try_post("/v1/customers", &[("name", &too_much)]).await.error()["type"],
        "invalid_request_error"
    );
    let reply = stripe.send(Method::DELETE, "/v1/account", &[], &[]).await.unwrap();
    assert_eq!(reply.status, 404);
    let reply = stripe.try_get("/v1/customers/cus_none").await;
    assert_eq!((reply.status, reply.error()["code"].as_str()), (404, Some("resource_missing")));
    assert_eq!(reply.error()["message"], "No such customer: 'cus_none'");
}
