"""Customers and the catalogue: fields, metadata, search, pages in both directions, lookup keys."""

from emulator import EmulatorTest


class Objects(EmulatorTest):
    def test_metadata_is_merged_and_an_empty_value_takes_a_key_away(self):
        customer = self.stripe.customers.create({"name": "Ada", "metadata": {"a": "1", "b": "2"}})
        updated = self.stripe.customers.update(customer.id, {"name": "", "metadata": {"b": "", "c": "3"}})
        self.assertIsNone(updated.name)
        self.assertEqual(updated.metadata.to_dict(), {"a": "1", "c": "3"})
        self.assertEqual(self.stripe.customers.update(customer.id, {"metadata": ""}).metadata.to_dict(), {})

    def test_a_search_finds_by_email_and_by_metadata(self):
        fields = {"email": "grace@example.com", "metadata": {"userId": "g1"}}
        customer = self.stripe.customers.create(fields)
        for query in ["email:'grace@example.com'", "metadata['userId']:'g1'", "email~'grace'"]:
            found = self.stripe.customers.search({"query": query})
            self.assertEqual([one.id for one in found.data], [customer.id], query)

    def test_pages_follow_each_other_in_both_directions(self):
        email = "pages@example.com"
        made = [self.stripe.customers.create({"email": email}).id for _ in range(7)]
        down = self.stripe.customers.list({"email": email, "limit": 3}).auto_paging_iter()
        self.assertEqual([one.id for one in down], made[::-1])
        up = self.stripe.customers.list({"email": email, "limit": 2, "ending_before": made[0]})
        self.assertEqual([one.id for one in up.auto_paging_iter()], made[1:])

    def test_a_deleted_customer_says_only_that(self):
        customer = self.stripe.customers.create()
        deleted = self.stripe.customers.delete(customer.id)
        self.assertEqual(deleted.to_dict(), {"id": customer.id, "object": "customer", "deleted": True})
        self.assertTrue(self.stripe.customers.retrieve(customer.id).deleted)

    def test_a_lookup_key_goes_to_another_price(self):
        first = self.price(lookup_key="pro_monthly")
        second = self.price(lookup_key="pro_monthly", transfer_lookup_key=True)
        found = self.stripe.prices.list({"lookup_keys": ["pro_monthly"], "expand": ["data.product"]})
        self.assertEqual([(one.id, one.product.name) for one in found.data], [(second.id, "Pro")])
        self.assertIsNone(self.stripe.prices.retrieve(first.id).lookup_key)

    def test_a_product_is_archived(self):
        product = self.stripe.products.create({"name": "Team", "marketing_features": [{"name": "Seats"}]})
        self.stripe.products.update(product.id, {"active": False})
        active = self.stripe.products.list({"active": True, "limit": 100})
        self.assertNotIn(product.id, [one.id for one in active.data])
        self.assertEqual(self.stripe.products.retrieve(product.id).marketing_features[0].name, "Seats")
