//! Stripe's errors: every answer of `/v1` that is not a success is one of these, with Stripe's body and a
//! Request-Id. Nothing else in the crate writes an error body for `/v1`.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::state::{Kind, StoreError};

/// Where the id of a missing object stood: Stripe answers 404 for the path and 400 for a parameter.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    Path,
    Param(&'a str),
}

#[derive(Clone, Debug)]
pub struct ApiError(Box<Detail>);

#[derive(Clone, Debug)]
struct Detail {
    status: StatusCode,
    error_type: &'static str,
    code: Option<String>,
    message: String,
    param: Option<String>,
    decline_code: Option<String>,
    headers: Vec<(&'static str, String)>,
    objects: Vec<(&'static str, Value)>,
    keeps_changes: bool,
}

impl ApiError {
    pub fn new(status: StatusCode, error_type: &'static str, message: impl Into<String>) -> ApiError {
        ApiError(Box::new(Detail {
            status,
            error_type,
            code: None,
            message: message.into(),
            param: None,
            decline_code: None,
            headers: Vec::new(),
            objects: Vec::new(),
            keeps_changes: false,
        }))
    }

    /// 400 invalid_request_error without a code.
    pub fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    pub fn missing_param(name: &str) -> ApiError {
        ApiError::invalid(format!("Missing required param: {name}.")).code("parameter_missing").param(name)
    }

    pub fn unknown_params(names: &[String]) -> ApiError {
        let plural = if names.len() > 1 { "s" } else { "" };
        let message = format!("Received unknown parameter{plural}: {}", names.join(", "));
        let first = names.first().map_or("", String::as_str);
        ApiError::invalid(message).code("parameter_unknown").param(first)
    }

    /// A parameter that Stripe has and this emulator does not.
    pub fn unsupported(name: &str) -> ApiError {
        let message = format!("stripe-emulator does not support the parameter `{name}` here.");
        ApiError::invalid(message).code("parameter_unknown").param(name)
    }

    pub fn no_such(kind: Kind, id: &str, place: Place) -> ApiError {
        let message = format!("No such {}: '{id}'", kind.noun());
        match place {
            Place::Path => ApiError::new(StatusCode::NOT_FOUND, "invalid_request_error", message)
                .code("resource_missing")
                .param("id"),
            Place::Param(name) => ApiError::invalid(message).code("resource_missing").param(name),
        }
    }

    /// 403: what the portal's configuration does not offer.
    pub fn forbidden(message: &str) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "invalid_request_error", message)
    }

    /// 410: what was there once.
    pub fn gone(message: &str) -> ApiError {
        ApiError::new(StatusCode::GONE, "invalid_request_error", message)
    }

    /// 402 card_error.
    pub fn card(code: &str, decline_code: Option<&str>, message: &str) -> ApiError {
        let mut error = ApiError::new(StatusCode::PAYMENT_REQUIRED, "card_error", message).code(code);
        error.0.decline_code = decline_code.map(str::to_owned);
        error
    }

    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> ApiError {
        self.0.code = Some(code.into());
        self
    }

    #[must_use]
    pub fn param(mut self, name: impl Into<String>) -> ApiError {
        self.0.param = Some(name.into());
        self
    }

    /// The same error about a parameter that lies in the hash `name`.
    #[must_use]
    pub fn within(mut self, name: &str) -> ApiError {
        if let Some(param) = &mut self.0.param {
            let (first, rest) = param.split_at(param.find('[').unwrap_or(param.len()));
            *param = format!("{name}[{first}]{rest}");
        }
        self
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> ApiError {
        self.0.headers.push((name, value.into()));
        self
    }

    /// An object that the error is about, shown in full under `name`.
    #[must_use]
    pub fn object(mut self, name: &'static str, value: Value) -> ApiError {
        self.0.objects.push((name, value));
        self
    }

    /// What was done before the refusal stays: a payment that was tried and declined is on record.
    #[must_use]
    pub fn keeping_changes(mut self) -> ApiError {
        self.0.keeps_changes = true;
        self
    }

    pub fn keeps_changes(&self) -> bool {
        self.0.keeps_changes
    }

    pub fn has_code(&self, code: &str) -> bool {
        self.0.code.as_deref() == Some(code)
    }

    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether an idempotency key keeps this answer: not if the request never began to run.
    pub fn is_stored(&self) -> bool {
        self.0.status == StatusCode::PAYMENT_REQUIRED || self.0.keeps_changes
    }

    /// Stripe's error body. `log_url` is where a person can look the request up.
    pub fn body(&self, log_url: &str) -> Value {
        let detail = &self.0;
        let mut error = json!({
            "type": detail.error_type,
            "message": detail.message,
            "request_log_url": log_url,
        });
        let optional =
            [("code", &detail.code), ("param", &detail.param), ("decline_code", &detail.decline_code)];
        for (name, value) in optional {
            if let Some(value) = value {
                error[name] = json!(value);
            }
        }
        for (name, value) in &detail.objects {
            error[*name] = value.clone();
        }
        if let Some(code) = &detail.code {
            error["doc_url"] =
                json!(format!("https://docs.stripe.com/error-codes/{}", code.replace('_', "-")));
        }
        json!({ "error": error })
    }

    pub fn response(&self, log_url: &str) -> Response {
        let mut response = (self.0.status, Json(self.body(log_url))).into_response();
        for (name, value) in &self.0.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "api_error", error.to_string())
    }
}
