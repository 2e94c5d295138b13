//! What a planned change would be billed, now and with the next period, without doing it. The API's preview and
//! the customer portal show the same.

use serde_json::Value;

use super::change::{Planned, Prorate, invoice_items};
use super::{invoice_item, renewal, update};
use crate::state::{Tx, text};

/// Invoices that do not exist yet.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The one that the change brings at once, if it brings one.
    pub now: Option<Value>,
    /// The one of the period after, without what the first has billed.
    pub next: Value,
}

/// Previews the change. Stores nothing.
pub fn of_change(tx: &Tx, planned: &Planned, prorate: Prorate) -> Preview {
    let items = invoice_items(tx, planned);
    if !update::bills_now(planned, prorate) {
        return Preview { now: None, next: renewal::upcoming(tx, &planned.subscription, &items) };
    }
    let mut subscription = planned.subscription.clone();
    let waiting = invoice_item::pending(tx, text(&subscription, "customer"), text(&subscription, "id"));
    let now = update::draft(tx, planned, &[waiting, items].concat());
    update::use_discounts(tx, &mut subscription, &now);
    let next = renewal::upcoming_alone(tx, &subscription);
    Preview { now: Some(now), next }
}
