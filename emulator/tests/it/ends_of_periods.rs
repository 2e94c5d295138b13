//! Where periods begin and end for items that come and go, and what is still to be paid when a subscription ends.

use serde_json::{Value, json};

use crate::changes::near;
use crate::support::{Stripe, id};
use crate::time::{DAY, period};

#[tokio::test]
async fn an_item_that_takes_the_place_of_another_keeps_its_period() {
    let stripe = Stripe::start().await;
    let (customer, subscription, item) = stripe.halfway().await;
    let dear = stripe.price_of("2400", "month").await;
    let fields = [("items[0][id]", item.as_str()), ("items[0][deleted]", "true"), ("items[1][price]", &dear)];
    let changed = stripe.post(&format!("/v1/subscriptions/{}", id(&subscription)), &fields).await;
    assert_eq!(period(&changed), period(&subscription));
    let amounts: Vec<i64> =
        stripe.pending_items(&customer).await.iter().map(|it| it["amount"].as_i64().unwrap()).collect();
    near(amounts.iter().sum(), 600);
}

#[tokio::test]
async fn nobody_buys_less_than_nothing() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let fields = [("customer", customer.as_str()), ("items[0][price]", &price), ("items[0][quantity]", "-1")];
    let refused = stripe.try_post("/v1/subscriptions", &fields).await;
    assert_eq!((refused.status, &refused.error()["param"]), (400, &json!("items[0][quantity]")));
}

/// Another interval, and so another period, for somebody who has said that they leave with the period.
#[tokio::test]
async fn an_end_with_the_period_moves_with_the_period() {
    let stripe = Stripe::start().await;
    let (_, subscription, item) = stripe.halfway().await;
    let year = stripe.price_of("12000", "year").await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    stripe.post(&path, &[("cancel_at_period_end", "true")]).await;
    let changed = stripe.post(&path, &[("items[0][id]", &item), ("items[0][price]", &year)]).await;
    assert_eq!(changed["cancel_at"].as_i64(), Some(period(&changed).1));
    stripe.pass(60 * DAY).await;
    assert_eq!(stripe.get(&path).await["status"], "active");
}

/// "If you've set the subscription to cancel at the end of the period, any pending prorations are also left in place
/// and collected at the end of the period." (the documents of DELETE /v1/subscriptions/:id)
#[tokio::test]
async fn what_waits_is_collected_when_the_period_ends_for_good() {
    let stripe = Stripe::start().await;
    let (customer, subscription, item) = stripe.halfway().await;
    let dear = stripe.price_of("2400", "month").await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let fields =
        [("items[0][id]", item.as_str()), ("items[0][price]", &dear), ("cancel_at_period_end", "true")];
    stripe.post(&path, &fields).await;
    let foreseen = stripe.post("/v1/invoices/create_preview", &[("subscription", &id(&subscription))]).await;
    near(foreseen["total"].as_i64().unwrap(), 600);
    stripe.pass(20 * DAY).await;
    assert_eq!(stripe.get(&path).await["status"], "canceled");
    let last = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&last["status"], &last["total"]), (&json!("paid"), &foreseen["total"]));
    assert!(stripe.pending_items(&customer).await.is_empty());
    assert_eq!(stripe.event_types().await.last().unwrap(), "customer.subscription.deleted");
}

#[tokio::test]
async fn a_coupon_that_is_good_once_is_used_up_by_the_invoice_that_ends_a_trial() {
    for behavior in ["pending_if_incomplete", "allow_incomplete"] {
        let stripe = Stripe::start().await;
        let (customer, price) = (stripe.customer().await, stripe.price().await);
        let coupon = id(&stripe.post("/v1/coupons", &[("percent_off", "50"), ("duration", "once")]).await);
        let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
        let fields = [
            ("customer", customer.as_str()),
            ("items[0][price]", &price),
            ("trial_period_days", "7"),
            ("discounts[0][coupon]", &coupon),
            ("default_payment_method", card["id"].as_str().unwrap()),
        ];
        let path = format!("/v1/subscriptions/{}", id(&stripe.post("/v1/subscriptions", &fields).await));
        let ended = stripe.post(&path, &[("trial_end", "now"), ("payment_behavior", behavior)]).await;
        assert_eq!((&ended["status"], &ended["discounts"]), (&json!("active"), &json!([])));
        stripe.pass(32 * DAY).await;
        let totals: Vec<Value> =
            stripe.invoices(&customer).await.iter().map(|invoice| invoice["total"].clone()).collect();
        assert_eq!(totals, [json!(1200), json!(600), json!(0)], "{behavior}");
    }
}

/// "Pending prorations are removed if invoice_now and prorate are both set to false", and what remains "can be billed
/// on another invoice for the customer" (the same documents).
#[tokio::test]
async fn who_leaves_at_once_owes_no_proration_and_keeps_their_credit() {
    for (query, left) in [("", 0), ("?prorate=true", 3)] {
        let stripe = Stripe::start().await;
        let (customer, subscription, item) = stripe.halfway().await;
        let dear = stripe.price_of("2400", "month").await;
        let path = format!("/v1/subscriptions/{}", id(&subscription));
        stripe.post(&path, &[("items[0][id]", &item), ("items[0][price]", &dear)]).await;
        stripe.delete(&format!("{path}{query}")).await;
        assert_eq!(stripe.pending_items(&customer).await.len(), left);
        let fields = [("customer", customer.as_str()), ("pending_invoice_items_behavior", "include")];
        let draft = stripe.post("/v1/invoices", &fields).await;
        near(draft["total"].as_i64().unwrap(), if left > 0 { -600 } else { 0 });
    }
}

#[tokio::test]
async fn a_discount_that_ends_before_the_next_period_is_not_foreseen() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let repeating = [("percent_off", "50"), ("duration", "repeating"), ("duration_in_months", "1")];
    let coupon = id(&stripe.post("/v1/coupons", &repeating).await);
    let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("discounts[0][coupon]", &coupon),
        ("default_payment_method", card["id"].as_str().unwrap()),
    ];
    let subscription = id(&stripe.post("/v1/subscriptions", &fields).await);
    let foreseen = stripe.post("/v1/invoices/create_preview", &[("subscription", &subscription)]).await;
    stripe.pass(32 * DAY).await;
    let renewal = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&renewal["total"], &foreseen["total"]), (&json!(1200), &json!(1200)));
}

#[tokio::test]
async fn no_invoice_adds_up_two_currencies() {
    let stripe = Stripe::start().await;
    let (customer, _, _) = stripe.halfway().await;
    for currency in ["eur", "usd"] {
        let fields = [("customer", customer.as_str()), ("amount", "700"), ("currency", currency)];
        stripe.post("/v1/invoiceitems", &fields).await;
    }
    stripe.pass(20 * DAY).await;
    let renewal = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&renewal["currency"], &renewal["total"]), (&json!("usd"), &json!(1900)));
    let waits = stripe.pending_items(&customer).await;
    assert_eq!((waits.len(), &waits[0]["currency"]), (1, &json!("eur")));
    let fields = [("customer", customer.as_str()), ("pending_invoice_items_behavior", "include")];
    let theirs = stripe.post("/v1/invoices", &fields).await;
    assert_eq!((&theirs["currency"], &theirs["total"]), (&json!("eur"), &json!(700)));
}
