#![expect(clippy::unwrap_used)]
use super::*;
use crate::plan::{Catalog, Interval, Plan, PlanPrice};
use serde_json::json;

const SYNCED: i64 = 1_800_000_000;

fn plan(id: &str) -> Plan {
    Plan {
        id: PlanId::parse(id).unwrap(),
        name: id.to_owned(),
        tagline: String::new(),
        features: Vec::new(),
        recommended: false,
        trial_days: None,
        trial_card: Default::default(),
        limits: Default::default(),
        prices: vec![PlanPrice {
            lookup_key: crate::id::LookupKey::parse(format!("{id}_monthly")).unwrap(),
            interval: Interval::Month,
            amount: 1200,
            currency: Currency::parse("usd").unwrap(),
        }],
    }
}

fn plans() -> PlanDirectory {
    let catalog = Catalog::new(vec![plan("pro"), plan("team")]).unwrap();
    let product = |id: &str, plan: &str| (ProductId::parse(id).unwrap(), PlanId::parse(plan).unwrap());
    PlanDirectory::new(
        &catalog,
        [product("prod_pro", "pro"), product("prod_team", "team"), product("prod_old", "gone")],
    )
}

fn item(product: &str) -> ListedItem {
    ListedItem {
        id: None,
        price: PriceId::parse("price_1").unwrap(),
        product: Some(ProductId::parse(product).unwrap()),
        quantity: Some(1),
        amount: Some(1200),
        currency: Some(Currency::parse("usd").unwrap()),
        interval: Some("month".to_owned()),
        interval_count: Some(1),
        current_period_start: Some(SYNCED - 10),
        current_period_end: Some(SYNCED + 10),
    }
}

fn listed(id: &str, status: Status, product: &str, created: i64) -> ListedSubscription {
    ListedSubscription {
        id: SubscriptionId::parse(id).unwrap(),
        status,
        created,
        items: vec![item(product)],
        cancel_at_period_end: false,
        cancel_at: None,
        canceled_at: None,
        ended_at: None,
        trial_end: None,
        schedule: None,
        pending_update: None,
        discounts: Vec::new(),
        pause_collection: None,
        payment_method: None,
        latest_invoice: None,
        user: None,
        customer: None,
        checkout: None,
        card: None,
        default_card: None,
        trial_noted: false,
        trial_refused: false,
    }
}

fn chosen(list: &[ListedSubscription]) -> String {
    fold(list, &plans(), SYNCED).subscription.unwrap().subscription_id.to_string()
}

#[test]
fn the_one_that_gives_most_access_wins() {
    use Status::*;
    let cases = [
        // What `limit: 1` gets wrong: a newer one that was abandoned or cancelled hides the paid one.
        (
            vec![listed("sub_paid", Active, "prod_pro", 1), listed("sub_new", Incomplete, "prod_team", 2)],
            "sub_paid",
        ),
        (
            vec![listed("sub_paid", Active, "prod_pro", 1), listed("sub_new", Canceled, "prod_pro", 2)],
            "sub_paid",
        ),
        (
            vec![listed("sub_late", PastDue, "prod_pro", 1), listed("sub_new", Unpaid, "prod_pro", 2)],
            "sub_late",
        ),
        (
            vec![listed("sub_pro", Active, "prod_pro", 2), listed("sub_team", Active, "prod_team", 1)],
            "sub_team",
        ),
        (vec![listed("sub_a", Active, "prod_pro", 1), listed("sub_b", Trialing, "prod_pro", 2)], "sub_b"),
        (vec![listed("sub_a", PastDue, "prod_pro", 1), listed("sub_b", Active, "prod_unknown", 2)], "sub_a"),
        (vec![listed("sub_a", Unpaid, "prod_pro", 1), listed("sub_b", Active, "prod_unknown", 2)], "sub_b"),
        (vec![listed("sub_a", Canceled, "prod_pro", 1), listed("sub_b", Canceled, "prod_pro", 2)], "sub_b"),
    ];
    for (list, expected) in cases {
        assert_eq!(chosen(&list), expected);
        let reversed: Vec<_> = list.into_iter().rev().collect();
        assert_eq!(chosen(&reversed), expected, "the order of the list must not matter");
    }
}

#[test]
fn a_second_live_one_is_reported() {
    let list = [
        listed("sub_1", Status::Active, "prod_pro", 1),
        listed("sub_2", Status::Paused, "prod_team", 2),
        listed("sub_3", Status::Canceled, "prod_team", 3),
    ];
    let others = fold(&list, &plans(), SYNCED).subscription.unwrap().others;
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].subscription_id.as_str(), "sub_2");
    assert_eq!(others[0].plan.as_ref().unwrap().as_str(), "team");
}

#[test]
fn the_plan_is_the_highest_item_and_an_unknown_product_has_none() {
    let mut with_add_on = listed("sub_1", Status::Active, "prod_add_on", 1);
    with_add_on.items.push(item("prod_pro"));
    let subscription = fold(&[with_add_on], &plans(), SYNCED).subscription.unwrap();
    assert_eq!(subscription.plan.unwrap().as_str(), "pro");
    assert_eq!(subscription.product_id.unwrap().as_str(), "prod_pro");
    let old = fold(&[listed("sub_1", Status::Active, "prod_old", 1)], &plans(), SYNCED);
    assert_eq!(old.subscription.unwrap().plan, None);
}

#[test]
fn the_json_is_theos() {
    let mut one = listed("sub_1", Status::Active, "prod_pro", 1);
    one.payment_method =
        Some(PaymentMethod { brand: Some("visa".into()), last4: Some("4242".into()), id: None });
    let value = serde_json::to_value(fold(&[one], &plans(), SYNCED)).unwrap();
    for (key, expected) in [
        ("subscriptionId", json!("sub_1")),
        ("status", json!("active")),
        ("priceId", json!("price_1")),
        ("currentPeriodStart", json!(SYNCED - 10)),
        ("currentPeriodEnd", json!(SYNCED + 10)),
        ("cancelAtPeriodEnd", json!(false)),
        ("paymentMethod", json!({"brand": "visa", "last4": "4242"})),
        ("syncedAt", json!(SYNCED)),
        ("plan", json!("pro")),
    ] {
        assert_eq!(value[key], expected, "{key}");
    }
    assert_eq!(serde_json::to_value(Snapshot::none(7)).unwrap(), json!({"status": "none", "syncedAt": 7}));
}

#[test]
fn every_value_reads_back_and_theos_own_is_read() {
    let mut statuses = vec![Status::Unknown("something_new".into())];
    statuses.extend([Status::Incomplete, Status::IncompleteExpired, Status::Trialing, Status::Active]);
    statuses.extend([Status::PastDue, Status::Canceled, Status::Unpaid, Status::Paused]);
    for status in statuses {
        let snapshot = fold(&[listed("sub_1", status, "prod_pro", 1)], &plans(), SYNCED);
        let text = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot, "{text}");
    }
    let theirs = json!({
        "subscriptionId": "sub_1", "status": "active", "priceId": "price_1", "currentPeriodEnd": 2,
        "currentPeriodStart": 1, "cancelAtPeriodEnd": true, "paymentMethod": {"brand": null, "last4": null},
    });
    let read: Snapshot = serde_json::from_value(theirs).unwrap();
    assert_eq!(read.subscription.unwrap().ends_at(), Some(2));
    let none: Snapshot = serde_json::from_value(json!({"status": "none"})).unwrap();
    assert_eq!(none, Snapshot::none(0));
    assert!(serde_json::from_value::<Snapshot>(json!({"status": "active"})).is_err());
}

#[test]
fn the_next_change_is_the_nearest_that_is_known() {
    let mut one = listed("sub_1", Status::Trialing, "prod_pro", 1);
    one.trial_end = Some(SYNCED + 5);
    assert_eq!(fold(&[one.clone()], &plans(), SYNCED).next_change(SYNCED), Some(SYNCED + 5));
    assert_eq!(fold(&[one.clone()], &plans(), SYNCED).next_change(SYNCED + 5), Some(SYNCED + 10 + 5400));
    let overdue = fold(&[one.clone()], &plans(), SYNCED);
    assert_eq!(overdue.next_change(SYNCED + 5410), Some(SYNCED + 5410 + 3600), "never believed for ever");
    assert!(overdue.is_overdue(SYNCED + 5) && !overdue.is_overdue(SYNCED + 4), "a trial is over at its end");
    one.status = Status::Active;
    let overdue = fold(&[one.clone()], &plans(), SYNCED);
    assert!(overdue.is_overdue(SYNCED + 5410) && !overdue.is_overdue(SYNCED + 5409));
    one.items[0].product = None;
    one.trial_end = None;
    let unknown = fold(&[one.clone()], &plans(), SYNCED);
    assert_eq!(unknown.next_change(SYNCED), Some(SYNCED + 300), "an unknown plan is looked at again soon");
    one.status = Status::Incomplete;
    let unpaid = fold(&[one.clone()], &plans(), SYNCED);
    assert_eq!(unpaid.next_change(SYNCED), Some(SYNCED + 3600), "a bank may take days");
    assert!(unpaid.is_overdue(SYNCED + 61) && !unpaid.is_overdue(SYNCED + 60));
    one.status = Status::Canceled;
    assert_eq!(fold(&[one], &plans(), SYNCED).next_change(SYNCED), None);
}
