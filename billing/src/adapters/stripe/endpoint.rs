//! The name of an endpoint: method and path without ids, as limits and metrics know it. Pure.

use stripe_client_core::StripeMethod;

/// What stands in the paths of Stripe's API beside ids. Ids are told by not being one of these and
/// not by their prefixes: an account may choose the ids of its products itself.
const WORDS: &[&str] = &[
    "account",
    "advance",
    "attach",
    "billing_portal",
    "cancel",
    "charges",
    "checkout",
    "configurations",
    "coupons",
    "create_preview",
    "customers",
    "detach",
    "discount",
    "events",
    "expire",
    "finalize",
    "invoice_payments",
    "invoices",
    "line_items",
    "lines",
    "pay",
    "payment_intents",
    "payment_methods",
    "prices",
    "products",
    "promotion_codes",
    "refunds",
    "release",
    "resume",
    "search",
    "sessions",
    "setup_intents",
    "subscription_items",
    "subscription_schedules",
    "subscriptions",
    "test_clocks",
    "test_helpers",
    "void",
    "webhook_endpoints",
];

/// `GET /v1/customers/:id` of `/customers/cus_1`.
pub(super) fn name(method: &StripeMethod, path: &str) -> String {
    let method = match method {
        StripeMethod::Get => "GET",
        StripeMethod::Post => "POST",
        StripeMethod::Delete => "DELETE",
    };
    let parts = path.split('/').filter(|part| !part.is_empty());
    let named = parts.map(|part| if WORDS.contains(&part) { part } else { ":id" });
    format!("{method} /v1/{}", named.collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_left_out_whatever_they_look_like() {
        for (path, expected) in [
            ("/account", "GET /v1/account"),
            ("/subscriptions", "GET /v1/subscriptions"),
            ("/customers/cus_1", "GET /v1/customers/:id"),
            ("/customers/search", "GET /v1/customers/search"),
            ("/checkout/sessions/cs_test_a1/expire", "GET /v1/checkout/sessions/:id/expire"),
            ("/products/my%20product", "GET /v1/products/:id"),
            ("/products/pro/", "GET /v1/products/:id"),
        ] {
            assert_eq!(name(&StripeMethod::Get, path), expected);
        }
        assert_eq!(name(&StripeMethod::Post, "/customers"), "POST /v1/customers");
        assert_eq!(name(&StripeMethod::Delete, "/subscriptions/sub_1"), "DELETE /v1/subscriptions/:id");
    }
}
