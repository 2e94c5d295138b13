"""Subscriptions that change: discounts later on, billing modes, search."""

from emulator import EmulatorTest


class Changes(EmulatorTest):
    def subscribe(self, **more):
        terms = {"customer": self.customer().id, "items": [{"price": self.price().id}]}
        return self.stripe.subscriptions.create({**terms, **more})

    def test_a_discount_comes_and_goes(self):
        coupon = self.stripe.coupons.create({"percent_off": 50, "duration": "forever"})
        made = self.subscribe()
        changed = self.stripe.subscriptions.update(made.id, {"discounts": [{"coupon": coupon.id}]})
        self.assertEqual(len(changed.discounts), 1)
        self.assertEqual(self.stripe.invoices.create_preview({"subscription": made.id}).total, 600)
        self.assertEqual(self.stripe.subscriptions.update(made.id, {"discounts": ""}).discounts, [])

    def test_classic_becomes_flexible(self):
        made = self.subscribe(billing_mode={"type": "classic"})
        self.assertEqual(made.billing_mode.type, "classic")
        migrated = self.stripe.subscriptions.migrate(made.id, {"billing_mode": {"type": "flexible"}})
        self.assertEqual(migrated.billing_mode.type, "flexible")

    def test_search_finds_by_metadata(self):
        made = self.subscribe(metadata={"order": "o1"})
        found = self.stripe.subscriptions.search({"query": "metadata['order']:'o1'"})
        self.assertEqual([one.id for one in found.data], [made.id])
