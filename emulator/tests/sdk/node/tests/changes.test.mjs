// Subscriptions that change: discounts later on, prorations with them, billing modes, anchors, search.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

async function subscribe(more = {}) {
  const [{ id: customer }, { id: price }] = [await emulator.customer(), await emulator.price()];
  return stripe.subscriptions.create({ customer, items: [{ price }], expand: ['latest_invoice'], ...more });
}

test('a subscription and its item get discounts, and lose them', async () => {
  const half = await stripe.coupons.create({ percent_off: 50, duration: 'forever' });
  const { id, items } = await subscribe();
  const changed = await stripe.subscriptions.update(id, { discounts: [{ coupon: half.id }], expand: ['discounts'] });
  assert.equal(changed.discounts[0].source.coupon, half.id);
  const item = await stripe.subscriptionItems.update(items.data[0].id, { discounts: [{ coupon: half.id }] });
  assert.equal(item.discounts.length, 1);
  assert.equal((await stripe.invoices.createPreview({ subscription: id })).total, 300);
  assert.deepEqual((await stripe.subscriptions.update(id, { discounts: '' })).discounts, []);
});

test('the preview of a change with a discount is the invoice, to the cent', async () => {
  const third = await stripe.coupons.create({ percent_off: 33.33, duration: 'forever' });
  const { id, items } = await subscribe({ discounts: [{ coupon: third.id }] });
  const date = items.data[0].current_period_start + 1000;
  const change = { items: [{ id: items.data[0].id, quantity: 3 }], proration_behavior: 'always_invoice' };
  const preview = await stripe.invoices.createPreview({
    subscription: id,
    subscription_details: { ...change, proration_date: date },
  });
  const { latest_invoice: invoice } = await stripe.subscriptions.update(id, {
    ...change,
    proration_date: date,
    expand: ['latest_invoice'],
  });
  assert.equal(invoice.total, preview.total);
  assert.ok(invoice.total < 1600 && invoice.total > 1500);
});

test('classic becomes flexible', async () => {
  const { id, billing_mode: mode } = await subscribe({ billing_mode: { type: 'classic' } });
  assert.equal(mode.type, 'classic');
  const migrated = await stripe.subscriptions.migrate(id, {
    billing_mode: { type: 'flexible', flexible: { proration_discounts: 'itemized' } },
  });
  assert.equal(migrated.billing_mode.flexible.proration_discounts, 'itemized');
});

test('an anchor and something that is sold once', async () => {
  const soon = Math.floor(Date.now() / 1000) + 86_400;
  const product = (await stripe.products.create({ name: 'Setup' })).id;
  const { billing_cycle_anchor: anchor, latest_invoice: invoice } = await subscribe({
    billing_cycle_anchor: soon,
    proration_behavior: 'none',
    add_invoice_items: [{ price_data: { currency: 'usd', product, unit_amount: 500 } }],
  });
  assert.deepEqual([anchor, invoice.total], [soon, 500]);
});

test('search finds what was just made', async () => {
  const { id } = await subscribe({ metadata: { order: 'o1' } });
  const { data } = await stripe.subscriptions.search({ query: "metadata['order']:'o1' AND status:'active'" });
  assert.deepEqual(data.map((one) => one.id), [id]);
  const { data: invoices } = await stripe.invoices.search({ query: `subscription:'${id}'` });
  assert.equal(invoices.length, 1);
});
