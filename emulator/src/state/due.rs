//! When time alone changes an object. What then happens is `billing::due`'s business; this module only reads
//! the fields that say when, and must be cheap, as it is asked at every change.

use super::kind::Kind;
use super::record::Record;

/// When something is due, in seconds since 1970, and what it is.
pub type Due = (i64, Kind, String);

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// How long the first invoice of a subscription may stay unpaid.
pub const INCOMPLETE: i64 = 23 * HOUR;
/// How long before its end a trial is told of.
pub const TRIAL_NOTICE: i64 = 3 * DAY;
/// How long before the end of a period its invoice is announced.
pub const UPCOMING_NOTICE: i64 = 7 * DAY;

/// How long before its end a schedule is told of.
pub const EXPIRY_NOTICE: i64 = 7 * DAY;

/// By which test clock ("" is the emulator's own clock), and when.
pub fn at(kind: Kind, record: &Record) -> Option<(String, i64)> {
    let at = |field: &str| record.raw(field).as_i64();
    let due = match (kind, record.raw("status").as_str()) {
        (Kind::CheckoutSession, Some("open")) => at("expires_at"),
        (Kind::Subscription, Some(status)) => subscription(record, status),
        (Kind::SubscriptionSchedule, Some(status)) => schedule(record, status),
        (Kind::Invoice, Some("draft")) => at("automatically_finalizes_at"),
        // One that is sent has what is to happen to it in its notes.
        (Kind::Invoice, Some("open")) => {
            let step = record.private()["steps"][0]["at"].as_i64();
            [at("next_payment_attempt"), step].into_iter().flatten().min()
        }
        (Kind::Refund, _) => record.private()["settles_at"].as_i64(),
        (Kind::PaymentIntent, Some("requires_capture")) => record.private()["capture_before"].as_i64(),
        // At once.
        (Kind::TestClock, Some("advancing")) => Some(0),
        (Kind::IdempotencyKey, _) => at("created").map(|created| created + DAY),
        _ => None,
    };
    let clock = record.raw("test_clock").as_str();
    // What does not say whose time it lives by has a note.
    let clock = clock.or_else(|| record.private()["test_clock"].as_str()).unwrap_or_default();
    due.map(|at| (clock.to_owned(), at))
}

/// When a schedule begins, enters its next phase or is about to end.
fn schedule(record: &Record, status: &str) -> Option<i64> {
    let phases = record.raw("phases").as_array()?;
    match status {
        "not_started" => phases.first()?["start_date"].as_i64(),
        "active" => {
            let end = phases.last()?["end_date"].as_i64();
            let notice = end.filter(|_| record.private()["expiry_told"].as_i64() != end);
            let phase_end = record.raw("current_phase")["end_date"].as_i64();
            [phase_end, notice.map(|end| end - EXPIRY_NOTICE)].into_iter().flatten().min()
        }
        _ => None,
    }
}

/// The earliest of what may come to a subscription.
fn subscription(record: &Record, status: &str) -> Option<i64> {
    let at = |field: &str| record.raw(field).as_i64();
    let told = |note: &str| record.private()[note].as_i64();
    let planned = [
        at("cancel_at"),
        record.raw("pending_update")["expires_at"].as_i64(),
        record.raw("pause_collection")["resumes_at"].as_i64(),
    ];
    let planned = planned.into_iter().flatten().min();
    match status {
        "incomplete" => at("created").map(|created| created + INCOMPLETE),
        "trialing" => {
            let end = at("trial_end");
            let notice = end.filter(|_| told("trial_told") != end).map(|end| end - TRIAL_NOTICE);
            [planned, end, notice].into_iter().flatten().min()
        }
        "active" | "past_due" | "unpaid" => {
            let (start, end) = period(record)?;
            // A period that is hardly longer than the notice has none.
            let notice = end - UPCOMING_NOTICE;
            let is_told = told("upcoming_told") == Some(end) || notice <= start || status != "active";
            [planned, Some(end), (!is_told).then_some(notice)].into_iter().flatten().min()
        }
        "paused" => planned,
        _ => None,
    }
}

/// The first period that ends.
fn period(record: &Record) -> Option<(i64, i64)> {
    let items = record.raw("items")["data"].as_array()?.iter();
    let ends = items.filter_map(|item| {
        Some((item["current_period_start"].as_i64()?, item["current_period_end"].as_i64()?))
    });
    ends.min_by_key(|(_, end)| *end)
}
