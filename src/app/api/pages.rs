//! What each page shows, loaded on the server while it renders. These are server functions only
//! so that the browser's build need not know how: no page is rendered there.

use leptos::prelude::*;
use unsplit_billing::plan::Interval;

use crate::app::view::{
    AccountView, ChangeView, Confirm, FeatureView, InvoicesView, LeavingView, PaymentView, PricingView,
    SuccessView,
};

/// A stranger sees the plans, and so does everybody else: what is known of their subscription is
/// an extra that no outage may take the prices away for.
#[server(prefix = "/api", endpoint = "load_pricing")]
pub async fn load_pricing(interval: Interval) -> Result<PricingView, ServerFnError> {
    use crate::server::{AppState, auth::CurrentUser, gate::context};
    use unsplit_billing::subscription::Snapshot;
    let billing = context::<AppState>()?.billing;
    let user = use_context::<CurrentUser>().and_then(|CurrentUser(user)| user);
    let trials = crate::server::gate::trials_for(&billing, user.as_ref()).await;
    let snapshot = match user {
        Some(user) => {
            Some(billing.stored_subscription_of(&user.id).await.ok().flatten().unwrap_or(Snapshot::none(0)))
        }
        None => None,
    };
    Ok(crate::app::view::pricing_view(billing.catalog(), interval, snapshot.as_ref(), trials))
}

#[server(prefix = "/api", endpoint = "load_account")]
pub async fn load_account() -> Result<AccountView, ServerFnError> {
    let user = crate::server::auth::logged_in()?;
    let (billing, snapshot) = crate::server::subscription::own().await?;
    let (catalog, policy) = (billing.catalog(), billing.access_policy());
    Ok(crate::app::view::account_view(&user.email, &snapshot, catalog, policy, billing.now()))
}

#[server(prefix = "/api", endpoint = "load_change")]
pub async fn load_change(interval: Interval) -> Result<ChangeView, ServerFnError> {
    let (billing, snapshot) = crate::server::subscription::own().await?;
    Ok(crate::app::view::change_view(&snapshot, billing.catalog(), interval, billing.now()))
}

/// Asks Stripe what it would cost.
#[server(prefix = "/api", endpoint = "load_confirm")]
pub async fn load_confirm(plan: String, interval: Interval) -> Result<Confirm, ServerFnError> {
    crate::server::subscription::confirm(plan, interval).await
}

#[server(prefix = "/api", endpoint = "load_payment")]
pub async fn load_payment() -> Result<PaymentView, ServerFnError> {
    let (billing, snapshot) = crate::server::subscription::own_if_customer().await?;
    Ok(crate::app::view::payment_view(snapshot.as_ref(), billing.catalog(), billing.now()))
}

/// `after` is the last invoice of the page before.
#[server(prefix = "/api", endpoint = "load_invoices")]
pub async fn load_invoices(after: Option<String>) -> Result<InvoicesView, ServerFnError> {
    use crate::server::{AppState, auth::logged_in, gate::context, gate::unavailable};
    use unsplit_billing::id::InvoiceId;
    let billing = context::<AppState>()?.billing;
    let after = after.and_then(|after| InvoiceId::parse(after).ok());
    let found = billing.invoices_of(&logged_in()?.id, after.as_ref()).await.map_err(unavailable)?;
    Ok(crate::server::invoices::invoices_view(found.as_ref(), after.is_some(), billing.now()))
}

#[server(prefix = "/api", endpoint = "load_leaving")]
pub async fn load_leaving() -> Result<LeavingView, ServerFnError> {
    let (billing, snapshot) = crate::server::subscription::own().await?;
    Ok(crate::app::view::leaving_view(&snapshot, billing.catalog(), billing.now()))
}

/// Waits for the eager sync, never for a webhook.
#[server(prefix = "/api", endpoint = "load_success")]
pub async fn load_success() -> Result<SuccessView, ServerFnError> {
    use crate::server::{AppState, gate::Returning, gate::context};
    let billing = context::<AppState>()?.billing;
    let parts = context::<axum::http::request::Parts>()?;
    let returning = parts.extensions.get::<Returning>().cloned();
    let Returning(customer) = returning.ok_or_else(|| ServerFnError::new("Choose a plan first."))?;
    let outcome = billing.purchase_outcome(&customer).await;
    Ok(crate::server::purchase::success_view(&outcome, billing.catalog(), billing.now()))
}

/// The gate is its first line.
#[server(prefix = "/api", endpoint = "load_feature")]
pub async fn load_feature() -> Result<FeatureView, ServerFnError> {
    use crate::server::{AppState, gate::context, gate::subscriber};
    let Some(pass) = subscriber().await? else { return Ok(FeatureView::Locked) };
    let billing = context::<AppState>()?.billing;
    Ok(FeatureView::Open(Box::new(crate::server::gate::year_ahead_of(&billing, &pass))))
}
