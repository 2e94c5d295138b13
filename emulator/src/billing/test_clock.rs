//! What a test clock does to the customers that are on it: it lets their time pass, and takes them along when it
//! is deleted.

use serde_json::{Value, json};

use super::change::items_of;
use super::due::{self, Done};
use super::subscription::has_ended;
use super::{customer, period};
use crate::state::{Key, Kind, Tx, number, text};

/// How long Stripe keeps a test clock.
pub const LIFE: i64 = 30 * 86_400;
/// How many customers one may have.
const CUSTOMERS: usize = 3;

/// Lets happen what is due until the time to which a clock advances. The clock is ready when all has happened.
pub fn go_on(tx: &mut Tx, mut clock: Value) {
    let id = text(&clock, "id").to_owned();
    let target = number(&clock["status_details"]["advancing"], "target_frozen_time");
    while due::run_until(tx, &id, target) == Done::Some {}
    tx.set_time(Some(target));
    clock["frozen_time"] = json!(target);
    clock["status"] = json!("ready");
    clock["status_details"] = json!({});
    tx.put(Kind::TestClock, clock.clone());
    tx.emit("test_helpers.test_clock.ready", &clock);
}

/// The latest time to which a clock may advance.
pub fn furthest(tx: &Tx, clock: &str, from: i64) -> i64 {
    let two_years = period::after(from, "year", 2, 1);
    let live =
        customers(tx, clock).into_iter().flat_map(|it| tx.of_customer(Kind::Subscription, text(&it, "id")));
    let live = live.filter(|it| !has_ended(it));
    let items = live.flat_map(|it| items_of(&it));
    let ends = items.map(|item| {
        let recurring = &item["price"]["recurring"];
        period::after(from, text(recurring, "interval"), number(recurring, "interval_count").max(1), 2)
    });
    ends.min().unwrap_or(two_years)
}

/// Whether another customer may be put on it.
pub fn has_room(tx: &Tx, clock: &str) -> bool {
    customers(tx, clock).len() < CUSTOMERS
}

/// Deletes a clock, its customers, and what they subscribe to.
pub fn delete(tx: &mut Tx, clock: &Value) {
    let id = text(clock, "id").to_owned();
    for one in customers(tx, &id) {
        customer::delete(tx, &one);
    }
    tx.remove(Kind::TestClock, &id);
    tx.emit("test_helpers.test_clock.deleted", clock);
}

fn customers(tx: &Tx, clock: &str) -> Vec<Value> {
    let all = tx.store().collection(Kind::Customer);
    all.map(|all| all.by_key(Key::TestClock, clock).map(|record| record.value().into_owned()).collect())
        .unwrap_or_default()
}
