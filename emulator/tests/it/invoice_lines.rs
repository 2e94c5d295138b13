//! The lines of drafts and the items behind them: added, changed and removed, from either side.

use serde_json::{Value, json};

use crate::support::{Stripe, id, ids};

async fn draft(stripe: &Stripe) -> (String, String) {
    let customer = stripe.customer().await;
    let draft = id(&stripe.post("/v1/invoices", &[("customer", &customer)]).await);
    (customer, format!("/v1/invoices/{draft}"))
}

fn amounts(invoice: &Value) -> Vec<i64> {
    let lines = invoice["lines"]["data"].as_array().unwrap();
    lines.iter().map(|line| line["amount"].as_i64().unwrap()).collect()
}

async fn items(stripe: &Stripe, customer: &str, query: &str) -> Vec<Value> {
    let list = stripe.get(&format!("/v1/invoiceitems?customer={customer}{query}")).await;
    list["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn lines_are_added_changed_and_removed_with_their_items() {
    let stripe = Stripe::start().await;
    let (customer, path) = draft(&stripe).await;
    let waits =
        [("customer", customer.as_str()), ("amount", "300"), ("currency", "usd"), ("description", "Waits")];
    let waits = id(&stripe.post("/v1/invoiceitems", &waits).await);
    let fields = [
        ("lines[0][amount]", "500"),
        ("lines[0][description]", "New"),
        ("lines[1][invoice_item]", &waits),
        ("lines[1][quantity]", "2"),
        ("lines[1][metadata][k]", "v"),
        ("invoice_metadata[why]", "asked"),
    ];
    let added = stripe.post(&format!("{path}/add_lines"), &fields).await;
    assert_eq!((amounts(&added), &added["total"]), (vec![500, 600], &json!(1100)));
    assert_eq!((&added["lines"]["total_count"], &added["metadata"]), (&json!(2), &json!({"why": "asked"})));
    let all = items(&stripe, &customer, "").await;
    assert!(all.len() == 2 && all.iter().all(|item| item["invoice"] == added["id"]), "{all:?}");

    let [first, second] = [0, 1].map(|at| id(&added["lines"]["data"][at]));
    let line =
        stripe.post(&format!("{path}/lines/{first}"), &[("amount", "700"), ("discountable", "false")]).await;
    assert_eq!(
        (&line["amount"], &line["subtotal"], &line["discountable"]),
        (&json!(700), &json!(700), &json!(false))
    );
    let item = stripe.get(&format!("/v1/invoiceitems/{}", id(&all[1]))).await;
    let other = stripe.get(&format!("/v1/invoiceitems/{}", id(&all[0]))).await;
    assert!([&item, &other].iter().any(|it| it["amount"] == 700 && it["net_amount"] == 700));
    let fields = [
        ("lines[0][id]", first.as_str()),
        ("lines[0][description]", "Newer"),
        ("lines[1][id]", &second),
        ("lines[1][unit_amount_decimal]", "0.5"),
    ];
    let newer = stripe.post(&format!("{path}/update_lines"), &fields[..3]).await;
    assert_eq!(newer["lines"]["data"][0]["description"], "Newer");
    let bad = stripe.try_post(&format!("{path}/update_lines"), &fields).await;
    assert_eq!(
        bad.error()["param"],
        "lines[1][unit_amount_decimal]",
        "Stripe's lines have no such parameter"
    );
}

#[tokio::test]
async fn a_removed_line_is_deleted_or_waits_again() {
    let stripe = Stripe::start().await;
    let (customer, path) = draft(&stripe).await;
    let fields = [("lines[0][amount]", "100"), ("lines[1][amount]", "200"), ("lines[2][amount]", "400")];
    let added = stripe.post(&format!("{path}/add_lines"), &fields).await;
    let [first, second] = [0, 1].map(|at| id(&added["lines"]["data"][at]));
    let count = stripe.event_count().await;
    let fields = [
        ("lines[0][id]", first.as_str()),
        ("lines[0][behavior]", "delete"),
        ("lines[1][id]", &second),
        ("lines[1][behavior]", "unassign"),
    ];
    let left = stripe.post(&format!("{path}/remove_lines"), &fields).await;
    assert_eq!((amounts(&left), &left["amount_due"]), (vec![400], &json!(400)));
    assert_eq!(stripe.events_since(count).await, ["invoiceitem.deleted", "invoice.updated"]);
    assert_eq!(items(&stripe, &customer, "").await.len(), 2);
    let waiting = items(&stripe, &customer, "&pending=true").await;
    assert_eq!((waiting.len(), &waiting[0]["amount"]), (1, &json!(200)));
    let missing = stripe.try_post(&format!("{path}/remove_lines"), &fields).await;
    assert_eq!((missing.status, missing.error()["param"].as_str()), (400, Some("lines[0][id]")));
    let half = [("lines[0][amount]", "8"), ("lines[1][amount]", "x")];
    assert_eq!(stripe.try_post(&format!("{path}/add_lines"), &half).await.status, 400);
    assert_eq!(amounts(&stripe.get(&path).await), [400], "all lines or none");
}

#[tokio::test]
async fn lines_are_listed_page_by_page() {
    let stripe = Stripe::start().await;
    let (_, path) = draft(&stripe).await;
    let fields = [
        ("lines[0][amount]", "1"),
        ("lines[1][amount]", "2"),
        ("lines[2][amount]", "3"),
        ("lines[3][amount]", "4"),
        ("lines[4][amount]", "5"),
    ];
    let all = ids(&stripe.post(&format!("{path}/add_lines"), &fields).await["lines"]);
    let page = async |query: &str| {
        let page = stripe.get(&format!("{path}/lines?limit=2{query}")).await;
        (ids(&page), page["has_more"].as_bool().unwrap())
    };
    assert_eq!(page("").await, (all[..2].to_vec(), true));
    assert_eq!(page(&format!("&starting_after={}", all[1])).await, (all[2..4].to_vec(), true));
    assert_eq!(page(&format!("&starting_after={}", all[3])).await, (all[4..].to_vec(), false));
    assert_eq!(page(&format!("&ending_before={}", all[4])).await, (all[2..4].to_vec(), true));
    assert_eq!(page(&format!("&ending_before={}", all[1])).await, (all[..1].to_vec(), false));
    let unknown = stripe.try_get(&format!("{path}/lines?starting_after=il_no")).await;
    assert_eq!(unknown.error()["param"], "starting_after");
    let both = stripe.try_get(&format!("{path}/lines?starting_after={0}&ending_before={0}", all[0])).await;
    assert_eq!(both.status, 400);
}

#[tokio::test]
async fn an_item_has_an_amount_or_a_unit_and_how_many() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let product = id(&stripe.post("/v1/products", &[("name", "Hour")]).await);
    let own = ("customer", customer.as_str());
    let fields = [
        own,
        ("price_data[currency]", "usd"),
        ("price_data[product]", &product),
        ("price_data[unit_amount]", "250"),
        ("quantity", "3"),
    ];
    let item = stripe.post("/v1/invoiceitems", &fields).await;
    assert_eq!((&item["amount"], &item["currency"]), (&json!(750), &json!("usd")));
    let price = item["pricing"]["price_details"]["price"].as_str().unwrap();
    let price = stripe.get(&format!("/v1/prices/{price}")).await;
    assert_eq!((&price["active"], &price["product"]), (&json!(false), &json!(product)));
    let path = format!("/v1/invoiceitems/{}", id(&item));
    let more = stripe.post(&path, &[("quantity", "4")]).await;
    assert_eq!((&more["amount"], &more["pricing"]["unit_amount_decimal"]), (&json!(1000), &json!("250")));
    let parts = stripe.post(&path, &[("unit_amount_decimal", "12.125"), ("quantity", "2")]).await;
    assert_eq!((&parts["amount"], &parts["net_amount"]), (&json!(24), &json!(24)));
    let fixed = stripe.post(&path, &[("amount", "-90"), ("period[start]", "5"), ("period[end]", "9")]).await;
    assert_eq!((&fixed["amount"], &fixed["period"]), (&json!(-90), &json!({"start": 5, "end": 9})));
    assert_eq!(fixed["pricing"], Value::Null);
    for (fields, param) in [
        (vec![own, ("currency", "usd")], "amount"),
        (vec![own, ("amount", "5")], "currency"),
        (vec![own, ("amount", "5"), ("currency", "usd"), ("unit_amount_decimal", "5")], "amount"),
        (vec![own, ("currency", "usd"), ("unit_amount_decimal", "1.1234567890123")], "unit_amount_decimal"),
        (vec![own, ("amount", "5"), ("currency", "usd"), ("quantity_decimal", "1.5")], "quantity_decimal"),
    ] {
        assert_eq!(stripe.try_post("/v1/invoiceitems", &fields).await.error()["param"], param, "{fields:?}");
    }
    let date = item["date"].as_i64().unwrap();
    assert_eq!(items(&stripe, &customer, &format!("&created[gte]={date}")).await.len(), 1);
    assert_eq!(items(&stripe, &customer, &format!("&created[gt]={}", date + 60)).await.len(), 0);
}

#[tokio::test]
async fn an_item_changes_its_line_and_a_finalised_one_stays() {
    let stripe = Stripe::start().await;
    let (customer, path) = draft(&stripe).await;
    let invoice = path.rsplit_once('/').unwrap().1;
    let fields =
        [("customer", customer.as_str()), ("amount", "100"), ("currency", "usd"), ("invoice", invoice)];
    let item = format!("/v1/invoiceitems/{}", id(&stripe.post("/v1/invoiceitems", &fields).await));
    stripe.post(&item, &[("amount", "900"), ("description", "Nine")]).await;
    let now = stripe.get(&path).await;
    assert_eq!((amounts(&now), &now["total"]), (vec![900], &json!(900)));
    assert_eq!(now["lines"]["data"][0]["description"], "Nine");
    stripe.post(&format!("{path}/finalize"), &[]).await;
    let late = stripe.try_post(&item, &[("description", "Ten")]).await;
    assert_eq!(late.error()["code"], "invoice_not_editable");
    let line = id(&now["lines"]["data"][0]);
    for (end, fields) in [
        (format!("lines/{line}"), vec![("amount", "1")]),
        ("add_lines".to_owned(), vec![("lines[0][amount]", "1")]),
        ("remove_lines".to_owned(), vec![("lines[0][id]", line.as_str()), ("lines[0][behavior]", "delete")]),
    ] {
        let late = stripe.try_post(&format!("{path}/{end}"), &fields).await;
        assert_eq!(late.error()["code"], "invoice_not_editable", "{end}");
    }
}

#[tokio::test]
async fn what_was_on_a_deleted_draft_waits_again_and_what_was_on_a_void_one_does_not() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let fields = [("customer", customer.as_str()), ("amount", "100"), ("currency", "usd")];
    let item = id(&stripe.post("/v1/invoiceitems", &fields).await);
    let fields = [("customer", customer.as_str()), ("pending_invoice_items_behavior", "include")];
    let draft = id(&stripe.post("/v1/invoices", &fields).await);
    assert!(items(&stripe, &customer, "&pending=true").await.is_empty());
    stripe.delete(&format!("/v1/invoices/{draft}")).await;
    assert_eq!(id(&items(&stripe, &customer, "&pending=true").await[0]), item);
    let again = stripe.post("/v1/invoices", &fields).await;
    assert_eq!(again["total"], 100);
    stripe.post(&format!("/v1/invoices/{}/finalize", id(&again)), &[]).await;
    stripe.post(&format!("/v1/invoices/{}/void", id(&again)), &[]).await;
    assert!(items(&stripe, &customer, "&pending=true").await.is_empty());
}
