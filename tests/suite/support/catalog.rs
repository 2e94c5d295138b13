//! The shop's own plans, with what a test wants to be different.

use unsplit_billing::adapters::plans_toml;
use unsplit_billing::plan::Catalog;

/// plans.toml with lines added to `[policy]`, and with others to each plan that has a price.
pub fn plans_with(policy: &str, plan: &str) -> Catalog {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/plans.toml")).unwrap();
    let text = text.replacen("currency = \"usd\"\n", &format!("currency = \"usd\"\n[policy]\n{policy}\n"), 1);
    plans_toml::parse(&text.replace("\nmonth = ", &format!("\n{plan}\nmonth = "))).unwrap()
}
