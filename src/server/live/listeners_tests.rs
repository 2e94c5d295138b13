//! Who is rung for what, and that nothing is left of who has gone.
#![expect(clippy::unwrap_used)]

use futures::FutureExt;

use super::*;

fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

fn customer(id: &str) -> Topic {
    Topic::Customer(CustomerId::parse(id).unwrap())
}

fn rang(ear: &Ear) -> bool {
    ear.rings().now_or_never().is_some()
}

#[test]
fn a_bell_rings_for_its_own_and_once_for_many() {
    let listeners = Arc::new(Listeners::default());
    let mut ada = listeners.listen(&user("ada")).unwrap();
    let bob = listeners.listen(&user("bob")).unwrap();
    assert!(ada.also(customer("cus_ada")) && !ada.also(customer("cus_ada")));
    let session = Id::default();
    assert!(ada.also(Topic::Session(session)));
    for topic in [Topic::User(user("ada")), customer("cus_ada"), Topic::Session(session)] {
        listeners.ring(&topic);
        listeners.ring(&topic);
        assert!(rang(&ada) && !rang(&ada), "{topic:?}");
        assert!(!rang(&bob), "{topic:?}");
    }
    listeners.ring_all();
    assert!(rang(&ada) && rang(&bob));
}

#[test]
fn who_has_gone_leaves_nothing_and_makes_room() {
    let settings = LiveSettings { most_of_a_user: 2, ..LiveSettings::default() };
    let listeners = Arc::new(Listeners::new(settings));
    let mut first = listeners.listen(&user("ada")).unwrap();
    first.also(customer("cus_ada"));
    let second = listeners.listen(&user("ada")).unwrap();
    assert!(listeners.listen(&user("ada")).is_none());
    assert!(listeners.listen(&user("bob")).is_some(), "each has their own");
    drop(first);
    assert!(!listeners.bells().contains_key(&customer("cus_ada")));
    let third = listeners.listen(&user("ada")).unwrap();
    drop((second, third));
    assert!(listeners.bells().is_empty());
}

#[test]
fn closing_rings_everybody() {
    let listeners = Arc::new(Listeners::default());
    let ear = listeners.listen(&user("ada")).unwrap();
    assert!(!ear.listeners().is_closed());
    listeners.close();
    assert!(rang(&ear) && ear.listeners().is_closed());
}
