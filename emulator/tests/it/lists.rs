//! Pages of lists, filters and search.

use serde_json::json;

use crate::support::{Stripe, id, ids};

async fn seven(stripe: &Stripe) -> Vec<String> {
    let mut newest_first = Vec::new();
    for number in 0..7 {
        let email = format!("user{number}@example.com");
        newest_first.insert(0, id(&stripe.post("/v1/customers", &[("email", &email)]).await));
    }
    newest_first
}

#[tokio::test]
async fn pages_go_forward_and_back() {
    let stripe = Stripe::start().await;
    let all = seven(&stripe).await;
    let first = stripe.get("/v1/customers?limit=3").await;
    assert_eq!((ids(&first), &first["has_more"]), (all[0..3].to_vec(), &true.into()));
    assert_eq!((first["object"].as_str(), first["url"].as_str()), (Some("list"), Some("/v1/customers")));
    let last = stripe.get(&format!("/v1/customers?limit=4&starting_after={}", all[2])).await;
    assert_eq!((ids(&last), &last["has_more"]), (all[3..7].to_vec(), &false.into()));
    let back = stripe.get(&format!("/v1/customers?limit=2&ending_before={}", all[5])).await;
    assert_eq!((ids(&back), &back["has_more"]), (all[3..5].to_vec(), &true.into()));
    let to_start = stripe.get(&format!("/v1/customers?limit=3&ending_before={}", all[3])).await;
    assert_eq!((ids(&to_start), &to_start["has_more"]), (all[0..3].to_vec(), &false.into()));
    let both = format!("/v1/customers?starting_after={}&ending_before={}", all[0], all[5]);
    assert_eq!(stripe.try_get(&both).await.status, 400);
}

#[tokio::test]
async fn a_page_can_start_after_a_customer_that_was_deleted() {
    let stripe = Stripe::start().await;
    let all = seven(&stripe).await;
    stripe.delete(&format!("/v1/customers/{}", all[2])).await;
    let rest = stripe.get(&format!("/v1/customers?starting_after={}", all[2])).await;
    assert_eq!(ids(&rest), all[3..7].to_vec());
    assert_eq!(ids(&stripe.get("/v1/customers").await).len(), 6);
}

#[tokio::test]
async fn customers_are_searched_by_metadata_and_email() {
    let stripe = Stripe::start().await;
    let fields =
        [("email", "ada@example.com"), ("metadata[userId]", "u1"), ("metadata[team]", "it's \"us\"")];
    let ada = id(&stripe.post("/v1/customers", &fields).await);
    let eva =
        id(&stripe.post("/v1/customers", &[("email", "eva@example.com"), ("metadata[userId]", "u2")]).await);
    let cases = [
        ("metadata['userId']:'u1'", vec![&ada]),
        ("metadata[\"userId\"]:\"u2\"", vec![&eva]),
        ("email:'ADA@example.com'", vec![&ada]),
        ("email:'ada@example.com' AND metadata['userId']:'u2'", vec![]),
        ("email~'example' and -metadata['userId']:'u1'", vec![&eva]),
        ("metadata['team']:'it\\'s \"us\"'", vec![&ada]),
        ("email:'nobody' OR metadata['userId']:'u2'", vec![&eva]),
        ("email:'ada@example.com' metadata['userId']:'u1'", vec![&ada]),
        ("name:null -metadata['team']:null", vec![&ada]),
        ("created>9999999999", vec![]),
    ];
    for (query, expected) in cases {
        let query_string = crate::support::form(&[("query", query)]);
        let found = stripe.get(&format!("/v1/customers/search?{query_string}")).await;
        assert_eq!(ids(&found), expected.into_iter().cloned().collect::<Vec<_>>(), "{query}");
        assert_eq!(found["object"], "search_result");
    }
    for broken in ["nonsense", "email:ada", "email:'a' OR email:'b' AND name:'c'", "email:'a"] {
        let query_string = crate::support::form(&[("query", broken)]);
        let reply = stripe.try_get(&format!("/v1/customers/search?{query_string}")).await;
        assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some("query")), "{broken}");
    }
}

#[tokio::test]
async fn search_pages_on_with_a_token() {
    let stripe = Stripe::start().await;
    let all = seven(&stripe).await;
    let first = stripe.get("/v1/customers/search?query=email~'user'&limit=5").await;
    assert_eq!((ids(&first), &first["has_more"]), (all[0..5].to_vec(), &true.into()));
    let page = first["next_page"].as_str().unwrap();
    let rest = stripe.get(&format!("/v1/customers/search?query=email~'user'&limit=5&page={page}")).await;
    assert_eq!((ids(&rest), &rest["has_more"]), (all[5..7].to_vec(), &false.into()));
}

#[tokio::test]
async fn events_are_filtered_by_type_time_and_delivery() {
    let stripe = Stripe::start().await;
    stripe.buy().await;
    let types = async |query: &str| {
        let events = stripe.get(&format!("/v1/events?limit=100&{query}")).await;
        events["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["type"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(types("type=invoice.paid").await, ["invoice.paid"]);
    assert_eq!(types("type=checkout.*").await, ["checkout.session.completed"]);
    assert_eq!(
        types("types[]=invoice.paid&types[]=product.created").await,
        ["invoice.paid", "product.created"]
    );
    assert!(types("created[gt]=9999999999").await.is_empty());
    let all = types("created[gte]=1").await;
    assert_eq!(types("delivery_success=true").await, all);
    assert!(types("delivery_success=false").await.is_empty());
    let many = (0..21).map(|n| format!("types[]=t{n}")).collect::<Vec<_>>().join("&");
    assert_eq!(stripe.try_get(&format!("/v1/events?{many}")).await.status, 400);
}

#[tokio::test]
async fn events_are_listed_for_thirty_days() {
    let stripe = Stripe::start().await;
    let old = stripe.customer().await;
    let event = id(&stripe.get("/v1/events?type=customer.created").await["data"][0]);
    stripe.control("/_emulator/clock", json!({"advance_seconds": 29 * 86_400})).await;
    assert_eq!(ids(&stripe.get("/v1/events").await), std::slice::from_ref(&event));
    stripe.customer().await;
    stripe.control("/_emulator/clock", json!({"advance_seconds": 2 * 86_400})).await;
    let listed = stripe.get("/v1/events?created[gte]=1").await;
    assert_eq!((ids(&listed).len(), &listed["has_more"]), (1, &json!(false)));
    assert_ne!(ids(&listed)[0], event);
    let newer = stripe.get(&format!("/v1/events?ending_before={event}")).await;
    assert_eq!(ids(&newer), ids(&listed));
    assert_eq!(stripe.get(&format!("/v1/customers/{old}")).await["id"], *old);
}

#[tokio::test]
async fn lists_are_filtered_by_when_things_were_created() {
    let stripe = Stripe::start().await;
    let now = async || stripe.get("/_emulator/clock").await["now"].as_i64().unwrap();
    let mut made = Vec::new();
    for _ in 0..3 {
        let customer = id(&stripe.post("/v1/customers", &[("email", "a@b.c")]).await);
        let at = stripe.get(&format!("/v1/customers/{customer}")).await["created"].as_i64().unwrap();
        made.insert(0, (customer, at));
        stripe.control("/_emulator/clock", json!({"advance_seconds": 100})).await;
    }
    let [(third, _), (second, at), (first, _)] = [&made[0], &made[1], &made[2]];
    let cases = [
        (format!("created={at}"), vec![second]),
        (format!("created[gte]={at}"), vec![third, second]),
        (format!("created[gt]={at}"), vec![third]),
        (format!("created[lte]={at}"), vec![second, first]),
        (format!("created[lt]={at}"), vec![first]),
        (format!("created[gte]={at}&created[lt]={}", now().await), vec![third, second]),
        (format!("created[gt]={at}&created[lt]={at}"), vec![]),
        (format!("created[gte]={at}&starting_after={third}"), vec![second]),
        (format!("created[gte]={at}&ending_before={first}"), vec![third, second]),
        (format!("email=a@b.c&created[gt]={at}"), vec![third]),
    ];
    for (query, expected) in cases {
        let found = ids(&stripe.get(&format!("/v1/customers?{query}")).await);
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    assert_eq!(stripe.try_get("/v1/customers?created[since]=3").await.status, 400);
}

#[tokio::test]
async fn answers_are_dated_by_the_clock_that_dates_objects() {
    let stripe = Stripe::start().await;
    stripe.control("/_emulator/clock", json!({"advance_seconds": 400 * 86_400})).await;
    let reply = stripe.try_post("/v1/customers", &[]).await;
    let created = reply.body["created"].as_i64().unwrap();
    let year = time::OffsetDateTime::from_unix_timestamp(created).unwrap().year();
    assert!(reply.header("date").contains(&format!(" {year} ")), "{}", reply.header("date"));
    assert!(reply.header("date").ends_with(" GMT"));
}
