//! The shapes of Stripe's larger objects: every field that a new one has with a value of its own, as JSON files
//! beside this one. Code that makes an object names only what differs.

use serde_json::Value;

/// Which object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Charge,
    CheckoutSession,
    Customer,
    Invoice,
    InvoiceLine,
    PaymentIntent,
    PaymentMethod,
    SetupIntent,
    PortalConfiguration,
    PortalSession,
    Subscription,
    SubscriptionSchedule,
}

impl Shape {
    fn text(self) -> &'static str {
        match self {
            Shape::Charge => include_str!("shapes/charge.json"),
            Shape::CheckoutSession => include_str!("shapes/checkout_session.json"),
            Shape::Customer => include_str!("shapes/customer.json"),
            Shape::Invoice => include_str!("shapes/invoice.json"),
            Shape::InvoiceLine => include_str!("shapes/invoice_line.json"),
            Shape::PaymentIntent => include_str!("shapes/payment_intent.json"),
            Shape::PaymentMethod => include_str!("shapes/payment_method.json"),
            Shape::SetupIntent => include_str!("shapes/setup_intent.json"),
            Shape::PortalConfiguration => include_str!("shapes/portal_configuration.json"),
            Shape::PortalSession => include_str!("shapes/portal_session.json"),
            Shape::Subscription => include_str!("shapes/subscription.json"),
            Shape::SubscriptionSchedule => include_str!("shapes/subscription_schedule.json"),
        }
    }
}

/// The shape with these fields set. A field may stand in one of the two only.
pub fn filled(shape: Shape, fields: Value) -> Value {
    let mut object: Value = serde_json::from_str(shape.text()).unwrap_or_default();
    if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
        object.extend(fields);
    }
    object
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Shape, filled};

    #[test]
    fn every_shape_is_json_and_names_its_object() {
        let all = [
            (Shape::Charge, "charge"),
            (Shape::CheckoutSession, "checkout.session"),
            (Shape::Customer, "customer"),
            (Shape::Invoice, "invoice"),
            (Shape::InvoiceLine, "line_item"),
            (Shape::PaymentIntent, "payment_intent"),
            (Shape::PaymentMethod, "payment_method"),
            (Shape::SetupIntent, "setup_intent"),
            (Shape::PortalConfiguration, "billing_portal.configuration"),
            (Shape::PortalSession, "billing_portal.session"),
            (Shape::Subscription, "subscription"),
            (Shape::SubscriptionSchedule, "subscription_schedule"),
        ];
        for (shape, object) in all {
            let value = filled(shape, json!({"id": "x"}));
            assert_eq!((value["id"].as_str(), value["object"].as_str()), (Some("x"), Some(object)));
            assert_eq!(value["livemode"], false);
        }
    }
}
