//! What the verbs count. The names are the ones at `/metrics`; docs/operations.md explains each.
//! Nothing may be decided by a metric.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::ports::Written;

pub(super) fn synced(written: Written) {
    let result = match written {
        Written::Accepted => "written",
        Written::Refused => "refused",
    };
    counter!("unsplit_syncs_total", "result" => result).increment(1);
}

pub(super) fn sync_failed() {
    counter!("unsplit_syncs_total", "result" => "failed").increment(1);
}

/// From the oldest trigger that a sync has served to the end of its write.
pub(super) fn stored_after(wait: Duration) {
    histogram!("unsplit_trigger_to_stored_seconds").record(wait.as_secs_f64());
}

#[expect(clippy::cast_precision_loss, reason = "exact for thousands of years")]
pub(super) fn reconciled(at: i64, rebuild_due: bool) {
    gauge!("unsplit_reconciled_timestamp_seconds").set(at as f64);
    gauge!("unsplit_rebuild_due").set(if rebuild_due { 1.0 } else { 0.0 });
}

pub(super) fn failover() {
    counter!("unsplit_redis_failovers_total").increment(1);
}
