//! One state for all that differ in names alone, so that the checker sees each situation once.
//!
//! What is only compared is replaced by its rank: versions, the order of beginnings, generations.
//! This loses nothing, and it makes the space finite although workers may crash and claim for ever.
//! Processes of a kind, and customers, are interchangeable and so are sorted.

use crate::config::{Broken, CUSTOMERS, Config, Kind, SLOTS};
use crate::redis::{Lease, Redis, Value, narrow};
use crate::state::{Process, Shard, Stage, State};

/// Above every rank that `moment` could have to follow.
const AFTER_ALL: u8 = 60;
/// Of the generations up to the counter only those of an entry can be met again: in Redis, or in
/// the replica alone.
const PAST: u8 = 1;
const LIVE: u8 = 2;
const KEPT: u8 = 3;
/// Where the counter then stands.
const COUNTER: u8 = 12;

/// The state that stands for this one and all like it.
#[must_use]
pub fn canonical(config: &Config, mut state: State) -> State {
    if config.reduced && config.broken == Broken::Nothing {
        (0..SLOTS).for_each(|slot| forget(config, &mut state, slot));
    }
    rename(config, &mut state);
    if !config.reduced {
        return state;
    }
    let mut sorted = state;
    sort_processes(config, &mut sorted);
    if config.customers() < 2 {
        return sorted;
    }
    swap_customers(&mut state);
    sort_processes(config, &mut state);
    state.min(sorted)
}

/// Drops what can have no effect any more. It knows the rules, so it is for the whole protocol alone.
fn forget(config: &Config, state: &mut State, slot: usize) {
    let process = state.processes[slot];
    let customer = process.customer();
    let replica = state.replica.as_ref().map(|it| &it.redis);
    let somewhere = |holds: &dyn Fn(&Redis) -> bool| holds(&state.redis) || replica.is_some_and(holds);
    let leases = somewhere(&|redis| redis.leases(slot));
    let may_write = somewhere(&|redis| redis.keys[customer].tickets.place(slot).is_some());
    // Neither `done` nor `failed` will change anything.
    let outlived = process.claimed && !leases;
    let gave_up = config.kind(slot) == Kind::Worker && !process.claimed;
    let torn = process.syncs() && !may_write;
    if outlived && process.stage == Stage::Written || gave_up && torn {
        state.processes[slot] = Process::default();
        return;
    }
    let process = &mut state.processes[slot];
    if outlived {
        process.generation = 0;
    }
    if torn {
        // What it reads will be refused: whether it has read or not makes no difference.
        *process = Process { stage: Stage::Fetched, began: 0, stamp: 0, version: 0, ..*process };
    }
}

/// Replaces numbers that are only compared.
fn rename(config: &Config, state: &mut State) {
    for customer in 0..config.customers() {
        if config.broken != Broken::Clock {
            rank(
                state,
                customer,
                |value| &mut value.began,
                |it| it.counts().then_some(&mut it.began),
                None,
                1,
            );
        }
        let truth = state.truths[customer].version;
        let fetched = |it: &mut Process| it.stage == Stage::Fetched && it.counts();
        let ranks = rank(
            state,
            customer,
            |value| &mut value.version,
            |it| if fetched(it) { Some(&mut it.version) } else { None },
            Some(truth),
            0,
        );
        state.truths[customer].version = ranks.of(truth);
        rename_times(config, state, customer);
    }
    if config.broken != Broken::Clock {
        state.moment = AFTER_ALL;
    }
    if !config.coarse_time {
        state.now = 1;
    }
    if config.broken != Broken::GenerationsRestart {
        rename_generations(config, state);
    }
}

/// Small numbers that occur.
#[derive(Clone, Copy, Default)]
struct Ranks(u64);

impl Ranks {
    fn add(&mut self, number: u8) {
        self.0 |= 1 << number;
    }

    /// How many that occur are smaller.
    fn of(self, number: u8) -> u8 {
        narrow((self.0 & ((1 << number) - 1)).count_ones() as usize)
    }
}

fn values(state: &mut State, customer: usize) -> impl Iterator<Item = &mut Value> {
    let replica = state.replica.as_mut().and_then(|it| it.redis.keys[customer].value.as_mut());
    state.redis.keys[customer].value.as_mut().into_iter().chain(replica)
}

fn rank(
    state: &mut State,
    customer: usize,
    in_value: impl Fn(&mut Value) -> &mut u8,
    in_process: impl Fn(&mut Process) -> Option<&mut u8>,
    besides: Option<u8>,
    lowest: u8,
) -> Ranks {
    let mut ranks = Ranks::default();
    besides.into_iter().for_each(|number| ranks.add(number));
    values(state, customer).for_each(|value| ranks.add(*in_value(value)));
    let mut processes = state.processes;
    let mine = |it: &&mut Process| it.customer() == customer;
    processes.iter_mut().filter(mine).filter_map(&in_process).for_each(|number| ranks.add(*number));
    values(state, customer).for_each(|value| *in_value(value) = lowest + ranks.of(*in_value(value)));
    for number in state.processes.iter_mut().filter(mine).filter_map(&in_process) {
        *number = lowest + ranks.of(*number);
    }
    ranks
}

/// Without reconciliation nobody reads a time; where each change has a time of its own, it counts
/// only whether a sync began after the last one.
fn rename_times(config: &Config, state: &mut State, customer: usize) {
    if config.reconciles && config.coarse_time {
        return;
    }
    let event = state.truths[customer].event_at.filter(|_| config.reconciles);
    let after = |stamp: u8| u8::from(event.is_some_and(|event| stamp > event));
    values(state, customer).for_each(|value| value.stamp = after(value.stamp));
    for process in state.processes.iter_mut().filter(|it| it.customer() == customer) {
        process.stamp = after(process.stamp);
    }
    state.truths[customer].event_at = event.map(|_| 0);
}

/// Generations are compared for equality. Where they are counted, it matters too how far one lies
/// ahead of a counter that a failover has set back or may set back; where not, the counter only
/// says how many marks a replica lacks.
fn rename_generations(config: &Config, state: &mut State) {
    let counter = state.redis.queue.counter;
    let replica = state.replica.as_ref().filter(|it| matches!(it.shard, Shard::All | Shard::Queue));
    let behind = replica.map(|it| it.redis.queue.counter);
    let base =
        behind.filter(|_| config.broken == Broken::GenerationsCounted).map_or(counter, |it| it.min(counter));
    for customer in 0..config.customers() {
        let generation = |redis: &Redis| redis.queue.entries[customer].map(|it| it.generation);
        let live = generation(&state.redis);
        let kept = state.replica.as_ref().and_then(|it| generation(&it.redis));
        for it in generations(state, customer) {
            *it = match *it {
                it if it > base => it - base + COUNTER,
                it if Some(it) == live => LIVE,
                it if Some(it) == kept => KEPT,
                _ => PAST,
            };
        }
    }
    state.redis.queue.counter = counter - base + COUNTER;
    if let Some(replica) = &mut state.replica
        && let Some(behind) = behind
    {
        replica.redis.queue.counter = COUNTER + behind - base;
    }
}

fn generations(state: &mut State, customer: usize) -> impl Iterator<Item = &mut u8> {
    let replica = state.replica.as_mut().and_then(|it| it.redis.queue.entries[customer].as_mut());
    let entries = state.redis.queue.entries[customer].as_mut().into_iter().chain(replica);
    let held = state.processes.iter_mut().filter(move |it| it.customer() == customer && it.generation > 0);
    entries.map(|it| &mut it.generation).chain(held.map(|it| &mut it.generation))
}

fn sort_processes(config: &Config, state: &mut State) {
    let mut order: [u8; SLOTS] = std::array::from_fn(narrow);
    for kind in [Kind::Worker, Kind::Visit, Kind::Verb, Kind::Rebuild] {
        let Some(first) = config.slots(kind).next() else { continue };
        let group = &mut order[first..first + config.slots(kind).count()];
        if group.len() > 1 {
            group.sort_by_cached_key(|slot| place(kind, state, usize::from(*slot)));
        }
    }
    let mut names = [0; SLOTS];
    for (name, slot) in (0..).zip(order) {
        names[usize::from(slot)] = name;
    }
    state.processes = order.map(|slot| state.processes[usize::from(slot)]);
    state.redis.rename(&names);
    if let Some(replica) = &mut state.replica {
        replica.redis.rename(&names);
    }
}

type Place = (u8, Process, [Option<usize>; 4]);

/// By which processes are sorted: they are alike only where Redis holds the same of both.
fn place(kind: Kind, state: &State, slot: usize) -> Place {
    let process = state.processes[slot];
    let fixed = if kind == Kind::Rebuild { process.customer } else { 0 };
    let known = |redis: &Redis| {
        let ticket = redis.keys[process.customer()].tickets.place(slot);
        let lease = redis.queue.entries.iter().flatten().position(|it| it.lease == Lease::Of(narrow(slot)));
        (ticket, lease)
    };
    let (ticket, lease) = known(&state.redis);
    let (kept_ticket, kept_lease) = state.replica.as_ref().map_or((None, None), |it| known(&it.redis));
    (fixed, process, [ticket, lease, kept_ticket, kept_lease])
}

fn swap_customers(state: &mut State) {
    const _: () = assert!(CUSTOMERS == 2);
    state.truths.swap(0, 1);
    for redis in std::iter::once(&mut state.redis).chain(state.replica.as_mut().map(|it| &mut it.redis)) {
        redis.keys.swap(0, 1);
        redis.queue.entries.swap(0, 1);
    }
    if let Some(replica) = &mut state.replica
        && let Shard::Customer(customer) = &mut replica.shard
    {
        *customer = 1 - *customer;
    }
    for process in state.processes.iter_mut().filter(|it| it.stage != Stage::Idle) {
        process.customer = 1 - process.customer;
    }
}
