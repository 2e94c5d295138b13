//! Invoices that are paid late, in another order, or never: what the subscription is meanwhile, and afterwards.

use serde_json::{Value, json};

use crate::support::{Stripe, id};
use crate::time::{DAY, HOUR, period};

async fn pay(stripe: &Stripe, invoice: &Value) -> Value {
    stripe.post(&format!("/v1/invoices/{}/pay", id(invoice)), &[]).await
}

/// Somebody who pays by the week, and whose second week was not paid; the invoice that is open.
async fn week_late(stripe: &Stripe) -> (String, Value) {
    let customer = stripe.customer().await;
    stripe.price().await;
    let price = stripe.price_of("300", "week").await;
    let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("default_payment_method", card["id"].as_str().unwrap()),
    ];
    stripe.post("/v1/subscriptions", &fields).await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    stripe.pass(7 * DAY + 2 * HOUR).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "past_due");
    let open = stripe.invoices(&customer).await.remove(0);
    (customer, open)
}

/// "Payment on the latest finalized invoice either failed or wasn't attempted" is what `past_due` means.
#[tokio::test]
async fn an_old_debt_does_not_make_a_subscription_late_whose_latest_invoice_is_paid() {
    let stripe = Stripe::start().await;
    let (customer, old) = week_late(&stripe).await;
    // The try after three days fails, the next week is paid, the try after five more days fails.
    stripe.pass(5 * DAY).await;
    stripe.change_card(&customer, "pm_card_visa").await;
    stripe.pass(2 * DAY + HOUR).await;
    let now = stripe.only_subscription(&customer).await;
    assert_eq!(now["status"], "active");
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    stripe.pass(2 * DAY).await;
    let old = stripe.get(&format!("/v1/invoices/{}", id(&old))).await;
    assert_eq!((&old["status"], &old["attempt_count"]), (&json!("open"), &json!(3)));
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
    stripe.change_card(&customer, "pm_card_visa").await;
    assert_eq!(pay(&stripe, &old).await["status"], "paid");
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
}

#[tokio::test]
async fn a_debt_that_is_paid_while_the_next_invoice_is_a_draft_is_paid() {
    let stripe = Stripe::start().await;
    let (customer, open) = week_late(&stripe).await;
    let (_, end) = period(&stripe.only_subscription(&customer).await);
    stripe.pass_until(end + 60).await;
    assert_eq!(stripe.invoices(&customer).await[0]["status"], "draft");
    stripe.change_card(&customer, "pm_card_visa").await;
    pay(&stripe, &open).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
}

/// Somebody halfway through the month whose upgrade waits for a payment that failed; the subscription's path.
async fn waiting(stripe: &Stripe) -> (String, String) {
    let (customer, subscription, item) = stripe.halfway().await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let dear = stripe.price_of("9900", "month").await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let fields = [
        ("items[0][id]", item.as_str()),
        ("items[0][price]", &dear),
        ("proration_behavior", "always_invoice"),
        ("payment_behavior", "pending_if_incomplete"),
    ];
    assert!(stripe.post(&path, &fields).await["pending_update"].is_object());
    (customer, path)
}

#[tokio::test]
async fn a_change_that_waits_ends_with_its_subscription() {
    let stripe = Stripe::start().await;
    let (customer, path) = waiting(&stripe).await;
    let invoice = stripe.invoices(&customer).await.remove(0);
    let canceled = stripe.delete(&path).await;
    assert_eq!((&canceled["status"], &canceled["pending_update"]), (&json!("canceled"), &Value::Null));
    assert_eq!(stripe.get(&format!("/v1/invoices/{}", id(&invoice))).await["status"], "void");
    assert_eq!(stripe.event_types().await.last().unwrap(), "customer.subscription.deleted");
    let payment =
        stripe.get(&format!("/v1/invoice_payments?invoice={}", id(&invoice))).await["data"][0].clone();
    assert_eq!(payment["status"], "canceled");
    let intent = payment["payment"]["payment_intent"].as_str().unwrap();
    let intent = stripe.get(&format!("/v1/payment_intents/{intent}")).await;
    let how = (&intent["status"], &intent["cancellation_reason"]);
    assert_eq!(how, (&json!("canceled"), &json!("void_invoice")));
    assert!(stripe.event_types().await.iter().any(|name| name == "payment_intent.canceled"));
}

#[tokio::test]
async fn a_subscription_is_deleted_once() {
    let stripe = Stripe::start().await;
    stripe.control("/_emulator/billing", json!({ "retry_days": [] })).await;
    let (customer, subscription, _) = stripe.halfway().await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let fields = [("customer", customer.as_str()), ("amount", "800"), ("currency", "usd")];
    stripe.post("/v1/invoiceitems", &fields).await;
    let canceled = stripe.delete(&format!("/v1/subscriptions/{}?invoice_now=true", id(&subscription))).await;
    assert_eq!(canceled["cancellation_details"]["reason"], "cancellation_requested");
    let types = stripe.event_types().await;
    assert_eq!(types.iter().filter(|name| *name == "customer.subscription.deleted").count(), 1);
}

/// A paused subscription without a card that works, and its path.
async fn paused(stripe: &Stripe) -> (String, String) {
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", price.as_str()),
        ("trial_period_days", "1"),
        ("trial_settings[end_behavior][missing_payment_method]", "pause"),
    ];
    let path = format!("/v1/subscriptions/{}", id(&stripe.post("/v1/subscriptions", &fields).await));
    stripe.pass(2 * DAY).await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let still = stripe.post(&format!("{path}/resume"), &[]).await;
    assert_eq!(still["status"], "paused");
    (customer, path)
}

#[tokio::test]
async fn a_resumption_that_is_tried_twice_is_billed_once() {
    let stripe = Stripe::start().await;
    let (customer, path) = paused(&stripe).await;
    let first = stripe.invoices(&customer).await.remove(0);
    stripe.change_card(&customer, "pm_card_visa").await;
    assert_eq!(stripe.post(&format!("{path}/resume"), &[]).await["status"], "active");
    assert_eq!(stripe.get(&format!("/v1/invoices/{}", id(&first))).await["status"], "void");
    stripe.pass(10 * DAY).await;
    let paid = stripe.get(&format!("/v1/charges?customer={customer}")).await;
    let paid = paid["data"].as_array().unwrap().iter().filter(|it| it["status"] == "succeeded");
    assert_eq!(paid.count(), 1);
}

#[tokio::test]
async fn a_resumption_that_is_settled_later_is_told_of() {
    for how in ["pay", "mark_uncollectible"] {
        let stripe = Stripe::start().await;
        let (customer, _) = paused(&stripe).await;
        let open = stripe.invoices(&customer).await.remove(0);
        stripe.change_card(&customer, "pm_card_visa").await;
        stripe.post(&format!("/v1/invoices/{}/{how}", id(&open)), &[]).await;
        assert_eq!(stripe.only_subscription(&customer).await["status"], "active", "{how}");
        assert_eq!(stripe.event_types().await.last().unwrap(), "customer.subscription.resumed", "{how}");
    }
    let stripe = Stripe::start().await;
    let (customer, _) = paused(&stripe).await;
    let open = stripe.invoices(&customer).await.remove(0);
    stripe.post(&format!("/v1/invoices/{}/void", id(&open)), &[]).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "paused");
}

#[tokio::test]
async fn a_draft_that_is_to_advance_again_does() {
    let stripe = Stripe::start().await;
    let (customer, subscription, _) = stripe.halfway().await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    stripe.post(&path, &[("pause_collection[behavior]", "keep_as_draft")]).await;
    stripe.pass(20 * DAY).await;
    stripe.post(&path, &[("pause_collection", "")]).await;
    let draft = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&draft["status"], &draft["auto_advance"]), (&json!("draft"), &json!(false)));
    let path = format!("/v1/invoices/{}", id(&draft));
    let advances = stripe.post(&path, &[("auto_advance", "true")]).await;
    assert!(advances["automatically_finalizes_at"].is_i64());
    stripe.pass(HOUR + 60).await;
    assert_eq!(stripe.get(&path).await["status"], "paid");
}
