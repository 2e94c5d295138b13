//! From when to when the phases of a schedule run. Knows what was asked for, and reads no parameters.

use serde_json::{Value, json};

use crate::billing::period;
use crate::billing::schedule::phases;
use crate::error::ApiError;
use crate::state::{Kind, Tx, number, text};

/// A phase as it was asked for.
pub struct Wanted {
    /// `phases[0]`.
    pub name: String,
    pub start: Option<i64>,
    pub end: Option<i64>,
    /// An interval and how many, in place of an end.
    pub duration: Option<(String, i64)>,
    /// All but the dates.
    pub phase: Value,
}

impl Wanted {
    pub fn param(&self, name: &str) -> String {
        format!("{}[{name}]", self.name)
    }
}

/// When the first phase begins, which must be when the present one did.
pub fn first_start(wanted: &[Wanted], since: Option<i64>, now: i64) -> Result<i64, ApiError> {
    if wanted.iter().all(|phase| phase.start.is_none()) {
        let message = "The subscription schedule update is missing at least one phase with a `start_date` to anchor \
                       end dates to.";
        return Err(ApiError::invalid(message).param("phases"));
    }
    match (wanted.first().and_then(|phase| phase.start), since) {
        (Some(start), Some(since)) if start == since => Ok(start),
        (Some(start), None) if start >= now => Ok(start),
        (_, Some(_)) => {
            let message = "You can not modify the start date of the current phase.";
            Err(ApiError::invalid(message).param("phases[0][start_date]"))
        }
        (_, None) => {
            let message =
                "stripe-emulator does not backdate: the first phase must begin now or in the future.";
            Err(ApiError::invalid(message).param("phases[0][start_date]"))
        }
    }
}

/// Gives each phase its dates. Where it has no end, it ends when the next begins, or after one interval of its
/// first price.
pub fn chain(tx: &Tx, wanted: Vec<Wanted>, first: i64, anchor: i64) -> Result<Vec<Value>, ApiError> {
    let starts: Vec<Option<i64>> = wanted.iter().map(|phase| phase.start).collect();
    let (mut at, mut anchor) = (first, anchor);
    let mut chained = Vec::new();
    for (index, wanted) in wanted.into_iter().enumerate() {
        if wanted.start.is_some_and(|start| start != at) {
            let message = "A phase must begin when the phase before it ends.";
            return Err(ApiError::invalid(message).param(wanted.param("start_date")));
        }
        if wanted.phase["billing_cycle_anchor"] == "phase_start" {
            anchor = at;
        }
        let next = starts.get(index + 1).copied().flatten();
        let end = match (&wanted.duration, wanted.end) {
            (Some((interval, count)), _) => after(at, interval, *count, anchor),
            (None, Some(end)) => end,
            (None, None) => next.unwrap_or_else(|| after_one_interval(tx, &wanted.phase, at, anchor)),
        };
        if end <= at || end < tx.now() {
            let message = "A phase must end after it begins, and not in the past.";
            return Err(ApiError::invalid(message).param(wanted.param("end_date")));
        }
        let phase = dated(wanted, at, end)?;
        anchor = phases::trial_end(&phase).unwrap_or(anchor);
        chained.push(phase);
        at = end;
    }
    Ok(chained)
}

/// So many intervals later. A phase of months that begins with a billing period ends with one too: from the 31st
/// it goes over 28 February to 31 March.
fn after(at: i64, interval: &str, count: i64, anchor: i64) -> i64 {
    let end = period::after(at, interval, count, 1);
    let boundary = |from: i64| period::next(anchor, "month", 1, from - 1);
    let is_of_months = matches!(interval, "month" | "year");
    if is_of_months && boundary(at) == at { boundary(end) } else { end }
}

fn after_one_interval(tx: &Tx, phase: &Value, at: i64, anchor: i64) -> i64 {
    let price = tx.copy(Kind::Price, text(&phase["items"][0], "price")).unwrap_or_default();
    let recurring = &price["recurring"];
    after(at, text(recurring, "interval"), number(recurring, "interval_count").max(1), anchor)
}

fn dated(wanted: Wanted, start: i64, end: i64) -> Result<Value, ApiError> {
    let trial_end = wanted.phase["trial_end"].as_i64();
    let is_trial = wanted.phase["trial"] == true;
    let is_outside = trial_end.is_some_and(|trial| trial < start || trial > end);
    if is_outside || (is_trial && trial_end.is_some_and(|trial| trial != end)) {
        let message = "`trial_end` must be within the phase, and its end if the whole phase is a trial.";
        return Err(ApiError::invalid(message).param(wanted.param("trial_end")));
    }
    let mut phase = wanted.phase;
    phase["start_date"] = json!(start);
    phase["end_date"] = json!(end);
    if is_trial {
        phase["trial_end"] = json!(end);
    }
    Ok(phase)
}
