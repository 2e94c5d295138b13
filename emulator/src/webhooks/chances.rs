//! Deliveries by chance: lost, doubled, late and out of order, as a network and a busy Stripe have them. One
//! seed makes one sequence of draws, in the order in which they happen. Draws only; `dispatch` sends.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// How likely what is; 0 and `false` are never.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chances {
    pub seed: u64,
    /// Only for deliveries to this endpoint, `we_…` or the URL of one that was given at start; for all if absent.
    pub endpoint: Option<String>,
    /// 0 to 1: it is sent twice.
    pub duplicate: f64,
    /// 0 to 1: it is never sent.
    pub drop: f64,
    /// It waits between these two before it is sent first.
    pub delay_ms: [u64; 2],
    /// The events of one request are sent one after the other in a random order.
    pub shuffle: bool,
    /// The wait before the first retry, which then doubles; one second if absent.
    pub retry_ms: Option<u64>,
}

impl Chances {
    /// What is wrong with it, naming the field.
    pub fn check(&self) -> Result<(), String> {
        for (name, chance) in [("duplicate", self.duplicate), ("drop", self.drop)] {
            if !(0.0..=1.0).contains(&chance) {
                return Err(format!("{name} must be 0 to 1"));
            }
        }
        match self.delay_ms {
            [least, most] if least > most => Err("delay_ms must be [least, most]".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Chances {
    /// Whether they are for this delivery, whose id ends with its endpoint.
    fn is_for(&self, delivery: &str) -> bool {
        let to = delivery.split_once(':').map_or("", |(_, endpoint)| endpoint);
        let to = to.strip_prefix("forward:").unwrap_or(to);
        self.endpoint.as_ref().is_none_or(|endpoint| endpoint == to)
    }
}

/// The chances and where their sequence stands.
#[derive(Debug)]
pub struct Dice {
    pub chances: Chances,
    random: StdRng,
}

/// What becomes of the deliveries of one request.
#[derive(Debug, Default)]
pub struct Draw {
    /// What is sent, and how long each waits before.
    pub sent: Vec<(String, Duration)>,
    pub dropped: Vec<String>,
    /// Whether each waits for the one before it.
    pub in_turn: bool,
}

impl Draw {
    /// All are sent at once.
    pub fn certain(ids: &[String]) -> Draw {
        Draw { sent: ids.iter().map(|id| (id.clone(), Duration::ZERO)).collect(), ..Draw::default() }
    }
}

impl Dice {
    pub fn new(chances: Chances) -> Dice {
        let random = StdRng::seed_from_u64(chances.seed);
        Dice { chances, random }
    }

    pub fn draw(&mut self, ids: &[String]) -> Draw {
        let mut draw = Draw { in_turn: self.chances.shuffle, ..Draw::default() };
        let (meant, spared): (Vec<_>, Vec<_>) = ids.iter().partition(|id| self.chances.is_for(id));
        for id in meant {
            // Each takes the same number of draws, whatever comes of it.
            let (dropped, doubled) = (self.strikes(self.chances.drop), self.strikes(self.chances.duplicate));
            let waits = [self.delay(), self.delay()];
            if dropped {
                draw.dropped.push(id.clone());
                continue;
            }
            let copies = if doubled { 2 } else { 1 };
            draw.sent.extend(waits.into_iter().take(copies).map(|wait| (id.clone(), wait)));
        }
        if self.chances.shuffle {
            draw.sent.shuffle(&mut self.random);
        }
        // First, so that they wait for none of the others.
        draw.sent.splice(0..0, spared.into_iter().map(|id| (id.clone(), Duration::ZERO)));
        draw
    }

    fn strikes(&mut self, chance: f64) -> bool {
        self.random.random_bool(chance)
    }

    fn delay(&mut self) -> Duration {
        let [least, most] = self.chances.delay_ms;
        Duration::from_millis(self.random.random_range(least..=most))
    }
}
