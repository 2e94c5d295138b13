//! The same for what customers do themselves: in the portal, and when a renewal asks them to confirm.

use crate::portal_api::portal;
use crate::sequences::{end, tells};
use crate::support::{Stripe, id};
use crate::time::{DAY, HOUR, period};

/// The customer, the portal's first page, and that of their subscription.
async fn visitor(stripe: &Stripe, configuration: &[(&str, &str)]) -> (String, String, String) {
    let (customer, subscription, _) = stripe.halfway().await;
    let price = subscription["items"]["data"][0]["price"]["id"].as_str().unwrap().to_owned();
    let weekly = stripe.price_of("300", "week").await;
    let configuration = id(&portal(stripe, &[&price, &weekly], configuration).await);
    let session = stripe.portal_session(&customer, &[("configuration", &configuration)]).await;
    let home = session["url"].as_str().unwrap().to_owned();
    let plan = format!("{home}/subscriptions/{}", id(&subscription));
    (customer, plan, weekly)
}

#[tokio::test]
async fn a_visit_to_leave_and_to_stay_after_all() {
    let stripe = Stripe::start().await;
    let (customer, subscription, _) = stripe.halfway().await;
    let session =
        tells(&stripe, "billing_portal.session.created", stripe.portal_session(&customer, &[])).await;
    let plan = format!("{}/subscriptions/{}", session["url"].as_str().unwrap(), id(&subscription));
    let asked = "customer.subscription.updated active <- cancel_at, canceled_at, cancellation_details";
    let leave = format!("{plan}/cancel");
    tells(&stripe, asked, stripe.go(&leave, &[("x", "y")])).await;
    let stay = format!("{plan}/renew");
    tells(&stripe, asked, stripe.go(&stay, &[("x", "y")])).await;
}

#[tokio::test]
async fn a_visit_to_leave_at_once() {
    let stripe = Stripe::start().await;
    let immediately = [
        ("features[subscription_cancel][mode]", "immediately"),
        ("features[subscription_cancel][proration_behavior]", "none"),
    ];
    let (_, plan, _) = visitor(&stripe, &immediately).await;
    let leave = format!("{plan}/cancel");
    tells(&stripe, "customer.subscription.deleted canceled", stripe.go(&leave, &[("x", "y")])).await;
}

#[tokio::test]
async fn a_downgrade_that_waits_for_the_end_of_the_period() {
    let stripe = Stripe::start().await;
    let condition = "features[subscription_update][schedule_at_period_end][conditions][0][type]";
    let (customer, plan, weekly) = visitor(&stripe, &[(condition, "shortening_interval")]).await;
    let confirm = format!("{plan}/update/confirm");
    tells(
        &stripe,
        "
            subscription_schedule.created active
            customer.subscription.updated active <- schedule
            subscription_schedule.updated active <- phases
        ",
        stripe.go(&confirm, &[("price", &weekly), ("quantity", "1")]),
    )
    .await;
    let end = period(&stripe.only_subscription(&customer).await).1;
    stripe.pass_until(end - HOUR).await;
    tells(
        &stripe,
        "
            subscription_schedule.updated active <- current_phase
            customer.subscription.updated active <- billing_cycle_anchor, items, latest_invoice
            invoice.created draft
            subscription_schedule.expiring active
            invoice.finalized open
            charge.succeeded succeeded
            payment_intent.created succeeded
            payment_intent.succeeded succeeded
            invoice.paid paid
            invoice.payment_succeeded paid
            invoice_payment.paid paid
        ",
        stripe.pass(2 * HOUR + 60),
    )
    .await;
}

#[tokio::test]
async fn a_renewal_that_its_owner_confirms() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    stripe.change_card(&customer, "pm_card_authenticationRequired").await;
    let end = end(&stripe, &customer).await;
    stripe.pass_until(end + HOUR).await;
    let invoice = stripe.invoices(&customer).await.remove(0);
    let page = invoice["hosted_invoice_url"].as_str().unwrap();
    let card = invoice["default_payment_method"].as_str().map_or_else(String::new, str::to_owned);
    let card = if card.is_empty() { id(&stripe.cards(&customer).await[0]) } else { card };
    let challenge = stripe.url(&stripe.go(page, &[("payment_method", &card)]).await);
    tells(
        &stripe,
        "
            charge.succeeded succeeded
            payment_intent.succeeded succeeded
            invoice.paid paid
            invoice.payment_succeeded paid
            invoice_payment.paid paid
            customer.updated <- delinquent
            customer.subscription.updated active <- status
        ",
        stripe.submit(&challenge, &[("outcome", "complete")]),
    )
    .await;
    tells(&stripe, "", stripe.pass(DAY)).await;
}
