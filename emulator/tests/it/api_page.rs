//! The page `docs/api.md`: each endpoint with each parameter that Stripe's types have for it, from what the tests of
//! coverage found. Only `IGNORED` is known from reading the code, and it may name nothing that is not accepted.

use crate::coverage::{Measured, Standing, lies_in};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md");

/// What is accepted and ignored: a name stands for all that lies in it.
const IGNORED: &[(&str, &[&str], &str)] = &[
    ("POST /v1/subscriptions", &["off_session"], "every card says the same with and without the customer"),
    ("POST /v1/subscriptions", &["proration_behavior"], "a new subscription has nothing to prorate"),
    (
        "POST /v1/subscriptions/:id/resume",
        &["proration_behavior"],
        "a resumed subscription begins a new period",
    ),
    ("POST /v1/setup_intents", &["use_stripe_sdk", "automatic_payment_methods"], "cards are all there is"),
    ("POST /v1/setup_intents/:id/confirm", &["use_stripe_sdk"], "there is one kind of challenge"),
    (
        "POST /v1/payment_intents",
        &["automatic_payment_methods[enabled]", "confirmation_method"],
        "cards are all there is, and one kind of confirmation",
    ),
    ("POST /v1/payment_intents", INTENT, "shown back, and copied to the charge where Stripe does"),
    ("POST /v1/payment_intents/:id", INTENT, "shown back, and copied to the charge where Stripe does"),
    ("POST /v1/charges/:id", &["fraud_details", "receipt_email", "shipping"], "shown back; no mail is sent"),
    ("POST /v1/invoices/create_preview", &["currency"], "the price says it"),
    (
        "POST /v1/checkout/sessions",
        &[
            "adaptive_pricing",
            "allowed_payment_method_types",
            "billing_address_collection",
            "customer_update",
            "excluded_payment_method_types",
            "integration_identifier",
            "locale",
            "name_collection",
            "origin_context",
            "phone_number_collection",
            "saved_payment_method_options[payment_method_remove]",
            "saved_payment_method_options[payment_method_save]",
            "tax_id_collection",
        ],
        "shown back, and the page looks the same",
    ),
    ("POST /v1/billing_portal/sessions", &["locale"], "shown back; the pages are in English"),
    ("POST /v1/customers", &["preferred_locales", "tax_exempt"], "shown back"),
    ("POST /v1/customers/:id", &["preferred_locales", "tax_exempt"], "shown back"),
    ("POST /v1/products", PRODUCT, "shown back, and no page shows them"),
    ("POST /v1/products/:id", PRODUCT, "shown back, and no page shows them"),
    (
        "POST /v1/prices",
        &["recurring[trial_period_days]"],
        "shown back; Stripe too reads it with `trial_from_plan` only",
    ),
    ("POST /v1/invoices/:id/pay", &["forgive"], "a card has no balance that could be too small"),
    ("POST /v1/prices", &["tax_behavior"], "shown back; there are no taxes"),
    ("POST /v1/prices/:id", &["tax_behavior"], "shown back; there are no taxes"),
];

const INTENT: &[&str] =
    &["excluded_payment_method_types", "receipt_email", "shipping", "statement_descriptor_suffix"];
const PRODUCT: &[&str] = &["images", "marketing_features", "statement_descriptor", "unit_label"];

/// Compares the page with what was found, or writes it if `UPDATE_DOCS` is 1. `stripes` are the endpoints that
/// Stripe's library has.
pub fn check<'k>(mut all: Vec<Measured>, stripes: impl Iterator<Item = &'k String>) {
    let wrong = mark(&mut all);
    assert!(wrong.is_empty(), "{wrong:?}");
    let missing: Vec<_> =
        stripes.filter(|name| all.iter().all(|measured| measured.endpoint != **name)).collect();
    let page = page(&all, &missing);
    if std::env::var("UPDATE_DOCS").is_ok_and(|value| value == "1") {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
        std::fs::write(PAGE, page).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    let differs = page.lines().zip(kept.lines()).find(|(now, kept)| now != kept);
    assert!(
        page == kept,
        "docs/api.md is not what is supported: {differs:?}. UPDATE_DOCS=1 writes it (see tests/it/coverage.rs)"
    );
}

/// Marks what is ignored. Gives what is said to be and is not accepted.
fn mark(all: &mut [Measured]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (endpoint, names, _) in IGNORED {
        let measured = all.iter_mut().find(|measured| measured.endpoint == *endpoint).unwrap();
        for name in *names {
            let found = measured.parameters.iter_mut().filter(|(full, _)| lies_in(full, name));
            let accepted: Vec<_> = found.filter(|(_, standing)| *standing == Standing::Read).collect();
            if accepted.is_empty() {
                wrong.push(format!("{endpoint} does not accept {name}"));
            }
            accepted.into_iter().for_each(|(_, standing)| *standing = Standing::Ignored);
        }
    }
    wrong
}

const INTRODUCTION: &str = "\
# The API, parameter by parameter

Written by a test (`tests/it/coverage.rs`), which asks each endpoint for each parameter that the types of Stripe's own
library have at this version, and which fails when this page is no longer so. `name[*]` stands for all that lies in a
parameter, `[]` for the elements of a list.

- **supported**: it is read. Some take fewer values than at Stripe (`usage_type` only `licensed`); any
  other value is refused.
- **ignored**: it is accepted, and nothing follows from it. The reasons are at the end.
- **refused**: an error with the code `parameter_unknown` that names it.
- **unclear**: the test knows no request that tells. Where Stripe takes a text or a hash, its types name the hash:
  `billing_cycle_anchor` is supported as a text (`now`, `unchanged`).
";

fn page(all: &[Measured], missing: &[&String]) -> String {
    let mut page = format!("{INTRODUCTION}\n{}", totals(all, missing.len()));
    let mut resources: Vec<&str> = Vec::new();
    for measured in all {
        let resource = resource_of(&measured.endpoint);
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    for resource in resources {
        page += &format!("\n## {resource}\n\n| endpoint | | parameters |\n|---|---|---|\n");
        let its = all.iter().filter(|measured| resource_of(&measured.endpoint) == resource);
        page.extend(its.map(rows));
    }
    page += "\n## Accepted and ignored, and why\n\n| endpoint | parameters | |\n|---|---|---|\n";
    for (endpoint, names, reason) in IGNORED {
        page += &format!("| `{endpoint}` | {} | {reason} |\n", quoted(names));
    }
    page += "\n## Endpoints of these resources that are not here\n\n";
    missing.iter().for_each(|name| page += &format!("- `{name}`\n"));
    page
}

/// `/v1/billing_portal/sessions` of `POST /v1/billing_portal/sessions/:id`.
fn resource_of(endpoint: &str) -> &str {
    let path = endpoint.split_once(' ').unwrap().1;
    let words =
        if path.starts_with("/v1/checkout/") || path.contains("_portal/") || path.contains("_helpers/") {
            4
        } else {
            3
        };
    let end = path.match_indices('/').nth(words).map_or(path.len(), |(at, _)| at);
    &path[..end]
}

fn totals(all: &[Measured], missing: usize) -> String {
    let percent = |part: usize, whole: usize| 100 * part / whole.max(1);
    let count = |wanted: Standing| {
        let all = all.iter().flat_map(|measured| &measured.parameters);
        all.filter(|(_, standing)| *standing == wanted).count()
    };
    let parameters: usize = all.iter().map(|measured| measured.parameters.len()).sum();
    let endpoints = all.len() + missing;
    let (read, ignored) = (count(Standing::Read), count(Standing::Ignored));
    format!(
        "**{} of {endpoints} endpoints of these resources ({} %). Of the {parameters} parameters of those: {read} supported \
         ({} %), {ignored} ignored ({} %), {} refused, {} unclear.**\n",
        all.len(),
        percent(all.len(), endpoints),
        percent(read, parameters),
        percent(ignored, parameters),
        count(Standing::Refused),
        count(Standing::Unclear),
    )
}

/// The endpoint's rows: one for each standing that occurs.
fn rows(measured: &Measured) -> String {
    let standings = [
        (Standing::Read, "supported"),
        (Standing::Ignored, "ignored"),
        (Standing::Refused, "refused"),
        (Standing::Unclear, "unclear"),
    ];
    let mut first = format!("`{}`", measured.endpoint);
    if !measured.is_known {
        first += " (always an error here)";
    }
    let mut rows = String::new();
    for (standing, word) in standings {
        let names = shown(&measured.parameters, standing);
        if !names.is_empty() {
            rows += &format!("| {} | {word} | {} |\n", std::mem::take(&mut first), quoted(&names));
        }
    }
    if first.is_empty() { rows } else { format!("| {first} | | none |\n") }
}

fn quoted(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// The names with this standing. What lies in one parameter and stands the same is told once.
fn shown(parameters: &[(String, Standing)], standing: Standing) -> Vec<String> {
    let all: Vec<(Vec<&str>, Standing)> =
        parameters.iter().map(|(name, standing)| (segments(name), *standing)).collect();
    let mut names: Vec<String> = Vec::new();
    for (path, _) in all.iter().filter(|(_, its)| *its == standing) {
        let is_same = |length: &usize| {
            all.iter().all(|(other, its)| !other.starts_with(&path[..*length]) || *its == standing)
        };
        let length = (1..path.len()).find(is_same).unwrap_or(path.len());
        let inner = path[1..length]
            .iter()
            .map(|word| if *word == "0" { "[]".to_owned() } else { format!("[{word}]") });
        let rest = if path[length..].iter().all(|word| *word == "0") { "" } else { "[*]" };
        let name = format!("{}{}{rest}", path[0], inner.collect::<String>());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// `a[b][0]` as a, b, 0.
fn segments(name: &str) -> Vec<&str> {
    name.split('[').map(|word| word.trim_end_matches(']')).collect()
}
