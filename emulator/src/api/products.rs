//! Products. The caller may choose the id of a new one.

use serde_json::{Value, json};

use super::{Call, price_data};
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::state::{Kind, Tx, ids, text};

const UNSUPPORTED: &[&str] = &["package_dimensions", "tax_code", "tax_details", "type"];

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let default_price = params.children("default_price_data")?;
    let mut product = object(call.tx, params)?;
    let price = default_price.map(|data| price_data::default_price(call.tx, data, &product)).transpose()?;
    if let Some(price) = &price {
        product["default_price"] = price["id"].clone();
    }
    // Not sure: which of the two Stripe tells of first.
    call.tx.create(Kind::Product, product.clone(), "product.created");
    if let Some(price) = price {
        price_data::put(call.tx, &price);
    }
    Ok(product)
}

/// A new product from its parameters. It is not stored.
pub fn object(tx: &Tx, mut params: Params) -> Result<Value, ApiError> {
    params.refuse(UNSUPPORTED)?;
    let id = params.text("id")?.unwrap_or_else(|| ids::new("prod_"));
    if tx.find(Kind::Product, &id).is_some() {
        let error = ApiError::invalid("Product already exists.");
        return Err(error.code("resource_already_exists").param(params.full_name("id")));
    }
    let mut product = json!({
        "id": id,
        "object": "product",
        "active": true,
        "created": tx.now(),
        "default_price": null,
        "description": null,
        "images": [],
        "livemode": false,
        "marketing_features": [],
        "metadata": {},
        "name": params.required_text("name")?,
        "package_dimensions": null,
        "shippable": null,
        "statement_descriptor": null,
        "tax_code": null,
        "tax_details": null,
        "type": "service",
        "unit_label": null,
        "updated": tx.now(),
        "url": null,
    });
    read(params, &mut product)?;
    Ok(product)
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::Product, call.id(), Place::Path)
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let before = call.tx.require(Kind::Product, call.id(), Place::Path)?;
    let mut product = before.clone();
    if let Some(name) = params.text("name")? {
        product["name"] = json!(name);
    }
    match params.clearable("default_price")? {
        None => {}
        Some(Change::Clear) => product["default_price"] = Value::Null,
        Some(Change::Set(price)) => {
            call.tx.require(Kind::Price, &price, Place::Param("default_price"))?;
            product["default_price"] = json!(price);
        }
    }
    read(params, &mut product)?;
    if product != before {
        product["updated"] = json!(call.tx.now());
    }
    call.tx.update(Kind::Product, product.clone(), "product.updated");
    Ok(product)
}

/// Only a product that was never priced can be deleted.
pub fn delete(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let product = call.tx.require(Kind::Product, call.id(), Place::Path)?;
    let id = call.id().to_owned();
    if has_prices(call.tx, &id) {
        let message = "This product cannot be deleted because it has one or more user-created prices.";
        return Err(ApiError::invalid(message));
    }
    call.tx.remove(Kind::Product, &id);
    call.tx.emit("product.deleted", &product);
    Ok(json!({ "id": id, "object": "product", "deleted": true }))
}

fn has_prices(tx: &Tx, product: &str) -> bool {
    let mut prices = tx.store().collection(Kind::Price).into_iter().flat_map(|all| all.newest_first());
    prices.any(|price| *price.field("product") == *product)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let active = params.boolean("active")?;
    let ids = params.texts("ids")?;
    let shippable = params.boolean("shippable")?;
    let url = params.text("url")?;
    params.finish()?;
    page.of(call.tx, Kind::Product, "/v1/products", None, |product| {
        active.is_none_or(|active| product["active"] == active)
            && shippable.is_none_or(|shippable| product["shippable"] == shippable)
            && url.as_ref().is_none_or(|url| product["url"] == **url)
            && ids.as_ref().is_none_or(|ids| ids.iter().any(|id| id == text(product, "id")))
    })
}

fn read(mut params: Params, product: &mut Value) -> Result<(), ApiError> {
    params.refuse(UNSUPPORTED)?;
    if let Some(active) = params.boolean("active")? {
        product["active"] = json!(active);
    }
    for field in ["description", "statement_descriptor", "unit_label", "url"] {
        if let Some(change) = params.clearable(field)? {
            product[field] = change.into_json();
        }
    }
    if let Some(shippable) = params.boolean("shippable")? {
        product["shippable"] = json!(shippable);
    }
    if let Some(images) = params.texts("images")? {
        product["images"] = json!(images);
    }
    if let Some(features) = params.list("marketing_features")? {
        let mut named = Vec::new();
        for mut feature in features {
            named.push(json!({ "name": feature.required_text("name")? }));
            feature.finish()?;
        }
        product["marketing_features"] = json!(named);
    }
    product["metadata"] = params.metadata(&product["metadata"])?;
    params.finish()
}
