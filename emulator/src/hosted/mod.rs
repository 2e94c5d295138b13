//! The pages a buyer sees: checkout, the 3-D Secure challenge, the invoice and the customer portal. Plain HTML
//! without scripts. They read forms and show outcomes; what a purchase does is `billing::checkout`'s business.

mod card_form;
mod challenge;
mod checkout;
mod entry;
mod invoice;
mod invoice_pdf;
pub mod layout;
mod portal;
mod promotion;
mod quantities;
mod sale;
mod setup;

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::browser;
use crate::faults::{Cut, Fault, cut_connection};
use crate::server::App;

pub fn router(app: App) -> Router<App> {
    Router::new()
        .route("/c/pay/{session}", get(checkout::show).post(checkout::submit))
        .route("/c/pay/{session}/promotion_code", post(promotion::submit))
        .route("/c/pay/{session}/quantities", post(quantities::submit))
        .route("/c/3ds/{challenge}", get(challenge::show).post(challenge::submit))
        .route("/i/{invoice}", get(invoice::show).post(invoice::submit))
        .route("/i/{invoice}/pdf", get(invoice_pdf::invoice))
        .route("/i/{invoice}/receipt", get(invoice_pdf::receipt))
        .merge(portal::router())
        .layer(middleware::from_fn_with_state(app, meet_faults))
        .layer(middleware::from_fn(only_own_forms))
}

/// Refuses forms that a page of another site sends.
async fn only_own_forms(request: Request, next: Next) -> Response {
    if !browser::is_foreign(request.method(), request.headers()) {
        return next.run(request).await;
    }
    let text = "Another site has sent this form. Nothing has changed.";
    (StatusCode::FORBIDDEN, layout::message("That is not possible", text, None)).into_response()
}

/// Faults whose path begins with `/c/`, `/i/` or `/p/`.
async fn meet_faults(Shared(app): Shared<App>, request: Request, next: Next) -> Response {
    let met = app.faults.meet(None, request.method().as_str(), request.uri().path());
    met.fault.wait().await;
    let response = answer(&met.fault, request, next).await;
    met.keep_back().await;
    response
}

async fn answer(fault: &Fault, request: Request, next: Next) -> Response {
    if fault.cut == Some(Cut::Before) {
        return cut_connection();
    }
    if let Some(error) = fault.error() {
        let page = layout::message("Something went wrong", error.message(), None);
        return (error.status(), page).into_response();
    }
    let response = next.run(request).await;
    if fault.cut == Some(Cut::After) { cut_connection() } else { response }
}
