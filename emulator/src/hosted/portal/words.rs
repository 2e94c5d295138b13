//! How the portal's pages say things: prices, cards, how a subscription stands. Text only.

use serde_json::Value;

use crate::billing::money;
use crate::billing::subscription::{period_ends, product_name};
use crate::hosted::layout;
use crate::state::{Tx, number, text};

/// `$12.00 per month`.
pub fn price(price: &Value) -> String {
    let recurring = &price["recurring"];
    let per = money::per(text(recurring, "interval"), number(recurring, "interval_count"));
    format!("{} per {per}", money::format(number(price, "unit_amount"), text(price, "currency")))
}

/// `Pro, $12.00 per month`, or `2 × Pro, $12.00 per month`.
pub fn plan(tx: &Tx, of: &Value, quantity: i64) -> String {
    let times = if quantity == 1 { String::new() } else { format!("{quantity} × ") };
    format!("{times}{}, {}", product_name(tx, of), price(of))
}

/// `Visa ending in 4242`.
pub fn card(method: &Value) -> String {
    let card = &method["card"];
    let brand = match text(card, "brand") {
        "amex" => "American Express",
        "mastercard" => "Mastercard",
        "visa" => "Visa",
        other => other,
    };
    format!("{brand} ending in {}", text(card, "last4"))
}

/// One word for the status, and a sentence about what comes next.
pub fn standing(subscription: &Value) -> (&'static str, String) {
    let (end, _) = period_ends(subscription);
    let ends = subscription["cancel_at"].as_i64().map(|at| format!("Ends on {}.", layout::date(at)));
    match text(subscription, "status") {
        "trialing" => {
            let until =
                format!("Free until {}, then it is paid.", layout::date(number(subscription, "trial_end")));
            ("Trial", ends.unwrap_or(until))
        }
        "past_due" => {
            ("Past due", ends.unwrap_or_else(|| "A payment is late. Pay the open invoice.".to_owned()))
        }
        "unpaid" => ("Unpaid", "Pay the open invoices to go on.".to_owned()),
        "paused" => ("Paused", "Its trial ended without a card.".to_owned()),
        "incomplete" => ("Incomplete", "Its first payment is still to be made.".to_owned()),
        _ if ends.is_some() => ("Canceled", ends.unwrap_or_default()),
        _ => ("Active", format!("Renews on {}.", layout::date(end))),
    }
}

/// What a notice in the address of the first page says.
pub fn notice(name: &str) -> Option<&'static str> {
    Some(match name {
        "canceled" => "Your plan has been canceled.",
        "renewed" => "Your plan goes on.",
        "scheduled" => "Your plan will be changed when the period ends.",
        "kept" => "You keep your plan.",
        "updated" => "Your plan has been changed.",
        "card_added" => "Your card has been added.",
        "card_removed" => "Your card has been removed.",
        "card_chosen" => "Your plan is charged to this card from now on.",
        "default_changed" => "Your default card has been changed.",
        "details_changed" => "Your billing information has been changed.",
        _ => return None,
    })
}
