//! Changing the plan in the portal: what the page shows is what is billed, and flows lead where they say.

use serde_json::{Value, json};

use crate::portal::card;
use crate::portal_api::portal;
use crate::support::{Stripe, id};
use crate::time::period;

const AUTHENTICATES: &str = "4000002760003184";

/// Somebody in the middle of a month at 12 dollars, in a portal that offers 24 dollars a month of another product
/// too, and 120 dollars a year; their plan's page, and the two prices.
struct Scene {
    stripe: Stripe,
    customer: String,
    subscription: Value,
    configuration: String,
    page: String,
    large: String,
    yearly: String,
}

async fn scene(more: &[(&str, &str)]) -> Scene {
    let stripe = Stripe::start().await;
    let (customer, subscription, _) = stripe.halfway().await;
    let price = subscription["items"]["data"][0]["price"]["id"].as_str().unwrap().to_owned();
    let yearly = stripe.price_of("12000", "year").await;
    let product = id(&stripe.post("/v1/products", &[("name", "Team")]).await);
    let fields = [
        ("product", product.as_str()),
        ("currency", "usd"),
        ("unit_amount", "2400"),
        ("recurring[interval]", "month"),
    ];
    let large = id(&stripe.post("/v1/prices", &fields).await);
    let other = [
        ("features[subscription_update][products][1][product]", product.as_str()),
        ("features[subscription_update][products][1][prices][0]", large.as_str()),
    ];
    let configuration = id(&portal(&stripe, &[&price, &yearly], &[&other, more].concat()).await);
    let session = stripe.portal_session(&customer, &[("configuration", &configuration)]).await;
    let page = format!("{}/subscriptions/{}/update", session["url"].as_str().unwrap(), id(&subscription));
    Scene { stripe, customer, subscription, configuration, page, large, yearly }
}

impl Scene {
    fn confirm(&self, price: &str) -> String {
        format!("{}/confirm?price={price}&quantity=1", self.page)
    }

    async fn now(&self) -> Value {
        self.stripe.only_subscription(&self.customer).await
    }
}

/// What stands in a hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn what_is_shown_before_is_what_is_billed() {
    let scene = scene(&[]).await;
    let (_, choices) = scene.stripe.look(&scene.page).await;
    for text in ["Team, $24.00 per month", "Pro, $120.00 per year", "Current"] {
        assert!(choices.contains(text), "{text}: {choices}");
    }
    let (status, page) = scene.stripe.look(&scene.confirm(&scene.large)).await;
    assert_eq!(status, 200, "{page}");
    for text in
        ["Unused time on Pro", "Remaining time on Team", "To pay then", "$24.00", "Visa ending in 4242"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    let date = hidden(&page, "proration_date");
    scene.stripe.pass(3000).await;
    let fields = [("price", scene.large.as_str()), ("quantity", "1"), ("proration_date", date.as_str())];
    let next = scene.stripe.go(&format!("{}/confirm", scene.page), &fields).await;
    assert!(scene.stripe.look(&scene.stripe.url(&next)).await.1.contains("Your plan has been changed."));
    let changed = scene.now().await;
    assert_eq!(changed["items"]["data"][0]["price"]["id"], *scene.large);
    assert_eq!(period(&changed), period(&scene.subscription));
    let invoice = scene.stripe.invoices(&scene.customer).await.remove(0);
    assert_eq!(
        (&invoice["billing_reason"], &invoice["status"]),
        (&json!("subscription_update"), &json!("paid"))
    );
    let cents = invoice["amount_due"].as_i64().unwrap();
    let shown = format!("Confirm and pay ${}.{:02}", cents / 100, cents % 100);
    assert!(page.contains(&shown), "{shown}: {page}");

    scene.stripe.go(&format!("{}/confirm", scene.page), &fields).await;
    assert_eq!(scene.stripe.invoices(&scene.customer).await.len(), 2, "it is billed once");
}

#[tokio::test]
async fn a_date_that_nobody_was_shown_does_not_make_it_cheaper() {
    let scene = scene(&[]).await;
    let (_, end) = period(&scene.subscription);
    let late = (end - 1).to_string();
    let fields = [("price", scene.large.as_str()), ("quantity", "1"), ("proration_date", late.as_str())];
    scene.stripe.go(&format!("{}/confirm", scene.page), &fields).await;
    let invoice = scene.stripe.invoices(&scene.customer).await.remove(0);
    assert_eq!(invoice["billing_reason"], "subscription_update");
    assert!(invoice["amount_due"].as_i64().unwrap() > 590, "{invoice}");
}

#[tokio::test]
async fn another_interval_begins_a_new_period_and_none_is_charged_where_nothing_is_prorated() {
    let scene = scene(&[("features[subscription_update][proration_behavior]", "none")]).await;
    let (_, page) = scene.stripe.look(&scene.confirm(&scene.large)).await;
    assert!(page.contains("Nothing is charged now."), "{page}");
    let (_, page) = scene.stripe.look(&scene.confirm(&scene.yearly)).await;
    assert!(page.contains("Confirm and pay $120.00"), "{page}");
    scene.stripe.go(&format!("{}/confirm", scene.page), &[("price", &scene.yearly), ("quantity", "1")]).await;
    let changed = scene.now().await;
    assert!(period(&changed).0 > period(&scene.subscription).0);
    assert_eq!(scene.stripe.invoices(&scene.customer).await[0]["amount_paid"], 12000);
}

#[tokio::test]
async fn what_is_not_offered_cannot_be_had() {
    let scene = scene(&[]).await;
    let foreign = scene.stripe.price().await;
    let confirm = format!("{}/confirm", scene.page);
    for (price, quantity) in [(foreign.as_str(), "1"), (scene.large.as_str(), "2"), ("price_none", "1")] {
        let refused = scene.stripe.submit(&confirm, &[("price", price), ("quantity", quantity)]).await;
        assert_eq!(refused.status(), 400, "{price} {quantity}");
    }
    assert_eq!(scene.now().await["items"], scene.subscription["items"]);
}

#[tokio::test]
async fn a_quantity_stays_within_its_bounds() {
    let bounds = [
        ("features[subscription_update][products][1][adjustable_quantity][enabled]", "true"),
        ("features[subscription_update][products][1][adjustable_quantity][minimum]", "2"),
        ("features[subscription_update][products][1][adjustable_quantity][maximum]", "5"),
    ];
    let scene = scene(&bounds).await;
    let confirm = format!("{}/confirm", scene.page);
    for quantity in ["6", "0", "-1"] {
        let refused = scene.stripe.submit(&confirm, &[("price", &scene.large), ("quantity", quantity)]).await;
        assert_eq!(refused.status(), 400, "{quantity}");
    }
    scene.stripe.go(&confirm, &[("price", &scene.large), ("quantity", "3")]).await;
    assert_eq!(scene.now().await["items"]["data"][0]["quantity"], 3);
}

#[tokio::test]
async fn a_card_that_fails_changes_nothing_and_a_challenge_does_when_it_is_passed() {
    let scene = scene(&[]).await;
    let confirm = format!("{}/confirm", scene.page);
    let wish = [("price", scene.large.as_str()), ("quantity", "1")];
    scene.stripe.change_card(&scene.customer, "pm_card_chargeCustomerFail").await;
    let count = scene.stripe.event_count().await;
    let declined = scene.stripe.submit(&confirm, &wish).await;
    assert_eq!(declined.status(), 402);
    assert!(declined.text().await.unwrap().contains("Your card was declined."));
    assert!(scene.stripe.events_since(count).await.is_empty());

    let home = scene.page.split("/subscriptions/").next().unwrap();
    let challenge = scene.stripe.go(&format!("{home}/cards"), &card(AUTHENTICATES)).await;
    scene.stripe.go(&scene.stripe.url(&challenge), &[("outcome", "complete")]).await;
    let new = id(&scene.stripe.cards(&scene.customer).await[0]);
    let plan = scene.page.strip_suffix("/update").unwrap();
    scene.stripe.go(&format!("{plan}/card"), &[("card", &new)]).await;
    let challenge = async || scene.stripe.url(&scene.stripe.go(&confirm, &wish).await);
    let back = scene.stripe.go(&challenge().await, &[("outcome", "fail")]).await;
    let (status, page) = scene.stripe.look(&scene.stripe.url(&back)).await;
    assert!(status == 402 && page.contains("We are unable to authenticate"), "{page}");
    assert_eq!(scene.now().await["items"], scene.subscription["items"]);
    scene.stripe.go(&challenge().await, &[("outcome", "complete")]).await;
    assert_eq!(scene.now().await["items"]["data"][0]["price"]["id"], *scene.large);
    assert_eq!(scene.now().await["status"], "active");
}

#[tokio::test]
async fn a_flow_goes_straight_to_its_page_and_then_where_it_says() {
    let scene = scene(&[]).await;
    let (sub, item) = (id(&scene.subscription), id(&scene.subscription["items"]["data"][0]));
    let session = scene
        .stripe
        .portal_session(
            &scene.customer,
            &[
                ("configuration", &scene.configuration),
                ("flow_data[type]", "subscription_update_confirm"),
                ("flow_data[subscription_update_confirm][subscription]", &sub),
                ("flow_data[subscription_update_confirm][items][0][id]", &item),
                ("flow_data[subscription_update_confirm][items][0][price]", &scene.large),
                ("flow_data[after_completion][type]", "redirect"),
                ("flow_data[after_completion][redirect][return_url]", "http://shop.test/thanks"),
            ],
        )
        .await;
    let url = session["url"].as_str().unwrap();
    let straight = scene.stripe.http.get(url).send().await.unwrap();
    let to = straight.headers()["location"].to_str().unwrap().to_owned();
    assert!(to.ends_with(&format!("/update/confirm?price={}&quantity=1", scene.large)), "{to}");
    let (_, page) = scene.stripe.look(&scene.stripe.url(&to)).await;
    assert!(page.contains("Confirm and pay"), "{page}");
    let confirm = format!("{url}/subscriptions/{sub}/update/confirm");
    let next = scene.stripe.go(&confirm, &[("price", &scene.large), ("quantity", "1")]).await;
    assert_eq!(next, "http://shop.test/thanks");
    let again = scene.stripe.go(&confirm, &[("price", &scene.large), ("quantity", "1")]).await;
    assert_eq!(again, next, "who sends it twice goes there too");
    assert_eq!(scene.stripe.look(url).await.0, 200, "what was to be done is done");
}

#[tokio::test]
async fn flows_for_a_card_and_for_leaving_end_as_they_say() {
    let stripe = Stripe::start().await;
    let (customer, subscription, _) = stripe.visitor().await;
    let fields = [
        ("flow_data[type]", "payment_method_update"),
        ("flow_data[after_completion][type]", "hosted_confirmation"),
        ("flow_data[after_completion][hosted_confirmation][custom_message]", "Come again"),
    ];
    let session = stripe.portal_session(&customer, &fields).await;
    let url = session["url"].as_str().unwrap();
    let straight = stripe.http.get(url).send().await.unwrap();
    let page = stripe.url(straight.headers()["location"].to_str().unwrap());
    let done = stripe.go(&page, &card("5555555555554444")).await;
    assert!(stripe.look(&stripe.url(&done)).await.1.contains("Come again"));
    let new = id(&stripe.cards(&customer).await[0]);
    let owner = stripe.get(&format!("/v1/customers/{customer}")).await;
    assert_eq!(owner["invoice_settings"]["default_payment_method"], *new);

    let fields = [
        ("flow_data[type]", "subscription_cancel"),
        ("flow_data[subscription_cancel][subscription]", subscription.as_str()),
    ];
    let session = stripe.portal_session(&customer, &fields).await;
    let url = session["url"].as_str().unwrap();
    assert_eq!(stripe.http.get(url).send().await.unwrap().status(), 303);
    let home = stripe.go(&format!("{url}/subscriptions/{subscription}/cancel"), &[("x", "y")]).await;
    let (status, page) = stripe.look(&stripe.url(&home)).await;
    assert!(status == 200 && page.contains("Your plan has been canceled."), "{page}");
}

#[tokio::test]
async fn a_trial_ends_with_a_change_unless_the_configuration_lets_it_go_on() {
    for (word, status) in [("end_trial", "active"), ("continue_trial", "trialing")] {
        let stripe = Stripe::start().await;
        let (customer, price) = (stripe.customer().await, stripe.price().await);
        let session =
            stripe.session(&customer, &price, &[("subscription_data[trial_period_days]", "14")]).await;
        stripe.pay(&session, "4242424242424242").await;
        let yearly = stripe.price_of("12000", "year").await;
        let more = [("features[subscription_update][trial_update_behavior]", word)];
        let configuration = id(&portal(&stripe, &[&price, &yearly], &more).await);
        let session = stripe.portal_session(&customer, &[("configuration", &configuration)]).await;
        let subscription = id(&stripe.only_subscription(&customer).await);
        let confirm =
            format!("{}/subscriptions/{subscription}/update/confirm", session["url"].as_str().unwrap());
        let (_, page) = stripe.look(&format!("{confirm}?price={yearly}&quantity=1")).await;
        assert_eq!(page.contains("Confirm and pay $120.00"), word == "end_trial", "{page}");
        stripe.go(&confirm, &[("price", &yearly), ("quantity", "1")]).await;
        let changed = stripe.only_subscription(&customer).await;
        assert_eq!(
            (&changed["status"], &changed["items"]["data"][0]["price"]["id"]),
            (&json!(status), &json!(yearly))
        );
    }
}
