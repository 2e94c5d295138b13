//! Hands the outcome of the last form to the page that is loaded next, exactly once. In a
//! middleware, because a page that streams can't change the session any more.

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tower_sessions::Session;

use super::{Visitor, outage_page};
use crate::app::flash::Flash;
use crate::server::security::wants_html;

/// Middleware inside the session layer: puts a `Flash` into the request's extensions where there
/// is one and a person loads a page. A redirect is no page: it passes the flash on.
pub async fn carry_flash(session: Session, mut request: Request, next: Next) -> Response {
    if !is_page_load(&request) {
        return next.run(request).await;
    }
    let visitor = Visitor::new(session);
    let flash = match visitor.take_flash().await {
        Ok(flash) => flash,
        Err(error) => return outage_page(&error, request.headers()),
    };
    let Some(flash) = flash else {
        return next.run(request).await;
    };
    let headers = request.headers().clone();
    request.extensions_mut().insert::<Flash>(flash.clone());
    let response = next.run(request).await;
    if response.status().is_redirection()
        && let Err(error) = keep(&visitor, &flash).await
    {
        return outage_page(&error, &headers);
    }
    response
}

async fn keep(visitor: &Visitor, flash: &Flash) -> Result<(), super::SessionError> {
    // What the redirect itself has to say is newer.
    let newer = visitor.take_flash().await?;
    visitor.set_flash(newer.as_ref().unwrap_or(flash)).await
}

fn is_page_load(request: &Request) -> bool {
    let headers = request.headers();
    let ahead_of_time = headers.contains_key("sec-purpose") || headers.contains_key("purpose");
    request.method() == Method::GET && wants_html(headers) && !ahead_of_time
}
