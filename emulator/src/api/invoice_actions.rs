//! What is done to an invoice: finalise, send, pay, void, give up, change, delete a draft. `invoices` reads them.
//!
//! Not sure: that what was on a draft waits again when the draft is deleted.

use serde_json::{Value, json};

use super::{Call, invoice_params};
use crate::billing::collect::{self, Attempt, Collected};
use crate::billing::invoice::{self, Occasion};
use crate::billing::payment::Authentication;
use crate::billing::{draft_lines, sending, standing};
use crate::error::{ApiError, Place};
use crate::state::{Kind, text};

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(invoice_params::UNSUPPORTED)?;
    let mut invoice = call.tx.require(Kind::Invoice, call.id(), Place::Path)?;
    invoice_params::ensure_may_change(&params, &invoice)?;
    invoice_params::read(call.tx, &mut params, &mut invoice)?;
    invoice_params::read_advance(call.tx, &mut params, &mut invoice, false)?;
    params.finish()?;
    call.tx.update(Kind::Invoice, invoice.clone(), "invoice.updated");
    Ok(invoice)
}

pub fn delete(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let invoice = call.tx.require(Kind::Invoice, call.id(), Place::Path)?;
    ensure_draft(&invoice, "delete")?;
    if !invoice["parent"].is_null() {
        return Err(ApiError::invalid("You can't delete invoices created by subscriptions."));
    }
    let id = call.id().to_owned();
    draft_lines::release(call.tx, &invoice);
    call.tx.remove(Kind::Invoice, &id);
    call.tx.emit("invoice.deleted", &invoice);
    Ok(json!({ "id": id, "object": "invoice", "deleted": true }))
}

pub fn finalize(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let auto_advance = params.boolean("auto_advance")?;
    params.finish()?;
    let mut invoice = call.tx.require(Kind::Invoice, call.id(), Place::Path)?;
    if invoice["status"] != "draft" {
        return Err(ApiError::invalid(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
        ));
    }
    finalize_now(call, &mut invoice, auto_advance);
    if invoice["auto_advance"] == true {
        collect::collect(call.tx, invoice, &Attempt::automatic());
    }
    call.tx.require(Kind::Invoice, call.id(), Place::Path)
}

fn finalize_now(call: &mut Call, invoice: &mut Value, auto_advance: Option<bool>) {
    if let Some(auto_advance) = auto_advance {
        invoice["auto_advance"] = json!(auto_advance);
    }
    invoice::finalize(call.tx, invoice);
    call.tx.put(Kind::Invoice, invoice.clone());
    call.tx.emit("invoice.finalized", invoice);
}

/// Sends an invoice, a draft once it is finalised. Stripe says that a paid one can be sent too.
pub fn send(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let mut invoice = call.tx.require(Kind::Invoice, call.id(), Place::Path)?;
    if !sending::is_sent(&invoice) {
        let message = "You can only manually send an invoice if its collection method is 'send_invoice'.";
        return Err(ApiError::invalid(message));
    }
    match text(&invoice, "status") {
        "void" => return Err(not_in_status(&invoice, "send")),
        "draft" => {
            finalize_now(call, &mut invoice, None);
            if invoice["amount_remaining"] == 0 {
                collect::settle(call.tx, invoice, None, Occasion::Automatic);
            }
        }
        _ => {}
    }
    let invoice = call.tx.require(Kind::Invoice, call.id(), Place::Path)?;
    sending::send(call.tx, &invoice);
    Ok(invoice)
}

pub fn pay(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(&["mandate", "source"])?;
    // A card has no balance that could be too small.
    params.boolean("forgive")?;
    let outside = params.boolean("paid_out_of_band")?.unwrap_or(false);
    let off_session = params.boolean("off_session")?.unwrap_or(true);
    let method = params.text("payment_method")?;
    params.finish()?;
    let mut invoice = call.tx.require(Kind::Invoice, call.id(), Place::Path)?;
    if let Some(id) = &method {
        ensure_payable_method(call, id, text(&invoice, "customer"))?;
    }
    match text(&invoice, "status") {
        // Whether Stripe gives this one a code is not known: its types have none that fits.
        "paid" => return Err(ApiError::invalid("Invoice is already paid")),
        "draft" => finalize_now(call, &mut invoice, None),
        "open" | "uncollectible" => {}
        _ => return Err(not_in_status(&invoice, "pay")),
    }
    if outside {
        collect::settle(call.tx, invoice, None, Occasion::ByHand);
    } else {
        let authentication = if off_session { Authentication::OffSession } else { Authentication::NotYet };
        let attempt = Attempt { method, occasion: Occasion::ByHand, authentication };
        answer_to(&collect::collect(call.tx, invoice, &attempt))?;
    }
    call.tx.require(Kind::Invoice, call.id(), Place::Path)
}

/// A card of the customer's own, or one that nobody has yet.
fn ensure_payable_method(call: &Call, id: &str, customer: &str) -> Result<(), ApiError> {
    let method = call.tx.require(Kind::PaymentMethod, id, Place::Param("payment_method"))?;
    if method["customer"].is_null() || method["customer"] == *customer {
        return Ok(());
    }
    let message = "This PaymentMethod belongs to another customer.";
    Err(ApiError::invalid(message).code("payment_method_unexpected_state").param("payment_method"))
}

/// Stripe's refusals, after which what was tried stays on record.
fn answer_to(collected: &Collected) -> Result<(), ApiError> {
    match collected {
        Collected::Paid | Collected::Sent => Ok(()),
        Collected::NoMethod => {
            let message = "There is no `default_payment_method` set on this Customer or Invoice. Please provide the \
                           PaymentMethod ID of the PaymentMethod you would like to use.";
            Err(ApiError::invalid(message).code("missing").keeping_changes())
        }
        Collected::Declined(decline) => {
            Err(ApiError::card(decline.code, decline.decline_code, decline.message).keeping_changes())
        }
        Collected::NeedsAuthentication(_) => {
            let message = "This payment requires additional user action before it can be completed successfully. \
                           Payment can be completed using the `PaymentIntent` associated with the invoice.";
            Err(ApiError::card("invoice_payment_intent_requires_action", None, message).keeping_changes())
        }
    }
}

pub fn void(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let invoice = call.tx.require(Kind::Invoice, call.id(), Place::Path)?;
    if !matches!(text(&invoice, "status"), "open" | "uncollectible") {
        return Err(not_open());
    }
    let invoice = invoice::void(call.tx, invoice);
    standing::settled(call.tx, &invoice);
    Ok(invoice)
}

pub fn mark_uncollectible(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let invoice = call.tx.require(Kind::Invoice, call.id(), Place::Path)?;
    if invoice["status"] != "open" {
        return Err(not_open());
    }
    let invoice = invoice::give_up(call.tx, invoice, "user_forgiven");
    standing::forgiven(call.tx, &invoice);
    Ok(invoice)
}

/// In Stripe's words, also where uncollectible ones would do.
fn not_open() -> ApiError {
    ApiError::invalid("You can only pass in open invoices. This invoice isn't open.")
}

fn ensure_draft(invoice: &Value, what: &str) -> Result<(), ApiError> {
    if invoice["status"] == "draft" { Ok(()) } else { Err(not_in_status(invoice, what)) }
}

fn not_in_status(invoice: &Value, what: &str) -> ApiError {
    let message = format!("You can't {what} an invoice whose status is {}.", text(invoice, "status"));
    ApiError::invalid(message).code("invoice_not_editable")
}
