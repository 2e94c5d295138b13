//! What a webhook is read for: which customer may have changed. Nothing else an event says is
//! ever used, so an unknown API version or a field that moved is no reason to lose one.

mod lenient;

use serde::Deserialize;
use serde_json::Value;

use lenient::{Object, RawData, RawEvent, RawObject};

use crate::id::{CustomerId, EventId, SubscriptionId};

/// Where an event has its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerAt {
    /// `data.object.customer`, an id or an expanded object.
    Customer,
    /// `data.object.id`: the object is the customer.
    Id,
    /// `data.previous_attributes.customer`: the object has lost it.
    PreviousCustomer,
}

use CustomerAt::{Customer, Id, PreviousCustomer};

/// Every event that may change what a snapshot says, and where its customer is.
/// The first eighteen are Theo's list (t3dotgg/stripe-recommendations).
pub const TRACKED: &[(&str, CustomerAt)] = &[
    ("checkout.session.completed", Customer),
    ("customer.subscription.created", Customer),
    ("customer.subscription.updated", Customer),
    ("customer.subscription.deleted", Customer),
    ("customer.subscription.paused", Customer),
    ("customer.subscription.resumed", Customer),
    ("customer.subscription.pending_update_applied", Customer),
    ("customer.subscription.pending_update_expired", Customer),
    ("customer.subscription.trial_will_end", Customer),
    ("invoice.paid", Customer),
    ("invoice.payment_failed", Customer),
    ("invoice.payment_action_required", Customer),
    ("invoice.upcoming", Customer),
    ("invoice.marked_uncollectible", Customer),
    ("invoice.payment_succeeded", Customer),
    ("payment_intent.succeeded", Customer),
    ("payment_intent.payment_failed", Customer),
    ("payment_intent.canceled", Customer),
    ("invoice.finalized", Customer),
    ("invoice.voided", Customer),
    ("customer.updated", Id),
    ("customer.deleted", Id),
    ("customer.discount.created", Customer),
    ("customer.discount.updated", Customer),
    ("customer.discount.deleted", Customer),
    ("payment_method.attached", Customer),
    ("payment_method.detached", PreviousCustomer),
    ("payment_method.updated", Customer),
    ("payment_method.automatically_updated", Customer),
    ("subscription_schedule.aborted", Customer),
    ("subscription_schedule.canceled", Customer),
    ("subscription_schedule.completed", Customer),
    ("subscription_schedule.created", Customer),
    ("subscription_schedule.expiring", Customer),
    ("subscription_schedule.released", Customer),
    ("subscription_schedule.updated", Customer),
    ("checkout.session.async_payment_succeeded", Customer),
    ("checkout.session.async_payment_failed", Customer),
    ("checkout.session.expired", Customer),
];

/// An event as far as we read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub kind: String,
    /// Unix seconds.
    pub created: i64,
    pub livemode: bool,
    pub subject: Subject,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// This customer may have changed. A subscription that the event names must be in the next
    /// fetch, or the fetch is repeated.
    Customer { customer: CustomerId, subscription: Option<SubscriptionId> },
    /// A tracked event of an object that belongs to no customer.
    Nobody,
    /// A type that changes nothing we store.
    Untracked,
}

impl Subject {
    /// Whom it is about, if it is about somebody.
    #[must_use]
    pub fn customer(&self) -> Option<&CustomerId> {
        match self {
            Subject::Customer { customer, .. } => Some(customer),
            Subject::Nobody | Subject::Untracked => None,
        }
    }
}

/// Why a body that Stripe has signed is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    #[error("the body is not JSON")]
    NotJson,
    #[error("the event has no valid `{0}`")]
    Field(&'static str),
}

/// Reads an event leniently: everything but its id, type, creation and mode may be missing.
///
/// # Errors
/// `EventError` where the body is no event at all.
pub fn parse(body: &[u8]) -> Result<Event, EventError> {
    let Object(event): Object<RawEvent> = serde_json::from_slice(body).map_err(|_| EventError::NotJson)?;
    read(&event)
}

/// The same of a body that is parsed already, as an element of Stripe's list of events is.
///
/// # Errors
/// `EventError::Field` where it is no event at all.
pub fn from_json(event: &Value) -> Result<Event, EventError> {
    let Object(event): Object<RawEvent> = Object::deserialize(event).map_err(|_| EventError::NotJson)?;
    read(&event)
}

fn read(event: &RawEvent<'_>) -> Result<Event, EventError> {
    let kind = event.kind.text().ok_or(EventError::Field("type"))?.to_owned();
    let id = event.id.text().and_then(|id| EventId::parse(id).ok());
    Ok(Event {
        id: id.ok_or(EventError::Field("id"))?,
        created: event.created.number().ok_or(EventError::Field("created"))?,
        livemode: event.livemode.flag().ok_or(EventError::Field("livemode"))?,
        subject: subject(&kind, &event.data.0),
        kind,
    })
}

fn subject(kind: &str, data: &RawData<'_>) -> Subject {
    let Some((_, at)) = TRACKED.iter().find(|(tracked, _)| *tracked == kind) else {
        return Subject::Untracked;
    };
    let object = &data.object.0;
    let customer = match at {
        Customer => object.customer.text(),
        Id => object.id.text(),
        PreviousCustomer => data.previous_attributes.0.customer.text().or_else(|| object.customer.text()),
    };
    match customer.and_then(|id| CustomerId::parse(id).ok()) {
        Some(customer) => Subject::Customer { customer, subscription: subscription(kind, object) },
        None => Subject::Nobody,
    }
}

/// The subscription that must be in a fetch made after this event, if it names one.
fn subscription(kind: &str, object: &RawObject<'_>) -> Option<SubscriptionId> {
    let id = if kind.starts_with("customer.subscription.") {
        object.id.text()
    } else if kind.starts_with("invoice.") {
        let details = &object.parent.0.subscription_details.0;
        details.subscription.text().or_else(|| object.subscription.text())
    } else {
        object.subscription.text()
    };
    id.and_then(|id| SubscriptionId::parse(id).ok())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn read(kind: &str, data: &Value) -> Event {
        let event = json!({"id": "evt_1", "type": kind, "created": 5, "livemode": false, "data": data});
        parse(event.to_string().as_bytes()).unwrap()
    }

    fn about(customer: &str, subscription: Option<&str>) -> Subject {
        Subject::Customer {
            customer: CustomerId::parse(customer).unwrap(),
            subscription: subscription.map(|id| SubscriptionId::parse(id).unwrap()),
        }
    }

    #[test]
    fn every_tracked_event_gives_its_customer() {
        for (kind, at) in TRACKED {
            let data = match at {
                Customer => json!({"object": {"id": "x_1", "customer": "cus_1"}}),
                Id => json!({"object": {"id": "cus_1"}}),
                PreviousCustomer => {
                    json!({"object": {"customer": null}, "previous_attributes": {"customer": "cus_1"}})
                }
            };
            let Subject::Customer { customer, .. } = read(kind, &data).subject else { panic!("{kind}") };
            assert_eq!(customer.as_str(), "cus_1", "{kind}");
        }
    }

    #[test]
    fn the_customer_may_be_expanded_and_the_subscription_is_found() {
        let expanded = json!({"object": {"id": "sub_1", "customer": {"id": "cus_1", "deleted": true}}});
        assert_eq!(read("customer.subscription.updated", &expanded).subject, about("cus_1", Some("sub_1")));
        let invoice = json!({"object": {"customer": "cus_1", "parent": {"subscription_details": {"subscription": "sub_2"}}}});
        assert_eq!(read("invoice.paid", &invoice).subject, about("cus_1", Some("sub_2")));
        let session = json!({"object": {"customer": "cus_1", "subscription": "sub_3"}});
        assert_eq!(read("checkout.session.completed", &session).subject, about("cus_1", Some("sub_3")));
    }

    #[test]
    fn what_has_another_type_than_expected_loses_no_event() {
        for other in
            [json!(null), json!(1), json!(1.5), json!(-1), json!(true), json!("x"), json!([{"id": "cus_9"}])]
        {
            let data = json!({"object": {
                "id": &other, "customer": {"name": &other, "id": "cus_1"}, "subscription": "sub_1", "parent": &other,
                "lines": {"data": [&other]}, "metadata": {"customer": "cus_2", "id": "cus_3"},
            }, "previous_attributes": &other});
            assert_eq!(read("invoice.paid", &data).subject, about("cus_1", Some("sub_1")), "{other}");
            assert_eq!(
                read("payment_method.detached", &data).subject,
                about("cus_1", Some("sub_1")),
                "{other}"
            );
            assert_eq!(read("invoice.paid", &other).subject, Subject::Nobody, "{other}");
        }
        let escaped = br#"{"id":"evt_1","type":"invoice.paid","created":5,"livemode":false,"data":{"object":{"customer":"cus\u005f1"}}}"#;
        assert_eq!(parse(escaped).unwrap().subject, about("cus_1", None));
    }

    #[test]
    fn a_parsed_event_and_its_text_say_the_same() {
        let event = json!({"id": "evt_1", "type": "invoice.paid", "created": 5, "livemode": true,
            "data": {"object": {"customer": {"id": "cus_1"}, "subscription": {"id": "sub_1"}}}});
        assert_eq!(from_json(&event), parse(event.to_string().as_bytes()));
        assert_eq!(from_json(&event).unwrap().subject, about("cus_1", Some("sub_1")));
    }

    #[test]
    fn what_is_not_ours_is_told_apart_from_what_is_broken() {
        assert_eq!(read("price.created", &json!({"object": {"id": "price_1"}})).subject, Subject::Untracked);
        assert_eq!(
            read("payment_intent.succeeded", &json!({"object": {"customer": null}})).subject,
            Subject::Nobody
        );
        assert_eq!(read("invoice.paid", &Value::Null).subject, Subject::Nobody);
        for nonsense in [b"hello".as_slice(), b"", b"{\"id\":", b"{} {}"] {
            assert_eq!(parse(nonsense), Err(EventError::NotJson));
        }
        for other in ["[1, {}]", "null", "5", "\"text\"", "{}"] {
            assert_eq!(parse(other.as_bytes()), Err(EventError::Field("type")), "{other}");
        }
        assert_eq!(parse(b"{\"id\":\"evt_1\"}"), Err(EventError::Field("type")));
    }
}
