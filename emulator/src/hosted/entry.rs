//! What the buyer typed into the checkout form, and what is wrong with it, in Stripe's words.

use std::collections::BTreeMap;

use crate::billing::cards::{Decline, TestCard, passes_luhn};
use crate::billing::checkout::Buyer;
use crate::billing::payment_method::CardDetails;
use crate::form::{self, Node};

/// The form's text, as typed.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub email: String,
    pub card_number: String,
    pub expiry: String,
    pub cvc: String,
    pub name: String,
    /// A card that they have, in place of one that is typed.
    pub payment_method: Option<String>,
}

/// A message for each field that needs one, by the field's name.
pub type Errors = BTreeMap<&'static str, String>;

/// Which fields the page has.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub email: bool,
    pub card: bool,
}

impl Entry {
    pub fn read(body: &[u8]) -> Entry {
        let mut entry = Entry::default();
        for (name, node) in form::parse(body).unwrap_or_default() {
            let Node::Text(text) = node else { continue };
            let text = text.trim().to_owned();
            match name.as_str() {
                "email" => entry.email = text,
                "card_number" => entry.card_number = text,
                "expiry" => entry.expiry = text,
                "cvc" => entry.cvc = text,
                "name" => entry.name = text,
                "payment_method" => entry.payment_method = Some(text),
                _ => {}
            }
        }
        entry
    }

    /// The buyer, or what is wrong. `now` decides which cards have expired.
    pub fn check(&self, asked: Asked, now: i64) -> Result<Buyer, Errors> {
        let mut errors = Errors::new();
        let email = asked.email.then(|| self.email.clone());
        if email.as_ref().is_some_and(|email| !email.contains('@')) {
            errors.insert("email", "Your email is incomplete.".to_owned());
        }
        let card = asked.card.then(|| self.check_card(now, &mut errors)).flatten();
        if errors.is_empty() { Ok(Buyer { email, card, saved: None }) } else { Err(errors) }
    }

    fn check_card(&self, now: i64, errors: &mut Errors) -> Option<CardDetails> {
        let number: String = self.card_number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let number_error = number_error(&number);
        let expiry = parse_expiry(&self.expiry);
        let expiry_error = expiry_error(expiry, now);
        let cvc_error = cvc_error(&self.cvc, &number);
        let name_error = self.name.is_empty().then_some("Enter the name on your card.");
        let found = [
            ("card_number", number_error),
            ("expiry", expiry_error),
            ("cvc", cvc_error),
            ("name", name_error),
        ];
        for (field, error) in found {
            if let Some(error) = error {
                errors.insert(field, error.to_owned());
            }
        }
        let (exp_month, exp_year) = expiry?;
        Some(CardDetails { number, exp_month, exp_year, name: Some(self.name.clone()), email: None })
    }
}

/// Beside which field a refusal is shown.
pub fn error_of(decline: Decline) -> Errors {
    let field = match decline.code {
        "expired_card" => "expiry",
        "incorrect_cvc" => "cvc",
        _ => "card_number",
    };
    Errors::from([(field, decline.message.to_owned())])
}

fn number_error(number: &str) -> Option<&'static str> {
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some("Your card number is invalid.");
    }
    let complete = TestCard::digits(number);
    match number.len() {
        length if length < complete => Some("Your card number is incomplete."),
        length if length > 19 || !passes_luhn(number) => Some("Your card number is invalid."),
        _ => None,
    }
}

/// `MM/YY`, `MM / YY`, `MMYY` or `MM/YYYY`, as month and four-digit year.
fn parse_expiry(text: &str) -> Option<(i64, i64)> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (month, year) = match text.split_once('/') {
        Some(parts) => parts,
        None => text.split_at_checked(2)?,
    };
    let (month, year): (i64, i64) = match (month.parse(), year.len(), year.parse::<i64>()) {
        (Ok(month), 2, Ok(year)) => (month, 2000 + year),
        (Ok(month), 4, Ok(year)) => (month, year),
        _ => return None,
    };
    (1..=12).contains(&month).then_some((month, year))
}

fn expiry_error(expiry: Option<(i64, i64)>, now: i64) -> Option<&'static str> {
    let Some((month, year)) = expiry else {
        return Some("Your card's expiration date is incomplete.");
    };
    let today = time::OffsetDateTime::from_unix_timestamp(now).ok()?;
    let (this_year, this_month) = (i64::from(today.year()), i64::from(u8::from(today.month())));
    match () {
        () if year < this_year => Some("Your card's expiration year is in the past."),
        () if year == this_year && month < this_month => Some("Your card's expiration date is in the past."),
        () if year > this_year + 50 => Some("Your card's expiration year is invalid."),
        () => None,
    }
}

fn cvc_error(cvc: &str, number: &str) -> Option<&'static str> {
    let right = cvc.len() == TestCard::cvc_length(number) && cvc.bytes().all(|byte| byte.is_ascii_digit());
    (!right).then_some("Your card's security code is incomplete.")
}

#[cfg(test)]
mod tests {
    use super::{Asked, Entry, parse_expiry};

    /// 15 June 2027.
    const NOW: i64 = 1_813_017_600;

    fn entry(card_number: &str, expiry: &str, cvc: &str) -> Entry {
        let text = str::to_owned;
        Entry {
            email: String::new(),
            card_number: text(card_number),
            expiry: text(expiry),
            cvc: text(cvc),
            name: text("A"),
            payment_method: None,
        }
    }

    fn errors(entry: &Entry) -> Vec<&'static str> {
        let asked = Asked { email: false, card: true };
        entry.check(asked, NOW).err().map(|errors| errors.into_keys().collect()).unwrap_or_default()
    }

    #[test]
    fn a_good_card_passes_however_it_is_typed() {
        assert!(errors(&entry("4242 4242-4242 4242", "12 / 30", "123")).is_empty());
        assert!(errors(&entry("378282246310005", "0627", "1234")).is_empty());
    }

    #[test]
    fn each_field_has_its_own_error() {
        assert_eq!(errors(&entry("4242424242424241", "12/30", "123")), ["card_number"]);
        assert_eq!(errors(&entry("4242", "05/27", "12")), ["card_number", "cvc", "expiry"]);
        assert_eq!(errors(&entry("378282246310005", "13/30", "123")), ["cvc", "expiry"]);
        assert_eq!(errors(&entry("４２", "12/30", "123")), ["card_number"]);
    }

    #[test]
    fn years_have_two_or_four_digits() {
        assert_eq!(parse_expiry("1/2031"), Some((1, 2031)));
        assert_eq!(parse_expiry("1"), None);
        assert_eq!(parse_expiry("12/3"), None);
    }
}
