//! What a webhook is read for: which customer may have changed. Nothing else an event says is
//! ever used, so an unknown API version or a field that moved is no reason to lose one.

use serde_json::Value;

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
    from_json(&serde_json::from_slice(body).map_err(|_| EventError::NotJson)?)
}

/// The same of a body that is parsed already, as an element of Stripe's list of events is.
///
/// # Errors
/// `EventError::Field` where it is no event at all.
pub fn from_json(event: &Value) -> Result<Event, EventError> {
    let id = event["id"].as_str().and_then(|id| EventId::parse(id).ok());
    let kind = event["type"].as_str().ok_or(EventError::Field("type"))?.to_owned();
    Ok(Event {
        id: id.ok_or(EventError::Field("id"))?,
        created: event["created"].as_i64().ok_or(EventError::Field("created"))?,
        livemode: event["livemode"].as_bool().ok_or(EventError::Field("livemode"))?,
        subject: subject(&kind, &event["data"]),
        kind,
    })
}

fn subject(kind: &str, data: &Value) -> Subject {
    let Some((_, at)) = TRACKED.iter().find(|(tracked, _)| *tracked == kind) else {
        return Subject::Untracked;
    };
    let object = &data["object"];
    let customer = match at {
        Customer => id_of(&object["customer"]),
        Id => id_of(object),
        PreviousCustomer => {
            id_of(&data["previous_attributes"]["customer"]).or_else(|| id_of(&object["customer"]))
        }
    };
    match customer.and_then(|id| CustomerId::parse(id).ok()) {
        Some(customer) => Subject::Customer { customer, subscription: subscription(kind, object) },
        None => Subject::Nobody,
    }
}

/// The subscription that must be in a fetch made after this event, if it names one.
fn subscription(kind: &str, object: &Value) -> Option<SubscriptionId> {
    let id = if kind.starts_with("customer.subscription.") {
        id_of(object)
    } else if kind.starts_with("invoice.") {
        id_of(&object["parent"]["subscription_details"]["subscription"])
            .or_else(|| id_of(&object["subscription"]))
    } else {
        id_of(&object["subscription"])
    };
    id.and_then(|id| SubscriptionId::parse(id).ok())
}

/// An id, or the id of an expanded object.
fn id_of(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value["id"].as_str())
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
    fn what_is_not_ours_is_told_apart_from_what_is_broken() {
        assert_eq!(read("price.created", &json!({"object": {"id": "price_1"}})).subject, Subject::Untracked);
        assert_eq!(
            read("payment_intent.succeeded", &json!({"object": {"customer": null}})).subject,
            Subject::Nobody
        );
        assert_eq!(read("invoice.paid", &Value::Null).subject, Subject::Nobody);
        assert_eq!(parse(b"hello"), Err(EventError::NotJson));
        assert_eq!(parse(b"{\"id\":\"evt_1\"}"), Err(EventError::Field("type")));
    }
}
