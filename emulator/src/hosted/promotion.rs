//! The promotion code on the checkout page: a form of its own beside what is bought, so that it works without
//! scripts. A code that is taken changes the totals; one that is not says why beside the field.
//!
//! Not sure: Stripe's words on its page for a code that exists and may not be redeemed; here they are the API's.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::card_form::Field;
use super::checkout::{View, missing, refused_beside};
use super::entry::{Entry, Errors};
use crate::billing::checkout::quantities::too_little;
use crate::billing::discount::redeem::{Failed, Wanted, find_code, resolve};
use crate::billing::discount::{session as discounts, words};
use crate::billing::money;
use crate::error::{ApiError, Place};
use crate::form::{self, Node};
use crate::server::App;
use crate::state::{Kind, Stamp, Tx, number, text};

/// The name of the field.
pub const FIELD: &str = "promotion_code";

/// The discount that a session has, in words.
#[derive(Clone)]
pub struct Discount {
    label: String,
    terms: String,
    /// Whether the buyer brought it, and may take it away.
    by_code: bool,
}

pub async fn submit(Shared(app): Shared<App>, Path(id): Path<String>, body: Bytes) -> Response {
    let fields = form::parse(&body).unwrap_or_default();
    let field = |wanted: &str| {
        fields.iter().find_map(|(name, node)| match node {
            Node::Text(text) if name == wanted => Some(text.trim().to_owned()),
            _ => None,
        })
    };
    let (code, removes) = (field(FIELD).unwrap_or_default(), field("action").as_deref() == Some("remove"));
    let session = id.clone();
    let done = app.state.transact(Stamp::default(), move |tx| {
        if removes { remove(tx, &session).map(|()| None) } else { apply(tx, &session, &code) }
    });
    match done.await {
        Ok(None) => Redirect::to(&format!("/c/pay/{id}")).into_response(),
        Ok(Some(why)) => refused_beside(&app, id, &Entry::default(), FIELD, why).await,
        Err(error) => missing(&error),
    }
}

/// Applies a code. Gives why it is not taken, if it is not.
fn apply(tx: &mut Tx, id: &str, code: &str) -> Result<Option<String>, ApiError> {
    let session = open_session(tx, id)?;
    if session["allow_promotion_codes"] != true || session["status"] != "open" {
        return Ok(Some("This page takes no promotion codes.".to_owned()));
    }
    let customer = session["customer"].as_str();
    let Some(promotion) = find_code(tx, code, customer) else {
        return Ok(Some("This code is invalid.".to_owned()));
    };
    let parts = discounts::parts(&tx.private(Kind::CheckoutSession, id)["line_items"]);
    let wanted = Wanted::PromotionCode(promotion);
    match resolve(tx, &wanted, customer, text(&session, "currency"), &parts) {
        Ok(applied) => {
            let before = tx.savepoint();
            discounts::replace(tx, session, &[applied]);
            let why = too_little(&open_session(tx, id)?);
            if why.is_some() {
                tx.roll_back_to(&before);
            }
            Ok(why)
        }
        Err(failed) => Ok(Some(Failed::message(&failed))),
    }
}

/// Takes the buyer's code away; a discount that the shop gave stays.
fn remove(tx: &mut Tx, id: &str) -> Result<(), ApiError> {
    let session = open_session(tx, id)?;
    if session["allow_promotion_codes"] == true && session["status"] == "open" {
        discounts::replace(tx, session, &[]);
    }
    Ok(())
}

fn open_session(tx: &Tx, id: &str) -> Result<Value, ApiError> {
    tx.require(Kind::CheckoutSession, id, Place::Path)
}

pub fn discount(tx: &Tx, session: &Value) -> Option<Discount> {
    let shown = session["discounts"].as_array()?.first()?;
    let promotion = tx.copy(Kind::PromotionCode, text(shown, FIELD));
    let id = promotion.as_ref().map_or(text(shown, "coupon"), |code| text(&code["promotion"], "coupon"));
    let coupon = tx.copy(Kind::Coupon, id).filter(|coupon| coupon["deleted"] != true)?;
    let name = coupon["name"].as_str().unwrap_or(id);
    let code = promotion.as_ref().map(|promotion| text(promotion, "code"));
    let lasts = match text(&coupon, "duration") {
        "once" => "once".to_owned(),
        "repeating" if coupon["duration_in_months"] == 1 => "for 1 month".to_owned(),
        "repeating" => format!("for {} months", coupon["duration_in_months"]),
        _ => "every time".to_owned(),
    };
    Some(Discount {
        label: code.unwrap_or(name).to_owned(),
        terms: format!("{} off {lasts}", words(&coupon)),
        by_code: session["allow_promotion_codes"] == true,
    })
}

/// The discount among what is bought.
pub fn row(view: &View) -> Markup {
    let off = -number(&view.session["total_details"], "amount_discount");
    html! {
        @if let Some(discount) = &view.discount {
            div {
                dt { (discount.label) br; span.soft { (discount.terms) } }
                dd { (money::format(off, text(&view.session, "currency"))) }
            }
        }
    }
}

/// The field for a code, or the button that takes the code away.
pub fn form(view: &View, errors: &Errors) -> Markup {
    let action = format!("/c/pay/{}/promotion_code", text(&view.session, "id"));
    let field = Field { name: FIELD, label: "Promotion code", hint: "", autocomplete: "off", mode: "text" };
    let allowed = view.session["allow_promotion_codes"] == true;
    html! {
        @match &view.discount {
            Some(discount) if discount.by_code => {
                form method="post" action=(action) {
                    button.quiet type="submit" name="action" value="remove" { "Remove " (discount.label) }
                }
            }
            None if allowed => {
                form.code method="post" action=(action) novalidate {
                    (field.render("", errors))
                    button.quiet type="submit" name="action" value="apply" { "Apply" }
                }
            }
            _ => @if let Some(error) = errors.get(FIELD) { p.error { (error) } }
        }
    }
}
