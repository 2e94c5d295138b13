//! The runs of the binding's model, as those of `crate::runs`.

use super::{Before, Binding, BindingBroken, BindingBudget, ONE_CUSTOMER, UNDISTURBED_SELLS};
use crate::runs::{BrokenRun, Run};

const fn model(broken: BindingBroken, budget: BindingBudget) -> Binding {
    Binding { before: Before::Nothing, broken, budget }
}

const fn after(before: Before, broken: BindingBroken, budget: BindingBudget) -> Binding {
    Binding { before, broken, budget }
}

const TWO: BindingBudget =
    BindingBudget { sales: 2, crashes: 1, deletions: 0, failures: 0, failovers: 0, days: 0 };
const THREE: BindingBudget = BindingBudget { sales: 3, crashes: 2, ..TWO };

/// A deletion and a failover that loses the binding, while two sell to a customer that only the
/// search still knows, are not here: no rule helps, as the last of `BINDING_BROKEN` shows.
pub const BINDING_QUICK: &[Run<Binding>] = &[
    Run {
        name: "binding: 3 sales, a deletion, a 5xx, a day",
        config: model(BindingBroken::Nothing, BindingBudget { deletions: 1, failures: 1, days: 1, ..THREE }),
    },
    Run {
        name: "binding: 3 sales, a failover, a 5xx, a day",
        config: model(BindingBroken::Nothing, BindingBudget { failovers: 1, failures: 1, days: 1, ..THREE }),
    },
    Run {
        name: "binding: 2 more sales, a deletion, a failover, a 5xx",
        config: after(
            Before::Bound,
            BindingBroken::Nothing,
            BindingBudget { deletions: 1, failovers: 1, failures: 1, ..TWO },
        ),
    },
    Run {
        name: "binding: an orphan, 3 sales, a failover, a 5xx",
        config: after(
            Before::Orphan,
            BindingBroken::Nothing,
            BindingBudget { failovers: 1, failures: 1, ..THREE },
        ),
    },
    Run {
        name: "binding: an orphan, 3 sales, a deletion, a 5xx",
        config: after(
            Before::Orphan,
            BindingBroken::Nothing,
            BindingBudget { deletions: 1, failures: 1, ..THREE },
        ),
    },
    Run {
        name: "binding: 2 sales, a deletion, a failover, a 5xx, a day",
        config: model(
            BindingBroken::Nothing,
            BindingBudget { deletions: 1, failovers: 1, failures: 1, days: 1, ..TWO },
        ),
    },
];

pub const BINDING_SOAK: &[Run<Binding>] = &[
    Run {
        name: "binding: 3 sales, 2 deletions, a 5xx, a day",
        config: model(BindingBroken::Nothing, BindingBudget { deletions: 2, failures: 1, days: 1, ..THREE }),
    },
    Run {
        name: "binding: 3 sales, a deletion, a failover, a 5xx",
        config: model(
            BindingBroken::Nothing,
            BindingBudget { deletions: 1, failovers: 1, failures: 1, ..THREE },
        ),
    },
];

pub const BINDING_BROKEN: &[BrokenRun<Binding>] = &[
    BrokenRun {
        name: "SET NX for replacing a deleted customer",
        breaks: UNDISTURBED_SELLS,
        config: model(BindingBroken::SetNx, BindingBudget { deletions: 1, ..TWO }),
    },
    BrokenRun {
        name: "an idempotency key for each creation",
        breaks: ONE_CUSTOMER,
        config: model(BindingBroken::RandomKeys, BindingBudget { failovers: 1, ..TWO }),
    },
    BrokenRun {
        name: "no search before a customer is made",
        breaks: ONE_CUSTOMER,
        config: model(BindingBroken::NoSearch, BindingBudget { failovers: 1, days: 1, ..TWO }),
    },
    BrokenRun {
        name: "an attempt that replaces somebody else is used",
        breaks: ONE_CUSTOMER,
        config: after(
            Before::Bound,
            BindingBroken::AnyAttempt,
            BindingBudget { deletions: 1, failovers: 1, ..TWO },
        ),
    },
    BrokenRun {
        name: "a 5xx that had its effect, and a failover",
        breaks: ONE_CUSTOMER,
        config: model(
            BindingBroken::FailureWithEffect,
            BindingBudget { crashes: 0, failures: 1, failovers: 1, ..THREE },
        ),
    },
    BrokenRun {
        name: "a deletion and a failover, while two sell to an orphan",
        breaks: ONE_CUSTOMER,
        config: after(
            Before::Orphan,
            BindingBroken::Nothing,
            BindingBudget { deletions: 1, failovers: 1, ..TWO },
        ),
    },
];
