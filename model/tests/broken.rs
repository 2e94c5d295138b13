//! Each rule of docs/sync.md is needed: without it the model finds a fault, told with its shortest
//! way there.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fmt::Debug;
use std::hash::Hash;
use std::io::{Write, stderr};

use stateright::Model;
use unsplit_model::{BINDING_BROKEN, BROKEN, Protocol, explore};

fn breaks<M>(name: &str, model: M, property: &str)
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Hash + PartialEq + Debug + Send + Sync + 'static,
    M::Action: Clone + PartialEq + Debug,
{
    let explored = explore(name, model, 1);
    let mut seen = stderr();
    writeln!(seen, "{explored}").unwrap();
    assert!(explored.faults.contains_key(property), "{explored}\nand {property:?} was to be broken");
}

#[test]
fn every_rule_of_sync_is_needed() {
    for run in BROKEN {
        breaks(run.name, Protocol(run.config), run.breaks);
    }
}

#[test]
fn every_rule_of_the_binding_is_needed() {
    for run in BINDING_BROKEN {
        breaks(run.name, run.config, run.breaks);
    }
}
