"""Errors arrive as the classes that Stripe's library has for them; retries and idempotency make one object."""

import stripe
from emulator import EmulatorTest


class Errors(EmulatorTest):
    def fails(self, kind, ask):
        with self.assertRaises(kind) as caught:
            ask()
        return caught.exception

    def test_what_is_not_there_and_what_is_not_known(self):
        error = self.fails(stripe.InvalidRequestError, lambda: self.stripe.customers.retrieve("cus_none"))
        self.assertEqual((error.http_status, error.code, error.param), (404, "resource_missing", "id"))
        self.assertTrue(error.request_id.startswith("req_"))
        error = self.fails(stripe.InvalidRequestError, lambda: self.stripe.customers.create({"nonsense": "1"}))
        self.assertEqual((error.http_status, error.code, error.param), (400, "parameter_unknown", "nonsense"))

    def test_a_card_that_is_declined(self):
        fields = {"customer": self.stripe.customers.create().id}
        ask = lambda: self.stripe.payment_methods.attach("pm_card_chargeDeclinedExpiredCard", fields)
        error = self.fails(stripe.CardError, ask)
        self.assertEqual((error.http_status, error.code), (402, "expired_card"))
        self.assertEqual(error.error.decline_code, "expired_card")

    def test_a_key_that_is_wrong(self):
        wrong = self.client("sk_test_abcdefghijkl")
        self.assertEqual(self.fails(stripe.AuthenticationError, wrong.customers.list).http_status, 401)

    def test_a_limit_that_is_passed(self):
        fault = {"path": "/v1/customers", "status": 429, "code": "rate_limit", "times": 1}
        self.control("faults", fault)
        self.assertEqual(self.fails(stripe.RateLimitError, self.stripe.customers.list).error.code, "rate_limit")

    def test_what_is_tried_again_makes_one_customer(self):
        patient = self.client(max_network_retries=2)
        for index, fault in enumerate([{"status": 500}, {"cut": "before"}, {"cut": "after"}]):
            email = f"retry{index}@example.com"
            before = self.asked("POST", "/v1/customers")
            self.control("faults", {"path": "/v1/customers", "method": "POST", "times": 1, **fault})
            self.assertEqual(patient.customers.create({"email": email}).email, email)
            self.assertEqual(self.asked("POST", "/v1/customers") - before, 2, fault)
            self.assertEqual(len(patient.customers.list({"email": email}).data), 1, fault)

    def test_the_same_key_gives_the_same_answer(self):
        options = {"idempotency_key": "order-1"}
        once = lambda email: self.stripe.customers.create({"email": email}, options)
        first, second = once("once@example.com"), once("once@example.com")
        self.assertEqual(first.id, second.id)
        self.assertEqual(second.last_response.headers["idempotent-replayed"], "true")
        error = self.fails(stripe.IdempotencyError, lambda: once("twice@example.com"))
        self.assertEqual(error.http_status, 400)
