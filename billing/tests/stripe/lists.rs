//! Lists with what can't be read in them, and what exactly is asked.

use serde_json::{Value, json};
use unsplit_billing::adapters::stripe::StripeClient;
use unsplit_billing::error::StripeErrorKind;
use unsplit_billing::id::{CustomerId, PlanId, PriceId, UserId};
use unsplit_billing::ports::{CheckoutMetadata, NewCheckout, Stripe};

use super::scripted::{Answer, Scripted};

fn subscription(id: &str, status: impl Into<Value>) -> Value {
    json!({ "id": id, "status": status.into(), "customer": { "id": "cus_1", "metadata": {} } })
}

fn event(id: &str) -> Value {
    json!({ "id": id, "type": "customer.updated", "created": 7, "livemode": false, "data": { "object": { "id": "cus_1" } } })
}

fn cus_1() -> CustomerId {
    CustomerId::parse("cus_1").unwrap()
}

#[tokio::test]
async fn one_unreadable_subscription_loses_no_page() {
    let list = [subscription("sub_3", "active"), subscription("sub_2", 7), subscription("sub_1", "canceled")];
    let (stripe, transport) = Scripted::start([Answer::list(&list, true)]).await;
    let page = StripeClient::new(transport).all_subscriptions(Some("sub_4")).await.unwrap();
    assert_eq!(page.after.as_deref(), Some("sub_1"));
    let read: Vec<_> = page.items.iter().flatten().map(|one| one.id.as_str()).collect();
    assert_eq!(read, ["sub_3", "sub_1"]);
    let unreadable = page.items[1].clone().unwrap_err();
    assert_eq!(unreadable.id.unwrap().as_str(), "sub_2");
    assert_eq!(unreadable.customer, Some(cus_1()));
    let line = &stripe.asked()[0].line;
    assert!(line.contains("status=all&") || line.ends_with("status=all"), "{line}");
    assert!(line.contains("limit=100") && line.contains("starting_after=sub_4"), "{line}");
}

#[tokio::test]
async fn one_unreadable_subscription_fails_its_customers_sync() {
    let list = [subscription("sub_2", 7), subscription("sub_1", "canceled")];
    let (_, transport) = Scripted::start([Answer::list(&list, false)]).await;
    let error = StripeClient::new(transport).subscriptions(&cus_1()).await.unwrap_err();
    assert_eq!(error.kind, StripeErrorKind::Unreadable);
    assert!(error.message.contains("sub_2"), "{error}");
}

#[tokio::test]
async fn a_list_that_can_not_be_gone_on_with_is_no_shorter_list() {
    let nameless = Answer::list(&[json!({ "status": "active" })], true);
    let (_, transport) = Scripted::start([nameless.clone(), Answer::list(&[], true), nameless]).await;
    let client = StripeClient::new(transport);
    assert_eq!(client.subscriptions(&cus_1()).await.unwrap_err().kind, StripeErrorKind::Unreadable);
    assert_eq!(client.subscriptions(&cus_1()).await.unwrap_err().kind, StripeErrorKind::Unreadable);
    assert_eq!(client.all_customers(None).await.unwrap_err().kind, StripeErrorKind::Unreadable);
}

#[tokio::test]
async fn an_element_that_is_no_event_is_skipped() {
    let list = [event("evt_2"), json!({ "id": "evt_x" }), event("evt_1")];
    let answer = Answer::list(&list, true).with("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let (stripe, transport) = Scripted::start([answer]).await;
    let client = StripeClient::new(transport);
    // A second earlier: so long, rounded up, the answer may have been on its way.
    let page = client.events(1_700, &["invoice.paid", "customer.updated"], Some("evt_3")).await.unwrap();
    assert_eq!(page.items.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["evt_2", "evt_1"]);
    assert_eq!((page.after.as_deref(), page.stripe_time), (Some("evt_1"), Some(784_111_776)));
    let line = &stripe.asked()[0].line;
    for part in ["GET /v1/events?", "created[gte]=1700", "types[0]=invoice.paid", "types[1]=customer.updated"]
    {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(line.contains("starting_after=evt_3") && line.contains("limit=100"), "{line}");
}

#[tokio::test]
async fn more_types_than_stripe_takes_are_never_asked_for() {
    let (stripe, transport) = Scripted::start([]).await;
    let error = StripeClient::new(transport).events(0, &["invoice.paid"; 21], None).await.unwrap_err();
    assert_eq!(error.kind, StripeErrorKind::Refused);
    assert!(error.message.contains("21 types"), "{error}");
    assert!(stripe.asked().is_empty());
}

#[tokio::test]
async fn a_subscription_says_which_checkout_it_came_from() {
    let session = json!({ "id": "cs_1", "status": "open" });
    let (stripe, transport) = Scripted::start([Answer::ok(session)]).await;
    let checkout = NewCheckout {
        customer: cus_1(),
        price: PriceId::parse("price_1").unwrap(),
        metadata: CheckoutMetadata {
            user: UserId::parse("u1").unwrap(),
            plan: PlanId::parse("pro").unwrap(),
        },
        token: "t1".to_owned(),
        trial: None,
        success_url: "http://localhost/s".to_owned(),
        cancel_url: "http://localhost/c".to_owned(),
        expires_at: 5,
        idempotency_key: "k".to_owned(),
    };
    StripeClient::new(transport).open_checkout(&checkout).await.unwrap();
    let form = &stripe.asked()[0].form;
    for part in [
        "subscription_data[metadata][checkout]=t1",
        "subscription_data[metadata][plan]=pro",
        "subscription_data[metadata][userId]=u1",
    ] {
        assert!(form.contains(part), "{part}: {form}");
    }
    assert!(form.split('&').any(|pair| pair == "metadata[userId]=u1"), "{form}");
}

#[tokio::test]
async fn where_stripe_expands_less_the_rest_is_read() {
    let refused =
        Answer::error(400, json!({ "message": "This property cannot be expanded (data.customer.…)." }));
    let own = json!({ "id": "pm_1", "type": "card", "card": { "brand": "visa", "last4": "4242" } });
    let with = |id: &str, customer: Value, card: Value| json!({ "id": id, "status": "active", "customer": customer, "default_payment_method": card });
    let hidden = json!({ "id": "cus_2", "invoice_settings": { "default_payment_method": "pm_2" } });
    let list = [
        with("sub_3", hidden.clone(), Value::Null),
        with("sub_2", hidden, own),
        with("sub_1", json!({ "id": "cus_1", "deleted": true }), Value::Null),
    ];
    let (stripe, transport) = Scripted::start([refused, Answer::list(&list, false)]).await;
    let page = StripeClient::new(transport).all_subscriptions(None).await.unwrap();
    let unread = page.items[0].clone().unwrap_err();
    assert!(unread.reason.contains("alone"), "{}", unread.reason);
    assert_eq!(page.items[1].as_ref().unwrap().id.as_str(), "sub_2");
    assert_eq!(page.items[2].as_ref().unwrap().customer, Some(cus_1()));
    let second = &stripe.asked()[1].line;
    assert!(second.contains("=data.customer") && !second.contains("invoice_settings"), "{second}");
}
