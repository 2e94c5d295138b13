//! Identifiers as types that parse once, so that a customer's id can never be passed for a user's.
//! May not know what any of them is used for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not valid: {reason}")]
pub struct InvalidId {
    pub name: &'static str,
    pub reason: &'static str,
}

/// Stripe says that ids are opaque and up to 255 characters long.
const LONGEST: usize = 255;

fn check(name: &'static str, text: &str, allowed: fn(char) -> bool) -> Result<(), InvalidId> {
    let reason = if text.is_empty() {
        "it is empty"
    } else if text.len() > LONGEST {
        "it is longer than 255 characters"
    } else if !text.chars().all(allowed) {
        "it has a character that may not stand in an id"
    } else {
        return Ok(());
    };
    Err(InvalidId { name, reason })
}

/// Stripe's ids go into URLs and Redis keys as they are, so nothing but these may stand in one.
fn stripe_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.'
}

/// Ids that an account may choose itself (products, old plans) and lookup keys: they go into no key
/// and no path but Stripe's own.
fn chosen_char(c: char) -> bool {
    !c.is_control()
}

/// A user's id is the app's own: anything printable that can break neither a Redis hash tag nor
/// the quotes of a Stripe search.
fn user_char(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '{' | '}' | '\'' | '"' | '\\')
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $label:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// `InvalidId` where the text is empty, too long, or has a character that may not stand in an id.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                check($label, &text, $allowed)?;
                Ok(Self(text))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/** The app's own id of a user. */ UserId, "the user id", user_char);
id!(/** A customer at Stripe, `cus_…`. */ CustomerId, "the customer id", stripe_char);
id!(/** A subscription at Stripe, `sub_…`. */ SubscriptionId, "the subscription id", stripe_char);
id!(/** An item of a subscription, `si_…`. */ SubscriptionItemId, "the subscription item id", stripe_char);
id!(/** A subscription schedule, `sub_sched_…`. */ ScheduleId, "the schedule id", stripe_char);
id!(/** An invoice at Stripe, `in_…`. */ InvoiceId, "the invoice id", stripe_char);
id!(/** A payment method at Stripe, `pm_…`. */ PaymentMethodId, "the payment method id", stripe_char);
id!(/** The hash of a card's fingerprint: the same card, the same hash. */ CardHash, "the card's hash", stripe_char);
id!(/** A price at Stripe, `price_…`. */ PriceId, "the price id", chosen_char);
id!(/** A product at Stripe, `prod_…`. */ ProductId, "the product id", chosen_char);
id!(/** A Checkout Session, `cs_…`. */ CheckoutSessionId, "the checkout session id", stripe_char);
id!(/** An event at Stripe, `evt_…`. */ EventId, "the event id", stripe_char);
id!(/** A Stripe account, `acct_…`. */ AccountId, "the account id", stripe_char);
id!(/** A plan's name in plans.toml and in a product's metadata. */ PlanId, "the plan id", stripe_char);
id!(/** The name a price is sold under; it moves when the price changes. */ LookupKey, "the lookup key", chosen_char);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_could_break_a_key_or_a_search_is_refused() {
        for text in ["", "a b", "{x}", "x'y", "x\\y", "x\"y", "x\ny", &"x".repeat(256)] {
            assert!(UserId::parse(text).is_err(), "{text:?}");
        }
        for text in ["", "cus_1/..", "cus 1", "cus_{1}", "cus_1?x"] {
            assert!(CustomerId::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(UserId::parse("auth0|123").unwrap().as_str(), "auth0|123");
        assert_eq!(CustomerId::parse("cus_Nf-1").unwrap().as_str(), "cus_Nf-1");
    }

    #[test]
    fn serde_parses_too() {
        assert!(serde_json::from_str::<CustomerId>("\"cus_1\"").is_ok());
        assert!(serde_json::from_str::<CustomerId>("\"\"").is_err());
    }
}
