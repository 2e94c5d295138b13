//! What Redis holds, and its scripts, each one step. It knows processes by slot alone: a ticket's
//! or a lease's random token is the slot that holds it, which is as unique, since a slot holds one
//! at a time and what it lets go is forgotten here.

use crate::config::{Broken, CUSTOMERS, SLOTS};

/// The value of `stripe:customer:<id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Value {
    /// What was read at Stripe.
    pub version: u8,
    /// The place of its sync among all syncs of the customer, by when they began.
    pub began: u8,
    /// `syncedAt`: when its sync began by that process's clock.
    pub stamp: u8,
    /// The number that a bare counter or a clock would go by.
    pub number: u8,
}

/// The slots that hold a ticket, in the order of `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tickets {
    length: u8,
    holders: [u8; SLOTS],
}

impl Tickets {
    #[must_use]
    pub fn holders(&self) -> &[u8] {
        &self.holders[..usize::from(self.length)]
    }

    #[must_use]
    pub fn place(&self, slot: usize) -> Option<usize> {
        self.holders().iter().position(|it| usize::from(*it) == slot)
    }

    fn keep(&mut self, wanted: impl Fn(usize) -> bool) {
        let mut kept = Self::default();
        for (place, holder) in self.holders().iter().enumerate() {
            if wanted(place) {
                kept.holders[usize::from(kept.length)] = *holder;
                kept.length += 1;
            }
        }
        *self = kept;
    }

    /// A token that is there already moves up.
    pub fn take(&mut self, slot: usize) {
        self.forget(slot);
        self.holders[usize::from(self.length)] = narrow(slot);
        self.length += 1;
    }

    pub fn forget(&mut self, slot: usize) {
        if let Some(at) = self.place(slot) {
            self.keep(|place| place != at);
        }
    }

    pub fn rename(&mut self, names: &[u8; SLOTS]) {
        for holder in &mut self.holders[..usize::from(self.length)] {
            *holder = names[usize::from(*holder)];
        }
    }
}

pub(crate) fn narrow(slot: usize) -> u8 {
    u8::try_from(slot).unwrap_or(u8::MAX)
}

/// What shares a customer's slot: `stripe:customer:<id>` and `{…}:seq`, `{…}:tickets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Keys {
    pub value: Option<Value>,
    pub tickets: Tickets,
    /// Only a bare counter needs it: tickets are in its order.
    pub seq: u8,
}

impl Keys {
    /// `WRITE`. True where it was written.
    pub fn write(&mut self, broken: Broken, slot: usize, value: Value) -> bool {
        let accepted = match broken {
            Broken::NoTicket => true,
            Broken::BareCounter | Broken::Clock => self.value.is_none_or(|it| value.number > it.number),
            _ => self.tickets.place(slot).is_some(),
        };
        if accepted {
            self.value = Some(value);
            if let Some(mine) = self.tickets.place(slot) {
                self.tickets.keep(|place| place > mine);
            }
        }
        accepted
    }
}

/// Who has an entry on lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Lease {
    /// It is in `due`.
    #[default]
    Nobody,
    Of(u8),
    /// Of a claim that is over: its process has died or has given up.
    OfNobodyNow,
}

/// What an entry remembers of a `Due::From` mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Later {
    #[default]
    No,
    /// No sync that began after its time has succeeded.
    Owed,
    /// The lease was given after its time: this sync will do, if it succeeds.
    Paying,
}

/// A customer in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    pub generation: u8,
    pub lease: Lease,
    pub later: Later,
    /// Due at the next known change, which may be a month off: not what promptness is about.
    pub scheduled: bool,
}

/// `{stripe:due:…}:*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Queue {
    pub counter: u8,
    pub entries: [Option<Entry>; CUSTOMERS],
}

/// A report that a sync is done.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    pub customer: usize,
    pub generation: u8,
    /// The slot whose lease it is; `None` without one.
    pub lease: Option<usize>,
}

impl Queue {
    /// `MARK`. Returns the generation.
    pub fn mark(&mut self, broken: Broken, customer: usize, from: bool) -> u8 {
        self.counter += 1;
        let before = self.entries[customer];
        let generation = match broken {
            Broken::GenerationsRestart => before.map_or(1, |it| it.generation + 1),
            _ => self.counter,
        };
        self.entries[customer] = Some(Entry {
            generation,
            lease: before.map_or(Lease::Nobody, |it| it.lease),
            later: match before {
                _ if from && broken != Broken::OneKindOfMark => Later::Owed,
                before => before.map_or(Later::No, |it| it.later),
            },
            scheduled: false,
        });
        generation
    }

    /// `CLAIM`, of one customer. `reached`: the time of a `Due::From` mark has come.
    pub fn claim(&mut self, broken: Broken, customer: usize, slot: usize, reached: bool) -> Option<u8> {
        let entry = self.entries[customer].as_mut()?;
        entry.lease = Lease::Of(narrow(slot));
        entry.later = match (entry.later, reached) {
            (Later::No, _) => Later::No,
            (_, true) if broken == Broken::ClaimForgetsLater => Later::No,
            (_, true) => Later::Paying,
            (_, false) => Later::Owed,
        };
        entry.scheduled = false;
        Some(entry.generation)
    }

    /// `DONE`. `schedules`: the sync knows a next change.
    pub fn done(&mut self, broken: Broken, schedules: bool, done: Done) {
        let scheduled = |generation| {
            schedules.then_some(Entry { generation, lease: Lease::Nobody, later: Later::No, scheduled: true })
        };
        let Some(entry) = &mut self.entries[done.customer] else {
            if done.lease.is_none() {
                self.entries[done.customer] = scheduled(done.generation);
            }
            return;
        };
        let lease = done.lease.map_or(Lease::Nobody, |slot| Lease::Of(narrow(slot)));
        if entry.lease != lease && broken != Broken::DoneWithoutLease {
            return;
        }
        let marked_since = entry.generation != done.generation && broken != Broken::DoneWithoutGeneration;
        if marked_since && done.lease.is_none() {
            return;
        }
        entry.lease = Lease::Nobody;
        if entry.later == Later::Paying {
            entry.later = Later::No;
        }
        if !marked_since && entry.later == Later::No {
            self.entries[done.customer] =
                scheduled(entry.generation).filter(|_| broken != Broken::GenerationsRestart);
        }
    }

    /// `FAILED`.
    pub fn failed(&mut self, customer: usize, slot: usize) {
        if let Some(entry) = &mut self.entries[customer]
            && entry.lease == Lease::Of(narrow(slot))
        {
            entry.lease = Lease::Nobody;
            if entry.later == Later::Paying {
                entry.later = Later::Owed;
            }
        }
    }
}

/// All of Redis, or what a replica has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Redis {
    pub keys: [Keys; CUSTOMERS],
    pub queue: Queue,
}

impl Redis {
    /// Whether a slot's lease still stands.
    #[must_use]
    pub fn leases(&self, slot: usize) -> bool {
        self.queue.entries.iter().flatten().any(|it| it.lease == Lease::Of(narrow(slot)))
    }

    /// The ticket of a slot is of no more use: nobody will ever show it.
    pub fn forget_ticket(&mut self, slot: usize) {
        for keys in &mut self.keys {
            keys.tickets.forget(slot);
        }
    }

    /// A claim is over; where its lease still stands, it has to run out.
    pub fn forget_lease(&mut self, slot: usize) {
        for entry in self.queue.entries.iter_mut().flatten() {
            if entry.lease == Lease::Of(narrow(slot)) {
                entry.lease = Lease::OfNobodyNow;
            }
        }
    }

    pub fn rename(&mut self, names: &[u8; SLOTS]) {
        for keys in &mut self.keys {
            keys.tickets.rename(names);
        }
        for entry in self.queue.entries.iter_mut().flatten() {
            if let Lease::Of(slot) = &mut entry.lease {
                *slot = names[usize::from(*slot)];
            }
        }
    }
}
