// Stripe is down, or the machine is: the page says whether money moved, and it heals.

import { ACTIVE_PRO } from '../support/buyer.ts';
import { DOWN } from '../support/stripe.ts';
import { expect, scriptsOffToo, test } from '../support/test.ts';

test.describe('Stripe is down', () => {
  test('at Subscribe: nothing is charged, and the next try works', scriptsOffToo, async ({ buyer, page, stripe }) => {
    await buyer.arrive();
    await page.goto('/pricing');
    await stripe.fail(DOWN);
    await buyer.subscribe();
    await expect(page).toHaveURL('/pricing');
    await expect(page.getByText("The payment page can't be reached")).toBeVisible();
    await expect(page.getByText('Nothing was charged just now.')).toBeVisible();
    await stripe.heal();
    await buyer.subscribe();
    await buyer.seeCheckout();
    const customer = await stripe.onlyCustomer(buyer.email);
    expect(await stripe.checkouts(customer.id)).toHaveLength(1);
  });

  test('at sign-up on the way to the checkout: the account is there, and the plan can be chosen again', async ({
    buyer,
    page,
    stripe,
  }) => {
    await page.goto('/pricing');
    await buyer.subscribe();
    await stripe.fail(DOWN);
    await buyer.signUp();
    await expect(page).toHaveURL('/pricing');
    await expect(page.getByText("The payment page can't be reached")).toBeVisible();
    await expect(page.getByRole('link', { name: 'Account', exact: true })).toBeVisible();
    await stripe.heal();
    await buyer.subscribe();
    await buyer.seeCheckout();
  });

  test('at the page after checkout: the payment is safe, and Try again shows the plan', scriptsOffToo, async ({
    buyer,
    page,
    stripe,
  }) => {
    await stripe.deliver('dropped');
    await buyer.arriveAtCheckout();
    await stripe.fail(DOWN);
    await buyer.pay();
    await expect(buyer.heading).toHaveText('Your payment is safe');
    await stripe.heal();
    await page.getByRole('link', { name: 'Try again' }).click();
    await buyer.seeThanks();
  });

  test('at the page after checkout, which is then closed: the plan starts by itself', async ({ buyer, stripe }) => {
    await stripe.deliver('dropped');
    await buyer.arriveAtCheckout();
    await stripe.fail(DOWN);
    await buyer.pay();
    await expect(buyer.heading).toHaveText('Your payment is safe');
    await buyer.page.goto('/account');
    await expect(buyer.heading).toHaveText("You're on Free");
    await stripe.heal();
    await buyer.awaitInAccount(ACTIVE_PRO);
  });

  test('at the account page and the gated page: they show what is stored', async ({ buyer, page, stripe }) => {
    await buyer.buyPro();
    await stripe.fail(DOWN);
    await buyer.seeProInAccount();
    await page.goto('/app');
    await expect(page.getByText('12 payments for Pro, $144 in all.')).toBeVisible();
    await page.goto('/pricing');
    await expect(page.getByText('Your plan', { exact: true })).toBeVisible();
  });

  test('for one answer only: nobody notices', async ({ buyer, page, stripe }) => {
    await buyer.arrive();
    await page.goto('/pricing');
    await stripe.fail({ path: '/v1/checkout/sessions', method: 'POST', cut: 'after', times: 1 });
    await buyer.subscribe();
    await buyer.seeCheckout();
    const customer = await stripe.onlyCustomer(buyer.email);
    expect(await stripe.checkouts(customer.id), 'the lost answer was asked for again').toHaveLength(1);
  });
});

test('the page after checkout looks again by itself', async ({ buyer, page, stripe }) => {
  await stripe.deliver('dropped');
  await buyer.arriveAtCheckout();
  await stripe.fail(DOWN);
  await page.clock.install();
  await buyer.pay();
  await expect(page.getByText('This page looks again by itself.')).toBeVisible();
  await stripe.heal();
  await expect(async () => {
    await page.clock.runFor('00:10');
    await expect(buyer.heading).toHaveText("Thank you. You're on Pro", { timeout: 500 });
  }).toPass();
});

test.describe('everything is killed while the buyer is at the checkout', () => {
  test.beforeEach(({ complaints }) => complaints.forgive(/net::ERR_/));

  test('they pay, are still logged in, and have the plan', scriptsOffToo, async ({ buyer, unsplit }) => {
    await buyer.arriveAtCheckout();
    await unsplit.kill();
    await unsplit.start();
    await buyer.pay();
    await buyer.seeThanks();
    await buyer.seeProInAccount();
  });

  test('and again after the payment: nothing is lost', async ({ buyer, unsplit, stripe }) => {
    await stripe.deliver('held');
    await buyer.buyPro();
    await unsplit.kill();
    await unsplit.start();
    await buyer.seeProInAccount();
    await stripe.onlySubscription(buyer.email);
  });
});
