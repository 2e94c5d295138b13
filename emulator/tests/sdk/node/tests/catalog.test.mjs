// Products and prices: lookup keys and their transfer, decimals, what is archived.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

test('a lookup key finds its price, and goes to another when it is transferred', async () => {
  const first = await emulator.price({ lookup_key: 'pro_monthly' });
  const taken = emulator.price({ lookup_key: 'pro_monthly' });
  await assert.rejects(taken, { type: 'StripeInvalidRequestError', param: 'lookup_key' });
  const second = await emulator.price({ lookup_key: 'pro_monthly', transfer_lookup_key: true, unit_amount: 1500 });
  const { data } = await stripe.prices.list({ lookup_keys: ['pro_monthly'], expand: ['data.product'] });
  assert.deepEqual(data.map((one) => [one.id, one.product.name]), [[second.id, 'Pro']]);
  assert.equal((await stripe.prices.retrieve(first.id)).lookup_key, null);
});

test('an amount is there as a number and as a decimal', async () => {
  const price = await emulator.price({ unit_amount: 1999 });
  assert.equal(price.unit_amount, 1999);
  assert.equal(price.unit_amount_decimal.toString(), '1999');
});

test('a product is changed and archived', async () => {
  const { id } = await stripe.products.create({ id: 'team', name: 'Team', metadata: { plan: 'team' } });
  assert.equal(id, 'team');
  await stripe.products.update(id, { active: false, description: 'For teams' });
  const active = await stripe.products.list({ active: true, limit: 100 });
  assert.ok(!active.data.some((one) => one.id === id));
  assert.equal((await stripe.products.retrieve(id)).description, 'For teams');
});
