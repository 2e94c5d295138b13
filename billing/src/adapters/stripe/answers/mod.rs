//! Stripe's answers, as few fields as we need, everything optional that may ever be missing.
//! Shapes: https://docs.stripe.com/api, version 2026-09-30.endive; older ones read too.

mod catalog;
mod change;
mod checkout;
mod customer;
mod failure;
mod invoice;
mod pending;
mod subscription;

use serde::Deserialize;

use crate::error::{StripeError, StripeErrorKind};
use crate::id::InvalidId;

pub(super) use catalog::{Price, Product};
pub(super) use change::{Managed, Phase, PortalSession, Preview, SchedulePhases};
pub(super) use checkout::CheckoutSession;
pub(super) use customer::{Customer, USED};
pub(super) use failure::FailedPayments;
pub(super) use invoice::Invoice;
pub(super) use subscription::{Item, REFUSED, Subscription};

#[derive(Deserialize)]
pub(super) struct List<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

#[derive(Deserialize)]
pub(super) struct Id {
    pub id: String,
}

/// The emulator's clock, Unix seconds.
#[derive(Deserialize)]
pub(super) struct Clock {
    pub now: i64,
}

/// A reference: an id, or the object where it was expanded. A deleted one is still an object.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Reference<T> {
    Id(String),
    Object(T),
}

impl<T> Reference<T> {
    fn object(&self) -> Option<&T> {
        match self {
            Reference::Id(_) => None,
            Reference::Object(object) => Some(object),
        }
    }
}

impl Reference<Id> {
    pub(super) fn id(&self) -> &str {
        match self {
            Reference::Id(id) => id,
            Reference::Object(object) => &object.id,
        }
    }
}

/// Messages may quote what was sent, and errors are logged.
pub(super) fn without_emails(message: &str) -> String {
    let words = message.split(' ').map(|word| if word.contains('@') { "(e-mail)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// An id of Stripe's answer that is no id.
pub(super) fn invalid(error: &InvalidId) -> StripeError {
    StripeError::new(StripeErrorKind::Unreadable, error.to_string())
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
