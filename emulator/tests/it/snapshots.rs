//! The whole state as a file.

use serde_json::{Value, json};

use crate::support::{Stripe, id, options};
use crate::time::{DAY, HOUR, period};

async fn take(stripe: &Stripe) -> String {
    stripe.http.get(stripe.url("/_emulator/snapshot")).send().await.unwrap().text().await.unwrap()
}

async fn restore(stripe: &Stripe, snapshot: String) -> (u16, Value) {
    let response = stripe.http.post(stripe.url("/_emulator/snapshot")).body(snapshot).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_world_goes_on_elsewhere_where_it_was_left() {
    let there = Stripe::start().await;
    let (customer, _) = there.buy().await;
    there.pass(3 * DAY).await;
    let before = there.only_subscription(&customer).await;
    let snapshot = take(&there).await;

    let directory = tempfile::tempdir().unwrap();
    let kept = || stripe_emulator::Options { data_dir: Some(directory.path().to_owned()), ..options() };
    let here = Stripe::with(kept()).await;
    let gone = here.customer().await;
    let (status, answer) = restore(&here, snapshot.clone()).await;
    assert_eq!((status, &answer["account"]), (200, &there.get("/v1/account").await["id"]));
    assert_eq!(here.only_subscription(&customer).await, before);
    assert_eq!(here.try_get(&format!("/v1/customers/{gone}")).await.status, 404);
    assert!((here.now().await - there.now().await).abs() < 600, "the clock comes along");
    let (_, end) = period(&before);
    here.pass_until(end + HOUR).await;
    let invoices = here.invoices(&customer).await;
    assert_eq!(invoices.len(), 2);
    let page = invoices[0]["hosted_invoice_url"].as_str().unwrap();
    assert!(page.starts_with(&here.url("/i/")), "its pages are here, and not where it came from: {page}");
    assert_eq!(there.invoices(&customer).await.len(), 1);

    here.emulator.stop().await;
    let again = Stripe::with(kept()).await;
    assert_eq!(again.invoices(&customer).await.len(), 2, "and it is kept");
}

#[tokio::test]
async fn what_is_no_snapshot_changes_nothing() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let good = take(&stripe).await;
    let torn = good[..good.len() - 20].to_owned();
    for (bad, why) in
        [(torn, "cannot be read"), (String::new(), "no account"), (json!({}).to_string(), "line 1")]
    {
        let (status, answer) = restore(&stripe, bad).await;
        assert!(status == 400 && answer["error"].as_str().unwrap().contains(why), "{answer}");
        assert_eq!(id(&stripe.get(&format!("/v1/customers/{customer}")).await), customer);
    }
}
