"""Drafts by their lines, invoices that are sent, and the ledger of a customer's credit."""

import urllib.request

from emulator import EmulatorTest


class Invoices(EmulatorTest):
    def test_a_draft_is_filled_and_sent_and_has_a_pdf(self):
        customer = self.customer().id
        terms = {"collection_method": "send_invoice", "days_until_due": 7, "custom_fields": [{"name": "PO", "value": "1"}]}
        draft = self.stripe.invoices.create({"customer": customer, **terms})
        self.stripe.invoices.add_lines(draft.id, {"lines": [{"amount": 500, "description": "One"}]})
        sent = self.stripe.invoices.send_invoice(draft.id)
        self.assertEqual((sent.status, sent.amount_due, sent.custom_fields[0].value), ("open", 500, "1"))
        self.assertEqual(sent.due_date - sent.created, 7 * 86_400)
        with urllib.request.urlopen(sent.invoice_pdf) as pdf:
            self.assertEqual((pdf.headers["content-type"], pdf.read(5)), ("application/pdf", b"%PDF-"))

    def test_credit_is_a_ledger(self):
        customer = self.stripe.customers.create({"balance": -900}).id
        entries = self.stripe.customers.balance_transactions
        entries.create(customer, {"amount": 400, "currency": "usd"})
        amounts = [(one.amount, one.ending_balance) for one in entries.list(customer).auto_paging_iter()]
        self.assertEqual(amounts, [(400, -500), (-900, -900)])
        self.assertEqual(self.stripe.customers.retrieve(customer).balance, -500)
