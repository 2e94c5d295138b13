"""Time on a test clock: a year of renewals, a card that fails, a trial's end; changes in the middle of a period."""

import time

from stripe import CardError, InvalidRequestError

from emulator import EmulatorTest

START = 1_896_084_000  # 31 January 2030
DAY = 86_400


class Time(EmulatorTest):
    def subscribed(self, card="pm_card_visa", **more):
        """A clock, and a subscription on it."""
        clock = self.stripe.test_helpers.test_clocks.create({"frozen_time": START})
        customer = self.stripe.customers.create({"test_clock": clock.id})
        method = self.stripe.payment_methods.attach(card, {"customer": customer.id})
        terms = {"customer": customer.id, "items": [{"price": self.price().id}], "default_payment_method": method.id}
        return clock, self.stripe.subscriptions.create({**terms, **more})

    def advance(self, clock, to):
        self.assertEqual(self.stripe.test_helpers.test_clocks.advance(clock.id, {"frozen_time": to}).status, "advancing")
        while self.stripe.test_helpers.test_clocks.retrieve(clock.id).status != "ready":
            time.sleep(0.01)

    def invoices(self, subscription):
        listed = self.stripe.invoices.list({"subscription": subscription.id, "limit": 100})
        return list(listed.auto_paging_iter())

    def test_a_year_of_months_ends_on_the_days_of_the_calendar(self):
        clock, made = self.subscribed()
        for _ in range(12):
            now = self.stripe.subscriptions.retrieve(made.id)
            self.advance(clock, now["items"].data[0].current_period_end + 7200)
        invoices = self.invoices(made)
        self.assertEqual([(one.status, one.amount_paid) for one in invoices], [("paid", 1200)] * 13)
        days = [time.gmtime(one.lines.data[0].period.start).tm_mday for one in reversed(invoices)]
        self.assertEqual(days, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31])

    def test_a_card_that_fails_is_tried_again_until_it_is_over(self):
        clock, made = self.subscribed()
        bad = self.stripe.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": made.customer})
        self.stripe.subscriptions.update(made.id, {"default_payment_method": bad.id})
        self.advance(clock, made["items"].data[0].current_period_end + 7200)
        self.assertEqual(self.stripe.subscriptions.retrieve(made.id).status, "past_due")
        late = self.invoices(made)[0]
        with self.assertRaises(CardError) as refused:
            self.stripe.invoices.pay(late.id)
        self.assertEqual((refused.exception.code, refused.exception.http_status), ("card_declined", 402))
        self.advance(clock, late.next_payment_attempt + 20 * DAY)
        ended = self.stripe.subscriptions.retrieve(made.id)
        self.assertEqual((ended.status, ended.cancellation_details.reason), ("canceled", "payment_failed"))

    def test_a_trial_becomes_what_is_paid_for(self):
        clock, made = self.subscribed(trial_period_days=14)
        self.advance(clock, made.trial_end + 7200)
        self.assertEqual(self.stripe.subscriptions.retrieve(made.id).status, "active")
        self.assertEqual([one.amount_paid for one in self.invoices(made)], [1200, 0])

    def test_a_clock_goes_forward_only(self):
        clock, _ = self.subscribed()
        with self.assertRaises(InvalidRequestError) as refused:
            self.stripe.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START - 1})
        self.assertEqual(refused.exception.param, "frozen_time")

    def test_a_downgrade_waits_for_the_end_of_the_period(self):
        clock, made = self.subscribed()
        cheap = self.price(unit_amount=500)
        schedule = self.stripe.subscription_schedules.create({"from_subscription": made.id})
        phase = schedule.phases[0]
        phases = [
            {"items": [{"price": phase["items"][0].price, "quantity": 1}], "start_date": phase.start_date, "end_date": phase.end_date},
            {"items": [{"price": cheap.id, "quantity": 1}], "duration": {"interval": "month", "interval_count": 1}},
        ]
        self.stripe.subscription_schedules.update(schedule.id, {"phases": phases, "end_behavior": "release"})
        with self.assertRaises(InvalidRequestError):
            self.stripe.subscriptions.update(made.id, {"cancel_at_period_end": True})
        self.advance(clock, phase.end_date + 7200)
        now = self.stripe.subscriptions.retrieve(made.id)
        self.assertEqual(now["items"].data[0].price.id, cheap.id)
        self.assertEqual([one.amount_paid for one in self.invoices(made)], [500, 1200])

    def test_an_upgrade_costs_what_its_preview_says(self):
        clock, made = self.subscribed()
        item = made["items"].data[0]
        middle = (item.current_period_start + item.current_period_end) // 2
        self.advance(clock, middle)
        change = {
            "items": [{"id": item.id, "price": self.price(unit_amount=3600).id}],
            "proration_behavior": "always_invoice",
            "proration_date": middle,
        }
        preview = self.stripe.invoices.create_preview({"subscription": made.id, "subscription_details": change})
        self.stripe.subscriptions.update(made.id, {**change, "payment_behavior": "pending_if_incomplete"})
        paid = self.invoices(made)[0]
        self.assertEqual((paid.status, paid.total, paid.total), ("paid", preview.total, 1200))
