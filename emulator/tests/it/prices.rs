//! Products, prices and lookup keys.

use crate::support::{Stripe, id, ids};

async fn price(stripe: &Stripe, product: &str, key: &str, more: &[(&str, &str)]) -> crate::support::Reply {
    let mut fields = vec![
        ("product", product),
        ("currency", "usd"),
        ("unit_amount", "1200"),
        ("recurring[interval]", "month"),
        ("lookup_key", key),
    ];
    fields.extend_from_slice(more);
    stripe.try_post("/v1/prices", &fields).await
}

#[tokio::test]
async fn a_lookup_key_moves_only_when_asked_to() {
    let stripe = Stripe::start().await;
    let product = id(&stripe.post("/v1/products", &[("name", "Pro")]).await);
    let old = id(&price(&stripe, &product, "pro_monthly", &[]).await.body);
    let taken = price(&stripe, &product, "pro_monthly", &[]).await;
    assert_eq!((taken.status, taken.error()["param"].as_str()), (400, Some("lookup_key")));
    assert!(taken.error()["message"].as_str().unwrap().contains(&old));
    assert_eq!(ids(&stripe.get("/v1/prices").await), std::slice::from_ref(&old));

    let new = id(&price(&stripe, &product, "pro_monthly", &[("transfer_lookup_key", "true")]).await.body);
    let found =
        stripe.get("/v1/prices?lookup_keys[]=pro_monthly&lookup_keys[]=other&expand[]=data.product").await;
    assert_eq!(ids(&found), [new]);
    assert_eq!(found["data"][0]["product"]["name"], "Pro");
    assert!(stripe.get(&format!("/v1/prices/{old}")).await["lookup_key"].is_null());
    let events = stripe.get("/v1/events?type=price.updated").await;
    assert_eq!(events["data"][0]["data"]["previous_attributes"]["lookup_key"], "pro_monthly");
}

#[tokio::test]
async fn products_take_the_callers_id_once() {
    let stripe = Stripe::start().await;
    let fields = [("id", "pro"), ("name", "Pro"), ("metadata[plan]", "pro")];
    assert_eq!(id(&stripe.post("/v1/products", &fields).await), "pro");
    let again = stripe.try_post("/v1/products", &fields).await;
    assert_eq!((again.status, again.error()["code"].as_str()), (400, Some("resource_already_exists")));
    let updated = stripe.post("/v1/products/pro", &[("active", "false"), ("metadata[plan]", "")]).await;
    assert_eq!(
        (updated["active"].as_bool(), updated["metadata"].as_object().unwrap().len()),
        (Some(false), 0)
    );
    assert_eq!(ids(&stripe.get("/v1/products?active=true").await).len(), 0);
    assert_eq!(ids(&stripe.get("/v1/products?ids[]=pro").await), ["pro"]);
}

#[tokio::test]
async fn a_new_price_tells_of_a_plan_too() {
    let stripe = Stripe::start().await;
    stripe.price().await;
    assert_eq!(stripe.event_types().await, ["product.created", "plan.created", "price.created"]);
}
