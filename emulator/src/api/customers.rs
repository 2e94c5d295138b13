//! Customers. A deleted one keeps its id, as `{id, object, deleted}`, and its subscriptions end.

use serde_json::{Value, json};

use super::shipping::{self, read_address};
use super::{Call, customer_balance, invoice_params, payment_methods, tax_ids};
use crate::billing::balance::{self, Reason};
use crate::billing::{customer, payment_method, test_clock};
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::state::{Key, Kind, Tx, number, text};

/// Fields of one line of text that a request may set or clear.
const TEXTS: &[&str] = &["description", "email", "name", "phone"];
/// Parameters that Stripe has and that this emulator would have to ignore.
const UNSUPPORTED: &[&str] = &["cash_balance", "default_source", "source", "tax"];

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut customer = customer::build(call.tx, Value::Null);
    let mut params = call.take_params();
    if let Some(clock) = params.text("test_clock")? {
        call.tx.require(Kind::TestClock, &clock, Place::Param("test_clock"))?;
        if !test_clock::has_room(call.tx, &clock) {
            let message = "A test clock can have at most three customers.";
            return Err(ApiError::invalid(message).param("test_clock"));
        }
        customer["test_clock"] = json!(clock);
    }
    let tax_ids = params.list("tax_id_data")?.unwrap_or_default();
    let card = params.text("payment_method")?;
    let card = card.map(|id| payment_methods::given(call.tx, &id));
    if let Some(id) = &card {
        payment_methods::ensure_attachable(call.tx, id, Place::Param("payment_method"))?;
    }
    let id = text(&customer, "id").to_owned();
    // So that it can be the default card at once. Told of after its customer.
    let attached = card.map(|card| payment_method::attach(call.tx, &card, &id));
    read(call.tx, params, &mut customer)?;
    call.tx.create(Kind::Customer, customer.clone(), "customer.created");
    if let Some(method) = attached {
        call.tx.emit("payment_method.attached", &method);
    }
    for tax_id in tax_ids {
        tax_ids::add(call.tx, tax_id, &customer)?;
    }
    Ok(customer)
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let customer = call.tx.copy(Kind::Customer, call.id());
    customer.ok_or_else(|| ApiError::no_such(Kind::Customer, call.id(), Place::Path))
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut customer = call.tx.require(Kind::Customer, call.id(), Place::Path)?;
    let params = call.take_params();
    read(call.tx, params, &mut customer)?;
    call.tx.update(Kind::Customer, customer.clone(), "customer.updated");
    Ok(customer)
}

pub fn delete(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let customer = call.tx.require(Kind::Customer, call.id(), Place::Path)?;
    Ok(customer::delete(call.tx, &customer))
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let email = params.text("email")?;
    let clock = params.text("test_clock")?;
    params.finish()?;
    if let Some(clock) = &clock {
        call.tx.require(Kind::TestClock, clock, Place::Param("test_clock"))?;
    }
    let key = Key::Email.of(email.as_deref()).or(Key::TestClock.of(clock.as_deref()));
    // Those on test clocks are not listed unless they are asked for.
    page.named(call.tx, Kind::Customer, "/v1/customers", key, |customer| {
        customer["test_clock"].as_str() == clock.as_deref()
    })
}

fn read(tx: &mut Tx, mut params: Params, customer: &mut Value) -> Result<(), ApiError> {
    params.refuse(UNSUPPORTED)?;
    for field in TEXTS {
        if let Some(change) = params.clearable(field)? {
            customer[*field] = change.into_json();
        }
    }
    if let Some(email) = customer["email"].as_str()
        && !customer::is_email(email)
    {
        let error = ApiError::invalid(format!("Invalid email address: {email}"));
        return Err(error.code("email_invalid").param("email"));
    }
    customer["metadata"] = params.metadata(&customer["metadata"])?;
    if let Some(locales) = params.texts("preferred_locales")? {
        customer["preferred_locales"] = json!(locales);
    }
    if let Some(exempt) = params.one_of("tax_exempt", &["exempt", "none", "reverse"])? {
        customer["tax_exempt"] = json!(exempt);
    }
    if let Some(address) = params.children("address")? {
        customer["address"] = read_address(address)?;
    }
    if params.has("shipping") {
        customer["shipping"] = shipping::read(&mut params)?;
    }
    if let Some(settings) = params.children("invoice_settings")? {
        read_invoice_settings(tx, settings, customer)?;
    }
    if let Some(wanted) = customer_balance::read_amount(&mut params, "balance")? {
        set_balance(tx, customer, wanted);
    }
    params.finish()
}

/// The balance changes by a transaction that makes up the difference.
fn set_balance(tx: &mut Tx, customer: &mut Value, wanted: i64) {
    let difference = wanted - number(customer, "balance");
    if difference != 0 {
        let currency = balance::currency(customer).to_owned();
        balance::change(tx, customer, difference, Reason::adjustment(&currency));
    }
}

fn read_invoice_settings(tx: &Tx, mut settings: Params, customer: &mut Value) -> Result<(), ApiError> {
    let param = "invoice_settings[default_payment_method]";
    match settings.clearable("default_payment_method")? {
        None => {}
        Some(Change::Clear) => customer["invoice_settings"]["default_payment_method"] = Value::Null,
        Some(Change::Set(id)) => {
            let method = tx.require(Kind::PaymentMethod, &id, Place::Param(param))?;
            if method["customer"] != customer["id"] {
                let message = "The customer does not have a payment method with this ID; attach it first.";
                return Err(ApiError::invalid(message).code("resource_missing").param(param));
            }
            customer["invoice_settings"]["default_payment_method"] = json!(id);
        }
    }
    invoice_params::read_custom_fields(&mut settings, &mut customer["invoice_settings"])?;
    if let Some(footer) = settings.clearable("footer")? {
        customer["invoice_settings"]["footer"] = footer.into_json();
    }
    settings.finish()
}
