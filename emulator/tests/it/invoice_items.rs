//! A subscription's items one at a time, amounts and invoices of one's own, and a pause of collection.

use serde_json::json;

use crate::changes::near;
use crate::support::{Stripe, id};
use crate::time::{DAY, HOUR, period};

#[tokio::test]
async fn items_come_and_go_one_at_a_time() {
    let stripe = Stripe::start().await;
    let (customer, subscription, item) = stripe.halfway().await;
    let extra = stripe.price_of("600", "month").await;
    let on = ("subscription", id(&subscription));
    let fields = [("price", extra.as_str()), ("quantity", "2"), (on.0, on.1.as_str())];
    let added = stripe.post("/v1/subscription_items", &fields).await;
    assert_eq!((added["object"].as_str(), added["quantity"].as_i64()), (Some("subscription_item"), Some(2)));
    near(stripe.pending_items(&customer).await[0]["amount"].as_i64().unwrap(), 600);
    let listed = stripe.get(&format!("/v1/subscription_items?subscription={}", on.1)).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    let path = format!("/v1/subscription_items/{}", id(&added));
    assert_eq!(stripe.get(&path).await, added);
    let updated = stripe.post(&path, &[("quantity", "3"), ("proration_behavior", "none")]).await;
    assert_eq!((updated["quantity"].as_i64(), stripe.pending_items(&customer).await.len()), (Some(3), 1));
    assert_eq!(stripe.delete(&path).await["deleted"], true);
    // What was debited, which is the share of two: the third was free.
    near(stripe.pending_items(&customer).await[0]["amount"].as_i64().unwrap(), -600);
    assert_eq!(stripe.try_get(&path).await.status, 404);

    let last = format!("/v1/subscription_items/{item}");
    let refused = stripe.send(reqwest::Method::DELETE, &last, &[], &[]).await.unwrap();
    assert_eq!((refused.status, refused.error()["param"].as_str()), (400, Some("items")));
    let twice = id(&stripe.only_subscription(&customer).await["items"]["data"][0]["price"]);
    let twice = stripe.try_post("/v1/subscription_items", &[("price", &twice), (on.0, &on.1)]).await;
    assert!(twice.error()["message"].as_str().unwrap().starts_with("Cannot add multiple subscription items"));
    let unknown =
        stripe.try_post(&format!("/v1/subscriptions/{}", on.1), &[("items[0][id]", "si_none")]).await;
    assert_eq!(unknown.error()["code"], "resource_missing");
}

#[tokio::test]
async fn an_amount_of_ones_own_goes_on_an_invoice_of_ones_own() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let fields = [
        ("customer", customer.as_str()),
        ("amount", "700"),
        ("currency", "usd"),
        ("description", "Setting up"),
    ];
    let item = stripe.post("/v1/invoiceitems", &fields).await;
    let path = format!("/v1/invoiceitems/{}", id(&item));
    let named = stripe.post(&path, &[("description", "Help"), ("metadata[by]", "ada")]).await;
    assert_eq!((&named["description"], &named["metadata"]["by"]), (&json!("Help"), &json!("ada")));
    let card = id(&stripe.get(&format!("/v1/customers/{customer}/payment_methods")).await["data"][0]);
    let fields = [
        ("customer", customer.as_str()),
        ("pending_invoice_items_behavior", "include"),
        ("default_payment_method", card.as_str()),
    ];
    let draft = stripe.post("/v1/invoices", &fields).await;
    assert_eq!(
        (&draft["status"], &draft["billing_reason"], &draft["total"]),
        (&json!("draft"), &json!("manual"), &json!(700))
    );
    let draft = id(&draft);
    let fields =
        [("customer", customer.as_str()), ("amount", "50"), ("currency", "usd"), ("invoice", draft.as_str())];
    let second = stripe.post("/v1/invoiceitems", &fields).await;
    let invoice = format!("/v1/invoices/{draft}");
    assert_eq!(stripe.get(&invoice).await["total"], 750);
    stripe.delete(&format!("/v1/invoiceitems/{}", id(&second))).await;
    assert_eq!(stripe.get(&invoice).await["total"], 700);
    stripe.pass(3 * HOUR).await;
    assert_eq!(stripe.get(&invoice).await["status"], "draft", "nobody finalises it");
    let paid = stripe.post(&format!("{invoice}/pay"), &[]).await;
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(700)));
    let bound = stripe.send(reqwest::Method::DELETE, &path, &[], &[]).await.unwrap();
    assert_eq!(bound.error()["code"], "invoice_not_editable");
    for (fields, param) in [
        (vec![("customer", customer.as_str())], "amount"),
        (vec![("customer", customer.as_str()), ("amount", "5")], "currency"),
        (vec![("amount", "5")], "customer"),
    ] {
        assert_eq!(stripe.try_post("/v1/invoiceitems", &fields).await.error()["param"], param);
    }
    let mine = id(&stripe.post("/v1/invoices", &[("customer", &customer)]).await);
    assert_eq!(stripe.delete(&format!("/v1/invoices/{mine}")).await["deleted"], true);
}

#[tokio::test]
async fn a_pause_of_collection_keeps_the_subscription_and_charges_nothing() {
    for (behavior, status) in
        [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
    {
        let stripe = Stripe::start().await;
        let (customer, _) = stripe.buy().await;
        let subscription = stripe.only_subscription(&customer).await;
        let (_, end) = period(&subscription);
        let path = format!("/v1/subscriptions/{}", id(&subscription));
        let until = (end + 2 * DAY).to_string();
        let fields =
            [("pause_collection[behavior]", behavior), ("pause_collection[resumes_at]", until.as_str())];
        assert_eq!(stripe.post(&path, &fields).await["pause_collection"]["behavior"], behavior);
        stripe.pass_until(end + HOUR).await;
        assert_eq!(stripe.invoices(&customer).await.remove(0)["status"], status);
        assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
        stripe.pass(3 * DAY).await;
        assert!(stripe.only_subscription(&customer).await["pause_collection"].is_null());
        assert_eq!(stripe.try_post(&path, &[("pause_collection[resumes_at]", "5")]).await.status, 400);
        stripe.post(&path, &[("pause_collection[behavior]", "void")]).await;
        assert!(stripe.post(&path, &[("pause_collection", "")]).await["pause_collection"].is_null());
    }
}
