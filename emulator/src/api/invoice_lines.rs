//! The lines of an invoice: listed, and of a draft added, changed and removed, one or many at a time. What a line says
//! is read in `invoice_item_params`; a request that refuses one line changes none.

use serde_json::{Value, json};

use super::{Call, invoice_item_params};
use crate::billing::{draft_lines, invoice_item};
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, text};

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let limit = crate::list::limit(&mut params)?;
    let (after, before) = (params.text("starting_after")?, params.text("ending_before")?);
    params.finish()?;
    if after.is_some() && before.is_some() {
        let message = "You cannot parameterize starting_after and ending_before at the same time.";
        return Err(ApiError::invalid(message).param("starting_after"));
    }
    let invoice = call.tx.require(Kind::Invoice, call.id(), Place::Path)?;
    let all = invoice["lines"]["data"].as_array().cloned().unwrap_or_default();
    let at = |id: &str, param: &str| {
        let found = all.iter().position(|line| line["id"] == *id);
        found.ok_or_else(|| no_such_line(id, Place::Param(param)))
    };
    let (span, has_more) = match (after, before) {
        (None, Some(id)) => {
            let end = at(&id, "ending_before")?;
            (end.saturating_sub(limit)..end, end > limit)
        }
        (after, _) => {
            let start = after.map_or(Ok(0), |id| at(&id, "starting_after").map(|at| at + 1))?;
            (start..(start + limit).min(all.len()), start + limit < all.len())
        }
    };
    let url = &invoice["lines"]["url"];
    Ok(json!({ "object": "list", "data": all[span], "has_more": has_more, "url": url }))
}

pub fn add(call: &mut Call) -> Result<Value, ApiError> {
    let (mut draft, lines) = read(call)?;
    for line in lines {
        let mut item = read_new(call.tx, line, &draft)?;
        let is_new =
            item["invoice"].is_null() && call.tx.find(Kind::InvoiceItem, text(&item, "id")).is_none();
        draft_lines::put_on(&mut draft, &mut item);
        if is_new {
            invoice_item::add(call.tx, item);
        } else {
            call.tx.put(Kind::InvoiceItem, item);
        }
    }
    Ok(draft_lines::store(call.tx, draft))
}

/// A new item, or one that waits, with what the request says of it.
fn read_new(tx: &mut Tx, mut line: Params, draft: &Value) -> Result<Value, ApiError> {
    let name = line.full_name("invoice_item");
    let mut item = match line.text("invoice_item")? {
        None => {
            let customer = tx.require(Kind::Customer, text(draft, "customer"), Place::Param("customer"))?;
            invoice_item_params::blank(tx, &customer, text(draft, "currency"))
        }
        Some(id) => {
            let item = tx.require(Kind::InvoiceItem, &id, Place::Param(&name))?;
            let fits = ["customer", "currency"].iter().all(|field| item[*field] == draft[*field]);
            if !fits || !item["invoice"].is_null() {
                let message = format!(
                    "The invoice item {id} must be the customer's, in the invoice's currency, and on no invoice yet."
                );
                return Err(ApiError::invalid(message).param(name));
            }
            item
        }
    };
    read_line_into(tx, line, &mut item)?;
    Ok(item)
}

pub fn update_many(call: &mut Call) -> Result<Value, ApiError> {
    let (mut draft, lines) = read(call)?;
    for mut params in lines {
        let line = read_line(&draft, &mut params)?;
        change(call.tx, &mut draft, &line, params)?;
    }
    Ok(draft_lines::store(call.tx, draft))
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let params = call.take_params();
    let mut draft = require_draft(call)?;
    let id = call.path.get(1).cloned().unwrap_or_default();
    let line = draft_lines::find(&draft, &id).ok_or_else(|| no_such_line(&id, Place::Path))?;
    change(call.tx, &mut draft, &line, params)?;
    let draft = draft_lines::store(call.tx, draft);
    Ok(draft_lines::find(&draft, &id).unwrap_or_default())
}

fn change(tx: &mut Tx, draft: &mut Value, line: &Value, params: Params) -> Result<(), ApiError> {
    let mut subject = draft_lines::subject(tx, line);
    read_line_into(tx, params, &mut subject)?;
    draft_lines::change(tx, draft, subject);
    Ok(())
}

/// A line says what an item says, but for the price of a unit.
fn read_line_into(tx: &mut Tx, mut params: Params, subject: &mut Value) -> Result<(), ApiError> {
    let unknown = params.full_name("unit_amount_decimal");
    if params.has("unit_amount_decimal") {
        return Err(ApiError::unknown_params(&[unknown]));
    }
    invoice_item_params::read(tx, &mut params, subject)?;
    params.finish()
}

pub fn remove(call: &mut Call) -> Result<Value, ApiError> {
    let (mut draft, lines) = read(call)?;
    for mut params in lines {
        let name = params.full_name("behavior");
        let line = read_line(&draft, &mut params)?;
        let behavior = params.one_of("behavior", &["delete", "unassign"])?;
        let behavior = behavior.ok_or_else(|| ApiError::missing_param(&name))?;
        params.finish()?;
        let waits_again = behavior == "unassign";
        if waits_again && invoice_item::id_of_line(&line).is_empty() {
            let message = "Only a line that comes of an invoice item can be unassigned.";
            return Err(ApiError::invalid(message).param(name));
        }
        draft_lines::take_off(call.tx, &mut draft, &line, waits_again);
    }
    Ok(draft_lines::store(call.tx, draft))
}

/// The draft in the path with its new metadata, and what is wanted of its lines.
fn read(call: &mut Call) -> Result<(Value, Vec<Params>), ApiError> {
    let mut params = call.take_params();
    let mut draft = require_draft(call)?;
    if let Some(mut metadata) = params.children("invoice_metadata")? {
        let names: Vec<String> = metadata.names().map(str::to_owned).collect();
        for name in names {
            draft["metadata"][&name] = metadata.required_text(&name)?.into();
        }
    }
    let lines = params.list("lines")?.ok_or_else(|| ApiError::missing_param("lines"))?;
    params.finish()?;
    Ok((draft, lines))
}

fn require_draft(call: &Call) -> Result<Value, ApiError> {
    let invoice = call.tx.require(Kind::Invoice, call.id(), Place::Path)?;
    if invoice["status"] == "draft" {
        return Ok(invoice);
    }
    let message = "Finalized invoices can't be updated in this way";
    Err(ApiError::invalid(message).code("invoice_not_editable"))
}

/// The line whose id the parameters name.
fn read_line(draft: &Value, params: &mut Params) -> Result<Value, ApiError> {
    let name = params.full_name("id");
    let id = params.required_text("id")?;
    draft_lines::find(draft, &id).ok_or_else(|| no_such_line(&id, Place::Param(&name)))
}

fn no_such_line(id: &str, place: Place) -> ApiError {
    let message = format!("No such line item: '{id}'");
    match place {
        Place::Path => ApiError::new(axum::http::StatusCode::NOT_FOUND, "invalid_request_error", message)
            .code("resource_missing")
            .param("id"),
        Place::Param(name) => ApiError::invalid(message).code("resource_missing").param(name),
    }
}
