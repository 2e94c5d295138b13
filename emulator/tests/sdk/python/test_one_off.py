"""Payments that are made once: an intent's way to the money, and what it refuses."""

import stripe
from emulator import EmulatorTest

CARDS_ONLY = {"enabled": True, "allow_redirects": "never"}


class OneOff(EmulatorTest):
    def intent(self, **fields):
        usd = {"amount": 2000, "currency": "usd", "automatic_payment_methods": CARDS_ONLY}
        return self.stripe.payment_intents.create({**usd, **fields})

    def test_an_amount_is_held_and_captured(self):
        held = self.intent(payment_method="pm_card_visa", confirm=True, capture_method="manual")
        self.assertEqual((held.status, held.amount_capturable), ("requires_capture", 2000))
        paid = self.stripe.payment_intents.capture(held.id, {"amount_to_capture": 1500})
        self.assertEqual((paid.status, paid.amount_received), ("succeeded", 1500))

    def test_a_refused_card_is_a_card_error(self):
        with self.assertRaises(stripe.CardError) as raised:
            self.intent(payment_method="pm_card_visa_chargeDeclined", confirm=True)
        self.assertEqual(raised.exception.code, "card_declined")
        self.assertEqual(raised.exception.error.payment_intent.status, "requires_payment_method")
