"""What an endpoint hears is signed so that Stripe's library believes it, and only with the right secret."""

import stripe
from emulator import EmulatorTest


class Webhooks(EmulatorTest):
    def test_a_webhook_is_believed_with_its_secret_and_with_nothing_else(self):
        hook = self.hook()
        fields = {"url": hook.url, "enabled_events": ["customer.created"]}
        endpoint = self.stripe.webhook_endpoints.create(fields)
        customer = self.stripe.customers.create({"email": "ada@example.com"})
        body, signature = hook.next()
        event = stripe.Webhook.construct_event(body, signature, endpoint.secret)
        self.assertEqual((event.type, event.data.object["id"]), ("customer.created", customer.id))
        for wrong_body, secret in [(body, "whsec_other"), (body + " ", endpoint.secret)]:
            with self.assertRaises(stripe.SignatureVerificationError):
                stripe.Webhook.construct_event(wrong_body, signature, secret)
        self.assertTrue(self.stripe.webhook_endpoints.delete(endpoint.id).deleted)
