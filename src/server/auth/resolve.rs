//! Finds out once per request who the user is. Not for static files, webhooks or health checks.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::{Authenticate, CurrentUser};
use crate::server::session::outage_page;

/// Middleware inside the session layer: puts `CurrentUser` into the request's extensions, or
/// answers 503 where that can't be found out.
pub async fn resolve_user(
    State(auth): State<Arc<dyn Authenticate>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match auth.user(&parts).await {
        Ok(user) => {
            parts.extensions.insert(CurrentUser(user));
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => outage_page(&error, &parts.headers),
    }
}
