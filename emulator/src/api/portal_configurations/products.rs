//! The products that a portal offers, each with the prices that one may change to. Stripe allows ten products,
//! and no two prices of one product with the same interval; its words for the second are not known, so those
//! here are the emulator's own.

use serde_json::{Value, json};

use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, number, text};

const MOST: usize = 10;

/// `products[]`, or an empty list for an empty text; `None` if the request does not say.
pub fn read(tx: &Tx, update: &mut Params) -> Result<Option<Value>, ApiError> {
    if update.peek("products") == Some("") {
        update.clearable("products")?;
        return Ok(Some(json!([])));
    }
    let full = update.full_name("products");
    let Some(given) = update.list("products")? else {
        return Ok(None);
    };
    if given.len() > MOST {
        let message = format!("You can specify at most {MOST} products.");
        return Err(ApiError::invalid(message).param(full));
    }
    let products = given.into_iter().map(|product| read_product(tx, product));
    let products = products.collect::<Result<Vec<_>, _>>()?;
    for (at, product) in products.iter().enumerate() {
        if products[..at].iter().any(|other| other["product"] == product["product"]) {
            let message = format!("The product `{}` is listed more than once.", text(product, "product"));
            return Err(ApiError::invalid(message).param(full));
        }
    }
    Ok(Some(json!(products)))
}

fn read_product(tx: &Tx, mut given: Params) -> Result<Value, ApiError> {
    let id = given.required_text("product")?;
    tx.require(Kind::Product, &id, Place::Param(&given.full_name("product")))?;
    let param = given.full_name("prices");
    let prices = given.texts("prices")?.unwrap_or_default();
    if prices.is_empty() {
        return Err(ApiError::missing_param(&param));
    }
    let quantity = given.children("adjustable_quantity")?.map(read_quantity).transpose()?;
    given.finish()?;
    ensure_distinct(tx, &id, &prices, &param)?;
    // Which least quantity Stripe takes when none is given is not known; 1 is what its Dashboard begins with.
    let quantity = quantity.unwrap_or_else(|| json!({ "enabled": false, "maximum": null, "minimum": 1 }));
    Ok(json!({ "adjustable_quantity": quantity, "prices": prices, "product": id }))
}

fn read_quantity(mut given: Params) -> Result<Value, ApiError> {
    let enabled = given.boolean("enabled")?;
    let enabled = enabled.ok_or_else(|| ApiError::missing_param(&given.full_name("enabled")))?;
    let maximum = given.integer("maximum")?;
    let minimum = given.integer("minimum")?.unwrap_or(1);
    let is_sound = minimum >= 0 && maximum.is_none_or(|maximum| maximum >= minimum);
    if !is_sound {
        let message = "`minimum` must not be negative, and `maximum` not less than `minimum`.";
        return Err(ApiError::invalid(message).param(given.full_name("maximum")));
    }
    given.finish()?;
    Ok(json!({ "enabled": enabled, "maximum": maximum, "minimum": minimum }))
}

/// All must be recurring prices of the product, and each of an interval of its own.
fn ensure_distinct(tx: &Tx, product: &str, ids: &[String], param: &str) -> Result<(), ApiError> {
    let mut seen: Vec<(String, i64)> = Vec::new();
    for id in ids {
        let price = tx.require(Kind::Price, id, Place::Param(param))?;
        let recurring = &price["recurring"];
        if price["product"] != *product || recurring.is_null() || price["active"] != true {
            let message =
                format!("The price `{id}` is not an active recurring price of the product `{product}`.");
            return Err(ApiError::invalid(message).param(param));
        }
        let every = (text(recurring, "interval").to_owned(), number(recurring, "interval_count"));
        if seen.contains(&every) {
            let message = format!(
                "The prices of a product must have distinct billing intervals: more than one of the product \
                 `{product}` recurs every {} {}.",
                every.1, every.0
            );
            return Err(ApiError::invalid(message).param(param));
        }
        seen.push(every);
    }
    Ok(())
}
