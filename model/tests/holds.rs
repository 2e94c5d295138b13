//! The protocol keeps its word in every state of each run.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fmt::Debug;
use std::hash::Hash;
use std::io::{Write, stderr};

use stateright::Model;
use unsplit_model::{BINDING_QUICK, Protocol, QUICK, WITHOUT_LEASE_IDS, explore};

fn holds<M>(name: &str, model: M)
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Hash + PartialEq + Debug + Send + Sync + 'static,
    M::Action: Clone + PartialEq + Debug,
{
    let explored = explore(name, model, 1);
    // Past the capture: how much was explored is worth seeing.
    let mut seen = stderr();
    writeln!(seen, "{explored}").unwrap();
    assert!(explored.is_sound(), "{explored}");
}

fn all_hold(of: &str) {
    let runs: Vec<_> = QUICK.iter().filter(|run| run.name.starts_with(of)).collect();
    assert!(!runs.is_empty());
    for run in runs {
        holds(run.name, Protocol(run.config));
    }
}

#[test]
fn the_truth_comes_promptly() {
    all_hold("prompt");
}

#[test]
fn what_is_lost_heals() {
    all_hold("healing");
}

#[test]
fn a_rebuild_makes_it_again() {
    all_hold("rebuild");
}

#[test]
fn a_user_has_one_customer() {
    for run in BINDING_QUICK {
        holds(run.name, run.config);
    }
}

/// They save requests; without them a worker that wakes late reports a generation that is
/// current still, and so truly done.
#[test]
fn lease_ids_only_save_work() {
    for run in WITHOUT_LEASE_IDS {
        holds(run.name, Protocol(run.config));
    }
}
