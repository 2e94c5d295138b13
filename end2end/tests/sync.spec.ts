// Two ways lead from Stripe to the account page: the eager sync of the page after checkout, and
// the webhook. Each must do alone.

import { ACTIVE_PRO, type Buyer } from '../support/buyer.ts';
import { expect, scriptsOffToo, test } from '../support/test.ts';

/** Pays, and loses sight of the shop before the page after checkout opens. */
async function payAndVanish(buyer: Buyer): Promise<void> {
  await buyer.page.route('**/c/pay/*', async (route) => {
    const paid = await route.fetch({ maxRedirects: 0 });
    expect(paid.headers().location).toMatch(/\/checkout\/success$/);
    await route.fulfill({ contentType: 'text/html', body: '<h1>The train is in a tunnel</h1>' });
  });
  await buyer.pay();
  await expect(buyer.heading).toHaveText('The train is in a tunnel');
}

test.describe('from Stripe to the page', () => {
  test('webhooks held back: the page after checkout shows the plan by itself', scriptsOffToo, async ({
    buyer,
    stripe,
  }) => {
    await stripe.deliver('held');
    await buyer.arriveAtCheckout();
    await buyer.pay();
    await buyer.seeThanks();
    await buyer.seeProInAccount();
  });

  test('the page after checkout never opened: the webhook alone does it', scriptsOffToo, async ({
    buyer,
    page,
    stripe,
  }) => {
    await stripe.deliver('held');
    await buyer.arriveAtCheckout();
    await payAndVanish(buyer);
    await page.goto('/account');
    await expect(buyer.heading, 'nobody has told the app yet').toHaveText("You're on Free");
    await stripe.deliver('normal');
    await buyer.awaitInAccount(ACTIVE_PRO);
  });

  test('webhooks that come late, after the plan is there, change nothing', async ({ buyer, page, stripe }) => {
    await stripe.deliver('held');
    await buyer.buyPro();
    await stripe.deliver('normal');
    await buyer.seeProInAccount();
    const stored = await page.request.get('/api/subscription');
    expect(await stored.json()).toMatchObject({ status: 'active', plan: 'pro', cancelAtPeriodEnd: false });
  });

  test('what changes at Stripe shows on the account page', async ({ buyer, stripe }) => {
    await buyer.buyPro();
    const { id } = await stripe.onlySubscription(buyer.email);
    const change = { cancel_at_period_end: true };
    await stripe.change('subscriptions', id, change, 'customer.subscription.updated');
    await buyer.awaitInAccount(/^Pro until \d{1,2} [A-Z][a-z]+ \d{4}$/);
    const ended = { status: 'canceled', ended_at: Math.floor(Date.now() / 1000) };
    await stripe.change('subscriptions', id, ended, 'customer.subscription.deleted');
    await buyer.awaitInAccount('Pro ended today');
  });
});
