// A portal in which downgrades wait for the end of the period, and what the subscription then says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

test('a downgrade in the portal is planned with a schedule', async () => {
  const [{ id: customer }, dear] = [await emulator.customer(), await emulator.price()];
  const small = await stripe.products.create({ name: 'Small' });
  const cheap = await stripe.prices.create({
    product: small.id, currency: 'usd', unit_amount: 300, recurring: { interval: 'month' },
  });
  const subscription = await stripe.subscriptions.create({ customer, items: [{ price: dear.id }] });
  const configuration = await stripe.billingPortal.configurations.create({
    features: {
      payment_method_update: { enabled: true },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price', 'promotion_code'],
        products: [
          { product: dear.product, prices: [dear.id] },
          { product: small.id, prices: [cheap.id] },
        ],
        schedule_at_period_end: { conditions: [{ type: 'decreasing_item_amount' }] },
      },
    },
  });
  const session = await stripe.billingPortal.sessions.create({ customer, configuration: configuration.id });
  const page = `${session.url}/subscriptions/${subscription.id}/update/confirm`;
  const answer = await fetch(page, {
    method: 'POST', redirect: 'manual', body: new URLSearchParams({ price: cheap.id, quantity: '1' }),
  });
  assert.match(answer.headers.get('location'), /notice=scheduled$/);
  const { schedule, items } = await stripe.subscriptions.retrieve(subscription.id, { expand: ['schedule'] });
  assert.equal(items.data[0].price.id, dear.id);
  assert.deepEqual(schedule.phases.map((phase) => phase.items[0].price), [dear.id, cheap.id]);
  assert.equal(schedule.end_behavior, 'release');
});

test('a billing cycle begins anew as the library writes it', async () => {
  const [{ id: customer }, { id: price }] = [await emulator.customer(), await emulator.price()];
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price }] });
  const changed = await stripe.subscriptions.update(id, {
    billing_cycle_anchor: { type: 'unchanged' }, metadata: { a: 'b' },
  });
  assert.equal(changed.metadata.a, 'b');
});
