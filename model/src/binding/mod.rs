//! One customer a user: `Billing::ensure_customer` and the checkout after it, for one user and
//! several sellers. A model of its own, as it shares no key with a sync.
//!
//! A seller is a run of `try_checkout` (`billing/src/service/checkout.rs`) up to the session that is
//! opened; his steps are those of `billing/src/service/customer.rs`, one for each call of Redis or
//! Stripe. The e-mail is left out: it decides nothing.

mod runs;
mod step;

pub use runs::{BINDING_BROKEN, BINDING_QUICK, BINDING_SOAK};
use stateright::{Model, Property};

/// No two sellers have opened a checkout for two customers that both exist.
pub const ONE_CUSTOMER: &str = "all sell to one customer";
/// A seller fails only if something happens while he runs: a deletion, a failover, a 5xx, or
/// another seller's step. So whatever has happened, the next one who tries can buy.
pub const UNDISTURBED_SELLS: &str = "who is not disturbed sells";
const REPLACED: &str = "a deleted customer is replaced";

pub(crate) const SELLERS: usize = 3;
/// Customers that can be made: they are numbered as they come.
pub(crate) const MADE: usize = 4;

/// A rule of docs/sync.md, "One customer a user", that is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BindingBroken {
    #[default]
    Nothing,
    /// SET NX where a deleted customer is replaced, in place of compare-and-set.
    SetNx,
    /// Each creation has an idempotency key of its own.
    RandomKeys,
    /// Stripe is not searched before a customer is made.
    NoSearch,
    /// An attempt is used though it replaces somebody else: another seller, or a failover, has put
    /// it there in the meantime.
    AnyAttempt,
    /// Stripe's 5xx on a creation that had its effect: docs/sync.md says that this is not proved.
    FailureWithEffect,
}

/// How much may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BindingBudget {
    /// Checkouts that begin, at most three at a time.
    pub sales: u8,
    /// Of a process on the way to a sale.
    pub crashes: u8,
    /// Of the customer, in the Dashboard.
    pub deletions: u8,
    /// 5xx on a creation.
    pub failures: u8,
    pub failovers: u8,
    /// Stripe forgets idempotency keys, after a day.
    pub days: u8,
}

/// What there is at first. Stripe has forgotten the idempotency keys of what is long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Before {
    #[default]
    Nothing,
    /// A customer, made and bound long ago.
    Bound,
    /// A customer, made long ago by a process that died before it could bind.
    Orphan,
}

/// The model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Binding {
    pub before: Before,
    pub broken: BindingBroken,
    pub budget: BindingBudget,
}

/// A customer by number.
pub(crate) type Made = u8;

/// `stripe:attempt:<userId>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attempt {
    pub(crate) number: u8,
    pub(crate) replaces: Option<Made>,
}

/// The two keys of the user, each of which may fail over alone in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Keys {
    pub(crate) bound: Option<Made>,
    pub(crate) attempt: Option<Attempt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Customer {
    pub(crate) deleted: bool,
    /// What a search says of them, which may lag.
    pub(crate) is_found: bool,
}

/// What Stripe keeps under an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Failed,
    Made(Made),
}

/// Where a seller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Seller {
    #[default]
    Nowhere,
    /// `customer_of`.
    Looks,
    /// `stripe.customer`.
    Retrieves {
        bound: Made,
    },
    /// `customer_attempt`.
    Attempts {
        deleted: Option<Made>,
    },
    /// `replace_customer_attempt`, of one for another deleted customer.
    Swaps {
        deleted: Option<Made>,
        running: Attempt,
    },
    /// `customer_attempt` after it; one that still is for another is an error.
    AttemptsAgain {
        deleted: Option<Made>,
    },
    Searches {
        deleted: Option<Made>,
        attempt: Attempt,
    },
    Creates {
        deleted: Option<Made>,
        attempt: Attempt,
    },
    /// After a 5xx: `replace_customer_attempt`, and an error.
    Raises {
        attempt: Attempt,
    },
    Binds {
        deleted: Option<Made>,
        customer: Made,
    },
    /// Opens a session for the customer.
    Opens {
        customer: Made,
    },
    Sold {
        customer: Made,
    },
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Slot {
    pub(crate) seller: Seller,
    /// Has replaced a customer already: the second time is an error.
    pub(crate) replaced: bool,
    /// Something happened while he ran, or another seller did something.
    pub(crate) disturbed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BindingState {
    pub(crate) keys: Keys,
    /// What a replica has of them that writes no longer reach.
    pub(crate) replica: Option<Keys>,
    pub(crate) customers: [Option<Customer>; MADE],
    /// By the customer that is replaced (first: nobody), then by the attempt's number.
    pub(crate) answers: [[Option<Answer>; 3]; MADE + 1],
    pub(crate) slots: [Slot; SELLERS],
    pub(crate) budget: BindingBudget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingAction {
    Sell {
        seller: usize,
    },
    /// `at` is for whoever reads a trace.
    Step {
        seller: usize,
        at: Seller,
    },
    /// Stripe answers 5xx to a creation.
    CreateFails {
        seller: usize,
    },
    Crash {
        seller: usize,
    },
    Delete {
        customer: Made,
    },
    /// The search takes note of a customer's creation or deletion.
    Index {
        customer: Made,
    },
    /// Stripe forgets its idempotency keys.
    Day,
    Lag,
    /// Which of the two keys fail over.
    Failover {
        binding: bool,
        attempt: bool,
    },
}

impl BindingState {
    pub(crate) fn exists(&self, customer: Made) -> bool {
        self.customers[usize::from(customer)].is_some_and(|it| !it.deleted)
    }

    fn sold(&self) -> impl Iterator<Item = Made> {
        self.slots.iter().filter_map(|slot| match slot.seller {
            Seller::Sold { customer } if self.exists(customer) => Some(customer),
            _ => None,
        })
    }
}

impl Model for Binding {
    type State = BindingState;
    type Action = BindingAction;

    fn init_states(&self) -> Vec<BindingState> {
        let mut state = BindingState { budget: self.budget, ..BindingState::default() };
        if self.before != Before::Nothing {
            state.customers[0] = Some(Customer { deleted: false, is_found: true });
            state.keys.attempt = Some(Attempt { number: 1, replaces: None });
            state.keys.bound = (self.before == Before::Bound).then_some(0);
        }
        vec![state]
    }

    fn actions(&self, state: &BindingState, actions: &mut Vec<BindingAction>) {
        state.list_actions(actions);
    }

    fn next_state(&self, state: &BindingState, action: BindingAction) -> Option<BindingState> {
        let mut next = *state;
        next.apply(self.broken, action).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::<Self>::always(ONE_CUSTOMER, |_, state| {
                let first = state.sold().next();
                state.sold().all(|it| Some(it) == first)
            }),
            Property::<Self>::always(UNDISTURBED_SELLS, |_, state| {
                state.slots.iter().all(|it| it.seller != Seller::Failed || it.disturbed)
            }),
        ];
        if self.budget.deletions > 0 {
            properties.push(Property::<Self>::sometimes(REPLACED, |_, state| {
                state.customers[0].is_some_and(|it| it.deleted) && state.sold().next().is_some()
            }));
        }
        properties
    }
}
