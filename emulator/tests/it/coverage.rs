//! How much of Stripe's API there is, by the endpoints and parameters that Stripe's own library has types for, and
//! that nothing is swallowed. `cargo test -p stripe-emulator --test it coverage -- --nocapture` prints the counts.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use crate::schema::parameters;
use crate::support::{Reply, Stripe, id};

type Fields = Vec<(String, String)>;

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

/// What requests are about.
struct Scene {
    customer: String,
    price: String,
    product: String,
}

impl Scene {
    async fn set(stripe: &Stripe) -> Scene {
        let price = stripe.price().await;
        let product =
            stripe.get(&format!("/v1/prices/{price}")).await["product"].as_str().unwrap().to_owned();
        Scene { customer: customer(stripe).await, price, product }
    }

    /// The least fields with which the endpoint says yes.
    fn base(&self, method: &str, path: &str) -> Fields {
        let fields: &[(&str, &str)] = match (method, path) {
            ("POST", "/v1/products") => &[("name", "Pro")],
            ("POST", "/v1/prices") => {
                &[("product", &self.product), ("currency", "usd"), ("unit_amount", "100")]
            }
            ("POST", "/v1/checkout/sessions") => &[
                ("mode", "subscription"),
                ("line_items[0][price]", &self.price),
                ("line_items[0][quantity]", "1"),
                ("success_url", "http://shop.test/done"),
            ],
            ("POST", "/v1/subscriptions") => {
                &[("customer", &self.customer), ("items[0][price]", &self.price)]
            }
            ("POST", "/v1/payment_methods") => &[("type", "card"), ("card[token]", "tok_visa")],
            ("POST", "/v1/payment_methods/:id/attach") => &[("customer", &self.customer)],
            ("POST", "/v1/webhook_endpoints") => {
                &[("url", "http://127.0.0.1:9/hook"), ("enabled_events[0]", "*")]
            }
            ("POST", "/v1/test_helpers/test_clocks") => &[("frozen_time", "2000000000")],
            ("POST", "/v1/test_helpers/test_clocks/:id/advance") => &[("frozen_time", "2000000060")],
            ("GET", "/v1/customers/search") => &[("query", "email:'ada@example.com'")],
            _ => &[],
        };
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// The path with the id of something new, as the request before may have used it up. `None` if this scene has
    /// nothing of that kind.
    async fn path(&self, stripe: &Stripe, pattern: &str) -> Option<String> {
        let Some((collection, _)) = pattern.split_once("/:id") else {
            return Some(pattern.to_owned());
        };
        let id = match collection {
            "/v1/customers" => customer(stripe).await,
            "/v1/products" => self.product.clone(),
            "/v1/prices" => self.price.clone(),
            "/v1/checkout/sessions" => id(&stripe.session(&self.customer, &self.price, &[]).await),
            "/v1/payment_intents" => {
                id(&stripe.get("/v1/payment_intents?limit=1").await["data"].as_array()?.first()?.clone())
            }
            "/v1/events" => id(&stripe.get("/v1/events?limit=1").await["data"][0]),
            "/v1/subscriptions" => id(&self.subscription(stripe, &[]).await),
            "/v1/invoices" => {
                let unpaid = self.subscription(stripe, &[("payment_behavior", "default_incomplete")]).await;
                unpaid["latest_invoice"].as_str()?.to_owned()
            }
            "/v1/payment_methods" => {
                let method =
                    id(&stripe.post(collection, &[("type", "card"), ("card[token]", "tok_visa")]).await);
                if pattern.ends_with("/detach") || !pattern.ends_with("/attach") {
                    stripe
                        .post(&format!("{collection}/{method}/attach"), &[("customer", &self.customer)])
                        .await;
                }
                method
            }
            "/v1/webhook_endpoints" | "/v1/test_helpers/test_clocks" => self.made(stripe, collection).await,
            _ => return None,
        };
        Some(pattern.replacen(":id", &id, 1))
    }

    async fn made(&self, stripe: &Stripe, collection: &str) -> String {
        let fields = self.base("POST", collection);
        id(&send(stripe, "POST", collection, &fields).await.body)
    }

    async fn subscription(&self, stripe: &Stripe, more: &[(&str, &str)]) -> Value {
        let mut fields = vec![("customer", self.customer.as_str()), ("items[0][price]", self.price.as_str())];
        fields.extend_from_slice(more);
        stripe.post("/v1/subscriptions", &fields).await
    }
}

/// A customer who can pay.
async fn customer(stripe: &Stripe) -> String {
    let customer = stripe.customer().await;
    let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    let default = [("invoice_settings[default_payment_method]", card["id"].as_str().unwrap())];
    stripe.post(&format!("/v1/customers/{customer}"), &default).await;
    customer
}

async fn send(stripe: &Stripe, method: &str, path: &str, fields: &Fields) -> Reply {
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if method == "GET" {
        return stripe.try_get(&format!("{path}?{}", crate::support::form(&fields))).await;
    }
    stripe.send(Method::from_bytes(method.as_bytes()).unwrap(), path, &fields, &[]).await.unwrap()
}

/// Whether the endpoint takes these fields beside what it needs; `None` if it cannot be asked.
async fn takes(stripe: &Stripe, scene: &Scene, method: &str, pattern: &str, more: Fields) -> Option<bool> {
    let path = scene.path(stripe, pattern).await?;
    let mut fields = scene.base(method, pattern);
    fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    let is_plain = more.is_empty();
    fields.extend(more);
    let reply = send(stripe, method, &path, &fields).await;
    if is_plain {
        return (reply.status == 200).then_some(true);
    }
    Some(reply.body["error"]["code"] != "parameter_unknown")
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
    let scene = Scene::set(&stripe).await;
    stripe.buy().await;
    let known = parameters()["endpoints"].as_object().unwrap();
    let mut counts = BTreeMap::new();
    for (method, path) in endpoints(&stripe).await {
        let name = format!("{method} {path}");
        let probes = probes(&known[&name]);
        if takes(&stripe, &scene, &method, &path, Vec::new()).await.is_none() {
            counts.insert(name, (None, probes.len()));
            continue;
        }
        let nonsense = vec![("nonsense".to_owned(), "x".to_owned())];
        let swallowed = takes(&stripe, &scene, &method, &path, nonsense).await;
        assert_eq!(swallowed, Some(false), "{name} swallows a parameter that Stripe has not");
        let (mut supported, all) = (0, probes.len());
        for probe in probes {
            supported += usize::from(takes(&stripe, &scene, &method, &path, probe).await == Some(true));
        }
        counts.insert(name, (Some(supported), all));
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
