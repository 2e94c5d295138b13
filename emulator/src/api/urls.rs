//! Addresses that a request names for people to be sent to. A page must never lead to a script, and an address
//! must fit into a header.
//!
//! That Stripe refuses more than 5,000 characters, and in these words, is known from its answer for `success_url`
//! (https://github.com/vm0-ai/vm0/issues/25340). Not sure: that all other addresses have the same limit, and which
//! characters and schemes Stripe refuses.

use crate::error::ApiError;

/// How many characters an address may have.
const LONGEST: usize = 5_000;

/// Refuses what is not an address of a web page. `param` is the parameter's full name.
pub fn ensure_web(url: &str, param: &str) -> Result<(), ApiError> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    ensure(!host.is_empty(), url, param)
}

/// Refuses what neither a page nor an app can be opened with: apps have schemes of their own.
pub fn ensure_openable(url: &str, param: &str) -> Result<(), ApiError> {
    let (scheme, _) = url.split_once(':').unwrap_or_default();
    let is_scheme = !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let is_script = ["javascript", "data", "vbscript"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    ensure(is_scheme && !is_script, url, param)
}

fn ensure(is_sound: bool, url: &str, param: &str) -> Result<(), ApiError> {
    if url.chars().count() > LONGEST {
        let message = format!("Invalid URL: URL must be {LONGEST} characters or less.");
        return Err(ApiError::invalid(message).param(param));
    }
    match is_sound && !url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        true => Ok(()),
        false => Err(ApiError::invalid("Not a valid URL").code("url_invalid").param(param)),
    }
}
