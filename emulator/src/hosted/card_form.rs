//! The fields that take a card, wherever a page asks for one, each with its error beside it, and the list of
//! test cards.

use maud::{Markup, html};

use super::entry::{Entry, Errors};
use super::promotion;

pub const EMAIL: Field =
    Field { name: "email", label: "Email", hint: "", autocomplete: "email", mode: "email" };
const NUMBER: Field =
    Field { name: "card_number", label: "Card number", hint: "", autocomplete: "cc-number", mode: "numeric" };
const EXPIRY: Field =
    Field { name: "expiry", label: "Expiry date", hint: "(MM/YY)", autocomplete: "cc-exp", mode: "numeric" };
const CVC: Field =
    Field { name: "cvc", label: "CVC", hint: "(security code)", autocomplete: "cc-csc", mode: "numeric" };
const NAME: Field =
    Field { name: "name", label: "Name on card", hint: "", autocomplete: "cc-name", mode: "text" };

/// A field with its label, and what is wrong with it.
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub autocomplete: &'static str,
    pub mode: &'static str,
}

impl Field {
    pub fn render(&self, value: &str, errors: &Errors) -> Markup {
        let error = errors.get(self.name);
        let first = first_wrong(errors) == Some(self.name);
        let error_id = format!("{}-error", self.name);
        html! {
            div.field {
                label for=(self.name) { (self.label) @if !self.hint.is_empty() { " " span.hint { (self.hint) } } }
                input id=(self.name) name=(self.name) type="text" value=(value) required inputmode=(self.mode)
                    autocomplete=(self.autocomplete) aria-invalid=[error.map(|_| "true")]
                    aria-describedby=[error.map(|_| &error_id)] autofocus[first];
                @if let Some(error) = error { p.error id=(error_id) { (error) } }
            }
        }
    }
}

/// Number, expiry, security code and name, as they were typed; but nobody gets a security code back.
pub fn card_fields(entry: &Entry, errors: &Errors) -> Markup {
    html! {
        (NUMBER.render(&entry.card_number, errors))
        div.pair {
            (EXPIRY.render(&entry.expiry, errors))
            (CVC.render("", errors))
        }
        (NAME.render(&entry.name, errors))
    }
}

/// Where the buyer goes on: the first wrong field, from the top.
fn first_wrong(errors: &Errors) -> Option<&'static str> {
    [promotion::FIELD, "email", "card_number", "expiry", "cvc", "name"]
        .into_iter()
        .find(|name| errors.contains_key(name))
}

/// The cards that one may try.
pub fn test_cards() -> Markup {
    let cards = [
        ("4242 4242 4242 4242", "succeeds"),
        ("5555 5555 5555 4444", "succeeds (Mastercard)"),
        ("3782 822463 10005", "succeeds (American Express, 4-digit CVC)"),
        ("4000 0025 0000 3155", "asks for 3-D Secure"),
        ("4000 0000 0000 0002", "is declined"),
        ("4000 0000 0000 9995", "has insufficient funds"),
        ("4000 0000 0000 0069", "has expired"),
        ("4000 0000 0000 0127", "has a wrong CVC"),
        ("4000 0000 0000 0119", "meets a processing error"),
    ];
    html! {
        div.cards {
            h2 { "Test cards" }
            p { "Any future date, any CVC and any name will do." }
            ul { @for (number, what) in cards { li { code { (number) } " " (what) } } }
        }
    }
}
