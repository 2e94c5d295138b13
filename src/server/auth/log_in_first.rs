//! Whoever needs to be logged in goes to the log-in page, and from there back. May not decide
//! which pages those are.

use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use tower_sessions::Session;

use crate::server::session::{LocalPath, Visitor, outage_page};

/// The answer to someone who is not logged in: 303 to the log-in page, which leads back to `uri`.
pub async fn remember_and_log_in(session: Session, uri: Option<&Uri>, headers: &HeaderMap) -> Response {
    let path = uri.and_then(Uri::path_and_query).map(|path| LocalPath::parse(path.as_str()));
    if let Some(Ok(path)) = path
        && let Err(error) = Visitor::new(session).set_return_to(&path).await
    {
        return outage_page(&error, headers);
    }
    Redirect::to("/login").into_response()
}
