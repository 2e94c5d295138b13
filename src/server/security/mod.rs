//! What every answer to a browser and every unsafe request of one must satisfy, whoever the user is: requests
//! that change something come from our own pages, and answers tell the browser what it may do.
//! May not know accounts, sessions or billing.

mod csp;
mod headers;
mod origin;
mod plain_page;
mod same_origin;

use std::sync::Arc;

pub use csp::{content_security_policy, non_page_policy};
pub use headers::{CspNonce, security_headers};
pub use origin::{InvalidOrigin, Origin};
pub use plain_page::{PlainPage, wants_html};
pub use same_origin::same_origin;

/// Stripe's hosted pages, where our forms may end up after a redirect.
const STRIPE_PAGES: [&str; 2] = ["https://checkout.stripe.com", "https://billing.stripe.com"];

/// What the middlewares of this module need to know; shared by all requests.
#[derive(Debug, Clone)]
pub struct SecurityPolicy {
    own: Origin,
    form_targets: Vec<Origin>,
}

impl SecurityPolicy {
    /// `public_url` is where people reach us; `more_form_targets` are further origins that a form
    /// post may be redirected to, such as the emulator's or your own domain for Stripe's pages.
    ///
    /// # Errors
    /// `InvalidOrigin` where one of them is not an http(s) URL with a host.
    pub fn new(public_url: &str, more_form_targets: &[String]) -> Result<Arc<Self>, InvalidOrigin> {
        let form_targets = STRIPE_PAGES
            .into_iter()
            .chain(more_form_targets.iter().map(String::as_str))
            .map(Origin::parse)
            .collect::<Result<_, _>>()?;
        Ok(Arc::new(Self { own: Origin::parse(public_url)?, form_targets }))
    }

    /// Where people reach us.
    #[must_use]
    pub fn own_origin(&self) -> &Origin {
        &self.own
    }
}
