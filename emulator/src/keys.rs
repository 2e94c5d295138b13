//! Who may ask: the one secret key of this run, in the header `Authorization`.

use axum::http::StatusCode;
use base64::Engine;

use crate::error::ApiError;

/// The key as Bearer token or as the user name of Basic authentication.
pub fn check(authorization: &str, secret_key: &str) -> Result<(), ApiError> {
    let given = match authorization.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim().to_owned(),
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => {
            let decoded =
                base64::engine::general_purpose::STANDARD.decode(encoded.trim()).unwrap_or_default();
            let decoded = String::from_utf8_lossy(&decoded).into_owned();
            decoded.split(':').next().unwrap_or_default().to_owned()
        }
        _ => String::new(),
    };
    if given == secret_key {
        return Ok(());
    }
    let message = if given.is_empty() {
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer \
         auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for \
         details, or we can help at https://support.stripe.com/."
            .to_owned()
    } else {
        format!("Invalid API Key provided: {}", masked(&given))
    };
    Err(ApiError::new(StatusCode::UNAUTHORIZED, "invalid_request_error", message)
        .header("www-authenticate", "Bearer realm=\"Stripe\""))
}

/// `sk_test_abcdefghijkl` becomes `sk_test_********ijkl`.
fn masked(key: &str) -> String {
    let prefix: String = ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "pk_test_", "pk_live_"]
        .into_iter()
        .find(|prefix| key.starts_with(prefix))
        .unwrap_or_default()
        .to_owned();
    let rest: Vec<char> = key.chars().skip(prefix.len()).collect();
    let shown = if rest.len() > 8 { rest.len() - 4 } else { rest.len() };
    let tail: String = rest[shown..].iter().collect();
    format!("{prefix}{}{tail}", "*".repeat(shown.max(4)))
}
