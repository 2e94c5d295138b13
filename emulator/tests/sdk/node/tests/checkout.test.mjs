// A purchase on the hosted page, and what the session says before and after.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

async function open(more = {}) {
  const [customer, price] = [await stripe.customers.create({ email: 'ada@example.com' }), await emulator.price()];
  return stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: customer.id,
    line_items: [{ price: price.id, quantity: 1 }],
    success_url: 'http://shop.test/done?session={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://shop.test/pricing',
    ...more,
  });
}

test('a paid session has a subscription, an invoice and a card', async () => {
  const session = await open();
  assert.deepEqual([session.status, session.payment_status], ['open', 'unpaid']);
  const { status, location } = await emulator.pay(session);
  assert.deepEqual([status, location], [303, `http://shop.test/done?session=${session.id}`]);
  const expand = ['subscription.latest_invoice', 'subscription.default_payment_method', 'line_items.data.price.product'];
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand });
  assert.deepEqual([done.status, done.payment_status, done.url], ['complete', 'paid', null]);
  assert.equal(done.subscription.status, 'active');
  assert.equal(done.subscription.latest_invoice.status, 'paid');
  assert.equal(done.subscription.default_payment_method.card.last4, '4242');
  assert.equal(done.line_items.data[0].price.product.name, 'Pro');
});

test('a declined card leaves the session open for another', async () => {
  const session = await open();
  const declined = await emulator.pay(session, '4000000000009995');
  assert.match(declined.page, /insufficient funds/);
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).status, 'open');
  assert.equal((await emulator.pay(session)).status, 303);
});

test('a trial costs nothing today', async () => {
  const session = await open({ subscription_data: { trial_period_days: 7, metadata: { userId: 'u1' } } });
  await emulator.pay(session);
  const [subscription] = (await stripe.subscriptions.list({ customer: session.customer })).data;
  assert.deepEqual([subscription.status, subscription.metadata.userId], ['trialing', 'u1']);
  assert.equal(subscription.trial_end - subscription.trial_start, 7 * 86_400);
});

test('an open session is expired once', async () => {
  const session = await open();
  assert.equal((await stripe.checkout.sessions.expire(session.id)).status, 'expired');
  await assert.rejects(stripe.checkout.sessions.expire(session.id), { type: 'StripeInvalidRequestError' });
  const items = await stripe.checkout.sessions.listLineItems(session.id);
  assert.equal(items.data[0].amount_total, 1200);
});
