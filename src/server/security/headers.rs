//! The headers every answer to a browser carries, put on in one place: what the browser may run, guess, tell
//! other sites and keep. A handler that sets one of them itself is left alone.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use leptos::nonce::Nonce;

use super::{SecurityPolicy, content_security_policy, non_page_policy};

/// This request's nonce, as a request extension. The leptos context must hand this very one to
/// the page (`provide_context(nonce.0)`), in place of the one leptos makes up.
#[derive(Debug, Clone)]
pub struct CspNonce(pub Nonce);

/// The same for every answer.
const ALWAYS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Not no-referrer: that makes browsers send `Origin: null`, which `same_origin` refuses.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
        ),
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

const A_YEAR_OF_HTTPS: HeaderValue = HeaderValue::from_static("max-age=31536000");
const NEVER_KEPT: HeaderValue = HeaderValue::from_static("private, no-store");
const KEPT_FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASKED_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// Middleware, to be put around everything, outermost.
pub async fn security_headers(
    State(policy): State<Arc<SecurityPolicy>>,
    mut request: Request,
    next: Next,
) -> Response {
    let nonce = Nonce::new();
    request.extensions_mut().insert(CspNonce(nonce.clone()));
    let changes = request.method() != Method::GET && request.method() != Method::HEAD;
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let personal = changes || path.starts_with("/api/") || is_html(response.headers());
    let found = response.status().is_success() || response.status().is_redirection();
    let kept = match (personal, found && is_hashed(&path)) {
        (true, _) => NEVER_KEPT,
        (false, true) => KEPT_FOR_EVER,
        (false, false) => ASKED_AGAIN,
    };
    dress(response.headers_mut(), &policy, &nonce, kept);
    response
}

fn dress(headers: &mut HeaderMap, policy: &SecurityPolicy, nonce: &Nonce, kept: HeaderValue) {
    let csp = if is_html(headers) {
        content_security_policy(Some(nonce.as_inner()), &policy.form_targets)
    } else {
        non_page_policy()
    };
    let strict = policy.own.is_https().then_some((header::STRICT_TRANSPORT_SECURITY, A_YEAR_OF_HTTPS));
    let varying = [(header::CONTENT_SECURITY_POLICY, csp), (header::CACHE_CONTROL, kept)];
    for (name, value) in ALWAYS.into_iter().chain(varying).chain(strict) {
        headers.entry(name).or_insert(value);
    }
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Whether the file's name has its content's hash (`unsplit.<hash>.js`), so that it never changes.
fn is_hashed(path: &str) -> bool {
    let Some(file) = path.strip_prefix("/pkg/") else {
        return false;
    };
    let mut parts = file.rsplit('.').skip(1);
    let hash = |part: &str| {
        part.len() >= 16 && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    parts.next().is_some_and(hash) && parts.next().is_some()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    fn dressed(public_url: &str, kind: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        let policy = SecurityPolicy::new(public_url, &[]).unwrap();
        dress(&mut headers, &policy, &Nonce::from_value("n0nce"), NEVER_KEPT);
        headers
    }

    #[test]
    fn a_page_gets_its_nonce_and_data_gets_none() {
        let page = dressed("http://a.b", "text/html; charset=utf-8");
        assert!(page[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("'nonce-n0nce'"));
        let data = dressed("http://a.b", "application/json");
        assert_eq!(data[header::CONTENT_SECURITY_POLICY], non_page_policy());
        for headers in [page, data] {
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        }
    }

    #[test]
    fn https_is_kept_to_where_we_have_it() {
        assert!(dressed("https://a.b", "text/html").contains_key(header::STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn what_a_handler_set_stays() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
        let policy = SecurityPolicy::new("http://a.b", &[]).unwrap();
        dress(&mut headers, &policy, &Nonce::from_value("n"), NEVER_KEPT);
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=60");
    }

    #[test]
    fn only_a_name_with_a_hash_is_kept_for_ever() {
        assert!(is_hashed("/pkg/unsplit.AbCdEfGh_ijkl-mnopqrs.js"));
        for path in [
            "/pkg/unsplit.js",
            "/pkg/unsplit.css",
            "/pkg/AbCdEfGhijklmnopqrs.js",
            "/unsplit.AbCdEfGhijklmnopqrs.js",
            "/pkg/unsplit_bg.wasm",
        ] {
            assert!(!is_hashed(path), "{path}");
        }
    }
}
