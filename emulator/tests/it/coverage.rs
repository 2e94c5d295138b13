//! How much of Stripe's API there is, by the endpoints and parameters that Stripe's own library has types for, and
//! that nothing is swallowed. `cargo test -p stripe-emulator --test it coverage -- --nocapture` prints the counts.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::scene::{self, Fields};
use crate::schema::parameters;
use crate::support::{Reply, Stripe};

/// An endpoint as the table of the library has it: the names of ids do not matter.
fn endpoint(one: &Value) -> (String, String) {
    let path = one["path"].as_str().unwrap();
    let words = path.split('/').map(|word| if word.starts_with(':') { ":id" } else { word });
    (one["method"].as_str().unwrap().to_owned(), words.collect::<Vec<_>>().join("/"))
}

async fn endpoints(stripe: &Stripe) -> Vec<(String, String)> {
    let list = stripe.get("/_emulator/endpoints").await;
    list["data"].as_array().unwrap().iter().map(endpoint).collect()
}

/// One request for each parameter: its own field, and those without which it could not be.
fn probes(tree: &Value) -> Vec<Fields> {
    let mut all = Vec::new();
    for (name, inner) in tree.as_object().unwrap() {
        walk(name.trim_end_matches('!'), inner, &Vec::new(), &mut all);
    }
    all
}

fn walk(name: &str, value: &Value, beside: &Fields, all: &mut Vec<Fields>) {
    match value {
        Value::Array(elements) => walk(&format!("{name}[0]"), &elements[0], beside, all),
        Value::Object(fields) => {
            let full = |field: &str| format!("{name}[{}]", field.trim_end_matches('!'));
            for (field, inner) in fields {
                let needed = fields.iter().filter(|(other, _)| other.ends_with('!') && *other != field);
                let texts =
                    needed.filter_map(|(other, value)| Some((full(other), value.as_str()?.to_owned())));
                let beside = beside.iter().cloned().chain(texts).collect();
                walk(&full(field), inner, &beside, all);
            }
        }
        text => {
            let own = (name.to_owned(), text.as_str().unwrap().to_owned());
            all.push(beside.iter().cloned().chain([own]).collect());
        }
    }
}

/// An endpoint that is asked again and again, with the same things until it has done something with them.
struct Asked<'s> {
    stripe: &'s Stripe,
    method: &'s str,
    pattern: &'s str,
    ready: Option<(String, Fields)>,
}

impl Asked<'_> {
    /// The answer to what it needs and `more`; `None` if it cannot be asked.
    async fn with(&mut self, more: &Fields) -> Option<Reply> {
        let (path, mut fields) = match self.ready.take() {
            Some(ready) => ready,
            None => (
                scene::path(self.stripe, self.method, self.pattern).await?,
                scene::needs(self.stripe, self.method, self.pattern).await?,
            ),
        };
        let needed = fields.clone();
        fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        fields.extend_from_slice(more);
        let reply = scene::send(self.stripe, self.method, &path, &fields).await;
        if self.method == "GET" || reply.status != 200 {
            self.ready = Some((path, needed));
        }
        Some(reply)
    }

    /// Whether it reads this parameter, whatever it then makes of it.
    async fn reads(&mut self, probe: &Fields) -> bool {
        self.with(probe).await.is_some_and(|reply| reply.body["error"]["code"] != "parameter_unknown")
    }
}

/// How many of the parameters it reads; `None` if no request is known that succeeds.
async fn count(asked: &mut Asked<'_>, probes: &[Fields]) -> Option<usize> {
    asked.with(&Vec::new()).await.filter(|reply| reply.status == 200)?;
    let nonsense = vec![("nonsense".to_owned(), "x".to_owned())];
    assert!(
        !asked.reads(&nonsense).await,
        "{} {} swallows a parameter that Stripe has not",
        asked.method,
        asked.pattern
    );
    let mut supported = 0;
    for probe in probes {
        supported += usize::from(asked.reads(probe).await);
    }
    Some(supported)
}

#[tokio::test]
async fn every_endpoint_is_one_that_stripe_has() {
    let stripe = Stripe::start().await;
    let known = parameters()["endpoints"].as_object().unwrap();
    for (method, path) in endpoints(&stripe).await {
        assert!(known.contains_key(&format!("{method} {path}")), "Stripe's library has no {method} {path}");
    }
}

#[tokio::test]
async fn what_is_supported_is_counted_and_nothing_is_swallowed() {
    let stripe = Stripe::start().await;
    stripe.buy().await;
    let known = parameters()["endpoints"].as_object().unwrap();
    let mut counts = BTreeMap::new();
    for (method, path) in endpoints(&stripe).await {
        let name = format!("{method} {path}");
        let probes = probes(&known[&name]);
        let mut asked = Asked { stripe: &stripe, method: &method, pattern: &path, ready: None };
        counts.insert(name, (count(&mut asked, &probes).await, probes.len()));
    }
    print(&counts, known.len());
    assert!(counts["POST /v1/customers"].0 > Some(10), "parameters are recognised");
    assert!(counts["POST /v1/customers"].0 < Some(counts["POST /v1/customers"].1), "and missed");
}

#[expect(clippy::print_stdout, reason = "the counts are for a person to read")]
fn print(counts: &BTreeMap<String, (Option<usize>, usize)>, endpoints: usize) {
    let percent = |part: usize, whole: usize| 100 * part / whole.max(1);
    for (name, (supported, all)) in counts {
        match supported {
            Some(supported) => println!("{supported:4} of {all:4} parameters  {name}"),
            None => println!("   ? of {all:4} parameters  {name}: this test knows no request that succeeds"),
        }
    }
    let measured = || counts.values().filter_map(|(supported, all)| Some(((*supported)?, *all)));
    let (have, all) = (measured().map(|one| one.0).sum(), measured().map(|one| one.1).sum());
    println!("{have} of {all} parameters ({} %)", percent(have, all));
    println!(
        "{} of {endpoints} endpoints of these resources ({} %)",
        counts.len(),
        percent(counts.len(), endpoints)
    );
}
