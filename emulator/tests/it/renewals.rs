//! Time passes: periods, their invoices, failed payments and what they lead to, by the emulator's own clock.

use serde_json::{Value, json};

use crate::support::{Stripe, id};
use crate::time::{DAY, HOUR, period};

#[tokio::test]
async fn a_period_ends_and_the_next_is_billed_an_hour_later() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let before = stripe.only_subscription(&customer).await;
    let (start, end) = period(&before);
    stripe.pass_until(end - 7 * DAY).await;
    let upcoming = &stripe.get("/v1/events?type=invoice.upcoming").await["data"][0]["data"]["object"];
    assert!(upcoming.get("id").is_none());
    assert_eq!((upcoming["amount_due"].as_i64(), upcoming["period_end"].as_i64()), (Some(1200), Some(end)));

    let count = stripe.event_count().await;
    stripe.pass_until(end).await;
    assert_eq!(stripe.events_since(count).await, ["customer.subscription.updated", "invoice.created"]);
    let now = stripe.only_subscription(&customer).await;
    assert_eq!((now["status"].as_str(), period(&now).0), (Some("active"), end));
    let told = &stripe.get("/v1/events?type=customer.subscription.updated").await["data"][0]["data"];
    let item = &told["previous_attributes"]["items"]["data"][0];
    assert_eq!(
        (item["current_period_start"].as_i64(), item["current_period_end"].as_i64()),
        (Some(start), Some(end))
    );
    let draft = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&draft["status"], &draft["billing_reason"]), (&json!("draft"), &json!("subscription_cycle")));
    assert_eq!(draft["automatically_finalizes_at"].as_i64(), Some(end + HOUR));
    assert!(draft["hosted_invoice_url"].is_null() && draft["number"].is_null());
    assert_eq!((draft["period_start"].as_i64(), draft["period_end"].as_i64()), (Some(start), Some(end)));
    let line = &draft["lines"]["data"][0];
    assert_eq!(
        (line["period"]["start"].as_i64(), line["period"]["end"].as_i64()),
        (Some(end), Some(period(&now).1))
    );

    let count = stripe.event_count().await;
    stripe.pass(HOUR).await;
    let expected = [
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.created",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ];
    assert_eq!(stripe.events_since(count).await, expected);
    let paid = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(1200)));
    assert_eq!(paid["status_transitions"]["finalized_at"].as_i64(), Some(end + HOUR));
    assert_eq!(paid["attempt_count"], 1);
    assert_eq!(stripe.only_subscription(&customer).await["latest_invoice"], paid["id"]);
}

#[tokio::test]
async fn a_year_at_once_leaves_the_invoices_of_twelve_months() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let (anchor, _) = period(&stripe.only_subscription(&customer).await);
    stripe.pass(366 * DAY + 2 * HOUR).await;
    let invoices = stripe.invoices(&customer).await;
    assert_eq!(invoices.len(), 13);
    assert!(invoices.iter().all(|invoice| invoice["status"] == "paid" && invoice["amount_paid"] == 1200));
    let mut numbers: Vec<_> = invoices.iter().map(|invoice| invoice["number"].as_str().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 13);
    let ends: Vec<i64> =
        invoices.iter().map(|it| it["lines"]["data"][0]["period"]["start"].as_i64().unwrap()).collect();
    assert!(ends.windows(2).all(|pair| (28 * DAY..=31 * DAY).contains(&(pair[0] - pair[1]))), "{ends:?}");
    assert_eq!(*ends.last().unwrap(), anchor);
    let charged = stripe.get(&format!("/v1/payment_intents?customer={customer}&limit=100")).await;
    assert_eq!(charged["data"].as_array().unwrap().len(), 13);
}

#[tokio::test]
async fn a_renewal_that_fails_is_tried_again_and_ends_the_subscription() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let (_, end) = period(&stripe.only_subscription(&customer).await);
    stripe.pass_until(end).await;
    let count = stripe.event_count().await;
    stripe.pass(HOUR).await;
    let failing =
        ["charge.failed", "payment_intent.payment_failed", "invoice.payment_failed", "invoice.updated"];
    let first = [&["invoice.finalized", "payment_intent.created"][..], &failing[..]].concat();
    let late = [&first[..], &["customer.subscription.updated", "customer.updated"]].concat();
    assert_eq!(stripe.events_since(count).await, late);
    assert_eq!(stripe.only_subscription(&customer).await["status"], "past_due");
    assert_eq!(stripe.get(&format!("/v1/customers/{customer}")).await["delinquent"], true);

    let mut at = end + HOUR;
    for (tried, days) in [(1, 3), (2, 5), (3, 7)] {
        let invoice = stripe.invoices(&customer).await.remove(0);
        assert_eq!((&invoice["status"], invoice["attempt_count"].as_i64()), (&json!("open"), Some(tried)));
        at += days * DAY;
        assert_eq!(invoice["next_payment_attempt"].as_i64(), Some(at));
        let count = stripe.event_count().await;
        stripe.pass_until(at).await;
        let expected = if tried < 3 {
            failing.to_vec()
        } else {
            [&failing[..], &["customer.subscription.deleted", "invoice.updated"]].concat()
        };
        assert_eq!(stripe.events_since(count).await, expected);
    }
    let ended = stripe.only_subscription(&customer).await;
    assert_eq!(
        (&ended["status"], &ended["cancellation_details"]["reason"]),
        (&json!("canceled"), &json!("payment_failed"))
    );
    let invoice = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&invoice["status"], &invoice["auto_advance"]), (&json!("open"), &json!(false)));
    let count = stripe.event_count().await;
    stripe.pass(60 * DAY).await;
    assert!(stripe.events_since(count).await.is_empty(), "it is over");
}

#[tokio::test]
async fn what_comes_after_the_last_try_is_a_setting() {
    for (word, status) in [("mark_unpaid", "unpaid"), ("leave_past_due", "past_due")] {
        let stripe = Stripe::start().await;
        stripe.control("/_emulator/billing", json!({ "retry_days": [1], "after_retries": word })).await;
        let (customer, _) = stripe.buy().await;
        stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
        let (_, end) = period(&stripe.only_subscription(&customer).await);
        stripe.pass_until(end + HOUR + DAY).await;
        let late = stripe.only_subscription(&customer).await;
        assert_eq!(late["status"], status);
        let (_, end) = period(&late);
        stripe.pass_until(end + 2 * HOUR).await;
        let newest = stripe.invoices(&customer).await.remove(0);
        let expected = if status == "unpaid" { ("draft", false) } else { ("open", true) };
        assert_eq!(
            (newest["status"].as_str(), newest["auto_advance"].as_bool()),
            (Some(expected.0), Some(expected.1))
        );
    }
    let stripe = Stripe::start().await;
    for bad in [json!({ "retry_days": [0] }), json!({ "after_retries": "forgive" }), json!({ "retries": 3 })]
    {
        assert_eq!(stripe.try_control("/_emulator/billing", bad).await.status, 400);
    }
}

#[tokio::test]
async fn a_new_card_pays_the_open_invoice_and_all_is_well() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let (_, end) = period(&stripe.only_subscription(&customer).await);
    stripe.pass_until(end + HOUR).await;
    let open = id(&stripe.invoices(&customer).await[0]);
    let refused = stripe.try_post(&format!("/v1/invoices/{open}/pay"), &[]).await;
    assert_eq!((refused.status, refused.error()["decline_code"].as_str()), (402, Some("generic_decline")));
    let tried = stripe.get(&format!("/v1/invoices/{open}")).await;
    assert_eq!(tried["attempt_count"], 1, "a try by hand is not counted");
    let charges = stripe.event_types().await.iter().filter(|name| *name == "charge.failed").count();
    assert_eq!(charges, 2, "and yet it is on record");

    stripe.change_card(&customer, "pm_card_visa").await;
    let count = stripe.event_count().await;
    let paid = stripe.post(&format!("/v1/invoices/{open}/pay"), &[]).await;
    assert_eq!((&paid["status"], &paid["next_payment_attempt"]), (&json!("paid"), &Value::Null));
    let expected = [
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "customer.updated",
        "customer.subscription.updated",
    ];
    assert_eq!(stripe.events_since(count).await, expected);
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
    let again = stripe.try_post(&format!("/v1/invoices/{open}/pay"), &[]).await;
    assert_eq!((again.status, again.error()["message"].as_str()), (400, Some("Invoice is already paid")));
    let count = stripe.event_count().await;
    stripe.pass(10 * DAY).await;
    assert!(stripe.events_since(count).await.is_empty(), "nothing is tried again");
}

#[tokio::test]
async fn a_card_that_wants_its_owner_waits_for_them() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    stripe.change_card(&customer, "pm_card_authenticationRequired").await;
    let (_, end) = period(&stripe.only_subscription(&customer).await);
    stripe.pass_until(end).await;
    let count = stripe.event_count().await;
    stripe.pass(HOUR).await;
    let expected = [
        "invoice.finalized",
        "payment_intent.created",
        "payment_intent.requires_action",
        "invoice.payment_action_required",
        "invoice.payment_failed",
        "invoice.updated",
        "customer.subscription.updated",
        "customer.updated",
    ];
    assert_eq!(stripe.events_since(count).await, expected);
    let open = id(&stripe.invoices(&customer).await[0]);
    let refused = stripe.try_post(&format!("/v1/invoices/{open}/pay"), &[]).await;
    assert_eq!(
        (refused.status, refused.error()["code"].as_str()),
        (402, Some("invoice_payment_intent_requires_action"))
    );
}

#[tokio::test]
async fn a_planned_cancellation_happens_and_bills_nothing_more() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let subscription = stripe.only_subscription(&customer).await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    stripe.post(&path, &[("cancel_at_period_end", "true")]).await;
    let (_, end) = period(&subscription);
    stripe.pass_until(end - HOUR).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
    let count = stripe.event_count().await;
    stripe.pass(HOUR).await;
    assert_eq!(stripe.events_since(count).await, ["customer.subscription.deleted"]);
    let ended = stripe.only_subscription(&customer).await;
    assert_eq!((ended["status"].as_str(), ended["ended_at"].as_i64()), (Some("canceled"), Some(end)));
    assert!(ended["canceled_at"].as_i64() < Some(end), "when it was asked for");
    stripe.pass(60 * DAY).await;
    assert_eq!(stripe.invoices(&customer).await.len(), 1);
}

#[tokio::test]
async fn a_fast_clock_needs_no_one_to_move_it() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let answer = stripe.control("/_emulator/clock", json!({ "speed": 1_000_000 })).await;
    assert_eq!(answer["speed"], 1_000_000);
    crate::support::eventually("a renewal", async || {
        let invoices = stripe.invoices(&customer).await;
        invoices.len() > 1 && invoices.last().unwrap()["status"] == "paid"
    })
    .await;
    for bad in
        [json!({ "speed": 0 }), json!({}), json!({ "to": 5 }), json!({ "to": 5, "advance_seconds": 1 })]
    {
        assert_eq!(stripe.try_control("/_emulator/clock", bad).await.status, 400);
    }
}
