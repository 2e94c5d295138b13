// Cards that are refused, and what else is known of a card.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

test('a refusal is a card error with its decline code', async () => {
  const { id: customer } = await stripe.customers.create();
  for (const [card, code, decline_code] of [
    ['pm_card_visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
    ['pm_card_visa_chargeDeclinedVelocityLimitExceeded', 'card_declined', 'card_velocity_exceeded'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
  ]) {
    const refused = { type: 'StripeCardError', code, decline_code, statusCode: 402 };
    await assert.rejects(stripe.paymentMethods.attach(card, { customer }), refused);
  }
});

test('what is known of a card is kept, changed and looked for', async () => {
  const { id: customer } = await stripe.customers.create();
  const made = await stripe.paymentMethods.create({
    type: 'card',
    card: { token: 'tok_mastercard_debit' },
    billing_details: { name: 'Ada', phone: '+4930', address: { city: 'Berlin' } },
    allow_redisplay: 'limited',
  });
  assert.deepEqual([made.card.brand, made.card.funding], ['mastercard', 'debit']);
  await stripe.paymentMethods.attach(made.id, { customer });
  const changed = await stripe.paymentMethods.update(made.id, { billing_details: { name: 'Bob' } });
  assert.deepEqual([changed.billing_details.name, changed.billing_details.address.city], ['Bob', 'Berlin']);
  const { data } = await stripe.customers.listPaymentMethods(customer, { allow_redisplay: 'limited' });
  assert.deepEqual(data.map((one) => one.id), [made.id]);
});
