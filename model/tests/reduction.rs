//! Forgetting and sorting lose nothing: the reduced runs see exactly what the others see, under
//! fewer names.

use std::collections::HashSet;

use stateright::Model;
use unsplit_model::{Budget, Config, Protocol, Shards, State, canonical};

fn reachable(model: &Protocol) -> HashSet<State> {
    let mut found: HashSet<State> = model.init_states().into_iter().collect();
    let mut frontier: Vec<State> = found.iter().copied().collect();
    while let Some(state) = frontier.pop() {
        frontier.extend(model.next_states(&state).into_iter().filter(|next| found.insert(*next)));
    }
    found
}

fn sees_the_same(config: Config) {
    let reduced = Config { reduced: true, ..config };
    let all = reachable(&Protocol(Config { reduced: false, ..config }));
    let renamed: HashSet<State> = all.iter().map(|state| canonical(&reduced, *state)).collect();
    let few = reachable(&Protocol(reduced));
    assert!(few.len() < all.len(), "{} of {}", few.len(), all.len());
    assert!(few == renamed, "{} are seen, and there are {}", few.len(), renamed.len());
}

fn config(customers: u8, workers: u8, budget: Budget) -> Config {
    let visitors = u8::from(budget.visits > 0);
    let verbs = u8::from(budget.verbs > 0);
    Config { customers, workers, visitors, verbs, budget, marks_lost: 2, ..Config::default() }
}

#[test]
fn of_workers_and_customers() {
    sees_the_same(config(2, 2, Budget { changes: 2, ..Budget::default() }));
}

#[test]
fn of_somebody_who_waits() {
    sees_the_same(config(1, 2, Budget { changes: 1, visits: 1, ..Budget::default() }));
}

#[test]
fn of_a_verb() {
    sees_the_same(config(1, 2, Budget { verbs: 1, changes: 1, ..Budget::default() }));
}

#[test]
fn of_failovers() {
    let budget = Budget { changes: 1, visits: 1, failovers: 1, ..Budget::default() };
    sees_the_same(Config { notices_failovers: true, shards: Shards::Apart, ..config(1, 1, budget) });
}

#[test]
fn of_reconciliation() {
    let budget = Budget { changes: 2, drops: 1, ticks: 2, ..Budget::default() };
    sees_the_same(Config { reconciles: true, coarse_time: true, margin: 1, ..config(1, 2, budget) });
}

#[test]
fn of_a_rebuild() {
    sees_the_same(Config { rebuilds: true, ..config(2, 1, Budget { changes: 1, ..Budget::default() }) });
}
