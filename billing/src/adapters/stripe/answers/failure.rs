//! The payments of an invoice that was not paid: which card was tried.

use serde::Deserialize;

use super::{Id, List, Reference};
use crate::id::PaymentMethodId;

/// `GET /v1/invoice_payments`, with payment intent and charge expanded.
#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct FailedPayments(List<InvoicePayment>);

#[derive(Deserialize)]
struct InvoicePayment {
    payment: Option<Payment>,
}

#[derive(Deserialize)]
struct Payment {
    payment_intent: Option<Reference<Intent>>,
}

/// After a decline it has no payment method any more: its charge does.
#[derive(Deserialize)]
struct Intent {
    payment_method: Option<Reference<Id>>,
    latest_charge: Option<Reference<Charge>>,
    last_payment_error: Option<Failure>,
}

#[derive(Deserialize)]
struct Charge {
    payment_method: Option<Reference<Id>>,
}

#[derive(Deserialize)]
struct Failure {
    payment_method: Option<Reference<Id>>,
}

impl FailedPayments {
    /// Of the newest payment that names one.
    pub fn card(&self) -> Option<PaymentMethodId> {
        let intents =
            self.0.data.iter().filter_map(|it| it.payment.as_ref()?.payment_intent.as_ref()?.object());
        let card = |intent: &Intent| {
            let error = intent.last_payment_error.as_ref().and_then(|error| error.payment_method.as_ref());
            let charge = intent.latest_charge.as_ref().and_then(Reference::object);
            let charged = charge.and_then(|charge| charge.payment_method.as_ref());
            let named = error.or(intent.payment_method.as_ref()).or(charged)?;
            PaymentMethodId::parse(named.id()).ok()
        };
        intents.into_iter().find_map(card)
    }
}
