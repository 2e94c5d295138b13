//! One page a route. A page says what it loads and in what order things stand; what they look
//! like is `components`' business, and what they say about a subscription is `view`'s.

mod account;
mod checkout_success;
mod error;
mod feature;
mod home;
mod log_in;
mod not_found;
mod pricing;
mod sign_up;

pub use account::{AccountPage, CancelPage, ConfirmPage, InvoicesPage, PaymentPage, PlanPage};
pub use checkout_success::CheckoutSuccessPage;
pub use error::error_page_html;
pub use feature::FeaturePage;
pub use home::HomePage;
pub use log_in::LogInPage;
pub use not_found::NotFoundPage;
pub use pricing::PricingPage;
pub use sign_up::SignUpPage;
