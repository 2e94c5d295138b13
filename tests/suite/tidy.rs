//! The house rules that a machine can check, so that nobody has to remember them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Vendors' crates, as they are named in a path, and the only adapter that may name them.
const VENDORS: [(&str, &str); 12] = [
    ("redis", "billing/src/adapters/redis"),
    ("reqwest", "billing/src/adapters/stripe"),
    ("stripe_client_core", "billing/src/adapters/stripe"),
    ("stripe_billing", "billing/src/adapters/stripe"),
    ("stripe_checkout", "billing/src/adapters/stripe"),
    ("stripe_core", "billing/src/adapters/stripe"),
    ("stripe_product", "billing/src/adapters/stripe"),
    ("stripe_shared", "billing/src/adapters/stripe"),
    ("stripe_types", "billing/src/adapters/stripe"),
    ("axum", "billing/src/adapters/webhook.rs"),
    ("hmac", "billing/src/adapters/webhook.rs"),
    ("toml", "billing/src/adapters/plans_toml.rs"),
];

struct Source {
    /// From the root of the project.
    path: String,
    text: String,
}

impl Source {
    fn is_test(&self) -> bool {
        self.path.contains("tests/") || self.path.ends_with("_tests.rs")
    }

    /// Without its unit tests and its comments.
    fn code(&self) -> String {
        let body = self.text.split("#[cfg(test)]\nmod tests").next().unwrap();
        body.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }

    fn names(&self, crate_name: &str) -> bool {
        let path = format!("{crate_name}::");
        let boundary =
            |before: Option<char>| before.is_none_or(|c| !(c.is_alphanumeric() || "_:".contains(c)));
        let code = self.code();
        code.match_indices(&path).any(|(at, _)| boundary(code[..at].chars().next_back()))
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn collect(directory: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            found.push(Source { path: name, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for directory in ["src", "tests", "billing", "emulator", "model", "xtask", "bench/peers/bare/src"] {
        collect(&root().join(directory), &mut found);
    }
    assert!(found.len() > 100, "the sources are not where this test looks");
    found
}

/// Fails with all that is wrong, a line each.
fn none(rule: &str, wrong: impl IntoIterator<Item = String>) {
    let wrong: Vec<_> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{rule}:\n  {}", wrong.join("\n  "));
}

#[test]
fn the_domain_imports_no_vendor_and_each_adapter_its_own() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("billing/src")) {
        for (vendor, home) in VENDORS {
            if source.names(vendor) && !source.path.starts_with(home) {
                wrong.push(format!("{} names {vendor}, which belongs to {home}", source.path));
            }
        }
        let adapter = source.path.starts_with("billing/src/adapters/");
        if !adapter
            && (source.code().contains("crate::adapters") || source.code().contains("super::adapters"))
        {
            wrong.push(format!("{} reaches into an adapter", source.path));
        }
        let pure = !adapter && !source.path.contains("/ports/") && !source.path.contains("/service/");
        for runtime in ["tokio", "async_trait", "tracing", "rand", "futures", "std::time::SystemTime"] {
            if pure && source.names(runtime) {
                wrong.push(format!("{} is domain and names {runtime}", source.path));
            }
        }
    }
    none("billing's layers", wrong);
}

#[test]
fn pages_know_no_store_no_stripe_and_no_server() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/app")) {
        let vendors = ["redis", "reqwest", "tower_sessions", "stripe_emulator", "tokio"];
        wrong.extend(
            vendors.iter().filter(|it| source.names(it)).map(|it| format!("{} names {it}", source.path)),
        );
        if source.code().contains("unsplit_billing::adapters") || source.code().contains("::ports::") {
            wrong.push(format!("{} reaches around billing's verbs", source.path));
        }
        let api = source.path.starts_with("src/app/api/");
        if !api && source.code().contains("crate::server") {
            wrong.push(format!("{} reaches into the server: only app::api may", source.path));
        }
    }
    none("src/app sees types and asks app::api", wrong);
}

#[test]
fn only_the_start_builds_adapters() {
    let built = [
        "RedisStore::new(",
        "StripeClient::new(",
        "Transport::new(",
        "RedisConnection::open(",
        "Billing::new(",
    ];
    let mut wrong = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| source.path.starts_with("src/") || source.path.starts_with("billing/src"))
    {
        let home = source.path == "src/server/run.rs"
            || source.path.starts_with("src/server/commands/")
            || source.path == "src/server/session/test_redis.rs";
        wrong.extend(
            built
                .iter()
                .filter(|call| !home && !source.is_test() && source.code().contains(*call))
                .map(|call| format!("{}: {call}…)", source.path)),
        );
    }
    none("adapters are built in src/server/run.rs, src/server/commands and tests", wrong);
}

#[test]
fn files_and_functions_stay_small() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > 400 {
            wrong.push(format!("{} has {lines} lines", source.path));
        }
        for (name, length) in functions(&source.text) {
            if length > 60 {
                wrong.push(format!("{} fn {name} has {length} lines", source.path));
            }
        }
    }
    none("files have at most 400 lines and functions 60", wrong);
}

/// Each function's name and length, by rustfmt's indentation.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(at) = code.find("fn ").filter(|at| *at == 0 || code[..*at].ends_with(' ')) else { continue };
        let named = !code.starts_with("//") && code.ends_with(['{', '(', '>']);
        let indent = line.len() - code.len();
        let end = format!("{}}}", " ".repeat(indent));
        let length = lines[start..].iter().position(|line| *line == end);
        if let Some(length) = length.filter(|_| named) {
            let name = code[at + 3..].split(['(', '<']).next().unwrap().to_owned();
            found.push((name, length + 1));
        }
    }
    found
}

#[test]
fn every_module_says_what_it_is_for_and_has_a_name_that_says_something() {
    let mut wrong = Vec::new();
    for source in sources() {
        let stem = Path::new(&source.path).file_stem().unwrap().to_string_lossy().into_owned();
        if ["utils", "util", "helpers", "helper", "common", "misc", "manager"].contains(&stem.as_str()) {
            wrong.push(format!("{} says nothing by its name", source.path));
        }
        if !source.is_test() && !source.text.starts_with("//! ") {
            wrong.push(format!("{} does not open with //!", source.path));
        }
    }
    none("modules explain themselves", wrong);
}

#[test]
fn nothing_is_left_unfinished() {
    // In two pieces, so that this file does not find itself.
    let forbidden = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let ignored = format!("#[{}", "ignore");
    let mut wrong = Vec::new();
    for source in sources() {
        wrong.extend(
            forbidden.iter().filter(|it| source.text.contains(*it)).map(|it| format!("{} {it}", source.path)),
        );
        if source.text.contains(&ignored) {
            wrong.push(format!("{} ignores a test", source.path));
        }
    }
    none("no unfinished code and no ignored test", wrong);
}

#[test]
fn builds_differ_in_one_place() {
    let wrong = sources()
        .into_iter()
        .filter(|source| source.path.starts_with("src/") && source.path != "src/lib.rs")
        .filter(|source| {
            !source.path.starts_with("src/server/commands/") && source.code().contains("cfg(feature")
        })
        .map(|source| source.path);
    none("cfg(feature) stands in src/lib.rs and the commands alone", wrong);
}

#[test]
fn every_dependency_has_its_reason() {
    let reasons = read("docs/dependencies.md");
    // "async-stripe-billing, -checkout" names async-stripe-checkout.
    let told = |name: &str| {
        let short = name.strip_prefix("async-stripe").map(|rest| format!(", {rest}"));
        let word = |text: &str| {
            let edge = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || c == '-' || c == '_'));
            reasons.match_indices(text).any(|(at, _)| {
                edge(reasons[at + text.len()..].chars().next())
                    && (text.starts_with(',') || edge(reasons[..at].chars().next_back()))
            })
        };
        word(name) || short.is_some_and(|short| word(&short))
    };
    let mut wrong = Vec::new();
    let manifests = [
        "Cargo.toml",
        "billing/Cargo.toml",
        "emulator/Cargo.toml",
        "model/Cargo.toml",
        "xtask/Cargo.toml",
        "bench/peers/bare/Cargo.toml",
    ];
    for manifest in manifests {
        let table: toml::Table = toml::from_str(&read(manifest)).unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let names =
                table.get(section).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
            let ours =
                |name: &&String| !["unsplit-billing", "stripe-emulator", "unsplit"].contains(&name.as_str());
            wrong.extend(
                names.filter(ours).filter(|name| !told(name)).map(|name| format!("{manifest}: {name}")),
            );
        }
    }
    none("docs/dependencies.md names every dependency", wrong);
}

#[test]
fn the_example_environment_is_the_one_that_is_read() {
    let example = read(".env.example");
    let listed: BTreeSet<_> = example
        .lines()
        .filter_map(|line| line.strip_prefix('#').unwrap_or(line).split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    let mut used = BTreeSet::from(["RUST_LOG".to_owned()]);
    for source in sources().iter().filter(|source| source.path.starts_with("src/server")) {
        let code = source.code();
        for call in ["variable(\"", "take(\n            \"", "env::var(\""] {
            let names = code.split(call).skip(1).filter_map(|rest| rest.split('"').next());
            used.extend(names.map(str::to_owned));
        }
    }
    assert_eq!(listed, used, "left: .env.example, right: what the server reads");
}
