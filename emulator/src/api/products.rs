//! Products. The caller may choose the id of a new one.

use serde_json::{Value, json};

use super::Call;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::state::{Kind, ids, text};

const UNSUPPORTED: &[&str] = &["default_price_data", "package_dimensions", "tax_code", "tax_details", "type"];

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let id = params.text("id")?.unwrap_or_else(|| ids::new("prod_"));
    if call.tx.find(Kind::Product, &id).is_some() {
        let error = ApiError::invalid("Product already exists.");
        return Err(error.code("resource_already_exists").param("id"));
    }
    let name = params.required_text("name")?;
    let mut product = json!({
        "id": id,
        "object": "product",
        "active": true,
        "created": call.tx.now(),
        "default_price": null,
        "description": null,
        "images": [],
        "livemode": false,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": null,
        "shippable": null,
        "statement_descriptor": null,
        "tax_code": null,
        "tax_details": null,
        "type": "service",
        "unit_label": null,
        "updated": call.tx.now(),
        "url": null,
    });
    read(params, &mut product)?;
    call.tx.create(Kind::Product, product.clone(), "product.created");
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

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let active = params.boolean("active")?;
    let ids = params.texts("ids")?;
    params.finish()?;
    page.of(call.tx, Kind::Product, "/v1/products", None, |product| {
        active.is_none_or(|active| product["active"] == active)
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
