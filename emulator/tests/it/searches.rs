//! Search of everything but customers, whose tests are in `lists`.

use crate::discounts::payer;
use crate::support::{Stripe, form, id, ids};

async fn found(stripe: &Stripe, resource: &str, query: &str) -> Vec<String> {
    ids(&stripe.get(&format!("/v1/{resource}/search?{}", form(&[("query", query)]))).await)
}

#[tokio::test]
async fn each_resource_is_found_by_its_fields() {
    let stripe = Stripe::start().await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", price.as_str()),
        ("metadata[order_id]", "6735"),
    ];
    let subscription = id(&stripe.post("/v1/subscriptions", &fields).await);
    let invoice = stripe.invoices(&customer).await.remove(0);
    let charge = id(&stripe.get("/v1/charges").await["data"][0]);
    let intent = id(&stripe.get("/v1/payment_intents").await["data"][0]);
    let product = stripe.get(&format!("/v1/prices/{price}")).await["product"].as_str().unwrap().to_owned();
    let cases = [
        ("subscriptions", "status:'active' AND metadata['order_id']:'6735'".to_owned(), vec![&subscription]),
        ("subscriptions", "metadata['order_id']:null".to_owned(), vec![]),
        ("subscriptions", "-status:'active'".to_owned(), vec![]),
        ("charges", "amount>1199 AND amount<=1200 AND currency:'usd'".to_owned(), vec![&charge]),
        ("charges", "payment_method_details.card.last4:'4242'".to_owned(), vec![&charge]),
        ("charges", "refunded:'true' OR amount:1200".to_owned(), vec![&charge]),
        ("payment_intents", format!("customer:'{customer}' status:'succeeded'"), vec![&intent]),
        ("prices", format!("active:'true' AND product:'{product}'"), vec![&price]),
        ("products", "name~'PRO' AND metadata['plan']:'pro'".to_owned(), vec![&product]),
        ("products", "description:null".to_owned(), vec![&product]),
    ];
    for (resource, query, expected) in cases {
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(found(&stripe, resource, &query).await, expected, "{resource} {query}");
    }
    let number = invoice["number"].as_str().unwrap();
    for query in [format!("number:'{number}'"), format!("subscription:'{subscription}' AND total>=1200")] {
        assert_eq!(found(&stripe, "invoices", &query).await, [id(&invoice)], "{query}");
    }
}

#[tokio::test]
async fn what_a_field_does_not_support_is_refused() {
    let stripe = Stripe::start().await;
    for (resource, query) in [
        ("subscriptions", "customer:'cus_1'"),
        ("charges", "amount~'12'"),
        ("charges", "amount:'many'"),
        ("charges", "status>'a'"),
        ("products", "name~'ab'"),
        ("products", "name:'a' AND active:'true' OR active:'false'"),
        ("invoices", "total>5 AND"),
    ] {
        let path = format!("/v1/{resource}/search?{}", form(&[("query", query)]));
        let reply = stripe.try_get(&path).await;
        assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some("query")), "{query}");
    }
}

#[tokio::test]
async fn subscriptions_are_listed_by_period_clock_and_price_and_their_items_by_pages() {
    let stripe = Stripe::start().await;
    let (customer, price) = (payer(&stripe).await, stripe.price().await);
    let second = stripe.price_of("500", "month").await;
    let third = stripe.price_of("600", "month").await;
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", price.as_str()),
        ("items[1][price]", second.as_str()),
        ("items[2][price]", third.as_str()),
    ];
    let subscription = stripe.post("/v1/subscriptions", &fields).await;
    let of = id(&subscription);
    let end = subscription["items"]["data"][0]["current_period_end"].as_i64().unwrap();
    for (query, count) in [
        (format!("current_period_end={end}"), 1),
        (format!("current_period_end[gt]={end}"), 0),
        (format!("current_period_start[lt]={end}&price={second}"), 1),
        ("test_clock=clock_none".to_owned(), 0),
    ] {
        let list = stripe.get(&format!("/v1/subscriptions?{query}")).await;
        assert_eq!(ids(&list).len(), count, "{query}");
    }
    let all: Vec<String> = subscription["items"]["data"].as_array().unwrap().iter().map(id).collect();
    let page = async |query: &str| {
        let list = stripe.get(&format!("/v1/subscription_items?subscription={of}&{query}")).await;
        (ids(&list), list["has_more"].as_bool().unwrap())
    };
    assert_eq!(page(&format!("limit=1&starting_after={}", all[0])).await, (vec![all[1].clone()], true));
    assert_eq!(page(&format!("starting_after={}", all[1])).await, (vec![all[2].clone()], false));
    assert_eq!(page(&format!("limit=1&ending_before={}", all[2])).await, (vec![all[1].clone()], true));
    assert_eq!(page(&format!("ending_before={}", all[1])).await, (vec![all[0].clone()], false));
}
