"""Buying on the hosted page, and subscriptions by the API: their cards, invoices, events and ends."""

from emulator import EmulatorTest


class Subscriptions(EmulatorTest):
    def open(self, **more):
        customer = self.stripe.customers.create({"email": "ada@example.com"})
        fields = {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": self.price().id, "quantity": 1}],
            "success_url": "http://shop.test/done?session={CHECKOUT_SESSION_ID}",
        }
        return self.stripe.checkout.sessions.create({**fields, **more})

    def subscribe(self):
        fields = {"customer": self.customer().id, "items": [{"price": self.price().id}]}
        return self.stripe.subscriptions.create(fields)

    def test_a_paid_session_has_a_subscription_an_invoice_and_a_card(self):
        session = self.open()
        self.assertEqual(self.pay(session), (303, f"http://shop.test/done?session={session.id}"))
        expand = ["subscription.latest_invoice", "subscription.default_payment_method", "line_items"]
        done = self.stripe.checkout.sessions.retrieve(session.id, {"expand": expand})
        self.assertEqual((done.status, done.payment_status, done.url), ("complete", "paid", None))
        self.assertEqual(done.subscription.status, "active")
        self.assertEqual(done.subscription.latest_invoice.status, "paid")
        self.assertEqual(done.subscription.default_payment_method.card.last4, "4242")
        self.assertEqual(done.line_items.data[0].amount_total, 1200)

    def test_a_declined_card_leaves_the_session_open(self):
        session = self.open()
        self.pay(session, "4000000000000002")
        self.assertEqual(self.stripe.checkout.sessions.retrieve(session.id).status, "open")
        self.assertEqual(self.stripe.checkout.sessions.expire(session.id).status, "expired")

    def test_a_subscription_is_made_planned_to_end_and_ended(self):
        made = self.subscribe()
        self.assertEqual(made.status, "active")
        ending = self.stripe.subscriptions.update(made.id, {"cancel_at_period_end": True})
        self.assertEqual(ending.cancel_at, made["items"].data[0].current_period_end)
        self.assertEqual(self.stripe.subscriptions.cancel(made.id).status, "canceled")
        self.assertEqual(self.stripe.subscriptions.list({"customer": made.customer}).data, [])
        all_of_them = self.stripe.subscriptions.list({"customer": made.customer, "status": "all"})
        self.assertEqual([one.id for one in all_of_them.data], [made.id])

    def test_its_invoice_is_paid_and_its_events_are_told(self):
        made = self.subscribe()
        invoices = self.stripe.invoices.list({"subscription": made.id, "expand": ["data.payments"]})
        self.assertEqual([(one.id, one.status) for one in invoices.data], [(made.latest_invoice, "paid")])
        payment = invoices.data[0].payments.data[0].payment
        self.assertEqual(self.stripe.payment_intents.retrieve(payment.payment_intent).status, "succeeded")
        events = self.stripe.events.list({"type": "customer.subscription.created", "limit": 1})
        self.assertEqual(events.data[0].data.object["id"], made.id)

    def test_a_card_is_attached_listed_and_let_go(self):
        customer = self.stripe.customers.create()
        made = self.stripe.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})
        attached = self.stripe.payment_methods.attach(made.id, {"customer": customer.id})
        self.assertEqual((attached.customer, attached.card.brand), (customer.id, "mastercard"))
        listed = self.stripe.customers.payment_methods.list(customer.id)
        self.assertEqual([one.id for one in listed.data], [made.id])
        self.assertIsNone(self.stripe.payment_methods.detach(made.id).customer)
