//! The kinds of things the emulator stores, with Stripe's names for them. A new resource starts with a line in
//! the table here. This module holds names only, no behaviour.

use serde::{Deserialize, Serialize};

/// What a stored object is. The last four are the emulator's own and never leave it through `/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Account,
    Customer,
    Product,
    Price,
    Coupon,
    PromotionCode,
    Discount,
    CheckoutSession,
    /// Before the subscription: at one and the same second a phase ends first, and then its period.
    SubscriptionSchedule,
    Subscription,
    PaymentMethod,
    PaymentIntent,
    SetupIntent,
    SetupAttempt,
    Charge,
    Refund,
    Invoice,
    InvoicePayment,
    InvoiceItem,
    CustomerBalanceTransaction,
    TaxId,
    Event,
    WebhookEndpoint,
    TestClock,
    PortalConfiguration,
    PortalSession,
    /// One event on its way to one endpoint.
    Delivery,
    /// The stored answer to a POST with an Idempotency-Key.
    IdempotencyKey,
    /// A 3-D Secure challenge that waits for the buyer.
    Challenge,
    /// What the emulator must remember about itself: the clock's offset.
    Setting,
}

struct Names {
    kind: Kind,
    /// What stands in "No such …: 'id'".
    noun: &'static str,
    /// The name in `/_emulator/objects/<kind>/<id>`.
    plural: &'static str,
}

const fn names(kind: Kind, noun: &'static str, plural: &'static str) -> Names {
    Names { kind, noun, plural }
}

const TABLE: &[Names] = &[
    names(Kind::Account, "account", "accounts"),
    names(Kind::Customer, "customer", "customers"),
    names(Kind::Product, "product", "products"),
    names(Kind::Price, "price", "prices"),
    names(Kind::Coupon, "coupon", "coupons"),
    names(Kind::PromotionCode, "promotion code", "promotion_codes"),
    names(Kind::Discount, "discount", "discounts"),
    names(Kind::CheckoutSession, "checkout.session", "checkout_sessions"),
    names(Kind::SubscriptionSchedule, "subscription schedule", "subscription_schedules"),
    names(Kind::Subscription, "subscription", "subscriptions"),
    names(Kind::PaymentMethod, "PaymentMethod", "payment_methods"),
    names(Kind::PaymentIntent, "payment_intent", "payment_intents"),
    names(Kind::SetupIntent, "setupintent", "setup_intents"),
    names(Kind::SetupAttempt, "setup attempt", "setup_attempts"),
    names(Kind::Charge, "charge", "charges"),
    names(Kind::Refund, "refund", "refunds"),
    names(Kind::Invoice, "invoice", "invoices"),
    names(Kind::InvoicePayment, "invoice_payment", "invoice_payments"),
    names(Kind::InvoiceItem, "invoiceitem", "invoice_items"),
    names(Kind::CustomerBalanceTransaction, "customer_balance_transaction", "customer_balance_transactions"),
    names(Kind::TaxId, "tax_id", "tax_ids"),
    names(Kind::Event, "event", "events"),
    names(Kind::WebhookEndpoint, "webhook endpoint", "webhook_endpoints"),
    names(Kind::TestClock, "test_helpers.test_clock", "test_clocks"),
    names(Kind::PortalConfiguration, "configuration", "portal_configurations"),
    names(Kind::PortalSession, "billing_portal.session", "portal_sessions"),
    names(Kind::Delivery, "delivery", "deliveries"),
    names(Kind::IdempotencyKey, "idempotency key", "idempotency_keys"),
    names(Kind::Challenge, "challenge", "challenges"),
    names(Kind::Setting, "setting", "settings"),
];

impl Kind {
    fn names(self) -> &'static Names {
        TABLE.iter().find(|names| names.kind == self).unwrap_or(&TABLE[0])
    }

    /// The word in Stripe's "No such customer: 'cus_1'".
    pub fn noun(self) -> &'static str {
        self.names().noun
    }

    /// The name used by the controls, for example `checkout_sessions`.
    pub fn plural(self) -> &'static str {
        self.names().plural
    }

    /// The kind that the controls call `plural`, if it is one of Stripe's.
    pub fn parse_plural(plural: &str) -> Option<Kind> {
        TABLE
            .iter()
            .find(|names| names.plural == plural && names.kind < Kind::Delivery)
            .map(|names| names.kind)
    }

    /// Every kind that is one of Stripe's own.
    pub fn public() -> impl Iterator<Item = Kind> {
        TABLE.iter().map(|names| names.kind).filter(|kind| *kind < Kind::Delivery)
    }
}
