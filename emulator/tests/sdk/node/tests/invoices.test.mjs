// Invoices as their own subject: lines, dates, PDFs, the customer's credit, and refunds that take their time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

test('an invoice is drafted by its lines, sent, and has a PDF', async () => {
  const { id: customer } = await emulator.customer();
  const draft = await stripe.invoices.create({ customer, collection_method: 'send_invoice', days_until_due: 30 });
  const added = await stripe.invoices.addLines(draft.id, {
    lines: [{ amount: 500, description: 'One' }, { amount: 700, description: 'Two' }],
  });
  await stripe.invoices.updateLineItem(draft.id, added.lines.data[0].id, { amount: 600 });
  await stripe.invoices.removeLines(draft.id, { lines: [{ id: added.lines.data[1].id, behavior: 'unassign' }] });
  const waiting = await stripe.invoiceItems.list({ customer, pending: true });
  assert.deepEqual(waiting.data.map((item) => item.amount), [700]);
  const sent = await stripe.invoices.sendInvoice(draft.id);
  assert.deepEqual([sent.status, sent.total, sent.due_date], ['open', 600, draft.created + 30 * 86_400]);
  const lines = [];
  for await (const line of stripe.invoices.listLineItems(draft.id, { limit: 1 })) lines.push(line.description);
  assert.deepEqual(lines, ['One']);
  const pdf = await fetch(sent.invoice_pdf);
  assert.equal(pdf.headers.get('content-type'), 'application/pdf');
  assert.equal(Buffer.from(await pdf.arrayBuffer()).subarray(0, 5).toString(), '%PDF-');
  const revision = await stripe.invoices.create({ from_invoice: { action: 'revision', invoice: sent.id } });
  await stripe.invoices.finalizeInvoice(revision.id);
  assert.equal((await stripe.invoices.retrieve(sent.id)).status, 'void');
});

test('a subscription that is sent its invoices is past due after the date', async () => {
  const [{ id: customer }, { id: price }] = [await emulator.customer(), await emulator.price()];
  const terms = { collection_method: 'send_invoice', days_until_due: 5 };
  const made = await stripe.subscriptions.create({ customer, items: [{ price }], ...terms });
  assert.equal(made.status, 'active');
  await emulator.control('clock', { advance_seconds: 5 * 86_400 + 60 });
  assert.equal((await stripe.subscriptions.retrieve(made.id)).status, 'past_due');
  await stripe.invoices.pay(made.latest_invoice, { paid_out_of_band: true });
  assert.equal((await stripe.subscriptions.retrieve(made.id)).status, 'active');
});

test('credit is a ledger', async () => {
  const { id } = await stripe.customers.create({ email: 'a@example.com', balance: -900 });
  await stripe.customers.createBalanceTransaction(id, { amount: 400, currency: 'usd', description: 'A fee' });
  const { data } = await stripe.customers.listBalanceTransactions(id);
  assert.deepEqual(data.map((one) => [one.type, one.amount, one.ending_balance]), [
    ['adjustment', 400, -500],
    ['adjustment', -900, -900],
  ]);
  const noted = await stripe.customers.updateBalanceTransaction(id, data[0].id, { metadata: { k: 'v' } });
  assert.deepEqual(noted.metadata, { k: 'v' });
  const tax = await stripe.customers.createTaxId(id, { type: 'eu_vat', value: 'DE123456789' });
  assert.equal((await stripe.customers.retrieveTaxId(id, tax.id)).country, 'DE');
});

test('a refund pends until it succeeds', async () => {
  const [{ id: customer }, { id: price }] = [await emulator.customer(), await emulator.price()];
  const card = await stripe.paymentMethods.attach('pm_card_pendingRefund', { customer });
  await stripe.subscriptions.create({ customer, items: [{ price }], default_payment_method: card.id });
  const { data } = await stripe.charges.list({ customer });
  const refund = await stripe.refunds.create({ charge: data[0].id });
  assert.equal(refund.status, 'pending');
  await emulator.control('clock', { advance_seconds: 61 });
  assert.equal((await stripe.refunds.retrieve(refund.id)).status, 'succeeded');
});
