//! Stripe's published test cards: what follows `pm_card_` and `tok_`, the number, and what is special about it.
//! Cards for disputes are not here, as nothing disputes a charge.

use super::Behaviour::{
    Authenticates, AuthenticatesOnSetup, AuthenticatesThenFails, Declines, FailsToCharge, Succeeds,
};
use super::{
    Behaviour, Check, Checks, DECLINED, EXPIRED, FRAUDULENT, INCORRECT_CVC, INSUFFICIENT_FUNDS, LOST,
    PROCESSING_ERROR, STOLEN, TestCard, VELOCITY,
};

/// The first of several with one number is the one that the number stands for. A card without a published token
/// has its number as one, so that it can be told apart.
pub const CARDS: &[TestCard] = &[
    card("visa", "4242424242424242", "visa", Succeeds),
    card("us", "4242424242424242", "visa", Succeeds),
    card("4012888888881881", "4012888888881881", "visa", Succeeds),
    card("visa_debit", "4000056655665556", "visa", Succeeds).funded("debit"),
    card("mastercard", "5555555555554444", "mastercard", Succeeds),
    card("2223003122003222", "2223003122003222", "mastercard", Succeeds),
    card("mastercard_debit", "5200828282828210", "mastercard", Succeeds).funded("debit"),
    card("mastercard_prepaid", "5105105105105100", "mastercard", Succeeds).funded("prepaid"),
    card("amex", "378282246310005", "amex", Succeeds),
    card("amex_threeDSecureNotSupported", "378282246310005", "amex", Succeeds),
    card("371449635398431", "371449635398431", "amex", Succeeds),
    card("discover", "6011111111111117", "discover", Succeeds),
    card("6011000990139424", "6011000990139424", "discover", Succeeds),
    card("6011981111111113", "6011981111111113", "discover", Succeeds).funded("debit"),
    card("diners", "3056930009020004", "diners", Succeeds),
    card("36227206271667", "36227206271667", "diners", Succeeds),
    card("jcb", "3566002020360505", "jcb", Succeeds).of("JP"),
    card("unionpay", "6200000000000005", "unionpay", Succeeds).of("CN"),
    card("6200000000000047", "6200000000000047", "unionpay", Succeeds).of("CN").funded("debit"),
    card("6205500000000000004", "6205500000000000004", "unionpay", Succeeds).of("CN"),
    card("gb_debit", "4000058260000005", "visa", Succeeds).of("GB").funded("debit"),
    // Refused.
    card("visa_chargeDeclined", "4000000000000002", "visa", Declines(DECLINED)),
    card("chargeDeclined", "4000000000000002", "visa", Declines(DECLINED)),
    card("visa_chargeDeclinedInsufficientFunds", "4000000000009995", "visa", Declines(INSUFFICIENT_FUNDS)),
    card("chargeDeclinedInsufficientFunds", "4000000000009995", "visa", Declines(INSUFFICIENT_FUNDS)),
    card("visa_chargeDeclinedLostCard", "4000000000009987", "visa", Declines(LOST)),
    card("visa_chargeDeclinedStolenCard", "4000000000009979", "visa", Declines(STOLEN)),
    card("chargeDeclinedExpiredCard", "4000000000000069", "visa", Declines(EXPIRED)),
    card("chargeDeclinedIncorrectCvc", "4000000000000127", "visa", Declines(INCORRECT_CVC)),
    card("chargeDeclinedProcessingError", "4000000000000119", "visa", Declines(PROCESSING_ERROR)),
    card("visa_chargeDeclinedVelocityLimitExceeded", "4000000000006975", "visa", Declines(VELOCITY)),
    // Paid, and given back later, or not.
    card("pendingRefund", "4000000000007726", "visa", Succeeds),
    card("refundFail", "4000000000005126", "visa", Succeeds),
    card("chargeCustomerFail", "4000000000000341", "visa", FailsToCharge(DECLINED)),
    // Of risk, and with checks that fail.
    card("radarBlock", "4100000000000019", "visa", FailsToCharge(FRAUDULENT)),
    card("chargeDeclinedFraudulent", "4100000000000019", "visa", FailsToCharge(FRAUDULENT)),
    card("riskLevelHighest", "4000000000004954", "visa", FailsToCharge(FRAUDULENT)),
    card("riskLevelElevated", "4000000000009235", "visa", Succeeds),
    card("cvcCheckFail", "4000000000000101", "visa", Succeeds).failing(CVC),
    card("cvcCheckFailElevatedRisk", "4000058400307872", "visa", Succeeds).failing(CVC),
    card("avsZipFail", "4000000000000036", "visa", Succeeds).failing(POSTAL_CODE),
    card("avsZipFailElevatedRisk", "4000058400306072", "visa", Succeeds).failing(POSTAL_CODE),
    card("avsLine1Fail", "4000000000000028", "visa", Succeeds).failing(LINE1),
    card("avsFail", "4000000000000010", "visa", Succeeds).failing(ADDRESS),
    card("avsUnchecked", "4000000000000044", "visa", Succeeds).failing(UNCHECKED),
    // With 3-D Secure.
    card("authenticationRequiredOnSetup", "4000002500003155", "visa", AuthenticatesOnSetup).of("FR"),
    card("authenticationRequired", "4000002760003184", "visa", Authenticates).of("DE"),
    card("authenticationRequiredSetupForOffSession", "4000003800000446", "visa", AuthenticatesOnSetup)
        .of("IT"),
    card(
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        "visa",
        AuthenticatesThenFails(INSUFFICIENT_FUNDS),
    )
    .of("GB"),
    card("threeDSecure2Required", "4000000000003220", "visa", Authenticates),
    card("threeDSecureRequired", "4000000000003063", "visa", Authenticates),
    card("4000008400000027", "4000008400000027", "visa", Authenticates),
    card("threeDSecureRequiredChargeDeclined", "4000008400001629", "visa", AuthenticatesThenFails(DECLINED)),
    card("threeDSecureRequiredProcessingError", "4000008400001280", "visa", Declines(DECLINED)),
    card("threeDSecureOptional", "4000000000003055", "visa", Succeeds),
    card("threeDSecureOptionalProcessingError", "4000000000003097", "visa", Succeeds),
    card("4000000032200000", "4000000032200000", "visa", Succeeds),
    // Of which money comes at once; here all of it does.
    card("bypassPending", "4000000000000077", "visa", Succeeds),
];

/// Visa cards of other countries.
pub const COUNTRIES: &[(&str, &str, &str)] = &[
    ("ar", "4000000320000021", "AR"),
    ("br", "4000000760000002", "BR"),
    ("ca", "4000001240000000", "CA"),
    ("cl", "4000001520000001", "CL"),
    ("co", "4000001700000003", "CO"),
    ("cr", "4000001880000005", "CR"),
    ("ec", "4000002180000000", "EC"),
    ("mx", "4000004840008001", "MX"),
    ("pa", "4000005910000000", "PA"),
    ("py", "4000006000000066", "PY"),
    ("pe", "4000006040000068", "PE"),
    ("uy", "4000008580000003", "UY"),
    ("ae", "4000007840000001", "AE"),
    ("at", "4000000400000008", "AT"),
    ("be", "4000000560000004", "BE"),
    ("bg", "4000001000000000", "BG"),
    ("by", "4000001120000005", "BY"),
    ("hr", "4000001910000009", "HR"),
    ("cy", "4000001960000008", "CY"),
    ("cz", "4000002030000002", "CZ"),
    ("dk", "4000002080000001", "DK"),
    ("ee", "4000002330000009", "EE"),
    ("fi", "4000002460000001", "FI"),
    ("fr", "4000002500000003", "FR"),
    ("de", "4000002760000016", "DE"),
    ("gi", "4000002920000005", "GI"),
    ("gr", "4000003000000030", "GR"),
    ("hu", "4000003480000005", "HU"),
    ("ie", "4000003720000005", "IE"),
    ("it", "4000003800000008", "IT"),
    ("lv", "4000004280000005", "LV"),
    ("li", "4000004380000004", "LI"),
    ("lt", "4000004400000000", "LT"),
    ("lu", "4000004420000006", "LU"),
    ("mt", "4000004700000007", "MT"),
    ("nl", "4000005280000002", "NL"),
    ("no", "4000005780000007", "NO"),
    ("pl", "4000006160000005", "PL"),
    ("pt", "4000006200000007", "PT"),
    ("ro", "4000006420000001", "RO"),
    ("sa", "4000006820000007", "SA"),
    ("si", "4000007050000006", "SI"),
    ("sk", "4000007030000001", "SK"),
    ("es", "4000007240000007", "ES"),
    ("se", "4000007520000008", "SE"),
    ("ch", "4000007560000009", "CH"),
    ("gb", "4000008260000000", "GB"),
    ("au", "4000000360000006", "AU"),
    ("cn", "4000001560000002", "CN"),
    ("hk", "4000003440000004", "HK"),
    ("in", "4000003560000008", "IN"),
    ("jp", "4000003920000003", "JP"),
    ("my", "4000004580000002", "MY"),
    ("nz", "4000005540000008", "NZ"),
    ("sg", "4000007020000003", "SG"),
    ("tw", "4000001580000008", "TW"),
    ("th_credit", "4000007640000003", "TH"),
];

const CVC: Checks = Checks { cvc: Check::Fail, ..PASSED };
const POSTAL_CODE: Checks = Checks { postal_code: Check::Fail, ..PASSED };
const LINE1: Checks = Checks { line1: Check::Fail, ..PASSED };
const ADDRESS: Checks = Checks { postal_code: Check::Fail, ..LINE1 };
const UNCHECKED: Checks = Checks { line1: Check::Unavailable, postal_code: Check::Unavailable, ..PASSED };
const PASSED: Checks = Checks { line1: Check::Pass, postal_code: Check::Pass, cvc: Check::Pass };

pub const fn card(
    token: &'static str,
    number: &'static str,
    brand: &'static str,
    behaviour: Behaviour,
) -> TestCard {
    TestCard { token, number, brand, country: "US", funding: "credit", behaviour, checks: PASSED }
}

impl TestCard {
    const fn of(self, country: &'static str) -> TestCard {
        TestCard { country, ..self }
    }

    const fn funded(self, funding: &'static str) -> TestCard {
        TestCard { funding, ..self }
    }

    const fn failing(self, checks: Checks) -> TestCard {
        TestCard { checks, ..self }
    }
}
