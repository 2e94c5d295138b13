//! The answer when Redis, and so the session, is out of reach: a clear 503, never a panic, an
//! empty page or a silent log-out. And the answer to a form that can't be read. May not use the
//! session.

use std::fmt::Display;

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;

use crate::server::security::{PlainPage, wants_html};

const TRY_AGAIN_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Logs why, and says to the visitor what they can do.
pub fn outage_page(why: &dyn Display, request: &HeaderMap) -> Response {
    tracing::error!(error = %why, "answered 503");
    unavailable(request)
}

/// Middleware around the session layer, for the ways a failure reaches a browser as something
/// else than a page: tower-sessions answers an empty 500 where a session can't be stored, a server
/// function's 503 has its error as raw text, and one that can't read its arguments sends the
/// browser back with the error in the URL, where anybody could write one.
///
/// It also repairs tower-sessions' removal of a `__Host-` cookie, which lacks `Secure`, so that
/// browsers refuse it.
pub async fn answer_outages(request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let mut response = next.run(request).await;
    let status = response.status();
    let empty = response.body().size_hint().exact() == Some(0);
    if status == StatusCode::INTERNAL_SERVER_ERROR && empty {
        return unavailable(&headers);
    }
    if wants_html(&headers) && !is_html(response.headers()) {
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return unavailable(&headers);
        }
        if status == StatusCode::FOUND && response.headers().contains_key(SERVER_FN_ERROR_HEADER) {
            return unreadable(&headers);
        }
    }
    secure_removals(response.headers_mut());
    response
}

fn unreadable(request: &HeaderMap) -> Response {
    tracing::warn!("a form could not be read");
    let text = "Some of what was sent is missing, twice there, or not text. Nothing was done. \
                Go back, reload the page, and send the form again.";
    PlainPage::new(StatusCode::BAD_REQUEST, "We couldn't read that form", text).answer(request)
}

fn unavailable(request: &HeaderMap) -> Response {
    let text = "Something we depend on does not answer right now. Nothing you have is lost, and you \
                are still logged in if you were. Please try again in a moment.";
    let page = PlainPage::new(StatusCode::SERVICE_UNAVAILABLE, "We'll be back in a moment", text);
    let mut response = page.answer(request);
    response.headers_mut().insert(header::RETRY_AFTER, TRY_AGAIN_AFTER_SECONDS);
    response
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn secure_removals(headers: &mut HeaderMap) {
    if let header::Entry::Occupied(mut cookies) = headers.entry(header::SET_COOKIE) {
        for cookie in cookies.iter_mut() {
            if let Some(secured) = secured(cookie) {
                *cookie = secured;
            }
        }
    }
}

fn secured(cookie: &HeaderValue) -> Option<HeaderValue> {
    let text = cookie.to_str().ok()?;
    let lacks = text.starts_with("__Host-") && !text.split("; ").any(|part| part == "Secure");
    lacks.then(|| HeaderValue::from_str(&format!("{text}; Secure")).ok())?
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_host_cookie_is_always_secure() {
        let mut headers = HeaderMap::new();
        for cookie in ["__Host-a=; Path=/; Max-Age=0", "b=1; Path=/", "__Host-c=1; Secure; Path=/"] {
            headers.append(header::SET_COOKIE, HeaderValue::from_static(cookie));
        }
        secure_removals(&mut headers);
        let cookies: Vec<_> =
            headers.get_all(header::SET_COOKIE).iter().map(|c| c.to_str().unwrap()).collect();
        assert_eq!(
            cookies,
            ["__Host-a=; Path=/; Max-Age=0; Secure", "b=1; Path=/", "__Host-c=1; Secure; Path=/"]
        );
    }
}
