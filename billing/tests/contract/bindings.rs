//! Bindings, attempts, checkouts and the account: each is set once, or swapped against what was
//! seen, so that of many at once one wins and all know who.

use unsplit_billing::id::{AccountId, CheckoutSessionId, PlanId, PriceId, UserId};
use unsplit_billing::plan::Interval;
use unsplit_billing::ports::{Account, AccountMode, Bindings, CheckoutAttempt, Checkouts, CustomerAttempt};

use super::support::{Bench, customer};

fn user() -> UserId {
    UserId::parse("user_1").unwrap()
}

fn checkout(token: &str, session: Option<&str>) -> CheckoutAttempt {
    CheckoutAttempt {
        token: token.to_owned(),
        user: user(),
        plan: PlanId::parse("pro").unwrap(),
        interval: Interval::Month,
        price: PriceId::parse("price_1").unwrap(),
        trial: None,
        expires_at: 1_800_000_000,
        session: session.map(|id| CheckoutSessionId::parse(id).unwrap()),
    }
}

#[tokio::test]
async fn the_first_binding_stays_and_who_loses_learns_the_winner() {
    let bench = Bench::new().await;
    assert_eq!(bench.store.customer_of(&user()).await.unwrap(), None);
    let (one, two) = (customer("1"), customer("2"));
    assert_eq!(bench.store.bind(&user(), &one, None).await.unwrap(), one);
    assert_eq!(bench.store.bind(&user(), &two, None).await.unwrap(), one);
    assert_eq!(bench.store.bind(&user(), &one, None).await.unwrap(), one, "safe to repeat");
    assert_eq!(bench.store.customer_of(&user()).await.unwrap(), Some(one));
}

#[tokio::test]
async fn a_binding_is_replaced_only_by_who_knows_the_present_one() {
    let bench = Bench::new().await;
    let (one, two, three) = (customer("1"), customer("2"), customer("3"));
    bench.store.bind(&user(), &one, None).await.unwrap();
    assert_eq!(bench.store.bind(&user(), &three, Some(&two)).await.unwrap(), one);
    assert_eq!(bench.store.bind(&user(), &two, Some(&one)).await.unwrap(), two);
    assert_eq!(bench.store.bind(&user(), &three, Some(&one)).await.unwrap(), two);
}

#[tokio::test]
async fn of_many_bindings_at_once_one_wins() {
    let bench = Bench::new().await;
    let customers: Vec<_> = (0..20).map(|number| customer(&number.to_string())).collect();
    let user = user();
    let binds = customers.iter().map(|customer| bench.store.bind(&user, customer, None));
    let winners: Vec<_> = futures::future::join_all(binds).await.into_iter().map(Result::unwrap).collect();
    assert!(winners.iter().all(|winner| *winner == winners[0]), "{winners:?}");
}

#[tokio::test]
async fn an_attempt_is_shared_until_it_is_replaced() {
    let bench = Bench::new().await;
    let attempt = |number| CustomerAttempt { number, started_at: i64::from(number), replaces: None };
    assert_eq!(bench.store.customer_attempt(&user(), &attempt(1)).await.unwrap(), attempt(1));
    assert_eq!(bench.store.customer_attempt(&user(), &attempt(2)).await.unwrap(), attempt(1));
    bench.store.replace_customer_attempt(&user(), &attempt(9), &attempt(3)).await.unwrap();
    assert_eq!(bench.store.customer_attempt(&user(), &attempt(2)).await.unwrap(), attempt(1));
    bench.store.replace_customer_attempt(&user(), &attempt(1), &attempt(2)).await.unwrap();
    assert_eq!(bench.store.customer_attempt(&user(), &attempt(3)).await.unwrap(), attempt(2));
}

#[tokio::test]
async fn a_checkout_is_swapped_against_what_was_seen() {
    let bench = Bench::new().await;
    let (customer, first, other) = (customer("1"), checkout("a", None), checkout("b", None));
    let swap = |current, next| bench.store.swap_checkout_attempt(&customer, current, next);
    assert_eq!(swap(None, Some(&first)).await.unwrap(), Some(first.clone()));
    assert_eq!(swap(None, Some(&other)).await.unwrap(), Some(first.clone()), "somebody was faster");
    let opened = checkout("a", Some("cs_1"));
    assert_eq!(swap(Some(&first), Some(&opened)).await.unwrap(), Some(opened.clone()));
    assert_eq!(swap(Some(&first), None).await.unwrap(), Some(opened.clone()), "an old sight ends nothing");
    assert_eq!(bench.store.checkout_attempt(&customer).await.unwrap(), Some(opened.clone()));
    assert_eq!(swap(Some(&opened), None).await.unwrap(), None);
    assert_eq!(bench.store.checkout_attempt(&customer).await.unwrap(), None);
}

#[tokio::test]
async fn the_first_account_takes_the_store() {
    let bench = Bench::new().await;
    let account = |id: &str, mode| Account { account: AccountId::parse(id).unwrap(), mode };
    let ours = account("acct_1", AccountMode::Test);
    assert_eq!(bench.store.account().await.unwrap(), None);
    assert_eq!(bench.store.claim_account(&ours).await.unwrap(), ours);
    assert_eq!(bench.store.account().await.unwrap(), Some(ours.clone()));
    for other in [account("acct_2", AccountMode::Test), account("acct_1", AccountMode::Live)] {
        assert_eq!(bench.store.claim_account(&other).await.unwrap(), ours);
    }
}
