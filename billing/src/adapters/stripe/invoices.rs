//! The port `InvoiceLists`.

use async_trait::async_trait;
use stripe_client_core::{RequestBuilder, StripeMethod};

use super::answers::{self, List};
use super::changes::Form;
use super::client::StripeClient;
use crate::error::{StripeError, StripeErrorKind};
use crate::id::{CustomerId, InvoiceId, SubscriptionId};
use crate::ports::{InvoiceLists, InvoicePage, InvoicePreview};

/// Stripe's code where a subscription has no invoice to come.
const NONE_TO_COME: &str = "invoice_upcoming_none";

#[async_trait]
impl InvoiceLists for StripeClient {
    async fn invoices(
        &self,
        customer: &CustomerId,
        after: Option<&InvoiceId>,
        limit: u8,
    ) -> Result<InvoicePage, StripeError> {
        let query = Form::default()
            .with("customer", customer.as_str())
            .with("limit", &limit.to_string())
            .maybe("starting_after", after.map(InvoiceId::as_str));
        let mut request = RequestBuilder::new(StripeMethod::Get, "/invoices");
        request.query = Some(query.encoded());
        let (list, stripe_time): (List<answers::Invoice>, _) = self.transport.ask(request, None).await?;
        let invoices: Vec<_> = list.data.into_iter().map(answers::Invoice::into_domain).collect();
        Ok(InvoicePage {
            next: invoices.last().map(|last| last.id.clone()).filter(|_| list.has_more),
            invoices,
            upcoming: None,
            fetched_at: stripe_time.unwrap_or(0),
        })
    }

    async fn upcoming_invoice(
        &self,
        subscription: &SubscriptionId,
    ) -> Result<Option<InvoicePreview>, StripeError> {
        let form = Form::default().with("subscription", subscription.as_str());
        let request = form.post("/invoices/create_preview".to_owned());
        match self.transport.call::<answers::Preview>(request, None).await {
            Ok(preview) => Ok(preview.into_domain()),
            Err(error) if error.code.as_deref() == Some(NONE_TO_COME) => Ok(None),
            Err(error) if matches!(error.kind, StripeErrorKind::Missing | StripeErrorKind::Refused) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
