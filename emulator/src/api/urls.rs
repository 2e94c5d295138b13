//! Addresses that a request names for people to be sent to. A page must never lead to a script, and an address
//! must fit into a header.
//!
//! Not sure: how much of an address Stripe looks at. That it refuses what is not http or https, and more than
//! 5,000 characters, stands in its specification for `success_url` and the like.

use crate::error::ApiError;

/// How many characters an address may have.
const LONGEST: usize = 5_000;

/// Refuses what is not an address of a web page. `param` is the parameter's full name.
pub fn ensure_web(url: &str, param: &str) -> Result<(), ApiError> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    match !host.is_empty() && is_clean(url) {
        true => Ok(()),
        false => Err(invalid(param)),
    }
}

/// Refuses what neither a page nor an app can be opened with: apps have schemes of their own.
pub fn ensure_openable(url: &str, param: &str) -> Result<(), ApiError> {
    let (scheme, _) = url.split_once(':').unwrap_or_default();
    let is_scheme = !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let is_script = ["javascript", "data", "vbscript"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    match is_scheme && !is_script && is_clean(url) {
        true => Ok(()),
        false => Err(invalid(param)),
    }
}

fn is_clean(url: &str) -> bool {
    url.chars().count() <= LONGEST && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn invalid(param: &str) -> ApiError {
    ApiError::invalid("Not a valid URL").code("url_invalid").param(param)
}
