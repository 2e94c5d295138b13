//! The portal's pages, by sending their forms as a browser does.

use reqwest::header::LOCATION;
use serde_json::{Value, json};

use crate::portal_api::portal;
use crate::support::{DECLINED, GOOD, Stripe, id};
use crate::time::{DAY, HOUR, period};

const MASTERCARD: &str = "5555555555554444";

impl Stripe {
    pub async fn look(&self, url: &str) -> (u16, String) {
        let response = self.http.get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Sends a form that is to succeed, and says where the page goes on.
    pub async fn go(&self, url: &str, fields: &[(&str, &str)]) -> String {
        let response = self.submit(url, fields).await;
        assert_eq!(response.status(), 303, "{url}: {}", response.text().await.unwrap());
        response.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    /// A customer with a plan, its id, and the address of their portal.
    pub async fn visitor(&self) -> (String, String, String) {
        let (customer, _) = self.buy().await;
        let subscription = id(&self.only_subscription(&customer).await);
        let session = self.portal_session(&customer, &[]).await;
        (customer, subscription, session["url"].as_str().unwrap().to_owned())
    }

    pub async fn cards(&self, customer: &str) -> Vec<Value> {
        let list = self.get(&format!("/v1/customers/{customer}/payment_methods")).await;
        list["data"].as_array().unwrap().clone()
    }
}

pub fn card(number: &str) -> [(&str, &str); 4] {
    [("card_number", number), ("expiry", "12/34"), ("cvc", "123"), ("name", "Ada Lovelace")]
}

#[tokio::test]
async fn the_first_page_shows_what_is_there() {
    let stripe = Stripe::start().await;
    let (customer, _, url) = stripe.visitor().await;
    let (status, page) = stripe.look(&url).await;
    assert_eq!(status, 200);
    let invoice = stripe.invoices(&customer).await.remove(0);
    let link = invoice["hosted_invoice_url"].as_str().unwrap();
    for text in [
        "TEST MODE",
        "Pro, $12.00 per month",
        "Renews on",
        "Visa ending in 4242",
        "ada@example.com",
        link,
        "http://shop.test/account",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Change plan"), "the default configuration does not offer it");
}

#[tokio::test]
async fn a_session_ends_after_an_hour_and_nobody_guesses_one() {
    let stripe = Stripe::start().await;
    let (customer, subscription, url) = stripe.visitor().await;
    assert_eq!(stripe.look(&stripe.url("/p/session/bps_none")).await.0, 404);
    stripe.pass(HOUR - 60).await;
    assert_eq!(stripe.look(&url).await.0, 200);
    stripe.pass(60).await;
    let (status, page) = stripe.look(&url).await;
    assert!(status == 410 && page.contains("This session has expired"), "{page}");
    let late = stripe.submit(&format!("{url}/subscriptions/{subscription}/cancel"), &[("x", "y")]).await;
    assert_eq!(late.status(), 410);
    assert_eq!(stripe.only_subscription(&customer).await["cancel_at"], Value::Null);
}

#[tokio::test]
async fn leaving_shows_as_cancel_at_and_can_be_taken_back() {
    let stripe = Stripe::start().await;
    let (customer, subscription, url) = stripe.visitor().await;
    let path = format!("{url}/subscriptions/{subscription}");
    let (_, page) = stripe.look(&format!("{path}/cancel")).await;
    assert!(page.contains("stays yours until") && page.contains("It is too expensive"), "{page}");
    let bad = stripe.submit(&format!("{path}/cancel"), &[("feedback", "too_complex")]).await;
    assert_eq!(bad.status(), 400, "only the configuration's reasons");
    let count = stripe.event_count().await;
    let reason = [("feedback", "too_expensive"), ("comment", "Too much for me")];
    let next = stripe.go(&format!("{path}/cancel"), &reason).await;
    assert!(stripe.look(&stripe.url(&next)).await.1.contains("Your plan has been canceled."));
    let canceled = stripe.only_subscription(&customer).await;
    let (_, end) = period(&canceled);
    assert_eq!((&canceled["cancel_at"], &canceled["cancel_at_period_end"]), (&json!(end), &json!(false)));
    assert_eq!(
        canceled["cancellation_details"],
        json!({ "comment": "Too much for me", "feedback": "too_expensive", "feedback_option": null, "reason": "cancellation_requested" })
    );
    stripe.go(&format!("{path}/cancel"), &reason).await;
    assert_eq!(stripe.events_since(count).await, ["customer.subscription.updated"], "it is canceled once");
    assert!(stripe.look(&url).await.1.contains("Don't cancel"));
    stripe.go(&format!("{path}/renew"), &[("x", "y")]).await;
    stripe.go(&format!("{path}/renew"), &[("x", "y")]).await;
    let stays = stripe.only_subscription(&customer).await;
    assert_eq!((&stays["cancel_at"], &stays["canceled_at"]), (&Value::Null, &Value::Null));
    assert_eq!(stripe.events_since(count).await.len(), 2);
}

#[tokio::test]
async fn where_the_configuration_says_so_leaving_is_immediate_and_credits() {
    let stripe = Stripe::start().await;
    let (customer, subscription, _) = stripe.halfway().await;
    let more = [
        ("features[subscription_cancel][enabled]", "true"),
        ("features[subscription_cancel][mode]", "immediately"),
        ("features[subscription_cancel][proration_behavior]", "create_prorations"),
    ];
    let configuration = stripe.post("/v1/billing_portal/configurations", &more).await;
    let session = stripe.portal_session(&customer, &[("configuration", &id(&configuration))]).await;
    let url = format!("{}/subscriptions/{}/cancel", session["url"].as_str().unwrap(), id(&subscription));
    let (_, page) = stripe.look(&url).await;
    assert!(
        page.contains("ends now") && page.contains("are credited") && !page.contains("Why do you"),
        "{page}"
    );
    stripe.go(&url, &[("feedback", "other")]).await;
    let ended = stripe.only_subscription(&customer).await;
    assert_eq!(
        (&ended["status"], &ended["cancellation_details"]["feedback"]),
        (&json!("canceled"), &Value::Null)
    );
    assert!(stripe.pending_items(&customer).await[0]["amount"].as_i64().unwrap() < -500);
    stripe.go(&url, &[("feedback", "other")]).await;
    assert_eq!(stripe.pending_items(&customer).await.len(), 1);
}

#[tokio::test]
async fn a_card_is_added_once_made_the_default_and_removed() {
    let stripe = Stripe::start().await;
    let (customer, subscription, url) = stripe.visitor().await;
    let cards = format!("{url}/cards");
    let incomplete = stripe.submit(&cards, &card("4242")).await;
    assert_eq!(incomplete.status(), 402);
    assert!(incomplete.text().await.unwrap().contains("Your card number is incomplete."));
    let declined = stripe.submit(&cards, &card(DECLINED)).await;
    assert!(declined.text().await.unwrap().contains("Your card was declined."));
    assert_eq!(stripe.cards(&customer).await.len(), 1);

    let count = stripe.event_count().await;
    let fields = [&card(MASTERCARD)[..], &[("make_default", "yes"), ("form", "f1")]].concat();
    stripe.go(&cards, &fields).await;
    stripe.go(&cards, &fields).await;
    let all = stripe.cards(&customer).await;
    assert_eq!((all.len(), &all[0]["card"]["last4"]), (2, &json!("4444")), "a form adds one card");
    assert_eq!(stripe.events_since(count).await, ["payment_method.attached", "customer.updated"]);
    let default = async || {
        stripe.get(&format!("/v1/customers/{customer}")).await["invoice_settings"]["default_payment_method"]
            .clone()
    };
    assert_eq!(default().await, all[0]["id"]);
    let (new, old) = (id(&all[0]), id(&all[1]));
    stripe.go(&format!("{cards}/{old}/default"), &[("x", "y")]).await;
    assert_eq!(default().await, *old);

    let needed = stripe.submit(&format!("{cards}/{old}/remove"), &[("x", "y")]).await;
    assert_eq!(needed.status(), 400, "the plan is charged to it");
    let chosen = [("card", new.as_str())];
    stripe.go(&format!("{url}/subscriptions/{subscription}/card"), &chosen).await;
    assert_eq!(stripe.only_subscription(&customer).await["default_payment_method"], *new);
    stripe.go(&format!("{cards}/{old}/remove"), &[("x", "y")]).await;
    stripe.go(&format!("{cards}/{old}/remove"), &[("x", "y")]).await;
    assert_eq!(stripe.cards(&customer).await.len(), 1);
    assert_eq!(default().await, Value::Null);
}

#[tokio::test]
async fn a_card_that_wants_a_challenge_is_added_when_it_is_passed() {
    let stripe = Stripe::start().await;
    let (customer, _, url) = stripe.visitor().await;
    let cards = format!("{url}/cards");
    let challenge = async || stripe.url(&stripe.go(&cards, &card("4000002500003155")).await);
    let back = stripe.go(&challenge().await, &[("outcome", "fail")]).await;
    assert!(stripe.look(&stripe.url(&back)).await.1.contains("We are unable to authenticate"));
    assert_eq!(stripe.cards(&customer).await.len(), 1);
    stripe.go(&challenge().await, &[("outcome", "complete")]).await;
    let all = stripe.cards(&customer).await;
    assert_eq!((all.len(), &all[0]["card"]["last4"]), (2, &json!("3155")));
}

#[tokio::test]
async fn billing_information_is_changed_as_far_as_it_may_be() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let price = stripe.price().await;
    let only_email = portal(&stripe, &[&price], &[]).await;
    let session = stripe.portal_session(&customer, &[("configuration", &id(&only_email))]).await;
    let url = format!("{}/details", session["url"].as_str().unwrap());
    let wrong = stripe.submit(&url, &[("email", "ada")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("Your email is incomplete."));
    stripe.go(&url, &[("email", "b@example.com"), ("phone", "+1")]).await;
    let changed = stripe.get(&format!("/v1/customers/{customer}")).await;
    assert_eq!((&changed["email"], &changed["phone"]), (&json!("b@example.com"), &Value::Null));
    let session = stripe.portal_session(&customer, &[]).await;
    let url = format!("{}/details", session["url"].as_str().unwrap());
    stripe
        .go(&url, &[("email", "b@example.com"), ("line1", "1 Main St"), ("city", "Rome"), ("name", "Bea")])
        .await;
    let changed = stripe.get(&format!("/v1/customers/{customer}")).await;
    assert_eq!(
        (&changed["address"]["line1"], &changed["address"]["state"]),
        (&json!("1 Main St"), &Value::Null)
    );
    assert_eq!(changed["name"], "Bea");
}

#[tokio::test]
async fn nobody_reaches_what_belongs_to_another_customer() {
    let stripe = Stripe::start().await;
    let (_, _, mine) = stripe.visitor().await;
    let (other, theirs, _) = stripe.visitor().await;
    let card = id(&stripe.cards(&other).await[0]);
    let count = stripe.event_count().await;
    let plan = format!("{mine}/subscriptions/{theirs}");
    for path in ["cancel", "card", "update", "update/confirm?price=p&quantity=1"] {
        assert!(stripe.look(&format!("{plan}/{path}")).await.0 >= 403, "{path}");
    }
    for path in [
        format!("{plan}/cancel"),
        format!("{plan}/renew"),
        format!("{mine}/cards/{card}/default"),
        format!("{mine}/cards/{card}/remove"),
    ] {
        assert_eq!(stripe.submit(&path, &[("x", "y")]).await.status(), 404, "{path}");
    }
    let (me, own, url) = stripe.visitor().await;
    let chosen = stripe.submit(&format!("{url}/subscriptions/{own}/card"), &[("card", &card)]).await;
    assert_eq!(chosen.status(), 404);
    assert_ne!(stripe.only_subscription(&me).await["default_payment_method"], *card);
    let told = stripe.events_since(count).await;
    assert!(
        !told.iter().any(|name| name == "customer.subscription.updated" || name == "payment_method.detached")
    );
}

#[tokio::test]
async fn an_open_invoice_can_be_paid_from_there() {
    let stripe = Stripe::start().await;
    let (customer, _, _) = stripe.visitor().await;
    stripe.change_card(&customer, "pm_card_chargeCustomerFail").await;
    let (_, end) = period(&stripe.only_subscription(&customer).await);
    stripe.pass_until(end + DAY).await;
    let session = stripe.portal_session(&customer, &[]).await;
    let (_, page) = stripe.look(session["url"].as_str().unwrap()).await;
    let invoice = stripe.invoices(&customer).await.remove(0);
    let url = invoice["hosted_invoice_url"].as_str().unwrap();
    assert!(page.contains("Past due") && page.contains(&format!("href=\"{url}\">Pay ")), "{page}");
    stripe.go(url, &card(GOOD)).await;
    assert!(stripe.look(session["url"].as_str().unwrap()).await.1.contains("Active"));
}

#[tokio::test]
async fn whoever_is_on_a_test_clock_lives_by_it_there_too() {
    let stripe = Stripe::start().await;
    let start = stripe.now().await;
    let clock = stripe.post("/v1/test_helpers/test_clocks", &[("frozen_time", &start.to_string())]).await;
    let customer =
        id(&stripe.post("/v1/customers", &[("email", "a@b.c"), ("test_clock", &id(&clock))]).await);
    let method = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    let price = stripe.price().await;
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", price.as_str()),
        ("default_payment_method", method["id"].as_str().unwrap()),
    ];
    let subscription = id(&stripe.post("/v1/subscriptions", &fields).await);
    let at = start + 5 * DAY;
    let advance = format!("/v1/test_helpers/test_clocks/{}/advance", id(&clock));
    stripe.post(&advance, &[("frozen_time", &at.to_string())]).await;
    let session = stripe.portal_session(&customer, &[]).await;
    let url = session["url"].as_str().unwrap();
    stripe.go(&format!("{url}/subscriptions/{subscription}/cancel"), &[("x", "y")]).await;
    assert_eq!(stripe.only_subscription(&customer).await["canceled_at"], at);
}

#[tokio::test]
async fn what_a_schedule_manages_is_left_alone() {
    let stripe = Stripe::start().await;
    let (customer, subscription, url) = stripe.visitor().await;
    assert!(stripe.look(&url).await.1.contains("Cancel plan"));
    let path = format!("/_emulator/objects/subscriptions/{subscription}");
    stripe.control(&path, json!({ "schedule": "sub_sched_1" })).await;
    assert!(!stripe.look(&url).await.1.contains("Cancel plan"));
    let cancel = format!("{url}/subscriptions/{subscription}/cancel");
    assert_eq!(stripe.look(&cancel).await.0, 400);
    assert_eq!(stripe.submit(&cancel, &[("x", "y")]).await.status(), 400);
    assert_eq!(stripe.only_subscription(&customer).await["cancel_at"], Value::Null);
}
