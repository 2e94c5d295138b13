// The library's own retries, and idempotency: however often it asks, one object is made.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const stripe = emulator.client({ maxNetworkRetries: 2 });

async function made(email) {
  return (await stripe.customers.list({ email })).data.length;
}

for (const [what, fault] of Object.entries({
  'a 500': { status: 500 },
  'a 409 on a key in use': { status: 409, code: 'idempotency_key_in_use' },
  'a 429 that asks for it': { status: 429, code: 'rate_limit', should_retry: true },
  'a cut connection before anything happened': { cut: 'before' },
  'a cut connection after it happened': { cut: 'after' },
})) {
  test(`${what} is tried again, and one customer is made`, async () => {
    const email = `${what.replaceAll(' ', '-')}@example.com`;
    const before = await emulator.asked('POST', '/v1/customers');
    await emulator.control('faults', { path: '/v1/customers', method: 'POST', times: 1, ...fault });
    const customer = await stripe.customers.create({ email });
    assert.equal(customer.email, email);
    assert.equal((await emulator.asked('POST', '/v1/customers')) - before, 2);
    assert.equal(await made(email), 1);
  });
}

test('the same key gives the same answer, and other parameters with it are refused', async () => {
  const idempotencyKey = 'order-1';
  const first = await stripe.customers.create({ email: 'once@example.com' }, { idempotencyKey });
  const second = await stripe.customers.create({ email: 'once@example.com' }, { idempotencyKey });
  assert.equal(second.id, first.id);
  assert.equal(second.lastResponse.headers['idempotent-replayed'], 'true');
  assert.equal(second.lastResponse.headers['original-request'], first.lastResponse.requestId);
  assert.equal(await made('once@example.com'), 1);
  const other = stripe.customers.create({ email: 'twice@example.com' }, { idempotencyKey });
  await assert.rejects(other, { type: 'StripeIdempotencyError', statusCode: 400 });
});
