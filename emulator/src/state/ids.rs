//! New identifiers in Stripe's style: a prefix that says what it is, then random letters and digits. Nothing
//! may read meaning from what follows the prefix.

use rand::distr::{Alphanumeric, SampleString};

/// A new id, for example `new("cus_")` gives `cus_QXg1o8vcGmoR32`. Lengths are those of Stripe's own ids.
pub fn new(prefix: &str) -> String {
    let length = match prefix {
        "cus_" | "prod_" | "si_" | "req_" => 14,
        "cs_test_" => 58,
        "acct_" => 16,
        "whsec_" => 32,
        _ => 24,
    };
    format!("{prefix}{}", random(length))
}

/// `length` random letters and digits.
pub fn random(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}
