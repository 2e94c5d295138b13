// Customers: fields, metadata, search, pages in both directions, and the end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

test('metadata is merged, and an empty value takes a key away', async () => {
  const { id } = await stripe.customers.create({ name: 'Ada', metadata: { a: '1', b: '2' } });
  const updated = await stripe.customers.update(id, { name: '', metadata: { b: '', c: '3' } });
  assert.equal(updated.name, null);
  assert.deepEqual(updated.metadata, { a: '1', c: '3' });
  assert.deepEqual((await stripe.customers.update(id, { metadata: null })).metadata, {});
});

test('a search finds by e-mail and by metadata', async () => {
  const { id } = await stripe.customers.create({ email: 'grace@example.com', metadata: { userId: 'g1' } });
  for (const query of ["email:'grace@example.com'", "metadata['userId']:'g1'", "email~'grace'"]) {
    const found = await stripe.customers.search({ query });
    assert.deepEqual(found.data.map((one) => one.id), [id], query);
  }
});

test('pages follow each other in both directions', async () => {
  const email = 'pages@example.com';
  const made = [];
  for (let index = 0; index < 7; index += 1) made.push((await stripe.customers.create({ email })).id);
  const newest = [];
  for await (const one of stripe.customers.list({ email, limit: 3 })) newest.push(one.id);
  assert.deepEqual(newest, made.toReversed());
  const upwards = [];
  for await (const one of stripe.customers.list({ email, limit: 2, ending_before: made[0] })) upwards.push(one.id);
  assert.deepEqual(upwards, made.slice(1));
  const some = await stripe.customers.list({ email, limit: 2 }).autoPagingToArray({ limit: 5 });
  assert.deepEqual(some.map((one) => one.id), newest.slice(0, 5));
});

test('a deleted customer says only that', async () => {
  const { id } = await stripe.customers.create();
  assert.deepEqual({ ...(await stripe.customers.del(id)) }, { id, object: 'customer', deleted: true });
  assert.equal((await stripe.customers.retrieve(id)).deleted, true);
});
