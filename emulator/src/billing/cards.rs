//! Stripe's published test cards, and what each does when it is charged. A number that is not here is refused
//! as Stripe refuses a real card in test mode.

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
}

/// A refusal in Stripe's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decline {
    pub code: &'static str,
    pub decline_code: Option<&'static str>,
    pub message: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
pub struct TestCard {
    /// What follows `pm_card_` and `tok_`.
    pub token: &'static str,
    pub number: &'static str,
    pub brand: &'static str,
    pub behaviour: Behaviour,
}

impl TestCard {
    /// Four digits on an American Express card, three on all others.
    pub fn cvc_length(number: &str) -> usize {
        if is_amex(number) { 4 } else { 3 }
    }

    /// Fifteen digits on an American Express card, sixteen on all others.
    pub fn digits(number: &str) -> usize {
        if is_amex(number) { 15 } else { 16 }
    }

    pub fn by_number(number: &str) -> Option<&'static TestCard> {
        CARDS.iter().find(|card| card.number == number)
    }

    /// The card of `pm_card_visa` or `tok_visa`.
    pub fn by_token(token: &str) -> Option<&'static TestCard> {
        let name = token.strip_prefix("pm_card_").or_else(|| token.strip_prefix("tok_"))?;
        CARDS.iter().find(|card| card.token == name)
    }
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
const EXPIRED: Decline =
    Decline { code: "expired_card", decline_code: Some("expired_card"), message: "Your card has expired." };
const INCORRECT_CVC: Decline = Decline {
    code: "incorrect_cvc",
    decline_code: Some("incorrect_cvc"),
    message: "Your card's security code is incorrect.",
};
const PROCESSING_ERROR: Decline = Decline {
    code: "processing_error",
    decline_code: Some("processing_error"),
    message: "An error occurred while processing your card. Try again in a little bit.",
};

const CARDS: &[TestCard] = &[
    card("visa", "4242424242424242", "visa", Behaviour::Succeeds),
    card("mastercard", "5555555555554444", "mastercard", Behaviour::Succeeds),
    card("amex", "378282246310005", "amex", Behaviour::Succeeds),
    card("visa_chargeDeclined", "4000000000000002", "visa", Behaviour::Declines(DECLINED)),
    card(
        "visa_chargeDeclinedInsufficientFunds",
        "4000000000009995",
        "visa",
        Behaviour::Declines(INSUFFICIENT_FUNDS),
    ),
    card("chargeDeclinedExpiredCard", "4000000000000069", "visa", Behaviour::Declines(EXPIRED)),
    card("chargeDeclinedIncorrectCvc", "4000000000000127", "visa", Behaviour::Declines(INCORRECT_CVC)),
    card("chargeDeclinedProcessingError", "4000000000000119", "visa", Behaviour::Declines(PROCESSING_ERROR)),
    card("chargeCustomerFail", "4000000000000341", "visa", Behaviour::FailsToCharge(DECLINED)),
    card("authenticationRequiredOnSetup", "4000002500003155", "visa", Behaviour::AuthenticatesOnSetup),
    card("authenticationRequired", "4000002760003184", "visa", Behaviour::Authenticates),
    card("threeDSecure2Required", "4000000000003220", "visa", Behaviour::Authenticates),
];

const fn card(
    token: &'static str,
    number: &'static str,
    brand: &'static str,
    behaviour: Behaviour,
) -> TestCard {
    TestCard { token, number, brand, behaviour }
}

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
    use super::{CARDS, passes_luhn};

    #[test]
    fn every_test_card_passes_the_check_and_a_typo_does_not() {
        assert!(CARDS.iter().all(|card| passes_luhn(card.number)));
        assert!(!passes_luhn("4242424242424241"));
    }
}
