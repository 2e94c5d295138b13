#![expect(clippy::unwrap_used)]
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Mutex;
use std::time::Instant;

use async_trait::async_trait;
use futures::poll;

use super::*;
use crate::error::StoreError;
use crate::ports::Limit;

/// A budget that answers what it was told to, then nothing but errors.
struct Scripted(Mutex<VecDeque<Leave>>);

impl Scripted {
    fn gate(answers: &[Leave]) -> Gate {
        let scripted = Self(Mutex::new(answers.iter().copied().collect()));
        Gate::new(&StripeSettings::default()).with_budget(Arc::new(scripted))
    }
}

#[async_trait]
impl Budget for Scripted {
    async fn take(&self, _: &str, _: Priority) -> Result<Leave, StoreError> {
        let next = self.0.lock().unwrap().pop_front();
        next.ok_or_else(|| StoreError::Unavailable("out of answers".to_owned()))
    }

    async fn slow_down(&self, _: &str, _: Slowdown, _: Duration) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("out of answers".to_owned()))
    }

    async fn limits(&self) -> Result<Vec<Limit>, StoreError> {
        Ok(Vec::new())
    }
}

const SHORT: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_secs(3600);

async fn pass(gate: &Gate, priority: Priority) -> Result<UnderWay, StripeError> {
    gate.pass("GET /v1/events", priority, &mut Patience(Duration::from_secs(60))).await
}

#[tokio::test]
async fn some_places_are_only_for_people() {
    let gate =
        Gate::new(&StripeSettings { concurrency: 5, concurrency_for_people: 2, ..StripeSettings::default() });
    let mut background = Vec::new();
    for _ in 0..3 {
        background.push(pass(&gate, Priority::Background).await.unwrap());
    }
    let mut next = pin!(pass(&gate, Priority::Background));
    assert!(poll!(&mut next).is_pending(), "a place that is for people was taken");
    let people =
        [pass(&gate, Priority::Waiting).await.unwrap(), pass(&gate, Priority::Waiting).await.unwrap()];
    let mut third = pin!(pass(&gate, Priority::Waiting));
    assert!(poll!(&mut third).is_pending(), "more calls under way than allowed");
    drop(people);
    assert!(poll!(&mut third).is_ready());
    assert!(poll!(&mut next).is_pending());
    background.pop();
    assert!(poll!(&mut next).is_ready());
}

#[tokio::test]
async fn who_finds_no_place_in_time_gives_up() {
    let gate = Gate::new(&StripeSettings { concurrency: 1, ..StripeSettings::default() });
    let _only = pass(&gate, Priority::Waiting).await.unwrap();
    let refused = gate.pass("GET /v1/events", Priority::Waiting, &mut Patience(SHORT)).await;
    assert_eq!(refused.unwrap_err().kind, StripeErrorKind::Unavailable);
}

#[tokio::test]
async fn a_call_waits_for_its_leave_and_asks_again() {
    let gate = Scripted::gate(&[Leave::AskAgain(SHORT), Leave::AskAgain(SHORT), Leave::After(SHORT)]);
    let (began, mut patience) = (Instant::now(), Patience(Duration::from_secs(60)));
    gate.pass("GET /v1/events", Priority::Background, &mut patience).await.unwrap();
    let (took, counted) = (began.elapsed(), Duration::from_secs(60) - patience.0);
    assert!(took >= counted && counted >= SHORT * 3, "{took:?}, {counted:?}");
}

#[tokio::test]
async fn what_takes_too_long_is_said_at_once_and_how_long_it_takes() {
    for leave in [Leave::After(LONG), Leave::AskAgain(LONG)] {
        let refused = pass(&Scripted::gate(&[leave]), Priority::Background).await.unwrap_err();
        assert_eq!(
            (refused.kind, refused.retry_after),
            (StripeErrorKind::Unavailable, Some(LONG)),
            "{leave:?}"
        );
    }
}

#[tokio::test]
async fn a_budget_that_does_not_answer_holds_nobody_back() {
    let gate = Scripted::gate(&[]);
    let mut patience = Patience(Duration::ZERO);
    assert!(gate.pass("GET /v1/events", Priority::Waiting, &mut patience).await.is_ok());
    gate.slow_down("GET /v1/events", Slowdown::Account, LONG).await;
}
