//! Refunds that pend or fail, as two test cards make them, and tax ids.

use serde_json::{Value, json};

use crate::support::{Stripe, id, ids};

/// The charge of a subscription that was paid with this card.
async fn charge(stripe: &Stripe, token: &str) -> String {
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let card = stripe.post(&format!("/v1/payment_methods/{token}/attach"), &[("customer", &customer)]).await;
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("default_payment_method", card["id"].as_str().unwrap()),
    ];
    assert_eq!(stripe.post("/v1/subscriptions", &fields).await["status"], "active");
    id(&stripe.get(&format!("/v1/charges?customer={customer}")).await["data"][0])
}

#[tokio::test]
async fn a_pending_refund_succeeds_after_a_while() {
    let stripe = Stripe::start().await;
    let charge = charge(&stripe, "pm_card_pendingRefund").await;
    let refund = stripe.post("/v1/refunds", &[("charge", &charge), ("amount", "500")]).await;
    assert_eq!((&refund["status"], &refund["pending_reason"]), (&json!("pending"), &json!("processing")));
    let path = format!("/v1/refunds/{}", id(&refund));
    let cancel = stripe.try_post(&format!("{path}/cancel"), &[]).await;
    assert_eq!(cancel.error()["message"], "Canceling this refund is unsupported.");
    let count = stripe.event_count().await;
    stripe.pass(61).await;
    assert_eq!(stripe.events_since(count).await, ["charge.refund.updated", "refund.updated"]);
    let told = &stripe.get("/v1/events?type=refund.updated").await["data"][0]["data"];
    assert_eq!(told["previous_attributes"], json!({"status": "pending"}));
    let now = stripe.get(&path).await;
    assert_eq!((&now["status"], now.get("pending_reason")), (&json!("succeeded"), None));
    assert_eq!(stripe.get(&format!("/v1/charges/{charge}")).await["amount_refunded"], 500);
    stripe.pass(3_600).await;
    assert_eq!(stripe.event_count().await, count + 2, "it settles once");
}

#[tokio::test]
async fn a_refund_that_fails_can_be_tried_again() {
    let stripe = Stripe::start().await;
    let charge = charge(&stripe, "pm_card_refundFail").await;
    let refund = stripe.post("/v1/refunds", &[("charge", &charge)]).await;
    assert_eq!(refund["status"], "succeeded");
    let path = format!("/v1/charges/{charge}");
    assert_eq!(stripe.get(&path).await["refunded"], true);
    let count = stripe.event_count().await;
    stripe.pass(61).await;
    let expected = ["charge.refund.updated", "refund.updated", "refund.failed", "charge.updated"];
    assert_eq!(stripe.events_since(count).await, expected);
    let failed = stripe.get(&format!("/v1/refunds/{}", id(&refund))).await;
    assert_eq!((&failed["status"], &failed["failure_reason"]), (&json!("failed"), &json!("unknown")));
    let now = stripe.get(&path).await;
    assert_eq!((&now["refunded"], &now["amount_refunded"]), (&json!(false), &json!(0)));
    stripe.post("/v1/refunds", &[("charge", &charge)]).await;
}

#[tokio::test]
async fn a_refund_on_a_test_clock_waits_for_that_clock() {
    let stripe = Stripe::start().await;
    let clock = id(&stripe.post("/v1/test_helpers/test_clocks", &[("frozen_time", "2000000000")]).await);
    let customer = id(&stripe.post("/v1/customers", &[("test_clock", &clock)]).await);
    let (price, own) = (stripe.price().await, [("customer", customer.as_str())]);
    let card = id(&stripe.post("/v1/payment_methods/pm_card_pendingRefund/attach", &own).await);
    let fields = [own[0], ("items[0][price]", &price), ("default_payment_method", &card)];
    stripe.post("/v1/subscriptions", &fields).await;
    let charge = id(&stripe.get(&format!("/v1/charges?customer={customer}")).await["data"][0]);
    let refund = stripe.post("/v1/refunds", &[("charge", &charge)]).await;
    assert_eq!(refund["created"], 2_000_000_000);
    stripe.pass(3_600).await;
    let path = format!("/v1/refunds/{}", id(&refund));
    assert_eq!(stripe.get(&path).await["status"], "pending");
    let advance = format!("/v1/test_helpers/test_clocks/{clock}/advance");
    stripe.post(&advance, &[("frozen_time", "2000000090")]).await;
    assert_eq!(stripe.get(&path).await["status"], "succeeded");
}

#[tokio::test]
async fn tax_ids_are_the_customers_and_stand_on_their_invoices() {
    let stripe = Stripe::start().await;
    let fields = [("tax_id_data[0][type]", "us_ein"), ("tax_id_data[0][value]", "12-3456789")];
    let customer = id(&stripe.post("/v1/customers", &fields).await);
    let path = format!("/v1/customers/{customer}/tax_ids");
    let other = stripe.customer().await;
    let count = stripe.event_count().await;
    let german = stripe.post(&path, &[("type", "eu_vat"), ("value", "DE123456789")]).await;
    assert_eq!((&german["country"], &german["verification"]["status"]), (&json!("DE"), &json!("pending")));
    let invoice = stripe.post("/v1/invoices", &[("customer", &customer)]).await;
    let shown =
        json!([{"type": "us_ein", "value": "12-3456789"}, {"type": "eu_vat", "value": "DE123456789"}]);
    assert_eq!(invoice["customer_tax_ids"], shown);
    let list = stripe.get(&path).await;
    assert_eq!((ids(&list).len(), ids(&list)[0].clone()), (2, id(&german)));
    let expanded = stripe.get(&format!("/v1/customers/{customer}?expand[]=tax_ids")).await;
    assert_eq!(ids(&expanded["tax_ids"]), ids(&list));
    let own = format!("{path}/{}", id(&german));
    assert_eq!(stripe.get(&own).await, german);
    let elsewhere = stripe.try_get(&format!("/v1/customers/{other}/tax_ids/{}", id(&german))).await;
    assert_eq!(elsewhere.status, 404);
    assert_eq!(stripe.delete(&own).await["deleted"], true);
    assert_eq!(stripe.try_get(&own).await.status, 404);
    let types: Vec<String> = stripe.events_since(count).await;
    assert_eq!(types, ["customer.tax_id.created", "invoice.created", "customer.tax_id.deleted"]);
    for (fields, param) in
        [(vec![("type", "eu_vat")], "value"), (vec![("type", "vat"), ("value", "1")], "type")]
    {
        assert_eq!(stripe.try_post(&path, &fields).await.error()["param"], param);
    }
    for at in 0..4 {
        stripe.post(&path, &[("type", "eu_vat"), ("value", &format!("FR{at}"))]).await;
    }
    assert_eq!(stripe.try_post(&path, &[("type", "eu_vat"), ("value", "FR9")]).await.status, 400);
    stripe.delete(&format!("/v1/customers/{customer}")).await;
    let gone: Value = stripe.try_get(&path).await.body;
    assert_eq!(gone["error"]["code"], "resource_missing");
}
