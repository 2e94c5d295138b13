//! What can happen next in a state. It only lists; `step` does it.

use crate::config::{Broken, Config, Kind, SLOTS, Shards};
use crate::redis::Later;
use crate::state::{Rebuild, Shard, Stage, State};

/// One step. `customer` and `slot` count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Something changes at Stripe, and a webhook sets out.
    Change {
        customer: usize,
    },
    /// A webhook arrives and marks.
    Webhook {
        customer: usize,
    },
    /// It arrives, and will arrive again.
    WebhookTwice {
        customer: usize,
    },
    /// Stripe gives up on a webhook.
    WebhookLost {
        customer: usize,
    },
    /// A worker claims. `reached`: the time of a `Due::From` mark has come.
    Claim {
        slot: usize,
        customer: usize,
        reached: bool,
    },
    /// A visit, or a verb, marks.
    Start {
        slot: usize,
        customer: usize,
    },
    /// A verb's call changes something at Stripe.
    Call {
        slot: usize,
    },
    /// The sync begins: a ticket, and the time for `syncedAt`.
    Begin {
        slot: usize,
    },
    /// Stripe reads.
    Fetch {
        slot: usize,
    },
    Write {
        slot: usize,
    },
    /// After a refused write.
    Mark {
        slot: usize,
    },
    Done {
        slot: usize,
    },
    /// An error: a worker reports it, who waits brings the mark forward.
    Fail {
        slot: usize,
    },
    /// The process dies.
    Crash {
        slot: usize,
    },
    /// A rebuild begins.
    Rebuild,
    /// A ticket that is taken after the fetch (`Broken::TicketAfterFetch`).
    TicketLate {
        slot: usize,
    },
    /// Another run of the same rebuild takes its ticket (`Broken::RebuildTwice`).
    TicketAgain {
        slot: usize,
    },
    /// A shard's writes reach its replica no longer.
    Lag {
        shard: Shard,
    },
    /// The replica is promoted.
    Failover,
    /// Another replication id is seen: everybody is marked.
    Notice,
    Reconcile {
        customer: usize,
    },
    Tick,
}

impl State {
    pub(crate) fn list_actions(&self, config: &Config, actions: &mut Vec<Action>) {
        if self.went_back {
            return;
        }
        for customer in 0..config.customers() {
            self.list_stripe(config, customer, actions);
            self.list_starts(config, customer, actions);
        }
        for slot in 0..SLOTS {
            self.list_process(config, slot, actions);
        }
        self.list_failovers(config, actions);
        if config.coarse_time && self.budget.ticks > 0 {
            actions.push(Action::Tick);
        }
        if self.rebuild == Rebuild::IsDue {
            actions.push(Action::Rebuild);
        }
    }

    fn list_stripe(&self, config: &Config, customer: usize, actions: &mut Vec<Action>) {
        if self.budget.changes > 0 {
            actions.push(Action::Change { customer });
        }
        if self.truths[customer].webhooks > 0 {
            actions.push(Action::Webhook { customer });
            if self.budget.duplicates > 0 {
                actions.push(Action::WebhookTwice { customer });
            }
            if self.budget.drops > 0 {
                actions.push(Action::WebhookLost { customer });
            }
        }
        if config.reconciles && self.reconciliation_marks(config, customer) {
            actions.push(Action::Reconcile { customer });
        }
    }

    fn list_starts(&self, config: &Config, customer: usize, actions: &mut Vec<Action>) {
        if let (Some(entry), Some(slot)) =
            (self.redis.queue.entries[customer], self.free(config, Kind::Worker))
        {
            actions.push(Action::Claim { slot, customer, reached: false });
            if entry.later != Later::No && !self.may_call(customer) {
                actions.push(Action::Claim { slot, customer, reached: true });
            }
        }
        if let Some(slot) = self.free(config, Kind::Visit).filter(|_| self.budget.visits > 0) {
            actions.push(Action::Start { slot, customer });
        }
        if let Some(slot) = self.free(config, Kind::Verb).filter(|_| self.budget.verbs > 0) {
            actions.push(Action::Start { slot, customer });
        }
    }

    /// A `Due::From` mark names a time by which its call is over, one way or the other.
    fn may_call(&self, customer: usize) -> bool {
        self.processes.iter().any(|it| it.stage == Stage::Calling && it.customer() == customer)
    }

    fn list_process(&self, config: &Config, slot: usize, actions: &mut Vec<Action>) {
        let process = &self.processes[slot];
        let rebuilds = config.kind(slot) == Kind::Rebuild;
        let all_are = |stage| config.slots(Kind::Rebuild).all(|it| self.processes[it].stage >= stage);
        match process.stage {
            Stage::Idle => return,
            Stage::Calling => actions.push(Action::Call { slot }),
            Stage::Ready => actions.push(Action::Begin { slot }),
            Stage::Begun if !rebuilds || all_are(Stage::Begun) => actions.push(Action::Fetch { slot }),
            Stage::Fetched if config.broken == Broken::TicketAfterFetch && process.number == 0 => {
                actions.push(Action::TicketLate { slot });
            }
            Stage::Fetched if !rebuilds || all_are(Stage::Fetched) => actions.push(Action::Write { slot }),
            Stage::Begun | Stage::Fetched => {}
            Stage::Refused => actions.push(Action::Mark { slot }),
            Stage::Written if rebuilds && !all_are(Stage::Written) => {}
            Stage::Written => actions.push(Action::Done { slot }),
        }
        let first = config.slots(Kind::Rebuild).next();
        if !rebuilds || first == Some(slot) {
            actions.push(Action::Crash { slot });
        }
        let given_up = config.kind(slot) == Kind::Worker && !process.claimed;
        if !rebuilds && process.stage != Stage::Calling && !given_up {
            actions.push(Action::Fail { slot });
        }
        if rebuilds && process.syncs() && config.broken == Broken::RebuildTwice {
            actions.push(Action::TicketAgain { slot });
        }
    }

    fn list_failovers(&self, config: &Config, actions: &mut Vec<Action>) {
        if self.replica.is_some() {
            actions.push(Action::Failover);
        } else if self.budget.failovers > 0 {
            match config.shards {
                Shards::One => actions.push(Action::Lag { shard: Shard::All }),
                Shards::Apart => {
                    actions.push(Action::Lag { shard: Shard::Queue });
                    let customers =
                        (0..config.customers).map(|it| Action::Lag { shard: Shard::Customer(it) });
                    actions.extend(customers);
                }
            }
        }
        if self.unnoticed && config.notices_failovers {
            actions.push(Action::Notice);
        }
    }
}
