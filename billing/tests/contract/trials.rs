//! The marks of trials: a reservation is swapped against what was seen, a mark stays for ever, and the
//! first to use a card is the one who is noted.

use redis::AsyncCommands;
use unsplit_billing::id::{CardHash, InvoiceId, PaymentMethodId, UserId};
use unsplit_billing::ports::{TrialMark, Trials, TriedCards};

use super::support::{Bench, customer};

fn user() -> UserId {
    UserId::parse("auth0|ada").unwrap()
}

fn reserved(id: &str, from: &[&str]) -> TrialMark {
    TrialMark::Reserved { customer: customer(id), from: from.iter().map(|id| customer(id)).collect() }
}

#[tokio::test]
async fn a_reservation_is_swapped_against_what_was_seen_and_a_mark_stays() {
    let bench = Bench::new().await;
    let (one, two) = (reserved("1", &[]), reserved("2", &["1", "0"]));
    let user = user();
    let swap = |current, next| bench.store.swap_trial(&user, current, next);
    assert_eq!(bench.store.trial(&user).await.unwrap(), None);
    assert_eq!(swap(None, &one).await.unwrap(), Some(one.clone()));
    assert_eq!(swap(None, &two).await.unwrap(), Some(one.clone()), "somebody was faster");
    assert_eq!(swap(Some(&one), &two).await.unwrap(), Some(two.clone()));
    assert_eq!(swap(Some(&one), &one).await.unwrap(), Some(two.clone()), "an old sight takes nothing");
    assert_eq!(bench.store.trial(&user).await.unwrap(), Some(two.clone()));
    bench.store.use_trial(&user).await.unwrap();
    bench.store.use_trial(&user).await.unwrap();
    assert_eq!(swap(Some(&two), &one).await.unwrap(), Some(TrialMark::Used));
    assert_eq!(swap(None, &one).await.unwrap(), Some(TrialMark::Used));
    let life: i64 = bench.redis.clone().ttl("stripe:trial:auth0|ada").await.unwrap();
    assert_eq!(life, -1, "for ever");
}

#[tokio::test]
async fn of_many_reservations_at_once_one_wins() {
    let bench = Bench::new().await;
    let user = user();
    let wishes: Vec<_> = (0..20).map(|number| reserved(&number.to_string(), &[])).collect();
    let swaps = wishes.iter().map(|wish| bench.store.swap_trial(&user, None, wish));
    let winners: Vec<_> = futures::future::join_all(swaps).await.into_iter().map(Result::unwrap).collect();
    assert!(winners.iter().all(|winner| winner.is_some() && *winner == winners[0]), "{winners:?}");
}

#[tokio::test]
async fn a_mark_that_cannot_be_read_gives_no_second_trial() {
    let bench = Bench::new().await;
    let _: () = bench.redis.clone().set("stripe:trial:auth0|ada", "{\"new\": 1}").await.unwrap();
    assert_eq!(bench.store.trial(&user()).await.unwrap(), Some(TrialMark::Used));
}

#[tokio::test]
async fn a_card_is_whose_trial_used_it_first() {
    let bench = Bench::new().await;
    let (card, other) = (CardHash::parse("abc").unwrap(), CardHash::parse("def").unwrap());
    assert_eq!(bench.store.claim_card(&card, &customer("1")).await.unwrap(), customer("1"));
    assert_eq!(bench.store.claim_card(&card, &customer("2")).await.unwrap(), customer("1"));
    assert_eq!(bench.store.claim_card(&card, &customer("1")).await.unwrap(), customer("1"));
    assert_eq!(bench.store.claim_card(&other, &customer("2")).await.unwrap(), customer("2"));
}

#[tokio::test]
async fn the_cards_of_the_open_invoice_are_remembered() {
    let bench = Bench::new().await;
    let card = |id: &str| PaymentMethodId::parse(id).unwrap();
    let tried = |cards: &[&str]| TriedCards {
        invoice: InvoiceId::parse("in_1").unwrap(),
        cards: cards.iter().map(|id| card(id)).collect(),
    };
    assert_eq!(bench.store.tried_cards(&customer("1")).await.unwrap(), None);
    for cards in [&["pm_1"][..], &["pm_1", "pm_2"], &[]] {
        bench.store.set_tried_cards(&customer("1"), &tried(cards)).await.unwrap();
        assert_eq!(bench.store.tried_cards(&customer("1")).await.unwrap(), Some(tried(cards)));
    }
    assert_eq!(bench.store.tried_cards(&customer("2")).await.unwrap(), None);
}
