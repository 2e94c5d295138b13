//! The endpoints: a table of contents, and a file a resource. A path that is not in the table gets Stripe's
//! "Unrecognized request URL".

mod account;
mod charges;
mod checkout_sessions;
mod collection;
mod coupons;
mod customer_balance;
mod customers;
mod discounts;
mod events;
mod invoice_actions;
mod invoice_create;
mod invoice_item_params;
mod invoice_items;
mod invoice_lines;
mod invoice_params;
mod invoice_payments;
mod invoice_preview;
mod invoices;
mod payment_intents;
mod payment_method_input;
mod payment_methods;
mod portal_configurations;
mod portal_sessions;
mod price_data;
mod prices;
mod products;
mod promotion_codes;
mod refunds;
mod search;
mod setup_intents;
mod shipping;
mod subscription_change;
mod subscription_items;
mod subscription_schedules;
mod subscriptions;
mod subscriptions_create;
mod tax_ids;
mod test_clocks;
mod urls;
mod webhook_endpoints;

use axum::http::StatusCode;
use serde_json::Value;

use crate::error::ApiError;
use crate::params::Params;
use crate::state::Tx;

/// A request to one endpoint, inside its transaction.
pub struct Call<'c, 's> {
    pub tx: &'c mut Tx<'s>,
    /// The ids in the path, in order.
    pub path: Vec<String>,
    pub params: Params,
}

impl Call<'_, '_> {
    /// The id in the path.
    pub fn id(&self) -> &str {
        self.path.first().map_or("", String::as_str)
    }

    /// Takes the parameters to read them; `finish` them when all are read.
    pub fn take_params(&mut self) -> Params {
        std::mem::take(&mut self.params)
    }
}

pub type Operation = fn(&mut Call) -> Result<Value, ApiError>;

const ROUTES: &[(&str, &str, Operation)] = &[
    ("GET", "/v1/account", account::retrieve),
    ("POST", "/v1/customers", customers::create),
    ("GET", "/v1/customers", customers::list),
    ("GET", "/v1/customers/search", search::customers),
    ("GET", "/v1/customers/:id", customers::retrieve),
    ("POST", "/v1/customers/:id", customers::update),
    ("DELETE", "/v1/customers/:id", customers::delete),
    ("GET", "/v1/customers/:id/payment_methods", payment_methods::list_of_customer),
    ("GET", "/v1/customers/:id/payment_methods/:id", payment_methods::retrieve_of_customer),
    ("DELETE", "/v1/customers/:id/discount", discounts::delete_of_customer),
    ("POST", "/v1/customers/:id/balance_transactions", customer_balance::create),
    ("GET", "/v1/customers/:id/balance_transactions", customer_balance::list),
    ("GET", "/v1/customers/:id/balance_transactions/:id", customer_balance::retrieve),
    ("POST", "/v1/customers/:id/balance_transactions/:id", customer_balance::update),
    ("POST", "/v1/customers/:id/tax_ids", tax_ids::create),
    ("GET", "/v1/customers/:id/tax_ids", tax_ids::list),
    ("GET", "/v1/customers/:id/tax_ids/:id", tax_ids::retrieve),
    ("DELETE", "/v1/customers/:id/tax_ids/:id", tax_ids::delete),
    ("POST", "/v1/products", products::create),
    ("GET", "/v1/products", products::list),
    ("GET", "/v1/products/:id", products::retrieve),
    ("POST", "/v1/products/:id", products::update),
    ("DELETE", "/v1/products/:id", products::delete),
    ("POST", "/v1/prices", prices::create),
    ("GET", "/v1/prices", prices::list),
    ("GET", "/v1/prices/:id", prices::retrieve),
    ("POST", "/v1/prices/:id", prices::update),
    ("POST", "/v1/coupons", coupons::create),
    ("GET", "/v1/coupons", coupons::list),
    ("GET", "/v1/coupons/:id", coupons::retrieve),
    ("POST", "/v1/coupons/:id", coupons::update),
    ("DELETE", "/v1/coupons/:id", coupons::delete),
    ("POST", "/v1/promotion_codes", promotion_codes::create),
    ("GET", "/v1/promotion_codes", promotion_codes::list),
    ("GET", "/v1/promotion_codes/:id", promotion_codes::retrieve),
    ("POST", "/v1/promotion_codes/:id", promotion_codes::update),
    ("POST", "/v1/checkout/sessions", checkout_sessions::create),
    ("GET", "/v1/checkout/sessions", checkout_sessions::list),
    ("GET", "/v1/checkout/sessions/:id", checkout_sessions::retrieve),
    ("POST", "/v1/checkout/sessions/:id", checkout_sessions::update),
    ("POST", "/v1/checkout/sessions/:id/expire", checkout_sessions::expire),
    ("GET", "/v1/checkout/sessions/:id/line_items", checkout_sessions::line_items),
    ("POST", "/v1/subscriptions", subscriptions_create::create),
    ("GET", "/v1/subscriptions", subscriptions::list),
    ("GET", "/v1/subscriptions/:id", subscriptions::retrieve),
    ("POST", "/v1/subscriptions/:id", subscriptions::update),
    ("DELETE", "/v1/subscriptions/:id", subscriptions::cancel),
    ("POST", "/v1/subscriptions/:id/resume", subscriptions::resume),
    ("POST", "/v1/subscription_items", subscription_items::create),
    ("GET", "/v1/subscription_items", subscription_items::list),
    ("GET", "/v1/subscription_items/:id", subscription_items::retrieve),
    ("POST", "/v1/subscription_items/:id", subscription_items::update),
    ("DELETE", "/v1/subscription_items/:id", subscription_items::delete),
    ("POST", "/v1/subscription_schedules", subscription_schedules::create),
    ("GET", "/v1/subscription_schedules", subscription_schedules::list),
    ("GET", "/v1/subscription_schedules/:id", subscription_schedules::retrieve),
    ("POST", "/v1/subscription_schedules/:id", subscription_schedules::update),
    ("POST", "/v1/subscription_schedules/:id/release", subscription_schedules::release),
    ("POST", "/v1/subscription_schedules/:id/cancel", subscription_schedules::cancel),
    ("POST", "/v1/invoiceitems", invoice_items::create),
    ("GET", "/v1/invoiceitems", invoice_items::list),
    ("GET", "/v1/invoiceitems/:id", invoice_items::retrieve),
    ("POST", "/v1/invoiceitems/:id", invoice_items::update),
    ("DELETE", "/v1/invoiceitems/:id", invoice_items::delete),
    ("DELETE", "/v1/subscriptions/:id/discount", discounts::delete_of_subscription),
    ("POST", "/v1/payment_methods", payment_methods::create),
    ("GET", "/v1/payment_methods", payment_methods::list),
    ("GET", "/v1/payment_methods/:id", payment_methods::retrieve),
    ("POST", "/v1/payment_methods/:id", payment_methods::update),
    ("POST", "/v1/payment_methods/:id/attach", payment_methods::attach),
    ("POST", "/v1/payment_methods/:id/detach", payment_methods::detach),
    ("POST", "/v1/setup_intents", setup_intents::create),
    ("GET", "/v1/setup_intents", setup_intents::list),
    ("GET", "/v1/setup_intents/:id", setup_intents::retrieve),
    ("POST", "/v1/setup_intents/:id", setup_intents::update),
    ("POST", "/v1/setup_intents/:id/confirm", setup_intents::confirm),
    ("POST", "/v1/setup_intents/:id/cancel", setup_intents::cancel),
    ("GET", "/v1/setup_attempts", setup_intents::list_attempts),
    ("GET", "/v1/invoices", invoices::list),
    ("POST", "/v1/invoices", invoice_create::create),
    ("POST", "/v1/invoices/create_preview", invoice_preview::create),
    ("GET", "/v1/invoices/:id", invoices::retrieve),
    ("POST", "/v1/invoices/:id", invoice_actions::update),
    ("DELETE", "/v1/invoices/:id", invoice_actions::delete),
    ("POST", "/v1/invoices/:id/finalize", invoice_actions::finalize),
    ("POST", "/v1/invoices/:id/pay", invoice_actions::pay),
    ("POST", "/v1/invoices/:id/void", invoice_actions::void),
    ("POST", "/v1/invoices/:id/mark_uncollectible", invoice_actions::mark_uncollectible),
    ("POST", "/v1/invoices/:id/send", invoice_actions::send),
    ("POST", "/v1/invoices/:id/add_lines", invoice_lines::add),
    ("POST", "/v1/invoices/:id/update_lines", invoice_lines::update_many),
    ("POST", "/v1/invoices/:id/remove_lines", invoice_lines::remove),
    ("GET", "/v1/invoices/:id/lines", invoice_lines::list),
    ("POST", "/v1/invoices/:id/lines/:id", invoice_lines::update),
    ("POST", "/v1/payment_intents", payment_intents::create),
    ("GET", "/v1/payment_intents", payment_intents::list),
    ("GET", "/v1/payment_intents/:id", payment_intents::retrieve),
    ("POST", "/v1/payment_intents/:id", payment_intents::update),
    ("POST", "/v1/payment_intents/:id/confirm", payment_intents::confirm),
    ("POST", "/v1/payment_intents/:id/capture", payment_intents::capture),
    ("POST", "/v1/payment_intents/:id/cancel", payment_intents::cancel),
    ("GET", "/v1/charges", charges::list),
    ("GET", "/v1/charges/:id", charges::retrieve),
    ("POST", "/v1/charges/:id", charges::update),
    ("POST", "/v1/charges/:id/capture", charges::capture),
    ("POST", "/v1/refunds", refunds::create),
    ("GET", "/v1/refunds", refunds::list),
    ("GET", "/v1/refunds/:id", refunds::retrieve),
    ("POST", "/v1/refunds/:id", refunds::update),
    ("POST", "/v1/refunds/:id/cancel", refunds::cancel),
    ("GET", "/v1/invoice_payments", invoice_payments::list),
    ("GET", "/v1/invoice_payments/:id", invoice_payments::retrieve),
    ("GET", "/v1/events", events::list),
    ("GET", "/v1/events/:id", events::retrieve),
    ("POST", "/v1/billing_portal/configurations", portal_configurations::create),
    ("GET", "/v1/billing_portal/configurations", portal_configurations::list),
    ("GET", "/v1/billing_portal/configurations/:id", portal_configurations::retrieve),
    ("POST", "/v1/billing_portal/configurations/:id", portal_configurations::update),
    ("POST", "/v1/billing_portal/sessions", portal_sessions::create),
    ("POST", "/v1/test_helpers/test_clocks", test_clocks::create),
    ("GET", "/v1/test_helpers/test_clocks", test_clocks::list),
    ("GET", "/v1/test_helpers/test_clocks/:id", test_clocks::retrieve),
    ("POST", "/v1/test_helpers/test_clocks/:id/advance", test_clocks::advance),
    ("DELETE", "/v1/test_helpers/test_clocks/:id", test_clocks::delete),
    ("POST", "/v1/webhook_endpoints", webhook_endpoints::create),
    ("GET", "/v1/webhook_endpoints", webhook_endpoints::list),
    ("GET", "/v1/webhook_endpoints/:id", webhook_endpoints::retrieve),
    ("POST", "/v1/webhook_endpoints/:id", webhook_endpoints::update),
    ("DELETE", "/v1/webhook_endpoints/:id", webhook_endpoints::delete),
];

/// Every endpoint's method and path, in the table's order.
pub fn endpoints() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().map(|(method, path, _)| (*method, *path))
}

/// What Stripe adds for a path that ends in a slash, as one with an empty id does.
const SLASH: &str = " If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an \
                     object, make sure you passed a valid (non-empty) identifier in your code.";

/// The path of an endpoint as the table has it, for example `/v1/customers/:id`.
pub fn pattern(method: &str, path: &str) -> Option<&'static str> {
    let fits =
        |(on, pattern, _): &&(&str, &'static str, Operation)| *on == method && ids(pattern, path).is_some();
    ROUTES.iter().find(fits).map(|(_, pattern, _)| *pattern)
}

/// The operation for a path and the ids in it, or Stripe's 404. Literal paths stand before those with ids.
pub fn route(method: &str, path: &str) -> Result<(Operation, Vec<String>), ApiError> {
    let found = ROUTES.iter().find_map(|(on, pattern, operation)| {
        let ids = if *on == method { ids(pattern, path) } else { None };
        ids.map(|ids| (*operation, ids))
    });
    found.ok_or_else(|| {
        let slash = if path.ends_with('/') { SLASH } else { "" };
        let message = format!(
            "Unrecognized request URL ({method}: {path}).{slash} Please see https://stripe.com/docs or we can help at \
             https://support.stripe.com/. (This is stripe-emulator, which does not have every endpoint of Stripe.)"
        );
        ApiError::new(StatusCode::NOT_FOUND, "invalid_request_error", message)
    })
}

/// The ids in `path` if it fits `pattern`.
fn ids(pattern: &str, path: &str) -> Option<Vec<String>> {
    // Almost every pattern is out by what stands before its first id.
    if !path.starts_with(pattern.split(':').next().unwrap_or_default()) {
        return None;
    }
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut ids = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(ids),
            (Some(word), Some(id)) if word.starts_with(':') && !id.is_empty() => ids.push(id.to_owned()),
            (Some(word), Some(given)) if word == given => {}
            _ => return None,
        }
    }
}
