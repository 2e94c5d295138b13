// What an endpoint hears is signed so that Stripe's library believes it, and only with the right secret.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator, Hook } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

test('a webhook is believed with its secret, and with nothing else', async () => {
  const hook = await Hook.start();
  const endpoint = await stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['customer.created'] });
  const customer = await stripe.customers.create({ email: 'ada@example.com' });
  const { body, signature } = await hook.next();
  const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
  assert.deepEqual([event.type, event.data.object.id], ['customer.created', customer.id]);
  const refused = { type: 'StripeSignatureVerificationError' };
  assert.throws(() => stripe.webhooks.constructEvent(body, signature, 'whsec_other'), refused);
  assert.throws(() => stripe.webhooks.constructEvent(`${body} `, signature, endpoint.secret), refused);
  await stripe.webhookEndpoints.del(endpoint.id);
});

test('an endpoint is changed and hears what it asks for now', async () => {
  const hook = await Hook.start();
  const { id, secret } = await stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['product.created'] });
  await stripe.webhookEndpoints.update(id, { enabled_events: ['customer.deleted'], description: 'Ends' });
  const customer = await stripe.customers.create();
  await stripe.products.create({ name: 'Pro' });
  await stripe.customers.del(customer.id);
  const { body, signature } = await hook.next();
  assert.equal(stripe.webhooks.constructEvent(body, signature, secret).type, 'customer.deleted');
  const { data } = await stripe.webhookEndpoints.list();
  assert.deepEqual(data.map((one) => [one.id, one.description, one.secret]), [[id, 'Ends', undefined]]);
});
