//! Reading what a request says of a draft: how and when it is paid, and what stands on it besides its lines. The
//! endpoints that make an invoice and that change one share it. Its lines are `invoice_lines`' business.

use serde_json::{Value, json};

use super::collection;
use super::subscriptions::ensure_own_method;
use crate::billing::sending::{self, WORD};
use crate::billing::{invoice, renewal};
use crate::error::ApiError;
use crate::params::{Change, Params};
use crate::state::{Kind, Tx, number, text};

/// Parameters of making and of changing one that Stripe has and that this emulator would have to ignore.
pub const UNSUPPORTED: &[&str] = &[
    "account_tax_ids",
    "application_fee_amount",
    "automatic_tax",
    "default_source",
    "default_tax_rates",
    "discounts",
    "issuer",
    "on_behalf_of",
    "payment_settings",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "transfer_data",
];
/// What Stripe changes of a finalised invoice too.
const LATER: &[&str] = &["auto_advance", "default_payment_method", "metadata"];
const FIVE_YEARS: i64 = 5 * 366 * 86_400;
const MOST_FIELDS: usize = 4;

/// Refuses what cannot be said any more.
pub fn ensure_may_change(params: &Params, invoice: &Value) -> Result<(), ApiError> {
    if invoice["status"] == "draft" {
        return Ok(());
    }
    match params.names().find(|name| !LATER.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let message = "Finalized invoices can't be updated in this way";
            Err(ApiError::invalid(message).code("invoice_not_editable").param(name))
        }
    }
}

/// Everything, but for `auto_advance`.
pub fn read(tx: &Tx, params: &mut Params, invoice: &mut Value) -> Result<(), ApiError> {
    invoice["metadata"] = params.metadata(&invoice["metadata"])?;
    for field in ["description", "footer"] {
        if let Some(change) = params.clearable(field)? {
            invoice[field] = change.into_json();
        }
    }
    if let Some(id) = params.text("default_payment_method")? {
        ensure_own_method(tx, &id, text(invoice, "customer"))?;
        invoice["default_payment_method"] = json!(id);
    }
    read_number(tx, params, invoice)?;
    read_custom_fields(params, invoice)?;
    read_collection(tx, params, invoice)?;
    match params.clearable("effective_at")? {
        None => {}
        Some(Change::Clear) => invoice["effective_at"] = Value::Null,
        Some(Change::Set(at)) => {
            invoice["effective_at"] = json!(params.parse_integer("effective_at", &at)?);
        }
    }
    match params.children("rendering")? {
        None => Ok(()),
        Some(rendering) => read_rendering(rendering, invoice),
    }
}

/// No two invoices have the same number. In which words Stripe says that is not known.
fn read_number(tx: &Tx, params: &mut Params, invoice: &mut Value) -> Result<(), ApiError> {
    let Some(wanted) = params.clearable("number")? else {
        return Ok(());
    };
    if let Change::Set(number) = &wanted {
        let all = tx.store().collection(Kind::Invoice);
        let mut others = all.into_iter().flat_map(|all| all.newest_first());
        if others.any(|it| *it.field("number") == **number && *it.field("id") != invoice["id"]) {
            let message = format!("The invoice number {number} is already in use.");
            return Err(ApiError::invalid(message).param("number"));
        }
    }
    invoice["number"] = wanted.into_json();
    Ok(())
}

/// `custom_fields` of an invoice, or of the settings that a customer's invoices take over.
pub fn read_custom_fields(params: &mut Params, invoice: &mut Value) -> Result<(), ApiError> {
    if params.peek("custom_fields") == Some("") {
        params.clearable("custom_fields")?;
        invoice["custom_fields"] = Value::Null;
        return Ok(());
    }
    let Some(list) = params.list("custom_fields")? else {
        return Ok(());
    };
    if list.len() > MOST_FIELDS {
        let message = format!("You may only specify up to {MOST_FIELDS} custom fields.");
        return Err(ApiError::invalid(message).param(params.full_name("custom_fields")));
    }
    let mut fields = Vec::new();
    for mut field in list {
        let mut part = |name: &str, most: usize| {
            let value = field.required_text(name)?;
            if value.chars().count() <= most {
                return Ok(value);
            }
            let message = format!("Invalid string: must be at most {most} characters");
            Err(ApiError::invalid(message).param(field.full_name(name)))
        };
        fields.push(json!({ "name": part("name", 40)?, "value": part("value", 140)? }));
        field.finish()?;
    }
    invoice["custom_fields"] = json!(fields);
    Ok(())
}

/// `collection_method` and, of an invoice that is sent, `days_until_due` or `due_date`.
fn read_collection(tx: &Tx, params: &mut Params, invoice: &mut Value) -> Result<(), ApiError> {
    if params.has("due_date") && params.has("days_until_due") {
        let message = "You may only specify one of these parameters: days_until_due, due_date.";
        return Err(ApiError::invalid(message).param("due_date"));
    }
    let is_sent = match params.peek("collection_method") {
        None => sending::is_sent(invoice),
        Some(method) => method == WORD,
    };
    let due = params.integer("due_date")?;
    if due.is_some() && !is_sent {
        let message = "You can only specify `due_date` if `collection_method` is `send_invoice`.";
        return Err(ApiError::invalid(message).param("due_date"));
    }
    let days = |due: &Value| due.as_i64().map(|due| (due - number(invoice, "created")) / 86_400);
    let known = due.map(|due| json!(due)).as_ref().map_or_else(|| days(&invoice["due_date"]), days);
    if let Some(days) = collection::read(params, known)? {
        if days.is_some() {
            let customer = tx.find(Kind::Customer, text(invoice, "customer"));
            sending::ensure_address(&customer.map(std::borrow::Cow::into_owned).unwrap_or_default())?;
        }
        sending::set(invoice, days);
    }
    if let Some(due) = due {
        if due < tx.now() {
            return Err(ApiError::invalid("`due_date` must be in the future.").param("due_date"));
        }
        invoice["due_date"] = json!(due);
    }
    Ok(())
}

/// Only the size of the paper: there are no taxes to show, and no templates.
fn read_rendering(mut rendering: Params, invoice: &mut Value) -> Result<(), ApiError> {
    rendering.refuse(&["amount_tax_display", "template", "template_version"])?;
    if let Some(mut pdf) = rendering.children("pdf")? {
        let size = pdf.one_of("page_size", &["a4", "auto", "letter"])?;
        pdf.finish()?;
        invoice["rendering"] = json!({
            "amount_tax_display": null,
            "pdf": { "page_size": size },
            "template": null,
            "template_version": null,
        });
    }
    rendering.finish()
}

/// `auto_advance` and `automatically_finalizes_at`. A new invoice goes on by itself only if it is said.
pub fn read_advance(tx: &Tx, params: &mut Params, invoice: &mut Value, is_new: bool) -> Result<(), ApiError> {
    let name = "automatically_finalizes_at";
    let at = params.integer(name)?;
    if at.is_some_and(|at| at <= tx.now() || at > tx.now() + FIVE_YEARS) {
        let message = format!("`{name}` must be in the future, and within five years.");
        return Err(ApiError::invalid(message).param(name));
    }
    let advance = params.boolean("auto_advance")?.or(at.map(|_| true)).or(is_new.then_some(false));
    match advance {
        None => {}
        Some(_) if !matches!(text(invoice, "status"), "draft" | "open") => {
            let message = format!("You can't update an invoice whose status is {}.", text(invoice, "status"));
            return Err(ApiError::invalid(message).code("invoice_not_editable").param("auto_advance"));
        }
        Some(false) => invoice::stop_collection(invoice),
        Some(true) if is_new => {
            invoice["auto_advance"] = json!(true);
            invoice[name] = json!(tx.now() + renewal::DRAFT);
        }
        Some(true) => invoice::resume_collection(invoice, tx.now()),
    }
    if let Some(at) = at.filter(|_| invoice["auto_advance"] == true) {
        invoice[name] = json!(at);
    }
    Ok(())
}
