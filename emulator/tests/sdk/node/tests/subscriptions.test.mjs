// Subscriptions by the API, their cards, invoices and events.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

async function subscribe() {
  const [customer, price] = [await emulator.customer(), await emulator.price()];
  return stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
}

test('a subscription is made, changed, planned to end, and ended', async () => {
  const made = await subscribe();
  assert.equal(made.status, 'active');
  assert.ok(made.items.data[0].current_period_end > made.created);
  const changed = await stripe.subscriptions.update(made.id, { metadata: { seat: '1' }, cancel_at_period_end: true });
  assert.deepEqual([changed.cancel_at_period_end, changed.metadata.seat], [true, '1']);
  assert.equal(changed.cancel_at, made.items.data[0].current_period_end);
  const ended = await stripe.subscriptions.cancel(made.id);
  assert.equal(ended.status, 'canceled');
  assert.deepEqual((await stripe.subscriptions.list({ customer: made.customer })).data, []);
  const all = await stripe.subscriptions.list({ customer: made.customer, status: 'all' });
  assert.deepEqual(all.data.map((one) => one.id), [made.id]);
});

test('its invoice is paid and names it', async () => {
  const made = await subscribe();
  const { data } = await stripe.invoices.list({ subscription: made.id, expand: ['data.payments'] });
  assert.deepEqual(data.map((one) => [one.id, one.status, one.amount_paid]), [[made.latest_invoice, 'paid', 1200]]);
  assert.equal(data[0].parent.subscription_details.subscription, made.id);
  const intent = await stripe.paymentIntents.retrieve(data[0].payments.data[0].payment.payment_intent);
  assert.deepEqual([intent.status, intent.amount_received], ['succeeded', 1200]);
});

test('its events are listed, the newest first', async () => {
  const made = await subscribe();
  await stripe.subscriptions.update(made.id, { description: 'Seats' });
  const { data } = await stripe.events.list({ type: 'customer.subscription.*', limit: 2 });
  assert.deepEqual(data.map((one) => one.type), ['customer.subscription.updated', 'customer.subscription.created']);
  assert.equal(data[0].data.object.id, made.id);
  assert.deepEqual({ ...data[0].data.previous_attributes }, { description: null });
  assert.equal((await stripe.events.retrieve(data[0].id)).api_version, '2026-09-30.endive');
});

test('a card is attached, listed, and let go', async () => {
  const customer = await stripe.customers.create();
  const made = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } });
  const attached = await stripe.paymentMethods.attach(made.id, { customer: customer.id });
  assert.deepEqual([attached.customer, attached.card.brand], [customer.id, 'visa']);
  const { data } = await stripe.customers.listPaymentMethods(customer.id, { type: 'card' });
  assert.deepEqual(data.map((one) => one.id), [made.id]);
  assert.equal((await stripe.paymentMethods.detach(made.id)).customer, null);
});
