//! The runs: what is explored in `cargo test`, what in a soak, and each broken rule with what it
//! breaks. Promptness is judged with reconciliation off and healing with it on, as reconciliation
//! would heal most broken rules in the end and so hide them.

use crate::config::{Broken, Budget, Config, Shards};
use crate::explore::{NEVER_BACK, QUIET_IS_TRUE};

/// A run that must find nothing.
pub struct Run<C> {
    pub name: &'static str,
    pub config: C,
}

/// A run that must find a fault.
pub struct BrokenRun<C> {
    pub name: &'static str,
    pub config: C,
    /// The property that does not hold.
    pub breaks: &'static str,
}

const NONE: Budget =
    Budget { changes: 0, duplicates: 0, drops: 0, visits: 0, verbs: 0, failovers: 0, ticks: 0 };

/// Workers alone, every webhook comes, nothing is noticed otherwise.
const fn base(customers: u8, workers: u8, budget: Budget) -> Config {
    Config {
        broken: Broken::Nothing,
        customers,
        workers,
        visitors: if budget.visits > 0 { 1 } else { 0 },
        verbs: if budget.verbs > 0 { 1 } else { 0 },
        budget,
        shards: Shards::One,
        reconciles: false,
        notices_failovers: false,
        rebuilds: false,
        schedules: false,
        coarse_time: false,
        skew: 0,
        margin: 0,
        marks_lost: 3,
        reduced: true,
    }
}

const APART: Shards = Shards::Apart;

/// Fits into `cargo test`.
pub const QUICK: &[Run<Config>] = &[
    Run {
        name: "prompt: 2 customers, 3 workers, 4 changes",
        config: base(2, 3, Budget { changes: 4, ..NONE }),
    },
    Run {
        name: "prompt: a webhook comes twice",
        config: base(2, 2, Budget { changes: 3, duplicates: 1, ..NONE }),
    },
    Run {
        name: "prompt: somebody waits",
        config: base(1, 2, Budget { changes: 3, duplicates: 1, visits: 1, ..NONE }),
    },
    Run {
        name: "prompt: somebody waits, and next changes are known",
        config: Config { schedules: true, ..base(2, 2, Budget { changes: 2, visits: 1, ..NONE }) },
    },
    Run {
        name: "prompt: a verb whose webhook never comes",
        config: Config {
            schedules: true,
            ..base(1, 2, Budget { changes: 2, duplicates: 1, verbs: 1, ..NONE })
        },
    },
    Run {
        name: "prompt: a verb while somebody waits",
        config: base(1, 1, Budget { changes: 1, visits: 1, verbs: 1, ..NONE }),
    },
    Run {
        name: "prompt: a failover that is noticed",
        config: Config {
            notices_failovers: true,
            ..base(1, 1, Budget { changes: 2, visits: 1, failovers: 1, ..NONE })
        },
    },
    Run {
        name: "prompt: a shard's failover that is noticed",
        config: Config {
            shards: APART,
            notices_failovers: true,
            ..base(1, 2, Budget { changes: 1, visits: 1, failovers: 1, ..NONE })
        },
    },
    Run {
        name: "healing: webhooks are lost",
        config: Config { reconciles: true, ..base(2, 2, Budget { changes: 3, drops: 3, ..NONE }) },
    },
    Run {
        name: "healing: a failover",
        config: Config {
            reconciles: true,
            ..base(1, 1, Budget { changes: 2, drops: 1, visits: 1, failovers: 1, ..NONE })
        },
    },
    Run {
        name: "healing: failovers of one shard after another",
        config: Config {
            shards: APART,
            reconciles: true,
            ..base(1, 1, Budget { changes: 1, visits: 1, failovers: 2, ..NONE })
        },
    },
    Run {
        name: "healing: clocks that disagree, events of one second",
        config: Config {
            reconciles: true,
            coarse_time: true,
            skew: 1,
            margin: 1,
            ..base(1, 1, Budget { changes: 2, drops: 1, visits: 1, ticks: 3, ..NONE })
        },
    },
    Run {
        name: "rebuild of an empty Redis",
        config: Config { rebuilds: true, ..base(2, 2, Budget { changes: 2, ..NONE }) },
    },
    Run {
        name: "rebuild while somebody waits",
        config: Config { rebuilds: true, ..base(1, 1, Budget { changes: 2, visits: 1, ..NONE }) },
    },
];

/// What two cores do in some minutes.
pub const SOAK: &[Run<Config>] = &[
    Run {
        name: "prompt: 2 customers, 3 workers, 4 changes, one webhook twice",
        config: base(2, 3, Budget { changes: 4, duplicates: 1, ..NONE }),
    },
    Run {
        name: "prompt: 2 customers, 3 workers, 6 changes",
        config: base(2, 3, Budget { changes: 6, ..NONE }),
    },
    Run {
        name: "prompt: 3 workers and somebody waits",
        config: base(1, 3, Budget { changes: 4, visits: 1, ..NONE }),
    },
    Run {
        name: "prompt: 2 customers, 2 workers and somebody waits twice",
        config: base(2, 2, Budget { changes: 2, visits: 2, ..NONE }),
    },
    Run {
        name: "prompt: 2 customers and a verb",
        config: Config { schedules: true, ..base(2, 2, Budget { changes: 2, verbs: 1, ..NONE }) },
    },
    Run {
        name: "prompt: a failover that is noticed, 2 workers",
        config: Config { notices_failovers: true, ..base(1, 2, Budget { changes: 2, failovers: 1, ..NONE }) },
    },
    Run {
        name: "healing: webhooks of 2 customers are lost, 3 workers",
        config: Config { reconciles: true, ..base(2, 3, Budget { changes: 3, drops: 3, ..NONE }) },
    },
    Run {
        name: "healing: a shard's failover, 2 workers and somebody waits",
        config: Config {
            shards: APART,
            reconciles: true,
            ..base(1, 2, Budget { changes: 1, drops: 1, visits: 1, failovers: 1, ..NONE })
        },
    },
    Run {
        name: "rebuild of an empty Redis, 3 changes",
        config: Config { rebuilds: true, ..base(2, 2, Budget { changes: 3, ..NONE }) },
    },
];

const fn broken(rule: Broken, workers: u8, budget: Budget) -> Config {
    Config { broken: rule, reduced: false, ..base(1, workers, budget) }
}

/// Each must find its fault.
pub const BROKEN: &[BrokenRun<Config>] = &[
    BrokenRun {
        name: "no ticket",
        breaks: NEVER_BACK,
        config: broken(Broken::NoTicket, 2, Budget { changes: 1, visits: 1, ..NONE }),
    },
    BrokenRun {
        name: "the ticket after the fetch",
        breaks: NEVER_BACK,
        config: broken(Broken::TicketAfterFetch, 2, Budget { changes: 2, ..NONE }),
    },
    BrokenRun {
        name: "a bare counter in place of tickets, and a failover",
        breaks: NEVER_BACK,
        config: Config {
            shards: APART,
            notices_failovers: true,
            reduced: true,
            ..broken(Broken::BareCounter, 2, Budget { changes: 1, visits: 1, failovers: 1, ..NONE })
        },
    },
    BrokenRun {
        name: "the clock in place of tickets, and clocks that disagree",
        breaks: NEVER_BACK,
        config: Config {
            shards: APART,
            notices_failovers: true,
            skew: 2,
            ..broken(Broken::Clock, 1, Budget { changes: 1, visits: 1, failovers: 1, ..NONE })
        },
    },
    BrokenRun {
        name: "done without generation",
        breaks: QUIET_IS_TRUE,
        config: broken(Broken::DoneWithoutGeneration, 1, Budget { changes: 2, ..NONE }),
    },
    BrokenRun {
        name: "generations that restart with the entry",
        breaks: QUIET_IS_TRUE,
        config: broken(Broken::GenerationsRestart, 1, Budget { changes: 2, visits: 1, ..NONE }),
    },
    BrokenRun {
        name: "generations that are counted, and a failover",
        breaks: QUIET_IS_TRUE,
        config: Config {
            notices_failovers: true,
            ..broken(Broken::GenerationsCounted, 1, Budget { changes: 1, visits: 1, failovers: 1, ..NONE })
        },
    },
    BrokenRun {
        name: "a claim that forgets what a verb's mark is for",
        breaks: QUIET_IS_TRUE,
        config: broken(Broken::ClaimForgetsLater, 1, Budget { verbs: 1, visits: 1, ..NONE }),
    },
    BrokenRun {
        name: "a verb that marks as a webhook does",
        breaks: QUIET_IS_TRUE,
        config: broken(Broken::OneKindOfMark, 1, Budget { verbs: 1, visits: 1, ..NONE }),
    },
    BrokenRun {
        name: "reconciliation of what was not heard, and a failover",
        breaks: QUIET_IS_TRUE,
        config: Config {
            reconciles: true,
            ..broken(Broken::ReconcileUnheard, 1, Budget { changes: 1, failovers: 1, ..NONE })
        },
    },
    BrokenRun {
        name: "reconciliation without a margin for a clock that is ahead",
        breaks: QUIET_IS_TRUE,
        config: Config {
            reconciles: true,
            coarse_time: true,
            skew: 1,
            margin: 0,
            ..broken(Broken::Nothing, 1, Budget { changes: 1, drops: 1, visits: 1, ticks: 2, ..NONE })
        },
    },
    BrokenRun {
        name: "a rebuild that takes its tickets late",
        breaks: NEVER_BACK,
        config: Config {
            rebuilds: true,
            ..broken(Broken::RebuildTicketsLate, 1, Budget { changes: 1, ..NONE })
        },
    },
    BrokenRun {
        name: "a rebuild that runs twice under one token",
        breaks: NEVER_BACK,
        config: Config { rebuilds: true, ..broken(Broken::RebuildTwice, 1, Budget { changes: 1, ..NONE }) },
    },
];

/// A broken rule that breaks nothing: lease ids only save work.
pub const WITHOUT_LEASE_IDS: &[Run<Config>] = &[
    Run {
        name: "done without lease",
        config: broken(Broken::DoneWithoutLease, 2, Budget { changes: 2, visits: 1, ..NONE }),
    },
    Run {
        name: "done without lease, and a failover",
        config: Config {
            notices_failovers: true,
            ..broken(Broken::DoneWithoutLease, 1, Budget { changes: 1, visits: 1, failovers: 1, ..NONE })
        },
    },
];
