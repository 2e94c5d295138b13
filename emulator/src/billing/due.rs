//! What time alone brings about. The store knows *when* something is due (`state::store::due_at`); this module
//! knows *what* then happens. Runs before every request and every second.

use super::ending;
use crate::state::{Kind, Tx};

/// Does everything whose time has come.
pub fn run(tx: &mut Tx) {
    while let Some((kind, id)) = tx.store().next_due() {
        let Some(value) = tx.copy(kind, &id) else {
            return;
        };
        match kind {
            Kind::CheckoutSession => drop(ending::expire_session(tx, value)),
            Kind::Subscription => ending::expire_incomplete(tx, value),
            // Only these kinds are ever due; the last is an idempotency key that has lived its day.
            _ => tx.remove(kind, &id),
        }
    }
}
