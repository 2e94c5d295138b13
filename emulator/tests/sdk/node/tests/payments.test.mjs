// Money that goes back, and cards that are set up for later.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

test('a refund never gives back more than was paid', async () => {
  const [{ id: customer }, { id: price }] = [await emulator.customer(), await emulator.price()];
  const { latest_invoice: invoice } = await stripe.subscriptions.create({ customer, items: [{ price }] });
  const { data } = await stripe.invoicePayments.list({ invoice });
  const { payment_intent } = data[0].payment;
  const refund = await stripe.refunds.create({ payment_intent, amount: 500, reason: 'requested_by_customer' });
  assert.deepEqual([refund.status, refund.amount], ['succeeded', 500]);
  await assert.rejects(stripe.refunds.create({ payment_intent, amount: 701 }), { type: 'StripeInvalidRequestError' });
  await stripe.refunds.create({ payment_intent });
  const charge = await stripe.charges.retrieve(refund.charge);
  assert.deepEqual([charge.amount_refunded, charge.refunded], [1200, true]);
  await assert.rejects(stripe.refunds.create({ payment_intent }), { code: 'charge_already_refunded' });
});

test('a card is set up without a payment', async () => {
  const customer = await stripe.customers.create();
  const intent = await stripe.setupIntents.create({ customer: customer.id });
  assert.equal(intent.status, 'requires_payment_method');
  const done = await stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_visa' });
  assert.equal(done.status, 'succeeded');
  const { data } = await stripe.customers.listPaymentMethods(customer.id);
  assert.deepEqual(data.map((one) => one.id), [done.payment_method]);
});
