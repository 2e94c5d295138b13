//! Paying an open invoice on its hosted page, by sending its forms as a browser does.

use reqwest::header::LOCATION;
use serde_json::Value;

use crate::support::{DECLINED, GOOD, Stripe, id};
use crate::time::{HOUR, period};

const AUTHENTICATES: &str = "4000002760003184";

/// A customer whose renewal has failed, and the open invoice.
async fn late(stripe: &Stripe) -> (String, Value) {
    let (customer, _) = stripe.buy().await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let (_, end) = period(&stripe.only_subscription(&customer).await);
    stripe.pass_until(end + HOUR).await;
    let invoice = stripe.invoices(&customer).await.remove(0);
    assert_eq!(invoice["status"], "open");
    (customer, invoice)
}

async fn page(stripe: &Stripe, url: &str) -> String {
    stripe.http.get(url).send().await.unwrap().text().await.unwrap()
}

fn card(number: &str) -> [(&str, &str); 4] {
    [("card_number", number), ("expiry", "12/34"), ("cvc", "123"), ("name", "Ada Lovelace")]
}

#[tokio::test]
async fn another_card_pays_it_and_the_subscription_goes_on() {
    let stripe = Stripe::start().await;
    let (customer, invoice) = late(&stripe).await;
    let url = invoice["hosted_invoice_url"].as_str().unwrap();
    let shown = page(&stripe, url).await;
    for text in ["TEST MODE", "Waits for your payment", "$12.00", "ending in 4242", "ending in 0341"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let incomplete = stripe.submit(url, &card("4242")).await;
    assert_eq!(incomplete.status(), 402);
    assert!(incomplete.text().await.unwrap().contains("Your card number is incomplete."));
    let declined = stripe.submit(url, &card(DECLINED)).await;
    assert_eq!(declined.status(), 402);
    assert!(declined.text().await.unwrap().contains("Your card was declined."));
    assert_eq!(stripe.only_subscription(&customer).await["status"], "past_due");

    let paid = stripe.submit(url, &card(GOOD)).await;
    assert_eq!(
        (paid.status().as_u16(), paid.headers()[LOCATION].to_str().unwrap()),
        (303, format!("/i/{}", id(&invoice)).as_str())
    );
    assert!(page(&stripe, url).await.contains("Paid on"));
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
    let charges = stripe.event_types().await.iter().filter(|name| *name == "charge.succeeded").count();
    assert_eq!(stripe.submit(url, &card(GOOD)).await.status(), 303);
    let now = stripe.event_types().await.iter().filter(|name| *name == "charge.succeeded").count();
    assert_eq!(now, charges, "it is paid once");
}

#[tokio::test]
async fn a_saved_card_pays_it_at_one_click_and_nobody_elses_does() {
    let stripe = Stripe::start().await;
    let (customer, invoice) = late(&stripe).await;
    let url = invoice["hosted_invoice_url"].as_str().unwrap();
    let cards = stripe.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    let by_digits = |last4: &str| {
        let all = cards["data"].as_array().unwrap();
        id(all.iter().find(|card| card["card"]["last4"] == last4).unwrap())
    };
    let failed = stripe.submit(url, &[("payment_method", &by_digits("0341"))]).await;
    assert_eq!(failed.status(), 402);
    assert!(failed.text().await.unwrap().contains("role=\"alert\""));
    let other = stripe.customer().await;
    let theirs = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &other)]).await;
    assert_eq!(stripe.submit(url, &[("payment_method", &id(&theirs))]).await.status(), 404);
    assert_eq!(stripe.get(&format!("/v1/invoices/{}", id(&invoice))).await["status"], "open");
    assert_eq!(stripe.submit(url, &[("payment_method", &by_digits("4242"))]).await.status(), 303);
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
}

#[tokio::test]
async fn a_challenge_is_failed_and_then_passed() {
    let stripe = Stripe::start().await;
    let (customer, invoice) = late(&stripe).await;
    let url = invoice["hosted_invoice_url"].as_str().unwrap();
    let challenge = async || {
        let response = stripe.submit(url, &card(AUTHENTICATES)).await;
        let path = response.headers()[LOCATION].to_str().unwrap().to_owned();
        assert!(path.starts_with("/c/3ds/"), "{path}");
        stripe.url(&path)
    };
    let failed = stripe.submit(&challenge().await, &[("outcome", "fail")]).await;
    let back = failed.headers()[LOCATION].to_str().unwrap().to_owned();
    assert_eq!(back, format!("/i/{}?error=authentication", id(&invoice)));
    assert!(page(&stripe, &stripe.url(&back)).await.contains("We are unable to authenticate"));
    assert_eq!(stripe.only_subscription(&customer).await["status"], "past_due");
    let passed = stripe.submit(&challenge().await, &[("outcome", "complete")]).await;
    assert_eq!(passed.headers()[LOCATION].to_str().unwrap(), format!("/i/{}", id(&invoice)));
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
}

#[tokio::test]
async fn the_first_invoice_of_an_incomplete_subscription_is_paid_there_too() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", price.as_str()),
        ("payment_behavior", "default_incomplete"),
    ];
    let subscription = stripe.post("/v1/subscriptions", &fields).await;
    assert_eq!(subscription["status"], "incomplete");
    let invoice = stripe.invoices(&customer).await.remove(0);
    assert_eq!(
        stripe.submit(invoice["hosted_invoice_url"].as_str().unwrap(), &card(GOOD)).await.status(),
        303
    );
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
}

#[tokio::test]
async fn an_invoice_is_voided_or_given_up_and_then_nobody_owes_it() {
    let stripe = Stripe::start().await;
    for (action, status) in [("void", "void"), ("mark_uncollectible", "uncollectible")] {
        let (customer, invoice) = late(&stripe).await;
        let path = format!("/v1/invoices/{}", id(&invoice));
        let ended = stripe.post(&format!("{path}/{action}"), &[]).await;
        assert_eq!((ended["status"].as_str(), &ended["next_payment_attempt"]), (Some(status), &Value::Null));
        assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
        assert_eq!(stripe.try_post(&format!("{path}/finalize"), &[]).await.status, 400);
        assert_eq!(stripe.try_post(&format!("{path}/mark_uncollectible"), &[]).await.status, 400);
        let paid = stripe.try_post(&format!("{path}/pay"), &[("paid_out_of_band", "true")]).await;
        assert_eq!(paid.status, if status == "void" { 400 } else { 200 });
    }
    let (customer, invoice) = late(&stripe).await;
    let path = format!("/v1/invoices/{}", id(&invoice));
    let stopped = stripe.post(&path, &[("auto_advance", "false"), ("metadata[why]", "asked")]).await;
    assert_eq!(
        (&stopped["next_payment_attempt"], &stopped["metadata"]["why"]),
        (&Value::Null, &"asked".into())
    );
    stripe.pass(15 * 24 * HOUR).await;
    assert_eq!(stripe.get(&path).await, stopped, "nobody tries it again");
    assert_eq!(stripe.only_subscription(&customer).await["status"], "past_due");
    assert_eq!(stripe.try_post(&path, &[("description", "too late")]).await.status, 400);
}
