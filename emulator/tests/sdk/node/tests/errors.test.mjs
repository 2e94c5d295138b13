// Each error arrives as the class that Stripe's library has for it, with the fields an app decides by.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emulator } from '../support/emulator.mjs';

const emulator = await Emulator.start();
const { stripe } = emulator;

test('what is not there', async () => {
  const error = await stripe.customers.retrieve('cus_none').catch((error) => error);
  assert.deepEqual(
    [error.type, error.statusCode, error.code, error.param, error.message],
    ['StripeInvalidRequestError', 404, 'resource_missing', 'id', "No such customer: 'cus_none'"],
  );
  assert.match(error.requestId, /^req_/);
  assert.equal(error.doc_url, 'https://docs.stripe.com/error-codes/resource-missing');
});

test('parameters that are unknown, missing, or not supported', async () => {
  const refused = (code, param) => ({ type: 'StripeInvalidRequestError', statusCode: 400, code, param });
  await assert.rejects(stripe.customers.create({ nonsense: '1' }), refused('parameter_unknown', 'nonsense'));
  await assert.rejects(stripe.products.create({}), refused('parameter_missing', 'name'));
  const nested = stripe.prices.create({ product: 'p', currency: 'usd', unit_amount: 1, recurring: { a: 1 } });
  await assert.rejects(nested, { type: 'StripeInvalidRequestError' });
});

test('a card that is declined', async () => {
  const customer = await stripe.customers.create();
  const card = 'pm_card_visa_chargeDeclinedInsufficientFunds';
  const declined = { type: 'StripeCardError', statusCode: 402, code: 'card_declined', decline_code: 'insufficient_funds' };
  await assert.rejects(stripe.paymentMethods.attach(card, { customer: customer.id }), declined);
});

test('a key that is wrong', async () => {
  const wrong = emulator.client({ key: 'sk_test_abcdefghijkl' });
  await assert.rejects(wrong.customers.list(), { type: 'StripeAuthenticationError', statusCode: 401 });
});

test('a limit that is passed', async () => {
  const reason = 'endpoint-rate';
  await emulator.control('faults', { path: '/v1/customers', status: 429, code: 'rate_limit', reason, times: 1 });
  await assert.rejects(stripe.customers.list(), { type: 'StripeRateLimitError', statusCode: 429, code: 'rate_limit' });
  assert.deepEqual((await stripe.customers.list({ email: 'nobody@example.com' })).data, []);
});
