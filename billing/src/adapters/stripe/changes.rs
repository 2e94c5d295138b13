//! The port `SubscriptionChanges`. Its forms are written by hand: async-stripe's can't clear a field,
//! and each resource more that it is built with costs a minute of compiling.

use async_trait::async_trait;
use serde_json::Value;
use stripe_client_core::{RequestBuilder, StripeMethod};

use super::answers;
use super::client::StripeClient;
use crate::change::PlannedEnd;
use crate::error::{StripeError, StripeErrorKind};
use crate::id::{CustomerId, InvoiceId, PaymentMethodId, ScheduleId, SubscriptionId};
use crate::ports::{InvoicePreview, LaterChange, PlanChange, PortalFlow, Reason, SubscriptionChanges};

/// A body in Stripe's form: `a[b][]=c`.
#[derive(Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    fn new() -> Self {
        Self::default()
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub fn post(self, path: String) -> RequestBuilder {
        self.request(StripeMethod::Post, path)
    }

    fn request(self, method: StripeMethod, path: String) -> RequestBuilder {
        RequestBuilder { query: None, body: Some(self.encoded()), path, method }
    }

    pub fn encoded(self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.0).finish()
    }
}

impl StripeClient {
    async fn send(
        &self,
        request: RequestBuilder,
        idempotency_key: Option<&str>,
    ) -> Result<Value, StripeError> {
        self.transport.call(request, idempotency_key).await
    }
}

/// The item's new price, prorated or not, under `prefix`.
fn items(form: Form, change: &PlanChange, inside: &str) -> Form {
    let name = |field: &str| match inside {
        "" => field.to_owned(),
        outer => match field.split_once('[') {
            Some((first, rest)) => format!("{outer}[{first}][{rest}"),
            None => format!("{outer}[{field}]"),
        },
    };
    let date = change.proration_date.map(|date| date.to_string());
    form.with(&name("items[0][id]"), change.item.as_str())
        .with(&name("items[0][price]"), change.price.as_str())
        .with(&name("items[0][quantity]"), &change.quantity.to_string())
        .with(&name("proration_behavior"), change.proration.as_str())
        .maybe(&name("proration_date"), date.as_deref())
}

/// The present phase as it is, and one with the other price. What a phase does not say again is gone.
fn phases(present: &answers::Phase, change: &LaterChange) -> Form {
    let mut form = Form::new()
        .with("end_behavior", "release")
        .with("proration_behavior", "none")
        .with("phases[0][start_date]", &present.start_date.to_string())
        .with("phases[0][end_date]", &present.end_date.to_string())
        .with("phases[1][proration_behavior]", "none")
        .with("phases[1][duration][interval]", change.interval.as_str())
        .with("phases[1][duration][interval_count]", "1");
    if let Some(trial_end) = present.trial_end {
        form = form.with("phases[0][trial_end]", &trial_end.to_string());
    }
    for phase in 0..2 {
        if let Some(card) = &present.default_payment_method {
            form = form.with(&format!("phases[{phase}][default_payment_method]"), card.id());
        }
        for (number, discount) in present.discounts.iter().enumerate() {
            let Some((kind, id)) = discount.named() else { continue };
            form = form.with(&format!("phases[{phase}][discounts][{number}][{kind}]"), id);
        }
        for (number, item) in present.items.iter().enumerate() {
            let later = phase == 1 && item.price == change.from;
            let price = if later { &change.to } else { &item.price };
            let name = format!("phases[{phase}][items][{number}]");
            let quantity = item.quantity.unwrap_or(1).to_string();
            form = form
                .with(&format!("{name}[price]"), price.as_str())
                .with(&format!("{name}[quantity]"), &quantity);
        }
    }
    form
}

fn reason(form: Form, reason: &Reason) -> Form {
    form.maybe("cancellation_details[feedback]", reason.feedback.as_deref())
        .maybe("cancellation_details[comment]", reason.comment.as_deref())
}

#[async_trait]
impl SubscriptionChanges for StripeClient {
    async fn preview_change(&self, change: &PlanChange) -> Result<InvoicePreview, StripeError> {
        let form = Form::new().with("subscription", change.subscription.as_str());
        let form = items(form, change, "subscription_details");
        let preview = form.post("/invoices/create_preview".to_owned());
        let answer: answers::Preview = self.transport.call(preview, None).await?;
        answer.into_domain().ok_or_else(|| {
            StripeError::new(StripeErrorKind::Unreadable, "the preview of an invoice lacks its currency")
        })
    }

    async fn change_plan(&self, change: &PlanChange, idempotency_key: &str) -> Result<(), StripeError> {
        let form = Form::new().with("payment_behavior", "pending_if_incomplete");
        let request = items(form, change, "").post(format!("/subscriptions/{}", change.subscription));
        self.send(request, Some(idempotency_key)).await.map(drop)
    }

    async fn begin_schedule(
        &self,
        subscription: &SubscriptionId,
        idempotency_key: &str,
    ) -> Result<ScheduleId, StripeError> {
        let form = Form::new().with("from_subscription", subscription.as_str());
        let request = form.post("/subscription_schedules".to_owned());
        let schedule: answers::Id = self.transport.call(request, Some(idempotency_key)).await?;
        ScheduleId::parse(schedule.id).map_err(|error| answers::invalid(&error))
    }

    async fn schedule_of(&self, subscription: &SubscriptionId) -> Result<Option<ScheduleId>, StripeError> {
        let request = RequestBuilder::new(StripeMethod::Get, format!("/subscriptions/{subscription}"));
        let answer: answers::Managed = self.transport.call(request, None).await?;
        Ok(answer.schedule.and_then(|schedule| ScheduleId::parse(schedule.id()).ok()))
    }

    async fn schedule_change(&self, schedule: &ScheduleId, change: &LaterChange) -> Result<(), StripeError> {
        let path = format!("/subscription_schedules/{schedule}");
        let current: answers::SchedulePhases =
            self.transport.call(RequestBuilder::new(StripeMethod::Get, path.clone()), None).await?;
        let Some(phase) = current.present() else {
            let message = format!("the schedule {schedule} has no present phase");
            return Err(StripeError::new(StripeErrorKind::Refused, message));
        };
        self.send(phases(phase, change).post(path), None).await.map(drop)
    }

    async fn release_schedule(&self, schedule: &ScheduleId) -> Result<(), StripeError> {
        let request = Form::new().post(format!("/subscription_schedules/{schedule}/release"));
        match self.send(request, None).await {
            Err(error) if error.is_missing() => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn cancel_at_period_end(
        &self,
        subscription: &SubscriptionId,
        why: &Reason,
    ) -> Result<(), StripeError> {
        let form = reason(Form::new().with("cancel_at_period_end", "true"), why);
        self.send(form.post(format!("/subscriptions/{subscription}")), None).await.map(drop)
    }

    async fn cancel_now(&self, subscription: &SubscriptionId, why: &Reason) -> Result<(), StripeError> {
        let form = reason(Form::new(), why);
        let request = form.request(StripeMethod::Delete, format!("/subscriptions/{subscription}"));
        self.send(request, None).await.map(drop)
    }

    async fn keep(&self, subscription: &SubscriptionId, end: PlannedEnd) -> Result<(), StripeError> {
        let form = match end {
            PlannedEnd::AtPeriodEnd => Form::new().with("cancel_at_period_end", "false"),
            PlannedEnd::AtTime => Form::new().with("cancel_at", ""),
        };
        self.send(form.post(format!("/subscriptions/{subscription}")), None).await.map(drop)
    }

    async fn resume(&self, subscription: &SubscriptionId) -> Result<(), StripeError> {
        let form = Form::new().with("billing_cycle_anchor", "now");
        self.send(form.post(format!("/subscriptions/{subscription}/resume")), None).await.map(drop)
    }

    async fn void_invoice(&self, invoice: &InvoiceId) -> Result<(), StripeError> {
        self.send(Form::new().post(format!("/invoices/{invoice}/void")), None).await.map(drop)
    }

    async fn pay_invoice(
        &self,
        invoice: &InvoiceId,
        card: &PaymentMethodId,
        idempotency_key: &str,
    ) -> Result<(), StripeError> {
        let form = Form::new().with("payment_method", card.as_str());
        self.send(form.post(format!("/invoices/{invoice}/pay")), Some(idempotency_key)).await.map(drop)
    }

    async fn failed_card(&self, invoice: &InvoiceId) -> Result<Option<PaymentMethodId>, StripeError> {
        // As deep as Stripe expands.
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("invoice", invoice.as_str())
            .append_pair("expand[]", "data.payment.payment_intent.latest_charge")
            .finish();
        let mut request = RequestBuilder::new(StripeMethod::Get, "/invoice_payments");
        request.query = Some(query);
        let payments: answers::FailedPayments = self.transport.call(request, None).await?;
        Ok(payments.card())
    }

    async fn use_card(
        &self,
        subscription: &SubscriptionId,
        card: &PaymentMethodId,
    ) -> Result<(), StripeError> {
        let form = Form::new().with("default_payment_method", card.as_str());
        self.send(form.post(format!("/subscriptions/{subscription}")), None).await.map(drop)
    }

    async fn refuse_trial(&self, subscription: &SubscriptionId) -> Result<(), StripeError> {
        let form = Form::new().with("metadata[trial]", answers::REFUSED);
        self.send(form.post(format!("/subscriptions/{subscription}")), None).await.map(drop)
    }

    async fn end_refused_trial(
        &self,
        subscription: &SubscriptionId,
        idempotency_key: &str,
    ) -> Result<(), StripeError> {
        let form = Form::new().with("metadata[trial]", answers::REFUSED).with("trial_end", "now");
        self.send(form.post(format!("/subscriptions/{subscription}")), Some(idempotency_key)).await.map(drop)
    }

    async fn open_portal(
        &self,
        customer: &CustomerId,
        return_url: &str,
        flow: &PortalFlow,
    ) -> Result<String, StripeError> {
        let form = Form::new().with("customer", customer.as_str()).with("return_url", return_url);
        let form = match flow {
            PortalFlow::Home => form,
            PortalFlow::PaymentMethod => form
                .with("flow_data[type]", "payment_method_update")
                .with("flow_data[after_completion][type]", "redirect")
                .with("flow_data[after_completion][redirect][return_url]", return_url),
        };
        let session: answers::PortalSession =
            self.transport.call(form.post("/billing_portal/sessions".to_owned()), None).await?;
        Ok(session.url)
    }
}
