// Time on a test clock: renewals, a card that fails, the end of a trial; and changes in the middle of a period.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator, Hook } from '../support/emulator.mjs';

const DAY = 86_400;
const emulator = await Emulator.start();
const { stripe } = emulator;
const ready = await Hook.start();
await stripe.webhookEndpoints.create({ url: ready.url, enabled_events: ['test_helpers.test_clock.ready'] });

/** A customer on a clock of their own, with a subscription. */
async function subscribed({ card = 'pm_card_visa', ...more } = {}) {
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: 1_800_000_000 });
  const customer = await stripe.customers.create({ test_clock: clock.id, email: 'ada@example.com' });
  const method = await stripe.paymentMethods.attach(card, { customer: customer.id });
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } });
  const items = [{ price: (await emulator.price()).id }];
  return { clock, subscription: await stripe.subscriptions.create({ customer: customer.id, items, ...more }) };
}

async function advance(clock, time) {
  const advancing = await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: time });
  assert.equal(advancing.status, 'advancing');
  await ready.next();
  assert.equal((await stripe.testHelpers.testClocks.retrieve(clock.id)).status, 'ready');
}

async function invoices(subscription) {
  const { data } = await stripe.invoices.list({ subscription: subscription.id });
  return data.map((one) => [one.billing_reason, one.status]);
}

test('a period ends, and the next is paid', async () => {
  const { clock, subscription } = await subscribed();
  const end = subscription.items.data[0].current_period_end;
  await advance(clock, end + 2 * 3600);
  const renewed = await stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([renewed.status, renewed.items.data[0].current_period_start], ['active', end]);
  assert.deepEqual(await invoices(subscription), [['subscription_cycle', 'paid'], ['subscription_create', 'paid']]);
});

test('a trial ends with a card that fails', async () => {
  const { clock, subscription } = await subscribed({ card: 'pm_card_chargeCustomerFail', trial_period_days: 7 });
  assert.equal(subscription.status, 'trialing');
  await advance(clock, subscription.trial_end + 2 * 3600);
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'past_due');
  assert.deepEqual((await invoices(subscription))[0], ['subscription_cycle', 'open']);
});

test('a change in the middle costs what its preview says', async () => {
  const { clock, subscription } = await subscribed();
  const [item] = subscription.items.data;
  await advance(clock, item.current_period_start + 10 * DAY);
  const { id: price } = await emulator.price({ unit_amount: 3600 });
  const proration_date = item.current_period_start + 10 * DAY;
  const change = { items: [{ id: item.id, price }], proration_behavior: 'always_invoice', proration_date };
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id, subscription_details: change });
  await stripe.subscriptions.update(subscription.id, change);
  const { data } = await stripe.invoices.list({ subscription: subscription.id, limit: 1 });
  assert.equal(data[0].billing_reason, 'subscription_update');
  assert.ok(data[0].total > 0);
  assert.equal(data[0].total, preview.total);
});
