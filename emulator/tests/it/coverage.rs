//! How much of Stripe's API there is, by the endpoints and parameters that Stripe's own library has types for, and
//! that nothing is swallowed. `docs/api.md` is what is found here: `UPDATE_DOCS=1 cargo test -p stripe-emulator
//! --test it coverage` writes it, and without that the test fails where the page says something else.

use serde_json::Value;

use crate::api_page;
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
                let texts = needed
                    .filter_map(|(other, value)| Some((full(other), probed(&full(other), value.as_str()?))));
                let beside = beside.iter().cloned().chain(texts).collect();
                walk(&full(field), inner, &beside, all);
            }
        }
        text => {
            let text = text.as_str().unwrap();
            let own = (name.to_owned(), probed(name, text));
            all.push(beside.iter().cloned().chain([own]).collect());
        }
    }
}

/// A value that says most: a moment that may be meant, the only billing mode, a product that there is not.
fn probed(name: &str, text: &str) -> String {
    match name {
        _ if name.contains("proration_date") => soon(),
        _ if name.contains("billing_mode") && name.ends_with("[type]") => "flexible".to_owned(),
        _ if name.ends_with("[product]") => "prod_none".to_owned(),
        _ => text.to_owned(),
    }
}

/// A moment in the periods that are about to begin.
fn soon() -> String {
    (std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() + 3600).to_string()
}

/// One way to ask an endpoint, asked again and again with the same things until it has done something with them.
struct Asked<'s> {
    stripe: &'s Stripe,
    method: &'s str,
    pattern: &'s str,
    way: &'static str,
    ready: Option<(String, Fields)>,
}

impl Asked<'_> {
    /// The answer to what it needs and `more`; `None` if it cannot be asked.
    async fn with(&mut self, more: &[(String, String)]) -> Option<Reply> {
        let (path, mut fields) = match self.ready.take() {
            Some(ready) => ready,
            None => {
                let path = scene::path(self.stripe, self.method, self.pattern).await?;
                let fields = scene::made(self.stripe, self.way, &path).await?;
                (path, fields)
            }
        };
        let needed = fields.clone();
        if let Some((own, beside)) = more.split_last() {
            fields.retain(|(name, _)| *name != own.0);
            let missing = beside.iter().filter(|(name, _)| needed.iter().all(|(other, _)| other != name));
            fields.extend(missing.chain([own]).cloned());
        }
        let reply = scene::send(self.stripe, self.method, &path, &fields).await;
        if self.method == "GET" || reply.status != 200 {
            self.ready = Some((path, needed));
        }
        Some(reply)
    }

    /// Whether a request is known that succeeds. It must not succeed with a parameter that Stripe has not.
    async fn is_known(&mut self) -> bool {
        let succeeds = self.with(&[]).await.is_some_and(|reply| reply.status == 200);
        let nonsense = [("nonsense".to_owned(), "x".to_owned())];
        let swallowed = succeeds && self.standing(&nonsense).await != Standing::Refused;
        assert!(!swallowed, "{} {} swallows a parameter that Stripe has not", self.method, self.pattern);
        succeeds
    }

    /// What becomes of the parameter that the probe ends with, whatever is then made of its value.
    async fn standing(&mut self, probe: &[(String, String)]) -> Standing {
        let Some(reply) = self.with(probe).await else {
            return Standing::Unclear;
        };
        // Of a list the whole is read, or none of it.
        let (name, error) = (probe.last().unwrap().0.trim_end_matches("[0]"), &reply.body["error"]);
        let of_error = error["param"].as_str().unwrap_or_default();
        match () {
            () if error["code"] == "parameter_unknown" => Standing::Refused,
            () if reply.status == 200 || lies_in(of_error, name) => Standing::Read,
            () if lies_in(name, of_error) => Standing::Excluded,
            () => Standing::Unclear,
        }
    }
}

/// Whether the name is the other or lies in it, as `a[b]` lies in `a`.
pub fn lies_in(name: &str, other: &str) -> bool {
    !other.is_empty() && name.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}

/// What becomes of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Read,
    /// Read, and nothing follows from it.
    Ignored,
    /// Something else is refused first.
    Unclear,
    Refused,
    /// Refused together with what lies beside it, which the way of asking excludes.
    Excluded,
}

/// An endpoint and its parameters in full, in the order of Stripe's types.
pub struct Measured {
    pub endpoint: String,
    /// Whether a request is known that succeeds.
    pub is_known: bool,
    pub parameters: Vec<(String, Standing)>,
}

/// Asks for each parameter in each way, and takes the best answer.
async fn measure(stripe: &Stripe, method: &str, pattern: &str, tree: &Value) -> Measured {
    let mut ways = Vec::new();
    for way in scene::ways(method, pattern) {
        let mut asked = Asked { stripe, method, pattern, way, ready: None };
        if asked.is_known().await {
            ways.push(asked);
        }
    }
    let mut parameters = Vec::new();
    for probe in probes(tree) {
        let mut best = Standing::Excluded;
        for way in &mut ways {
            best = best.min(way.standing(&probe).await);
        }
        let standing = if best == Standing::Excluded { Standing::Unclear } else { best };
        parameters.push((probe.last().unwrap().0.clone(), standing));
    }
    Measured { endpoint: format!("{method} {pattern}"), is_known: !ways.is_empty(), parameters }
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
async fn nothing_is_swallowed_and_the_page_says_what_is_supported() {
    let stripe = Stripe::start().await;
    stripe.buy().await;
    let known = parameters()["endpoints"].as_object().unwrap();
    let mut all = Vec::new();
    for (method, path) in endpoints(&stripe).await {
        all.push(measure(&stripe, &method, &path, &known[&format!("{method} {path}")]).await);
    }
    let has = |endpoint: &str, name: &str, standing: Standing| {
        let measured = all.iter().find(|measured| measured.endpoint == endpoint).unwrap();
        assert!(measured.parameters.contains(&(name.to_owned(), standing)), "{endpoint} {name}");
    };
    has("POST /v1/customers", "email", Standing::Read);
    has("POST /v1/customers", "tax[ip_address]", Standing::Refused);
    api_page::check(all, known.keys());
}
