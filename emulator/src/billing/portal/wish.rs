//! What a customer asks for in the portal when they change their plan. Data only.

use serde_json::Value;

use super::later::Coming;
use crate::state::{number, text};

/// What a customer wants to have instead.
#[derive(Clone, Debug)]
pub struct Wish {
    /// A price's id.
    pub price: String,
    pub quantity: i64,
    /// From when on the difference counts; now if `None`.
    pub date: Option<i64>,
    /// A promotion code, as it was typed.
    pub code: Option<String>,
}

impl Wish {
    /// What a session's flow asks to confirm: whatever its item does not say stays.
    pub fn of_flow(item: &Value, subscription: &Value) -> Wish {
        let has = &subscription["items"]["data"][0];
        let price = item["price"].as_str().unwrap_or_else(|| text(&has["price"], "id"));
        let quantity = item["quantity"].as_i64().unwrap_or_else(|| number(has, "quantity"));
        Wish { price: price.to_owned(), quantity, date: None, code: None }
    }

    /// What it says in the address of the page to confirm on.
    pub fn query(&self) -> String {
        let quantity = self.quantity.to_string();
        let mut fields = form_urlencoded::Serializer::new(String::new());
        fields.append_pair("price", &self.price).append_pair("quantity", &quantity);
        if let Some(code) = &self.code {
            fields.append_pair("promotion_code", code);
        }
        fields.finish()
    }

    /// Whether it asks for what will be there with the next period.
    pub fn is_what_comes(&self, coming: &Coming) -> bool {
        coming.price["id"] == *self.price && coming.quantity == self.quantity
    }

    /// Whether it asks for what is there.
    pub fn is_as_it_is(&self, subscription: &Value) -> bool {
        let has = &subscription["items"]["data"][0];
        has["price"]["id"] == *self.price && has["quantity"] == self.quantity
    }
}
