// Coupons and promotion codes: what they take off, and when they are used up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

async function subscribe(discounts) {
  const [{ id: customer }, { id: price }] = [await emulator.customer(), await emulator.price()];
  return stripe.subscriptions.create({ customer, items: [{ price }], discounts, expand: ['latest_invoice'] });
}

test('a coupon takes its part off, and is there until it is deleted', async () => {
  const coupon = await stripe.coupons.create({ percent_off: 25, duration: 'once', name: 'Spring' });
  const { latest_invoice: invoice } = await subscribe([{ coupon: coupon.id }]);
  assert.deepEqual([invoice.subtotal, invoice.total, invoice.amount_paid], [1200, 900, 900]);
  assert.equal((await stripe.coupons.retrieve(coupon.id)).times_redeemed, 1);
  assert.equal((await stripe.coupons.del(coupon.id)).deleted, true);
  await assert.rejects(stripe.coupons.retrieve(coupon.id), { code: 'resource_missing' });
});

test('a promotion code is found by its code and used up', async () => {
  const coupon = await stripe.coupons.create({ amount_off: 200, currency: 'usd', duration: 'forever' });
  const promotion = { type: 'coupon', coupon: coupon.id };
  const made = await stripe.promotionCodes.create({ promotion, code: 'SPRING', max_redemptions: 1 });
  const { data } = await stripe.promotionCodes.list({ code: 'SPRING', active: true });
  assert.deepEqual(data.map((one) => one.id), [made.id]);
  const { latest_invoice: invoice } = await subscribe([{ promotion_code: made.id }]);
  assert.equal(invoice.total, 1000);
  await assert.rejects(subscribe([{ promotion_code: made.id }]), { type: 'StripeInvalidRequestError' });
});
