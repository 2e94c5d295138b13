//! What a run of the model explores: how many of each there are, how much may happen, and which
//! rule of docs/sync.md is broken. It has no behaviour but the table of the slots.

/// The most customers a run can have.
pub const CUSTOMERS: usize = 2;
/// The most processes a run can have.
pub const SLOTS: usize = 7;

/// A rule of docs/sync.md that is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Broken {
    /// The protocol as it is coded.
    #[default]
    Nothing,
    /// Every write is accepted.
    NoTicket,
    /// Stripe is asked before the ticket is taken.
    TicketAfterFetch,
    /// In place of tickets: `seq` is stored with the value, and only a higher one may follow.
    BareCounter,
    /// In place of tickets: the process's clock, and only a later time may follow.
    Clock,
    /// `done` does not look at the generation.
    DoneWithoutGeneration,
    /// An entry's generations begin at one, and `done` drops the entry.
    GenerationsRestart,
    /// Generations are counted, so that a failover that sets the counter back gives some out twice.
    GenerationsCounted,
    /// A claim forgets a `Due::From` mark whose time has come, before its sync has succeeded.
    ClaimForgetsLater,
    /// `done` does not look at the lease.
    DoneWithoutLease,
    /// Reconciliation marks only customers of whom an event was not heard.
    ReconcileUnheard,
    /// An action marks with `Due::By` where `Due::From` is needed.
    OneKindOfMark,
    /// Rebuild takes a customer's ticket when it writes.
    RebuildTicketsLate,
    /// A rebuild that is resumed while the one that began it still runs.
    RebuildTwice,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `Worker`: claims, syncs, reports under its lease.
    Worker,
    /// `sync_now`: somebody waits; no lease.
    Visit,
    /// Marks `Due::From`, changes something at Stripe, then syncs as a visit does.
    Verb,
    /// One customer's part of `rebuild`.
    Rebuild,
    /// Nothing runs here.
    Nobody,
}

/// Which keys fail over together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shards {
    /// One Redis.
    #[default]
    One,
    /// A cluster at its worst: the queue and each customer's keys live apart.
    Apart,
}

/// How much may still happen. Each number only goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Budget {
    /// At Stripe, by itself: each sends a webhook.
    pub changes: u8,
    /// Webhooks that come twice.
    pub duplicates: u8,
    /// Webhooks that never come.
    pub drops: u8,
    /// Somebody who waits.
    pub visits: u8,
    /// Of ours that change something at Stripe; their webhook never comes.
    pub verbs: u8,
    /// Of one shard.
    pub failovers: u8,
    /// Of the clock, where time is coarse.
    pub ticks: u8,
}

/// One run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Config {
    pub broken: Broken,
    pub customers: u8,
    pub workers: u8,
    /// People who wait at the same time.
    pub visitors: u8,
    /// Verbs under way at the same time.
    pub verbs: u8,
    pub budget: Budget,
    pub shards: Shards,
    /// Reconciliation goes on as long as it finds something.
    pub reconciles: bool,
    /// A failover is noticed, and everybody is marked once after it.
    pub notices_failovers: bool,
    /// Redis is empty at first, and `rebuild` runs.
    pub rebuilds: bool,
    /// `done` leaves the entry due at the customer's next known change, far off.
    pub schedules: bool,
    /// Time moves by `ticks` alone, so that much has the same second; otherwise each change has
    /// its own.
    pub coarse_time: bool,
    /// How far a visitor's process is ahead of the others' clocks.
    pub skew: u8,
    /// Reconciliation's allowance for clocks that disagree.
    pub margin: u8,
    /// A replica that lacks more marks than this can't be promoted.
    pub marks_lost: u8,
    /// Fewer states for the same: processes of a kind, and customers, are interchangeable, and what
    /// can have no effect is forgotten. Off, a trace keeps the processes' names.
    pub reduced: bool,
}

impl Config {
    /// What runs in a slot. Workers come first, rebuilds last.
    #[must_use]
    pub fn kind(&self, slot: usize) -> Kind {
        let workers = usize::from(self.workers);
        let visits = workers + usize::from(self.visitors);
        let verbs = visits + usize::from(self.verbs);
        let rebuilds = verbs + usize::from(self.rebuilds) * self.customers();
        match slot {
            slot if slot < workers => Kind::Worker,
            slot if slot < visits => Kind::Visit,
            slot if slot < verbs => Kind::Verb,
            slot if slot < rebuilds => Kind::Rebuild,
            _ => Kind::Nobody,
        }
    }

    #[must_use]
    pub fn customers(&self) -> usize {
        usize::from(self.customers)
    }

    /// The slots of a kind.
    pub fn slots(&self, kind: Kind) -> impl Iterator<Item = usize> {
        let config = *self;
        (0..SLOTS).filter(move |slot| config.kind(*slot) == kind)
    }
}
