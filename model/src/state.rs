//! A state of the whole system, and what must hold of it. It changes nothing by itself.

use crate::config::{Budget, CUSTOMERS, Config, Kind, SLOTS};
use crate::redis::{Keys, Lease, Redis};

/// How far a process is in its sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Stage {
    #[default]
    Idle,
    /// A verb has marked, and its call may or may not have reached Stripe.
    Calling,
    /// Claimed or marked: it has its generation, and no ticket yet.
    Ready,
    /// It has its ticket.
    Begun,
    /// Stripe has read; the answer may take any time to come, and so may the write.
    Fetched,
    /// The write was refused: the customer is to be marked.
    Refused,
    /// Written, or refused and marked: to be reported.
    Written,
}

/// One slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Process {
    pub stage: Stage,
    pub customer: u8,
    pub generation: u8,
    /// Holds a claim, whether or not its lease has run out.
    pub claimed: bool,
    /// As in `Value`.
    pub began: u8,
    pub stamp: u8,
    pub version: u8,
    pub number: u8,
}

impl Process {
    #[must_use]
    pub fn customer(&self) -> usize {
        usize::from(self.customer)
    }

    #[must_use]
    pub fn syncs(&self) -> bool {
        matches!(self.stage, Stage::Begun | Stage::Fetched)
    }

    /// It has begun, and what it writes may be accepted for all that we know.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.syncs() && self.began > 0
    }
}

/// A customer at Stripe, and what Stripe has to say of them. Webhooks differ by customer alone:
/// nothing else of them is used, so that any order of delivery is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Truth {
    /// How often the customer has changed.
    pub version: u8,
    /// When, by Stripe's clock, last.
    pub event_at: Option<u8>,
    /// Webhooks on their way.
    pub webhooks: u8,
    /// Webhooks that will never come.
    pub dropped: u8,
}

/// A part of Redis that fails over as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shard {
    All,
    Queue,
    Customer(u8),
}

/// A replica that writes no longer reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replica {
    pub shard: Shard,
    /// Only the shard's part of it means anything; the rest is empty.
    pub redis: Redis,
}

/// How the rebuild of an empty Redis stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Rebuild {
    #[default]
    NotNeeded,
    IsDue,
    Runs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct State {
    pub truths: [Truth; CUSTOMERS],
    pub redis: Redis,
    pub replica: Option<Replica>,
    pub processes: [Process; SLOTS],
    pub budget: Budget,
    /// The clock, where it counts for something.
    pub now: u8,
    /// Counts the syncs' beginnings, in their true order.
    pub moment: u8,
    /// A failover that nobody has noticed yet.
    pub unnoticed: bool,
    pub rebuild: Rebuild,
    /// A write put back an older version over one of a sync that began later.
    pub went_back: bool,
}

impl State {
    /// Everybody is in sync, or Redis is empty and a rebuild is due.
    #[must_use]
    pub fn first(config: &Config) -> Self {
        let mut state = Self { budget: config.budget, now: 1, moment: 1, ..Self::default() };
        if config.rebuilds {
            state.rebuild = Rebuild::IsDue;
            return state;
        }
        for keys in &mut state.redis.keys[..config.customers()] {
            *keys = Keys { value: Some(Default::default()), ..Keys::default() };
        }
        state
    }

    /// Whether reconciliation would mark the customer.
    #[must_use]
    pub fn is_stale(&self, config: &Config, customer: usize) -> bool {
        let Some(event) = self.truths[customer].event_at else { return false };
        self.redis.keys[customer].value.is_none_or(|value| value.stamp <= event + config.margin)
    }

    /// Nothing is under way and nobody would begin anything, except for what happens anew.
    #[must_use]
    pub fn is_quiet(&self, config: &Config) -> bool {
        let idle = self.processes.iter().all(|it| it.stage == Stage::Idle);
        let heard = self.truths.iter().all(|it| it.webhooks == 0);
        let due = |customer: usize| {
            self.redis.queue.entries[customer].is_some_and(|it| !it.scheduled || it.lease != Lease::Nobody)
        };
        let finds = |customer| config.reconciles && self.reconciliation_marks(config, customer);
        idle && heard
            && self.rebuild == Rebuild::NotNeeded
            && !(self.unnoticed && config.notices_failovers)
            && (0..config.customers()).all(|customer| !due(customer) && !finds(customer))
    }

    #[must_use]
    pub fn reconciliation_marks(&self, config: &Config, customer: usize) -> bool {
        let truth = &self.truths[customer];
        if config.broken == crate::Broken::ReconcileUnheard {
            return truth.webhooks + truth.dropped > 0;
        }
        self.is_stale(config, customer)
    }

    #[must_use]
    pub fn is_true(&self, config: &Config) -> bool {
        (0..config.customers()).all(|customer| {
            self.redis.keys[customer].value.is_some_and(|it| it.version == self.truths[customer].version)
        })
    }

    /// An idle worker; they are all alike.
    #[must_use]
    pub fn free(&self, config: &Config, kind: Kind) -> Option<usize> {
        config.slots(kind).find(|slot| self.processes[*slot].stage == Stage::Idle)
    }
}
