//! Refuses requests that change something unless they come from our own pages. The session cookie
//! is SameSite=Lax, which keeps other sites out, but not other origins of the same site, and not
//! old browsers: this does. May not look at who the user is.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::{Origin, PlainPage, SecurityPolicy};

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// The browser itself says that another site or origin sent it.
    OtherSite,
    /// An older browser names an origin that is not PUBLIC_URL's.
    OtherOrigin,
    /// Neither header: no browser of today, so most likely a script.
    Unknown,
}

/// Middleware, to be put around everything that a browser asks for.
pub async fn same_origin(
    State(policy): State<Arc<SecurityPolicy>>,
    request: Request,
    next: Next,
) -> Response {
    let judged = judge(request.method(), request.headers(), &policy.own);
    match judged {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            tracing::warn!(?refusal, path = request.uri().path(), "refused a cross-site request");
            refused(refusal, &policy.own, request.headers())
        }
    }
}

fn judge(method: &Method, headers: &HeaderMap, own: &Origin) -> Result<(), Refusal> {
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE];
    if safe.contains(method) {
        return Ok(());
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return match site.as_bytes() {
            b"same-origin" | b"none" => Ok(()),
            _ => Err(Refusal::OtherSite),
        };
    }
    let origin = headers.get(header::ORIGIN).ok_or(Refusal::Unknown)?;
    match origin.to_str().map(Origin::parse) {
        Ok(Ok(origin)) if origin == *own => Ok(()),
        _ => Err(Refusal::OtherOrigin),
    }
}

fn refused(refusal: Refusal, own: &Origin, headers: &HeaderMap) -> Response {
    let text = match refusal {
        Refusal::OtherSite => {
            format!("The form was sent from another site. Open {own} and send it from there.")
        }
        Refusal::OtherOrigin => format!(
            "The form was sent from another address than {own}. Open that address and send it from \
             there. If you run this site: PUBLIC_URL must be the address that people open."
        ),
        Refusal::Unknown => format!(
            "The request does not say where it comes from. Send it with a current browser, or with \
             the header `Origin: {own}`."
        ),
    };
    PlainPage::new(StatusCode::FORBIDDEN, "Nothing was done", &text).answer(headers)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use axum::http::HeaderValue;

    use super::*;

    const OURS: &str = "http://127.0.0.1:3000";

    fn verdict(
        method: &Method,
        site: Option<&'static str>,
        origin: Option<&'static str>,
    ) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        if let Some(site) = site {
            headers.insert("sec-fetch-site", HeaderValue::from_static(site));
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        judge(method, &headers, &Origin::parse(OURS).unwrap())
    }

    #[test]
    fn the_decision_table() {
        let evil = Some("https://evil.example");
        for (site, origin, expected) in [
            (Some("same-origin"), None, Ok(())),
            (Some("same-origin"), evil, Ok(())),
            (Some("none"), None, Ok(())),
            (Some("same-site"), Some(OURS), Err(Refusal::OtherSite)),
            (Some("cross-site"), Some(OURS), Err(Refusal::OtherSite)),
            (Some("cross-site"), None, Err(Refusal::OtherSite)),
            (Some("something"), Some(OURS), Err(Refusal::OtherSite)),
            (Some(""), Some(OURS), Err(Refusal::OtherSite)),
            (None, Some(OURS), Ok(())),
            (None, Some("http://127.0.0.1:3001"), Err(Refusal::OtherOrigin)),
            (None, Some("https://127.0.0.1:3000"), Err(Refusal::OtherOrigin)),
            (None, Some("http://127.0.0.1:3000.evil.example"), Err(Refusal::OtherOrigin)),
            (None, Some("null"), Err(Refusal::OtherOrigin)),
            (None, evil, Err(Refusal::OtherOrigin)),
            (None, None, Err(Refusal::Unknown)),
        ] {
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_eq!(verdict(&method, site, origin), expected, "{method} {site:?} {origin:?}");
            }
            assert_eq!(verdict(&Method::GET, site, origin), Ok(()));
        }
    }
}
