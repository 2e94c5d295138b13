//! The Content-Security-Policy: what a page of ours may load, run, post to and be framed by.
//! May not know requests; `headers` puts it on the answers.

use axum::http::HeaderValue;

use super::Origin;

/// For a page: scripts run only with this request's nonce (and what they load), styles come from
/// files only, and nobody may frame us. `form-action` also covers the redirects that follow a form
/// post, hence Stripe's origins in `form_targets`. Without a nonce no script runs at all.
#[must_use]
pub fn content_security_policy(nonce: Option<&str>, form_targets: &[Origin]) -> HeaderValue {
    let scripts = nonce.map_or_else(
        || "'none'".to_owned(),
        |nonce| format!("'strict-dynamic' 'nonce-{nonce}' 'wasm-unsafe-eval'"),
    );
    let targets = form_targets.iter().fold(String::new(), |list, origin| format!("{list} {origin}"));
    let policy = format!(
        "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'{targets}; \
         frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    );
    // A nonce with a line break is the only way to fail; then nothing may run.
    HeaderValue::from_str(&policy).unwrap_or_else(|_| non_page_policy())
}

/// For everything that is not a page of ours: data, files, plain answers.
#[must_use]
pub fn non_page_policy() -> HeaderValue {
    HeaderValue::from_static(
        "default-src 'none'; script-src 'none'; form-action 'none'; frame-ancestors 'none'; \
         base-uri 'none'; object-src 'none'",
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    fn directive<'a>(policy: &'a HeaderValue, name: &str) -> &'a str {
        let parts = policy.to_str().unwrap().split("; ");
        let mut found = parts.filter_map(|part| part.strip_prefix(name)).map(str::trim);
        found.next().unwrap()
    }

    #[test]
    fn a_page_runs_scripts_by_nonce_and_posts_to_us_and_stripe() {
        let targets =
            ["https://checkout.stripe.com", "http://127.0.0.1:12111"].map(|o| Origin::parse(o).unwrap());
        let policy = content_security_policy(Some("abc"), &targets);
        assert_eq!(directive(&policy, "script-src"), "'strict-dynamic' 'nonce-abc' 'wasm-unsafe-eval'");
        assert_eq!(
            directive(&policy, "form-action"),
            "'self' https://checkout.stripe.com http://127.0.0.1:12111"
        );
        assert_eq!(directive(&policy, "default-src"), "'none'");
        assert_eq!(directive(&policy, "style-src"), "'self'");
        assert_eq!(directive(&policy, "frame-ancestors"), "'none'");
        assert_eq!(directive(&policy, "base-uri"), "'none'");
        assert!(!policy.to_str().unwrap().contains("unsafe-inline"));
    }

    #[test]
    fn without_a_nonce_no_script_runs() {
        assert_eq!(directive(&content_security_policy(None, &[]), "script-src"), "'none'");
        assert_eq!(directive(&non_page_policy(), "script-src"), "'none'");
        assert_eq!(content_security_policy(Some("a\nb"), &[]), non_page_policy());
    }
}
