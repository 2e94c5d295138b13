#![expect(clippy::unwrap_used)]
use super::*;
use serde_json::json;

const MONTH_ONLY: &str = "starter";

fn catalog() -> Catalog {
    let plan = |id: &str, prices: serde_json::Value| {
        let plan = json!({
            "id": id, "name": id, "tagline": "", "features": [], "recommended": false,
            "trial_days": null, "trial_card": "required", "limits": {}, "prices": prices,
        });
        serde_json::from_value::<Plan>(plan).unwrap()
    };
    let price = |key: &str, interval: &str, amount: i64| json!({"lookup_key": key, "interval": interval, "amount": amount, "currency": "usd"});
    Catalog::new(vec![
        plan("free", json!([])),
        plan(MONTH_ONLY, json!([price("s_m", "month", 500)])),
        plan("pro", json!([price("p_m", "month", 1200), price("p_y", "year", 12_000)])),
    ])
    .unwrap()
}

fn snapshot(status: &str, plan: &str) -> Snapshot {
    serde_json::from_value(json!({
        "subscriptionId": "sub_1", "status": status, "priceId": "price_1", "plan": plan,
        "currentPeriodStart": 1, "currentPeriodEnd": 2, "cancelAtPeriodEnd": false, "paymentMethod": null,
    }))
    .unwrap()
}

fn actions(snapshot: Option<&Snapshot>) -> Vec<PlanAction> {
    let view = pricing_view(&catalog(), Interval::Month, snapshot, Trials::Offered);
    view.plans.iter().map(|plan| plan.action).collect()
}

#[test]
fn each_button_does_what_the_visitor_can_do() {
    use PlanAction::{Account, Current, SignUp, Subscribe};
    let pro = snapshot("active", "pro");
    let (ended, none) = (snapshot("canceled", "pro"), Snapshot::none(1));
    let cases = [
        (None, [SignUp, Subscribe, Subscribe]),
        (Some(&none), [Current, Subscribe, Subscribe]),
        (Some(&ended), [Current, Subscribe, Subscribe]),
        (Some(&pro), [Account, Account, Current]),
    ];
    for (snapshot, expected) in cases {
        assert_eq!(actions(snapshot), expected, "{snapshot:?}");
    }
}

#[test]
fn a_trial_is_offered_to_who_can_have_one() {
    let mut plans = catalog().plans().to_vec();
    plans[2].trial_days = Some(14);
    let catalog = Catalog::new(plans).unwrap();
    let days = |snapshot: Option<&Snapshot>, trials| {
        pricing_view(&catalog, Interval::Month, snapshot, trials).plans[2].trial_days
    };
    let (lapsed, ended) = (snapshot("incomplete_expired", "pro"), snapshot("canceled", "pro"));
    assert_eq!(days(None, Trials::Offered), Some(14));
    assert_eq!(days(Some(&Snapshot::none(1)), Trials::Offered), Some(14));
    assert_eq!(days(Some(&lapsed), Trials::Offered), Some(14), "never paid");
    assert_eq!(days(Some(&ended), Trials::Offered), None);
    assert_eq!(days(Some(&Snapshot::none(1)), Trials::UsedUp), None);
}

#[test]
fn a_year_is_compared_with_twelve_months() {
    let view = pricing_view(&catalog(), Interval::Year, None, Trials::Offered);
    let prices: Vec<_> =
        view.plans.iter().map(|plan| plan.price.as_ref().map(|price| price.amount)).collect();
    assert_eq!(prices, [None, Some(500), Some(12_000)]);
    assert_eq!(view.plans[2].saved_per_year, Some(2400));
    assert_eq!(view.saving.as_deref(), Some("$24"));
    assert!(view.yearly);
}
