//! What is measured of the calls to Stripe. Names and labels only; who exports them is the app's
//! business.

use std::time::Duration;

use metrics::{counter, histogram};

use crate::ports::Priority;

/// One try, with its result: `ok`, or what `Failed` calls it.
pub(super) fn tried(endpoint: &str, result: &'static str, took: Duration) {
    counter!("unsplit_stripe_requests_total", "endpoint" => endpoint.to_owned(), "result" => result)
        .increment(1);
    histogram!("unsplit_stripe_request_seconds", "endpoint" => endpoint.to_owned())
        .record(took.as_secs_f64());
}

/// A call that the budget held back for so long.
pub(super) fn held_back(endpoint: &str, priority: Priority, waited: Duration) {
    let priority = match priority {
        Priority::Waiting => "waiting",
        Priority::Background => "background",
    };
    counter!("unsplit_stripe_budget_waits_total", "endpoint" => endpoint.to_owned(), "priority" => priority)
        .increment(1);
    histogram!("unsplit_stripe_budget_wait_seconds", "priority" => priority).record(waited.as_secs_f64());
}
