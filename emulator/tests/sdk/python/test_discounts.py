"""Coupons and promotion codes, refunds, and the customer portal."""

import urllib.request

from stripe import InvalidRequestError

from emulator import EmulatorTest


class Discounts(EmulatorTest):
    def subscribe(self, **more):
        terms = {"customer": self.customer().id, "items": [{"price": self.price().id}]}
        return self.stripe.subscriptions.create({**terms, "expand": ["latest_invoice", "discounts"], **more})

    def test_a_code_takes_its_part_and_counts_up(self):
        coupon = self.stripe.coupons.create({"percent_off": 25, "duration": "forever"})
        code = self.stripe.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SPRING"})
        made = self.subscribe(discounts=[{"promotion_code": code.id}])
        self.assertEqual((made.latest_invoice.subtotal, made.latest_invoice.total), (1200, 900))
        self.assertEqual(made.discounts[0].promotion_code, code.id)
        self.assertEqual(self.stripe.promotion_codes.retrieve(code.id).times_redeemed, 1)
        self.assertEqual(self.stripe.coupons.delete(coupon.id).deleted, True)

    def test_a_coupon_that_is_not_there_is_refused(self):
        with self.assertRaises(InvalidRequestError) as refused:
            self.subscribe(discounts=[{"coupon": "NONE"}])
        self.assertEqual((refused.exception.code, refused.exception.http_status), ("resource_missing", 400))

    def test_no_more_is_given_back_than_was_paid(self):
        made = self.subscribe()
        charge = self.stripe.charges.list({"customer": made.customer}).data[0]
        refund = self.stripe.refunds.create({"charge": charge.id, "amount": 500})
        self.assertEqual((refund.status, self.stripe.charges.retrieve(charge.id).amount_refunded), ("succeeded", 500))
        with self.assertRaises(InvalidRequestError):
            self.stripe.refunds.create({"charge": charge.id, "amount": 800})

    def test_the_portal_opens_for_its_customer(self):
        made = self.subscribe()
        session = self.stripe.billing_portal.sessions.create({"customer": made.customer, "return_url": "http://shop.test/"})
        with urllib.request.urlopen(session.url) as page:
            self.assertIn("http://shop.test/", page.read().decode())
        self.assertTrue(self.stripe.billing_portal.configurations.list().data[0].is_default)
