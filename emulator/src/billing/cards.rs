//! What each of Stripe's published test cards does when it is charged, and in which words it is refused; the cards
//! themselves are in `table`. A number that is not there is refused as Stripe refuses a real card in test mode.
//!
//! Not sure: what a postal code or a line of the address that fails its check comes to. Here it shows in `checks`
//! and the payment goes through, as Stripe's older documents say of an account with default settings; a security
//! code that fails is a decline, by the same documents. A card of the highest risk is blocked like one that is
//! always blocked, as Radar does unless somebody turns its rule off; blocked cards can be attached. The card whose
//! 3-D Secure lookup fails is declined at once.

mod table;

use self::table::{CARDS, COUNTRIES};

use super::refund::Outcome;

/// What happens when the card is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Succeeds,
    /// Refused at once; cannot be attached to a customer.
    Declines(Decline),
    /// Can be attached, but every charge fails.
    FailsToCharge(Decline),
    /// Succeeds once its owner has passed a 3-D Secure challenge.
    Authenticates,
    /// The same for the first payment; the later ones succeed while its owner is away.
    AuthenticatesOnSetup,
    /// Asks for the challenge, and is then refused. Can be set up and attached.
    AuthenticatesThenFails(Decline),
}

impl Behaviour {
    /// Whether the card's owner is asked when the card is set up.
    pub fn asks_owner(self) -> bool {
        use Behaviour::{Authenticates, AuthenticatesOnSetup, AuthenticatesThenFails};
        matches!(self, Authenticates | AuthenticatesOnSetup | AuthenticatesThenFails(_))
    }
}

/// Which of the checks that a bank makes a card fails, if what they check is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// Of `address_line1_check`, `address_postal_code_check`.
    pub line1: Check,
    pub postal_code: Check,
    pub cvc: Check,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    #[default]
    Pass,
    Fail,
    Unavailable,
}

impl Check {
    /// Stripe's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Check::Pass => "pass",
            Check::Fail => "fail",
            Check::Unavailable => "unavailable",
        }
    }
}

/// A refusal in Stripe's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decline {
    pub code: &'static str,
    pub decline_code: Option<&'static str>,
    pub message: &'static str,
}

impl Decline {
    /// The word that says most about it, for the address of a page.
    pub fn word(self) -> &'static str {
        let is_of_owner = self.code.ends_with("authentication_failure");
        if is_of_owner { "authentication" } else { self.decline_code.unwrap_or(self.code) }
    }

    /// The refusal that a page's address names.
    pub fn by_word(word: &str) -> Option<Decline> {
        let all = ORDINARY.iter().chain([&NOT_AUTHENTICATED]);
        all.copied().find(|decline| decline.word() == word)
    }

    /// The words of those that a bank or Stripe says without a challenge.
    pub fn words() -> Vec<&'static str> {
        ORDINARY.iter().map(|decline| decline.word()).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestCard {
    /// What follows `pm_card_` and `tok_`.
    pub token: &'static str,
    pub number: &'static str,
    pub brand: &'static str,
    /// Two capital letters.
    pub country: &'static str,
    /// `credit`, `debit` or `prepaid`.
    pub funding: &'static str,
    pub behaviour: Behaviour,
    pub checks: Checks,
}

impl TestCard {
    /// Four digits on an American Express card, three on all others.
    pub fn cvc_length(number: &str) -> usize {
        if is_amex(number) { 4 } else { 3 }
    }

    /// The least digits that a number has: fifteen on an American Express card, fourteen on one of Diners Club's
    /// that begins with 36, sixteen on all others.
    pub fn digits(number: &str) -> usize {
        match number {
            number if is_amex(number) => 15,
            number if number.starts_with("36") => 14,
            _ => 16,
        }
    }

    pub fn by_number(number: &str) -> Option<TestCard> {
        CARDS.iter().find(|card| card.number == number).copied().or_else(|| of_country(|_, it| it == number))
    }

    /// What becomes of money that is given back to it.
    pub fn refund_outcome(&self) -> Outcome {
        match self.token {
            "pendingRefund" => Outcome::SucceedsLater,
            "refundFail" => Outcome::FailsLater,
            _ => Outcome::Succeeds,
        }
    }

    /// The card of `pm_card_visa` or `tok_visa`.
    pub fn by_token(token: &str) -> Option<TestCard> {
        let name = token.strip_prefix("pm_card_").or_else(|| token.strip_prefix("tok_"))?;
        CARDS.iter().find(|card| card.token == name).copied().or_else(|| of_country(|known, _| known == name))
    }
}

/// A card of another country: a Visa that succeeds.
fn of_country(is_it: impl Fn(&str, &str) -> bool) -> Option<TestCard> {
    let (token, number, country) =
        COUNTRIES.iter().copied().find(|(token, number, _)| is_it(token, number))?;
    Some(TestCard { country, ..table::card(token, number, "visa", Behaviour::Succeeds) })
}

/// The answer to a card number that is valid but no test card.
pub const NOT_A_TEST_CARD: Decline = Decline {
    code: "card_declined",
    decline_code: Some("test_mode_live_card"),
    message: "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid \
              test cards, visit: https://stripe.com/docs/testing.",
};

/// The answer when the owner fails the 3-D Secure challenge.
pub const NOT_AUTHENTICATED: Decline = Decline {
    code: "payment_intent_authentication_failure",
    decline_code: None,
    message: "We are unable to authenticate your payment method. Please choose a different payment method and try \
              again.",
};

/// The answer when a card wants its owner, who is away.
pub const AUTHENTICATION_REQUIRED: Decline = Decline {
    code: "authentication_required",
    decline_code: Some("authentication_required"),
    message: "Your card was declined. This transaction requires authentication.",
};

/// The answer when a card wants its owner, and the request says that nobody can ask them.
pub const NOT_HANDLED: Decline = Decline {
    code: "authentication_required",
    decline_code: Some("authentication_not_handled"),
    message: "This payment required an authentication action to complete, but `error_on_requires_action` was set. When \
              you're ready, you can upgrade your integration to handle actions at \
              https://stripe.com/docs/payments/payment-intents/upgrade-to-handle-actions.",
};

const DECLINED: Decline = Decline {
    code: "card_declined",
    decline_code: Some("generic_decline"),
    message: "Your card was declined.",
};
const INSUFFICIENT_FUNDS: Decline = Decline {
    code: "card_declined",
    decline_code: Some("insufficient_funds"),
    message: "Your card has insufficient funds.",
};
const ORDINARY: &[Decline] = &[
    DECLINED,
    INSUFFICIENT_FUNDS,
    LOST,
    STOLEN,
    FRAUDULENT,
    VELOCITY,
    EXPIRED,
    INCORRECT_CVC,
    PROCESSING_ERROR,
];
const LOST: Decline = Decline { decline_code: Some("lost_card"), ..DECLINED };
const STOLEN: Decline = Decline { decline_code: Some("stolen_card"), ..DECLINED };
const FRAUDULENT: Decline = Decline { decline_code: Some("fraudulent"), ..DECLINED };
const VELOCITY: Decline = Decline {
    code: "card_declined",
    decline_code: Some("card_velocity_exceeded"),
    message: "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
};
const EXPIRED: Decline =
    Decline { code: "expired_card", decline_code: Some("expired_card"), message: "Your card has expired." };
/// The answer to a security code that the bank does not know.
pub const INCORRECT_CVC: Decline = Decline {
    code: "incorrect_cvc",
    decline_code: Some("incorrect_cvc"),
    message: "Your card's security code is incorrect.",
};
const PROCESSING_ERROR: Decline = Decline {
    code: "processing_error",
    decline_code: Some("processing_error"),
    message: "An error occurred while processing your card. Try again in a little bit.",
};

/// Whether the digits pass the check that every card number passes.
pub fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, byte)| {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            let doubled = if i % 2 == 1 { digit * 2 } else { digit };
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether the number begins as American Express numbers do.
fn is_amex(number: &str) -> bool {
    number.starts_with("34") || number.starts_with("37")
}

#[cfg(test)]
mod tests {
    use super::{CARDS, COUNTRIES, TestCard, passes_luhn};

    #[test]
    fn every_test_card_passes_the_check_and_a_typo_does_not() {
        let of_countries = COUNTRIES.iter().map(|(token, number, _)| (*token, *number));
        for (token, number) in CARDS.iter().map(|card| (card.token, card.number)).chain(of_countries) {
            assert!(passes_luhn(number), "{token} {number}");
            assert_eq!(TestCard::by_token(&format!("pm_card_{token}")).map(|card| card.number), Some(number));
        }
        assert!(!passes_luhn("4242424242424241"));
    }
}
