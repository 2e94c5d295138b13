#![expect(clippy::unwrap_used)]
use super::*;
use crate::app::view::banner;
use serde_json::{Value, json};

/// 3 March 2027, 12:00 UTC.
const NOW: i64 = 1_804_075_200;
const DAY: i64 = 86_400;

fn catalog() -> Catalog {
    let plan = |id: &str, name: &str, prices: Value| {
        json!({"id": id, "name": name, "tagline": "", "features": [format!("{name}'s feature")],
            "recommended": false, "trial_days": null, "trial_card": "required", "limits": {}, "prices": prices})
    };
    let price =
        |key: &str| json!([{"lookup_key": key, "interval": "month", "amount": 1200, "currency": "usd"}]);
    let plans = json!([
        plan("free", "Free", json!([])),
        plan("pro", "Pro", price("p")),
        plan("team", "Team", price("t"))
    ]);
    Catalog::new(serde_json::from_value(plans).unwrap()).unwrap()
}

fn snapshot(status: &str, extra: &Value) -> Snapshot {
    let mut value = json!({
        "subscriptionId": "sub_1", "status": status, "priceId": "price_1", "plan": "pro",
        "currentPeriodStart": NOW - 10 * DAY, "currentPeriodEnd": NOW + 20 * DAY,
        "cancelAtPeriodEnd": false, "paymentMethod": {"brand": "visa", "last4": "4242"},
        "amount": 1200, "currency": "usd", "interval": "month", "created": NOW - 40 * DAY,
    });
    for (key, field) in extra.as_object().unwrap() {
        value[key] = field.clone();
    }
    serde_json::from_value(value).unwrap()
}

fn view(status: &str, extra: &Value) -> AccountView {
    account_view("ada@example.com", &snapshot(status, extra), &catalog(), AccessPolicy::default(), NOW)
}

fn fact(view: &AccountView, label: &str) -> Option<String> {
    view.facts.iter().find(|(name, _)| name == label).map(|(_, value)| value.clone())
}

/// Status | changed fields | headline | pill | the notice's title | the plan that may be used
const CASES: &str = r#"
    active | {} | Pro, renews on 23 March 2027 for $12 | Active |  | Pro
    active | {"currentPeriodEnd": TOMORROW} | Pro, renews tomorrow for $12 | Active |  | Pro
    active | {"currentPeriodEnd": YESTERDAY} | Pro, renewing now for $12 | Active |  | Pro
    active | {"currentPeriodEnd": null} | Pro | Active |  | Pro
    active | {"quantity": 5} | Pro, renews on 23 March 2027 for $60 | Active |  | Pro
    active | {"amount": null} | Pro, renews on 23 March 2027 | Active |  | Pro
    active | {"cancelAtPeriodEnd": true} | Pro until 23 March 2027 | Ending | Pro ends on 23 March 2027 | Pro
    active | {"cancelAt": END} | Pro until 23 March 2027 | Ending | Pro ends on 23 March 2027 | Pro
    active | {"cancelAt": YESTERDAY} | Pro ended yesterday | Ended | Your plan has ended | Free
    active | {"plan": null} | We don't know your plan | Needs a look | Your subscription needs a look | Free
    trialing | {"trialEnd": END} | Pro, free for 20 more days, until 23 March 2027, then $12 a month | Trial |  | Pro
    trialing | {"trialEnd": TOMORROW, "paymentMethod": null} | Pro, free for 1 more day, until tomorrow, then $12 a month | Trial | There is no card on file | Pro
    trialing | {"trialEnd": TOMORROW} | Pro, free for 1 more day, until tomorrow, then $12 a month | Trial | Your trial ends tomorrow | Pro
    trialing | {"trialEnd": YESTERDAY} | Pro, the free days are over | Trial |  | Pro
    trialing | {"trialEnd": YESTERDAY, "paymentMethod": null} | Pro, the free days are over | Trial |  | Free
    trialing | {"trialEnd": END, "cancelAtPeriodEnd": true} | Pro until 23 March 2027 | Ending | Pro ends on 23 March 2027 | Pro
    past_due | {} | Pro, payment overdue | Payment failed | Your last payment failed | Pro
    past_due | {"currentPeriodStart": 1} | Pro, payment overdue | Payment failed | Your last payment failed | Free
    unpaid | {} | Pro is switched off | Not paid | We couldn't take your payment | Free
    paused | {} | Pro is paused | Paused | Pro is paused | Free
    incomplete | {} | Pro is waiting for your payment | Waiting for payment | Your first payment isn't finished | Free
    incomplete_expired | {} | You don't have a plan yet | Nothing to pay | Your first payment didn't go through | Free
    canceled | {"endedAt": YESTERDAY} | Pro ended yesterday | Ended | Your plan has ended | Free
    canceled | {"endedAt": YESTERDAY, "trialEnd": YESTERDAY} | Pro ended yesterday | Ended | Your free trial has ended | Free
    canceled | {"endedAt": YESTERDAY, "trialEnd": 1} | Pro ended yesterday | Ended | Your plan has ended | Free
    canceled | {"endedAt": YESTERDAY, "trialEnd": END, "trialRefused": true} | Pro ended yesterday | Ended | Your free trial has ended early | Free
    active | {"trialEnd": BEGIN, "trialRefused": true} | Pro, renews on 23 March 2027 for $12 | Active | Your free trial has ended early | Pro
    active | {"trialEnd": 1, "trialRefused": true} | Pro, renews on 23 March 2027 for $12 | Active |  | Pro
    brand_new | {} | We're checking your plan | Being checked | We can't say where your plan stands | Free
"#;

fn cases() -> impl Iterator<Item = (&'static str, Value, [&'static str; 4])> {
    CASES.trim().lines().map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let fields = cells[1]
            .replace("TOMORROW", &(NOW + DAY).to_string())
            .replace("YESTERDAY", &(NOW - DAY).to_string())
            .replace("BEGIN", &(NOW - 10 * DAY).to_string())
            .replace("END", &(NOW + 20 * DAY).to_string());
        let fields = serde_json::from_str(&fields).unwrap();
        (cells[0], fields, [cells[2], cells[3], cells[4], cells[5]])
    })
}

#[test]
fn every_status_in_words() {
    for (status, extra, [headline, pill, title, plan]) in cases() {
        let view = view(status, &extra);
        let notice = view.notice.as_ref().map_or("", |notice| notice.title.as_str());
        let shown = [view.headline.as_str(), view.pill.label.as_str(), notice, view.plan_name.as_str()];
        assert_eq!(shown, [headline, pill, title, plan], "{status} {extra}");
        assert_eq!(view.includes, [format!("{plan}'s feature")], "{status} {extra}");
    }
}

#[test]
fn no_name_of_a_status_reaches_the_page() {
    let names = ["past_due", "past due", "incomplete", "unpaid", "canceled", "trialing", "brand_new"];
    for (status, extra, _) in cases() {
        let text = serde_json::to_string(&view(status, &extra)).unwrap().to_lowercase();
        assert!(!names.iter().any(|name| text.contains(name)), "{status}: {text}");
    }
}

#[test]
fn nothing_bought_yet() {
    let view = account_view("a@example.com", &Snapshot::none(NOW), &catalog(), AccessPolicy::default(), NOW);
    assert_eq!((view.headline.as_str(), view.next.href.as_str()), ("You're on Free", "/pricing"));
    assert!(view.facts.is_empty() && view.notice.is_none());
}

#[test]
fn what_a_failed_payment_costs_and_how_to_mend_it() {
    let invoice = json!({"latestInvoice": {"status": "open", "url": "https://invoice.example/1"}});
    let notice = view("past_due", &invoice).notice.unwrap();
    assert_eq!(notice.text, "You keep Pro until 7 March 2027; pay the open invoice to stay.");
    assert_eq!(notice.action, Some(Link::new("Pay the invoice", "https://invoice.example/1")));
    let without = view("past_due", &json!({})).notice.unwrap();
    assert_eq!(without.text, "You keep Pro until 7 March 2027; we will try your card again before then.");
    assert_eq!(without.action, None);
    let soon = json!({"latestInvoice": {"status": "open", "url": "https://invoice.example/1",
        "amountRemaining": 1200, "nextPaymentAttempt": NOW + 2 * DAY}});
    let notice = view("past_due", &soon).notice.unwrap();
    assert_eq!(notice.title, "Your last payment of $12 failed");
    assert!(notice.text.ends_with("to stay. Your card is tried again on 5 March 2027."), "{}", notice.text);
    assert_eq!(notice.form.unwrap().label, "Use another card");
}

#[test]
fn the_product_itself_warns_of_what_would_switch_it_off() {
    let said = |status: &str, extra: &Value| {
        let snapshot = snapshot(status, extra);
        let access = access(&snapshot, AccessPolicy::default(), NOW);
        let notice = banner(snapshot.subscription.as_ref().unwrap(), &catalog(), &access, NOW);
        notice.map(|notice| notice.title)
    };
    assert_eq!(said("past_due", &json!({})).as_deref(), Some("Your last payment failed"));
    assert_eq!(
        said("trialing", &json!({"trialEnd": NOW + DAY})).as_deref(),
        Some("Your trial ends tomorrow")
    );
    assert_eq!(said("trialing", &json!({"trialEnd": NOW + 20 * DAY})), None);
    assert_eq!(said("active", &json!({"cancelAtPeriodEnd": true})), None);
}

#[test]
fn an_end_says_whether_money_still_moves() {
    let text = |extra: Value| view("active", &extra).notice.unwrap().text;
    assert_eq!(
        text(json!({"cancelAtPeriodEnd": true})),
        "You keep Pro until then, and you won't be charged again."
    );
    assert_eq!(
        text(json!({"cancelAt": NOW + 60 * DAY})),
        "You keep Pro until then. Payments go on until it ends."
    );
}

#[test]
fn facts_of_a_running_plan() {
    let running = view("active", &json!({"quantity": 5}));
    assert_eq!(fact(&running, "Price").as_deref(), Some("$60 a month (5 × $12)"));
    assert_eq!(fact(&running, "Next payment").as_deref(), Some("$60 on 23 March 2027"));
    assert_eq!(fact(&running, "Card").as_deref(), Some("Visa ending in 4242"));
    let ending = view("active", &json!({"cancelAtPeriodEnd": true, "paymentMethod": null}));
    assert_eq!(fact(&ending, "Next payment"), None);
    assert_eq!(fact(&ending, "Ends").as_deref(), Some("23 March 2027"));
    assert_eq!(fact(&ending, "Card").as_deref(), Some("None on file"));
}

#[test]
fn a_second_subscription_is_told() {
    let view =
        view("active", &json!({"others": [{"subscriptionId": "sub_2", "status": "active", "plan": "team"}]}));
    assert_eq!(view.notice.as_ref().map(|n| n.title.as_str()), Some("You have more than one subscription"));
    assert_eq!(view.others.iter().map(|other| other.title.as_str()).collect::<Vec<_>>(), ["Team"]);
}

#[test]
fn a_lapsed_order_was_never_a_plan() {
    assert_eq!(view("incomplete_expired", &json!({})).facts, []);
}
