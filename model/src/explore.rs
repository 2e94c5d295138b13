//! Gives the protocol to stateright, says what must hold, and tells what was found.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hash;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::action::Action;
use crate::canonical::canonical;
use crate::config::Config;
use crate::state::{Stage, State};

/// No accepted write is older than one already stored by a sync that began later.
pub const NEVER_BACK: &str = "a write never goes back";
/// Where nothing is under way, Redis says what Stripe says.
///
/// It is an `always` about quiet states and not stateright's `eventually`: that one looks at ends of
/// paths, and misses a fault on a path with a cycle, as ours have (a crash and a new claim).
pub const QUIET_IS_TRUE: &str = "quiet means true";
const ALL_DONE: &str = "all that may happen has happened, and it is quiet";
const REFUSES: &str = "a write is refused";

/// The protocol under one configuration.
#[derive(Debug, Clone, Copy)]
pub struct Protocol(pub Config);

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![canonical(&self.0, State::first(&self.0))]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        state.list_actions(&self.0, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        next.apply(&self.0, action);
        Some(canonical(&self.0, next))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::<Self>::always(NEVER_BACK, |_, state| !state.went_back),
            Property::<Self>::always(QUIET_IS_TRUE, |model, state| {
                !state.is_quiet(&model.0) || state.is_true(&model.0)
            }),
            // The model can do something.
            Property::<Self>::sometimes(ALL_DONE, |model, state| {
                state.budget == Default::default() && state.is_quiet(&model.0)
            }),
        ];
        if self.0.workers > 0 {
            properties.push(Property::<Self>::sometimes(REFUSES, |_, state| {
                state.processes.iter().any(|it| it.stage == Stage::Refused)
            }));
        }
        properties
    }
}

/// What a run has found.
pub struct Explored {
    pub name: String,
    /// Different states.
    pub states: usize,
    /// The longest of the shortest ways to a state.
    pub depth: usize,
    pub took: Duration,
    /// Broken properties, each with the steps that break it.
    pub faults: BTreeMap<&'static str, Vec<String>>,
    /// What should have happened somewhere and did not: the model is too narrow.
    pub missing: Vec<&'static str>,
}

impl Explored {
    /// No fault, and all was seen that can happen.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.missing.is_empty()
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, states, depth, took, .. } = self;
        write!(f, "{name}: {states} states, {depth} steps deep, {:.1} s", took.as_secs_f64())?;
        for (property, steps) in &self.faults {
            write!(f, "\n  not so: {property}, after {} steps", steps.len())?;
            steps.iter().try_for_each(|step| write!(f, "\n    {step}"))?;
        }
        self.missing.iter().try_for_each(|it| write!(f, "\n  never seen: {it}"))
    }
}

type Faults = BTreeMap<&'static str, Vec<String>>;

/// Explores all there is, breadth first, up to the first fault, and then for a shortest way to it.
#[must_use]
pub fn explore<M>(name: &str, model: M, threads: usize) -> Explored
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Hash + PartialEq + fmt::Debug + Send + Sync + 'static,
    M::Action: Clone + PartialEq + fmt::Debug,
{
    let began = Instant::now();
    let checker = model.clone().checker().threads(threads).finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_bfs().join();
    let found = checker.discoveries();
    let hoped = |it: &Property<M>| !it.expectation.discovery_is_failure();
    let missing = model.properties().into_iter().filter(|it| hoped(it) && !found.contains_key(it.name));
    Explored {
        name: name.to_owned(),
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        took: began.elapsed(),
        missing: missing.map(|it| it.name).collect(),
        faults: shorten(&model, faults(&model, &checker)),
    }
}

fn faults<M>(model: &M, checker: &impl Checker<M>) -> Faults
where
    M: Model,
    M::State: Clone + Hash + PartialEq + fmt::Debug,
    M::Action: Clone + PartialEq + fmt::Debug,
{
    let mut found = checker.discoveries();
    let failures = model.properties().into_iter().filter(|it| it.expectation.discovery_is_failure());
    let mut faults = Faults::new();
    for property in failures {
        if let Some(path) = found.remove(property.name) {
            faults.insert(property.name, path.into_actions().iter().map(|it| format!("{it:?}")).collect());
        }
    }
    faults
}

/// The checker tells of the last fault in a block of states, and goes by several lengths at once:
/// the first one on its own is looked for with ever fewer steps.
fn shorten<M>(model: &M, mut known: Faults) -> Faults
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Hash + PartialEq + fmt::Debug + Send + Sync + 'static,
    M::Action: Clone + PartialEq + fmt::Debug,
{
    // The depth counts states, of which there is one more than steps.
    while let Some(steps) = known.values().map(Vec::len).min().filter(|steps| *steps > 0) {
        let checker = model.clone().checker().target_max_depth(steps + 1);
        let shorter = checker.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let found = faults(model, &shorter);
        if found.is_empty() {
            break;
        }
        known = found;
    }
    known
}
