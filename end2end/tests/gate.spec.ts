// The page that only a subscriber may use.

import { expect, scriptsOffToo, test } from '../support/test.ts';

test.describe('the gated page', () => {
  test('is locked without a plan, and says where to get one', scriptsOffToo, async ({ buyer, page }) => {
    await buyer.arrive();
    await page.goto('/app');
    await expect(page.getByText('It comes with any paid plan.')).toBeVisible();
    await expect(page.getByText(/in all\./)).toBeHidden();
    await page.getByRole('main').getByRole('link', { name: 'See plans' }).click();
    await expect(page).toHaveURL('/pricing');
  });

  test('opens with a plan, and closes when the plan has ended', scriptsOffToo, async ({ buyer, page, stripe }) => {
    await buyer.buyPro();
    await page.goto('/account');
    await page.getByRole('link', { name: 'See your year ahead' }).click();
    await expect(page.getByText('12 payments for Pro, $144 in all.')).toBeVisible();
    const { id } = await stripe.onlySubscription(buyer.email);
    const ended = { status: 'canceled', ended_at: Math.floor(Date.now() / 1000) };
    await stripe.change('subscriptions', id, ended, 'customer.subscription.deleted');
    await buyer.awaitInAccount('Pro ended today');
    await page.goto('/app');
    await expect(page.getByText('It comes with any paid plan.')).toBeVisible();
  });
});
