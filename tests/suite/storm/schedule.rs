//! What happens in one storm: a pure function of its seed. When each step really meets the others is
//! up to the machine, so that a replay repeats the steps and not every interleaving.
//! May not know Redis, Stripe or the app.

use std::fmt;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// One storm, before it begins.
pub struct Schedule {
    pub seed: u64,
    /// Which process reconciles. None, unless webhooks get lost: reconciliation heals most faults in
    /// the end, and would hide one that makes triggers late.
    pub reconcilers: [bool; 2],
    /// By how much the second process's clock is wrong, milliseconds.
    pub skew: i64,
    /// What each user has when it begins.
    pub users: Vec<Start>,
    /// The app knows all of it before the storm begins.
    pub settled: bool,
    pub courier: Courier,
    /// Each after a pause in milliseconds. A step does not wait for the one before it.
    pub steps: Vec<(u64, Step)>,
}

/// What a user begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Nothing,
    Customer,
    Subscription,
}

/// `process` is 0 or 1; `cut` is after how many polls whoever waits has gone.
#[derive(Debug, Clone)]
pub enum Step {
    Dashboard { user: usize, change: Change },
    Buy { user: usize, process: usize, plan: &'static str, cut: Option<u32>, pays: bool },
    Sync { user: usize, process: usize, cut: Option<u32> },
    Outcome { user: usize, process: usize, cut: Option<u32> },
    Read { user: usize, process: usize },
    Stripe(Trouble),
    CutRedis,
    Kill { process: usize, polls: u32, down: u64 },
    Restart { process: usize, down: u64 },
    Reconcile { process: usize, cut: Option<u32> },
    Rebuild { process: usize, flushed: bool, cut: Option<u32> },
}

/// What somebody does in Stripe's Dashboard.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    Subscribe(&'static str),
    Status(&'static str),
    Cancel,
    CancelLater,
    Card(&'static str),
    DeleteCustomer,
}

/// What goes wrong at Stripe, how often, and for which paths.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    pub path: &'static str,
    pub kind: TroubleKind,
    pub times: u32,
}

#[derive(Debug, Clone, Copy)]
pub enum TroubleKind {
    /// 429, with Retry-After in seconds.
    Busy(Option<u64>),
    /// 500.
    Broken,
    /// The request waits so many milliseconds before it has an effect.
    Slow(u64),
    /// The answer waits so many milliseconds after it was computed: a stale reply in flight.
    Late(u64),
    CutBefore,
    CutAfter,
}

/// What the courier does with one event.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// The pauses before each delivery, milliseconds; none where the event is lost.
    pub deliveries: [Option<u64>; 2],
    pub process: usize,
}

/// Reconciliation compares Stripe's clock with `syncedAt`, by the clock of whoever has fetched. Where
/// that process does not reconcile itself, its clock may be wrong by less than the setting `margin`.
const MARGIN: i64 = 1000;

impl Schedule {
    pub fn of(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let lossy = rng.random_bool(0.4);
        let reconcilers = [[true, true], [true, true], [true, false], [false, true]][rng.random_range(0..4)];
        let furthest = if lossy && reconcilers != [true, true] { MARGIN } else { 60_000 };
        let skew = if rng.random_bool(0.5) { rng.random_range(-furthest..=furthest) } else { 0 };
        let starts = [Start::Nothing, Start::Customer, Start::Subscription, Start::Subscription];
        let users: Vec<Start> =
            (0..rng.random_range(1..=3)).map(|_| starts[rng.random_range(0..starts.len())]).collect();
        let settled = rng.random_bool(0.6);
        let courier = Courier::of(&mut rng, lossy);
        let weights = weights(&mut rng, lossy);
        let length = rng.random_range(6..=18);
        let mut steps = Vec::new();
        while steps.len() < length {
            add(&mut steps, &mut rng, &weights, users.len());
        }
        Self { seed, reconcilers: reconcilers.map(|it| it && lossy), skew, users, settled, courier, steps }
    }
}

/// Each storm has some kinds of steps often and others not at all: what one fault does must not
/// always be healed by the next.
fn weights(rng: &mut StdRng, lossy: bool) -> [u32; KINDS] {
    let usual: [u32; KINDS] = [24, 8, 12, 6, 4, 14, 6, 9, 3, 4, 3, 10, 8, 5];
    let mut weights = usual.map(|weight| weight * [0, 1, 1, 3][rng.random_range(0..4)]);
    if !lossy {
        // Reconciliation and rebuild heal, too.
        (weights[9], weights[10]) = (0, 0);
    }
    weights[0] = weights[0].max(usual[0]);
    weights
}

const KINDS: usize = 14;

/// Adds a step, or a few that belong together.
fn add(steps: &mut Vec<(u64, Step)>, rng: &mut StdRng, weights: &[u32; KINDS], users: usize) {
    let (user, process) = (rng.random_range(0..users), rng.random_range(0..2));
    let cut = if rng.random_bool(0.3) { Some(rng.random_range(1..40)) } else { None };
    let mut dice = rng.random_range(0..weights.iter().sum());
    let kind = weights.iter().position(|weight| match dice.checked_sub(*weight) {
        Some(left) => {
            dice = left;
            false
        }
        None => true,
    });
    let step = match kind.unwrap_or(0) {
        0 => Step::Dashboard { user, change: change(rng) },
        1 => Step::Buy { user, process, plan: plan(rng), cut, pays: rng.random_bool(0.8) },
        2 => Step::Sync { user, process, cut },
        3 => Step::Outcome { user, process, cut },
        4 => Step::Read { user, process },
        5 => Step::Stripe(trouble(rng)),
        6 => Step::CutRedis,
        7 => Step::Kill { process, polls: rng.random_range(1..24), down: rng.random_range(0..30) },
        8 => Step::Restart { process, down: rng.random_range(0..10) },
        9 => Step::Reconcile { process, cut },
        10 => Step::Rebuild { process, flushed: rng.random_bool(0.5), cut },
        11 => {
            // A stale reply in flight, and a change behind its back.
            let kind = TroubleKind::Late(rng.random_range(20..120));
            steps.push((pause(rng), Step::Stripe(Trouble { path: "/v1/subscriptions", kind, times: 1 })));
            steps.push((3, Step::Sync { user, process, cut: None }));
            steps.push((rng.random_range(4..15), Step::Dashboard { user, change: status(rng) }));
            return;
        }
        12 => {
            // A change whose trigger meets a lost connection.
            steps.push((pause(rng), Step::CutRedis));
            steps.push((rng.random_range(0..3), Step::Dashboard { user, change: status(rng) }));
            return;
        }
        _ => {
            // Two windows of one buyer.
            for (process, pause) in [(process, 0), (1 - process, rng.random_range(0..60))] {
                steps.push((pause, Step::Buy { user, process, plan: plan(rng), cut: None, pays: true }));
            }
            return;
        }
    };
    steps.push((pause(rng), step));
}

/// How the courier works, in percent of the events.
#[derive(Debug, Clone, Copy)]
pub struct Courier {
    pub lost: u32,
    pub twice: u32,
    pub late: u32,
}

impl Courier {
    fn of(rng: &mut StdRng, lossy: bool) -> Self {
        let mut some = || [0, 15, 40][rng.random_range(0..3)];
        let (lost, twice, late) = (some(), some(), some());
        Self { lost: if lossy { lost.max(15) } else { 0 }, twice, late }
    }
}

/// The fates of a schedule's events, in the order in which the courier meets them.
pub struct Fates {
    rng: StdRng,
    courier: Courier,
}

impl Fates {
    pub fn of(schedule: &Schedule) -> Self {
        Self { rng: StdRng::seed_from_u64(!schedule.seed), courier: schedule.courier }
    }
}

impl Iterator for Fates {
    type Item = Fate;

    fn next(&mut self) -> Option<Fate> {
        let rng = &mut self.rng;
        let mut chance = |percent| rng.random_range(0..100) < percent;
        let (lost, twice, late) =
            (chance(self.courier.lost), chance(self.courier.twice), chance(self.courier.late));
        let (process, soon, later) =
            (rng.random_range(0..2), rng.random_range(0..4), rng.random_range(10..90));
        let deliveries = match (lost, twice, late) {
            (true, _, _) => [None, None],
            (false, true, _) => [Some(soon), Some(later)],
            (false, false, true) => [Some(later), None],
            (false, false, false) => [Some(soon), None],
        };
        Some(Fate { deliveries, process })
    }
}

fn pause(rng: &mut StdRng) -> u64 {
    // Half of them meet the step before.
    if rng.random_bool(0.5) { rng.random_range(0..2) } else { rng.random_range(2..14) }
}

fn plan(rng: &mut StdRng) -> &'static str {
    if rng.random_bool(0.5) { "pro" } else { "team" }
}

fn change(rng: &mut StdRng) -> Change {
    match rng.random_range(0..100) {
        0..15 => Change::Subscribe(plan(rng)),
        15..60 => status(rng),
        60..70 => Change::Cancel,
        70..80 => Change::CancelLater,
        80..94 => Change::Card(["visa", "mastercard", "amex"][rng.random_range(0..3)]),
        _ => Change::DeleteCustomer,
    }
}

fn status(rng: &mut StdRng) -> Change {
    Change::Status(["active", "past_due", "unpaid", "paused"][rng.random_range(0..4)])
}

fn trouble(rng: &mut StdRng) -> Trouble {
    let kind = match rng.random_range(0..100) {
        0..12 => TroubleKind::Busy(None),
        12..18 => TroubleKind::Busy(Some(rng.random_range(0..2))),
        18..33 => TroubleKind::Broken,
        33..50 => TroubleKind::Slow(rng.random_range(2..60)),
        50..75 => TroubleKind::Late(rng.random_range(5..120)),
        // Longer than the client waits.
        75..80 => TroubleKind::Late(400),
        80..90 => TroubleKind::CutBefore,
        _ => TroubleKind::CutAfter,
    };
    let path = match rng.random_range(0..10) {
        0..6 => "/v1/subscriptions",
        6..8 => "/v1/checkout",
        8..9 => "/v1/customers",
        _ => "/v1",
    };
    Trouble { path, kind, times: rng.random_range(1..6) }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: ", self.seed)?;
        match self.reconcilers {
            [false, false] => write!(f, "no webhook gets lost, nobody reconciles; ")?,
            who => write!(f, "webhooks get lost, who reconciles is {who:?}; ")?,
        }
        write!(f, "the second clock is {} ms off; ", self.skew)?;
        let known = if self.settled { "known" } else { "news" };
        write!(f, "the users have {:?}, which is {known}; {:?}", self.users, self.courier)
    }
}
