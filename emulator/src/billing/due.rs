//! What time alone brings about. `state::due` knows *when* something is due; this module knows *what* then
//! happens. Runs before every request and every second. Everything happens at the time at which it was due, so
//! that a clock which was moved by a year leaves twelve renewals with the dates of twelve months.

use serde_json::Value;

use super::{ending, intent, pending_update, refund, renewal, schedule, test_clock, trial};
use crate::state::{Due, Kind, Tx, number, text};

/// So much is done in one transaction; the rest in the next. It is what has to be done again after a kill.
const BATCH: usize = 100;

/// Whether something is left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    All,
    Some,
}

/// Does what has become due by the emulator's own clock.
pub fn run(tx: &mut Tx) -> Done {
    let until = tx.now();
    let done = run_until(tx, "", until);
    tx.set_time(None);
    done
}

/// Does what is due until then by a test clock, or by the emulator's own for "".
pub fn run_until(tx: &mut Tx, clock: &str, until: i64) -> Done {
    let mut last = None;
    for _ in 0..BATCH {
        let Some(due) = tx.store().next_due(clock, until) else {
            return Done::All;
        };
        if last.as_ref() == Some(&due) {
            // Better one thing that does not happen than an emulator that hangs.
            tracing::error!(?due, "what was due did not happen");
            tx.forget_due(clock, &due);
        } else {
            happen(tx, &due);
        }
        last = Some(due);
    }
    Done::Some
}

fn happen(tx: &mut Tx, (at, kind, id): &Due) {
    let Some(value) = tx.copy(*kind, id) else {
        return;
    };
    // What is late from the start, as the notice of a short trial, is not earlier than its object.
    tx.set_time(Some(*at.max(&number(&value, "created"))));
    match kind {
        Kind::CheckoutSession => drop(ending::expire_session(tx, value)),
        Kind::SubscriptionSchedule => schedule::time::go_on(tx, value),
        Kind::Subscription => subscription(tx, value),
        Kind::Invoice => renewal::go_on(tx, value),
        Kind::PaymentIntent => intent::expire(tx, value),
        Kind::TestClock => test_clock::go_on(tx, value),
        Kind::Refund => refund::settle(tx, value),
        // Only these kinds are ever due; the last is an idempotency key that has lived its day.
        _ => tx.remove(*kind, id),
    }
}

fn subscription(tx: &mut Tx, subscription: Value) {
    let now = tx.now();
    let is_over = |at: &Value| at.as_i64().is_some_and(|at| at <= now);
    let is_past = |field: &str| is_over(&subscription[field]);
    match text(&subscription, "status") {
        "incomplete" => ending::expire_incomplete(tx, subscription),
        _ if is_over(&subscription["pending_update"]["expires_at"]) => {
            pending_update::expire(tx, subscription)
        }
        _ if is_over(&subscription["pause_collection"]["resumes_at"]) => renewal::unpause(tx, subscription),
        _ if is_past("cancel_at") => ending::as_planned(tx, subscription),
        "trialing" if is_past("trial_end") => trial::end(tx, subscription),
        "trialing" => trial::announce(tx, &subscription),
        _ if super::subscription::period_ends(&subscription).0 <= now => renewal::renew(tx, &subscription),
        _ => renewal::announce(tx, &subscription),
    }
}
