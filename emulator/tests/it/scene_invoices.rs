//! What the endpoints of invoices, their items and lines, and of a customer's credit need to say yes, for `scene`.

use crate::support::{Stripe, id};

/// As `scene` has them.
pub const NEEDS: &[(&str, &str)] = &[
    ("POST /v1/invoices", "from_invoice[action]=revision&from_invoice[invoice]={open}"),
    ("POST /v1/invoices/:id/add_lines", "lines[0][amount]=100"),
    (
        "POST /v1/invoices/:id/add_lines",
        "lines[0][price_data][currency]=usd&lines[0][price_data][product]={products}&lines[0][price_data][unit_amount]=100",
    ),
    (
        "POST /v1/invoices/:id/add_lines",
        "lines[0][price_data][currency]=usd&lines[0][price_data][product]={products}&lines[0][price_data][unit_amount_decimal]=100",
    ),
    ("POST /v1/invoices/:id/update_lines", "lines[0][id]={line}"),
    (
        "POST /v1/invoices/:id/update_lines",
        "lines[0][id]={line}&lines[0][price_data][currency]=usd&lines[0][price_data][product]={products}&lines[0][price_data][unit_amount]=100",
    ),
    (
        "POST /v1/invoices/:id/update_lines",
        "lines[0][id]={line}&lines[0][price_data][currency]=usd&lines[0][price_data][product]={products}&lines[0][price_data][unit_amount_decimal]=100",
    ),
    ("POST /v1/invoices/:id/remove_lines", "lines[0][id]={line}&lines[0][behavior]=unassign"),
    ("POST /v1/customers/:id/balance_transactions", "amount=100&currency=usd"),
    ("POST /v1/customers/:id/tax_ids", "type=eu_vat&value=DE123456789"),
    ("POST /v1/invoiceitems", "customer={customers}&unit_amount_decimal=100&currency=usd"),
    (
        "POST /v1/invoiceitems",
        "customer={customers}&price_data[currency]=usd&price_data[product]={products}&price_data[unit_amount]=100",
    ),
    (
        "POST /v1/invoiceitems",
        "customer={customers}&price_data[currency]=usd&price_data[product]={products}&price_data[unit_amount_decimal]=100",
    ),
    ("POST /v1/invoiceitems/:id", ""),
    (
        "POST /v1/invoiceitems/:id",
        "price_data[currency]=usd&price_data[product]={products}&price_data[unit_amount]=100",
    ),
    (
        "POST /v1/invoiceitems/:id",
        "price_data[currency]=usd&price_data[product]={products}&price_data[unit_amount_decimal]=100",
    ),
    ("POST /v1/invoices/:id/lines/:id", ""),
    (
        "POST /v1/invoices/:id/lines/:id",
        "price_data[currency]=usd&price_data[product]={products}&price_data[unit_amount]=100",
    ),
    (
        "POST /v1/invoices/:id/lines/:id",
        "price_data[currency]=usd&price_data[product]={products}&price_data[unit_amount_decimal]=100",
    ),
];

/// An open invoice of nobody's subscription, over a dollar.
pub async fn own_invoice(stripe: &Stripe, more: &[(&str, &str)]) -> String {
    let customer = stripe.customer().await;
    let fields = [("customer", customer.as_str()), ("amount", "100"), ("currency", "usd")];
    stripe.post("/v1/invoiceitems", &fields).await;
    let fields = [("customer", customer.as_str()), ("pending_invoice_items_behavior", "include")];
    let draft = id(&stripe.post("/v1/invoices", &[&fields[..], more].concat()).await);
    id(&stripe.post(&format!("/v1/invoices/{draft}/finalize"), &[]).await)
}

pub async fn draft_with_a_line(stripe: &Stripe) -> String {
    let customer = stripe.customer().await;
    let draft = id(&stripe.post("/v1/invoices", &[("customer", &customer)]).await);
    let fields =
        [("customer", customer.as_str()), ("amount", "100"), ("currency", "usd"), ("invoice", &draft)];
    stripe.post("/v1/invoiceitems", &fields).await;
    draft
}
