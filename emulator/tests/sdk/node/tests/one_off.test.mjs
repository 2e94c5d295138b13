// Payments that are made once: intents of one's own, and checkout in payment mode.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator, GOOD } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;
const automatic_payment_methods = { enabled: true, allow_redirects: 'never' };
const usd = { currency: 'usd', automatic_payment_methods };

test('an intent is made, confirmed and held, and captured in part', async () => {
  const intent = await stripe.paymentIntents.create({ ...usd, amount: 2000, capture_method: 'manual' });
  assert.equal(intent.status, 'requires_payment_method');
  const held = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' });
  assert.deepEqual([held.status, held.amount_capturable], ['requires_capture', 2000]);
  const paid = await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 700 });
  assert.deepEqual([paid.status, paid.amount_received], ['succeeded', 700]);
  await assert.rejects(stripe.paymentIntents.cancel(intent.id), { code: 'payment_intent_unexpected_state' });
});

test('a refused card is a card error that knows its intent', async () => {
  const payment = { ...usd, amount: 2000, confirm: true, payment_method: 'pm_card_visa_chargeDeclined' };
  await assert.rejects(stripe.paymentIntents.create(payment), (error) => {
    assert.deepEqual([error.type, error.decline_code], ['StripeCardError', 'generic_decline']);
    assert.equal(error.payment_intent.status, 'requires_payment_method');
    assert.equal(error.charge, error.payment_intent.latest_charge);
    return true;
  });
  await assert.rejects(stripe.paymentIntents.create({ ...usd, amount: 49 }), { code: 'amount_too_small' });
});

test('a session in payment mode is paid by its page', async () => {
  const price_data = { currency: 'usd', unit_amount: 750, product_data: { name: 'Mug' } };
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ price_data, quantity: 2 }],
    payment_intent_data: { metadata: { order: '6' } },
    invoice_creation: { enabled: true },
    success_url: 'http://shop.test/done',
  });
  const form = { email: 'eva@example.com', card_number: GOOD, expiry: '12/34', cvc: '123', name: 'Eva' };
  const page = await fetch(session.url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
  assert.equal(page.status, 303);
  const expand = ['payment_intent.latest_charge', 'invoice'];
  const paid = await stripe.checkout.sessions.retrieve(session.id, { expand });
  assert.deepEqual([paid.payment_status, paid.amount_total], ['paid', 1500]);
  assert.deepEqual([paid.payment_intent.latest_charge.amount, paid.invoice.amount_paid], [1500, 1500]);
  assert.equal(paid.payment_intent.metadata.order, '6');
});
