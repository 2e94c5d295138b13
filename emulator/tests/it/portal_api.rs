//! The portal's configurations and sessions, as an app makes them.

use serde_json::{Value, json};

use crate::support::{Reply, Stripe, id};

/// A portal that offers everything, with these prices of the only product.
pub async fn portal(stripe: &Stripe, prices: &[&str], more: &[(&str, &str)]) -> Value {
    let product = stripe.get(&format!("/v1/prices/{}", prices[0])).await["product"].clone();
    let names: Vec<String> = (0..prices.len())
        .map(|i| format!("features[subscription_update][products][0][prices][{i}]"))
        .collect();
    let mut fields = vec![
        ("features[payment_method_update][enabled]", "true"),
        ("features[invoice_history][enabled]", "true"),
        ("features[customer_update][enabled]", "true"),
        ("features[customer_update][allowed_updates][]", "email"),
        ("features[subscription_cancel][enabled]", "true"),
        ("features[subscription_update][enabled]", "true"),
        ("features[subscription_update][default_allowed_updates][]", "price"),
        ("features[subscription_update][proration_behavior]", "always_invoice"),
        ("features[subscription_update][products][0][product]", product.as_str().unwrap()),
    ];
    fields.extend(names.iter().map(String::as_str).zip(prices.iter().copied()));
    fields.extend_from_slice(more);
    stripe.post("/v1/billing_portal/configurations", &fields).await
}

impl Stripe {
    pub async fn portal_session(&self, customer: &str, more: &[(&str, &str)]) -> Value {
        let mut fields = vec![("customer", customer), ("return_url", "http://shop.test/account")];
        fields.extend_from_slice(more);
        self.post("/v1/billing_portal/sessions", &fields).await
    }

    async fn try_configuration(&self, fields: &[(&str, &str)]) -> Reply {
        self.try_post("/v1/billing_portal/configurations", fields).await
    }
}

fn message(reply: &Reply) -> &str {
    reply.error()["message"].as_str().unwrap()
}

#[tokio::test]
async fn a_default_configuration_is_there_from_the_start() {
    let stripe = Stripe::start().await;
    let all = stripe.get("/v1/billing_portal/configurations?is_default=true").await;
    let default = &all["data"][0];
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
    assert_eq!((&default["is_default"], &default["active"]), (&json!(true), &json!(true)));
    assert_eq!(default["features"]["subscription_cancel"]["mode"], "at_period_end");
    assert_eq!(default["features"]["subscription_update"]["enabled"], false);
    let customer = stripe.customer().await;
    let session = stripe.portal_session(&customer, &[]).await;
    assert_eq!(session["configuration"], default["id"]);
    let path = format!("/v1/billing_portal/configurations/{}", id(default));
    assert_eq!(stripe.get(&path).await, *default);
    assert_eq!(stripe.try_post(&path, &[("active", "false")]).await.status, 400);
    let changed = stripe.post(&path, &[("features[subscription_cancel][mode]", "immediately")]).await;
    assert_eq!(changed["features"]["subscription_cancel"]["mode"], "immediately");
    assert_eq!(changed["features"]["invoice_history"]["enabled"], true, "what is not named stays");
}

#[tokio::test]
async fn a_configuration_is_made_changed_listed_and_told_of() {
    let stripe = Stripe::start().await;
    let price = stripe.price().await;
    let yearly = stripe.price_of("12000", "year").await;
    let made = portal(&stripe, &[&price, &yearly], &[("metadata[a]", "b"), ("name", "Pro")]).await;
    assert_eq!((&made["object"], &made["name"]), (&json!("billing_portal.configuration"), &json!("Pro")));
    assert_eq!((&made["is_default"], &made["metadata"]), (&json!(false), &json!({ "a": "b" })));
    let update = &made["features"]["subscription_update"];
    assert!(update.get("products").is_none(), "products are left out until they are asked for");
    let path = format!("/v1/billing_portal/configurations/{}", id(&made));
    let expanded = stripe.get(&format!("{path}?expand[]=features.subscription_update.products")).await;
    let products = &expanded["features"]["subscription_update"]["products"];
    assert_eq!(products[0]["prices"], json!([price, yearly]));
    assert_eq!(
        products[0]["adjustable_quantity"],
        json!({ "enabled": false, "maximum": null, "minimum": 1 })
    );
    let off =
        stripe.post(&path, &[("active", "false"), ("features[subscription_update][products]", "")]).await;
    assert_eq!(off["active"], false);
    let expanded = stripe.get(&format!("{path}?expand[]=features.subscription_update.products")).await;
    assert_eq!(expanded["features"]["subscription_update"]["products"], json!([]));
    let active = stripe.get("/v1/billing_portal/configurations?active=true").await;
    assert!(active["data"].as_array().unwrap().iter().all(|it| it["id"] != made["id"]));
    let types = stripe.event_types().await;
    assert!(types.ends_with(&[
        "billing_portal.configuration.created".to_owned(),
        "billing_portal.configuration.updated".to_owned()
    ]));
    let customer = stripe.customer().await;
    let fields = [("customer", customer.as_str()), ("configuration", made["id"].as_str().unwrap())];
    let refused = stripe.try_post("/v1/billing_portal/sessions", &fields).await;
    assert!(message(&refused).contains("is not active"), "{}", refused.body);
}

#[tokio::test]
async fn what_stripe_would_refuse_is_refused() {
    let stripe = Stripe::start().await;
    let price = stripe.price().await;
    let other = stripe.price_of("2400", "month").await;
    let product = stripe.get(&format!("/v1/prices/{price}")).await["product"].as_str().unwrap().to_owned();
    let update = "features[subscription_update]";
    let (first, second) =
        (format!("{update}[products][0][prices][0]"), format!("{update}[products][0][prices][1]"));
    let of = format!("{update}[products][0][product]");
    let same = [
        ("features[subscription_update][enabled]", "true"),
        ("features[payment_method_update][enabled]", "true"),
        (of.as_str(), product.as_str()),
        (first.as_str(), price.as_str()),
        (second.as_str(), other.as_str()),
    ];
    let refused = stripe.try_configuration(&same).await;
    assert_eq!(refused.status, 400);
    assert!(message(&refused).contains("distinct billing intervals"), "{}", refused.body);
    let refused = stripe.try_configuration(&[same[0]]).await;
    assert_eq!(
        message(&refused),
        "Cannot enable subscription updates while payment method update is disabled."
    );
}

#[tokio::test]
async fn what_is_missing_or_not_here_is_named() {
    let stripe = Stripe::start().await;
    assert_eq!(stripe.try_configuration(&[("name", "x")]).await.error()["param"], "features");
    let on = [
        ("features[invoice_history][enabled]", "true"),
        ("features[customer_update][enabled]", "true"),
        ("features[subscription_cancel][enabled]", "true"),
        ("features[subscription_update][enabled]", "false"),
    ];
    let silent = stripe.try_configuration(&[("features[subscription_cancel][mode]", "immediately")]).await;
    assert_eq!(silent.error()["param"], "features[subscription_cancel][enabled]");
    for (name, value, param) in [
        ("login_page[enabled]", "true", "login_page[enabled]"),
        ("default_return_url", "shop", "default_return_url"),
        ("features[subscription_pause][enabled]", "true", "features[subscription_pause]"),
        (
            "features[customer_update][allowed_updates][]",
            "shoes",
            "features[customer_update][allowed_updates][0]",
        ),
        (
            "features[subscription_cancel][proration_behavior]",
            "create_prorations",
            "features[subscription_cancel][proration_behavior]",
        ),
        (
            "features[subscription_update][schedule_at_period_end][conditions][0][type]",
            "full_moon",
            "features[subscription_update][schedule_at_period_end][conditions][0][type]",
        ),
    ] {
        let refused = stripe.try_configuration(&[&on[..], &[(name, value)]].concat()).await;
        assert_eq!(refused.error()["param"], param, "{}", refused.body);
    }
}

#[tokio::test]
async fn a_session_has_stripes_fields_and_is_told_of() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let subscription = id(&stripe.subscriptions(&customer).await[0]);
    let session = stripe
        .portal_session(
            &customer,
            &[
                ("locale", "de"),
                ("flow_data[type]", "subscription_cancel"),
                ("flow_data[subscription_cancel][subscription]", &subscription),
                ("flow_data[after_completion][type]", "redirect"),
                ("flow_data[after_completion][redirect][return_url]", "http://shop.test/bye"),
            ],
        )
        .await;
    assert!(id(&session).starts_with("bps_"));
    assert!(session["url"].as_str().unwrap().starts_with(&stripe.url("/p/session/")));
    let expected = json!({
        "after_completion": {
            "hosted_confirmation": null, "redirect": { "return_url": "http://shop.test/bye" }, "type": "redirect",
        },
        "customer_update": null,
        "subscription_cancel": { "retention": null, "subscription": subscription },
        "subscription_update": null,
        "subscription_update_confirm": null,
        "type": "subscription_cancel",
    });
    assert_eq!((&session["flow"], &session["locale"]), (&expected, &json!("de")));
    for field in ["customer_account", "on_behalf_of"] {
        assert!(session.as_object().unwrap().contains_key(field) && session[field].is_null());
    }
    assert_eq!(stripe.event_types().await.last().unwrap(), "billing_portal.session.created");
}

#[tokio::test]
async fn a_flow_that_cannot_be_is_refused_when_the_session_is_made() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let subscription = stripe.only_subscription(&customer).await;
    let (sub, item) = (id(&subscription), id(&subscription["items"]["data"][0]));
    let price = subscription["items"]["data"][0]["price"]["id"].as_str().unwrap().to_owned();
    let other = stripe.price_of("12000", "year").await;
    let of = async |fields: &[(&str, &str)]| {
        let fields = [&[("customer", customer.as_str())], fields].concat();
        stripe.try_post("/v1/billing_portal/sessions", &fields).await
    };
    let update =
        [("flow_data[type]", "subscription_update"), ("flow_data[subscription_update][subscription]", &sub)];
    assert_eq!(
        message(&of(&update).await),
        "This subscription cannot be updated because the subscription update feature in the portal configuration is disabled."
    );
    let only = portal(&stripe, &[&price], &[]).await;
    let confirm = |price: &str| {
        [
            ("configuration", id(&only)),
            ("flow_data[type]", "subscription_update_confirm".to_owned()),
            ("flow_data[subscription_update_confirm][subscription]", sub.clone()),
            ("flow_data[subscription_update_confirm][items][0][id]", item.clone()),
            ("flow_data[subscription_update_confirm][items][0][price]", price.to_owned()),
        ]
    };
    for (price, words) in [(&price, "there are no changes to confirm"), (&other, "is not in the portal")] {
        let fields = confirm(price);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let refused = of(&fields).await;
        assert!(message(&refused).contains(words), "{}", refused.body);
    }
}

#[tokio::test]
async fn a_flow_is_for_a_subscription_of_ones_own_that_goes_on() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let sub = id(&stripe.only_subscription(&customer).await);
    let of = async |fields: &[(&str, &str)]| {
        let fields = [&[("customer", customer.as_str())], fields].concat();
        stripe.try_post("/v1/billing_portal/sessions", &fields).await
    };
    let stranger = stripe.customer().await;
    let cancel =
        [("flow_data[type]", "subscription_cancel"), ("flow_data[subscription_cancel][subscription]", &sub)];
    let fields = [&[("customer", stranger.as_str())], &cancel[..]].concat();
    let refused = stripe.try_post("/v1/billing_portal/sessions", &fields).await;
    assert_eq!(refused.error()["code"], "resource_missing");
    stripe.post(&format!("/v1/subscriptions/{sub}"), &[("cancel_at_period_end", "true")]).await;
    assert!(message(&of(&cancel).await).contains("already set to be canceled"));
    let unknown = of(&[("configuration", "bpc_none")]).await;
    assert_eq!(message(&unknown), "No such configuration: 'bpc_none'");
    assert_eq!(of(&[("on_behalf_of", "acct_1")]).await.error()["param"], "on_behalf_of");
}
