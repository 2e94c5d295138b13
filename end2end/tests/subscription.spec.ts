// What a subscriber does: change up and down, leave and stay, look at invoices, go to the portal and back.
// Each is links and forms, and works without scripts too.

import type { Page } from '@playwright/test';
import { ACTIVE_PRO, type Buyer } from '../support/buyer.ts';
import { look } from '../support/look.ts';
import { expect, scriptsOffToo, test } from '../support/test.ts';

const ACTIVE_TEAM = /^Team, renews on \d{1,2} [A-Z][a-z]+ \d{4} for \$40$/;

/** The figure beside a label of the page's facts. */
function fact(page: Page, label: string) {
  return page.locator('dl.facts > div').filter({ hasText: label }).first().locator('dd');
}

async function changeTo(buyer: Buyer, plan: string): Promise<void> {
  const { page } = buyer;
  await page.goto('/account');
  await page.getByRole('link', { name: 'Change plan' }).first().click();
  await page.getByRole('link', { name: `Look at ${plan}`, exact: true }).click();
  await expect(buyer.heading).toContainText(`Change to ${plan}`);
}

test('up, at once, for what was shown', scriptsOffToo, async ({ buyer, page }) => {
  await buyer.buyPro();
  await changeTo(buyer, 'Team');
  await expect(fact(page, 'You pay today')).toHaveText('$28');
  await expect(fact(page, 'Next payment')).toContainText('$40 on ');
  await page.getByRole('button', { name: 'Pay $28 and change to Team' }).click();
  await expect(page.getByText('Your plan is changed')).toBeVisible();
  await expect(buyer.heading).toHaveText(ACTIVE_TEAM);
});

test('down, when the period ends, and back again', scriptsOffToo, async ({ buyer, page }) => {
  await buyer.buyPro();
  await changeTo(buyer, 'Team');
  await page.getByRole('button', { name: /^Pay / }).click();
  await expect(buyer.heading).toHaveText(ACTIVE_TEAM);
  await changeTo(buyer, 'Pro');
  await expect(fact(page, 'You pay today')).toHaveText('$0');
  await page.getByRole('button', { name: /^Change to Pro on / }).click();
  await expect(buyer.heading).toHaveText(/^Team until .*, then Pro$/);
  await page.getByRole('button', { name: 'Stay on Team' }).click();
  await expect(page.getByText('Team stays')).toBeVisible();
  await expect(buyer.heading).toHaveText(ACTIVE_TEAM);
});

test('leave with the period, and stay after all', scriptsOffToo, async ({ buyer, page }) => {
  await buyer.buyPro();
  await page.goto('/account');
  await page.getByRole('link', { name: 'Cancel plan' }).click();
  await expect(buyer.heading).toHaveText('Cancel Pro?');
  await page.getByLabel(/Why/).selectOption('unused');
  await page.getByRole('button', { name: 'Cancel Pro' }).click();
  await expect(buyer.heading).toHaveText(/^Pro until /);
  await page.getByRole('button', { name: 'Keep Pro' }).click();
  await expect(buyer.heading).toHaveText(ACTIVE_PRO);
});

test('leave at once', scriptsOffToo, async ({ buyer, page }) => {
  await buyer.buyPro();
  await page.goto('/account/cancel');
  await page.getByRole('radio', { name: /^Now/ }).check();
  await page.getByRole('button', { name: 'Cancel Pro' }).click();
  await expect(buyer.heading).toHaveText('Pro ended today');
});

test('the portal, and back to where one was', scriptsOffToo, async ({ buyer, page, stripe }) => {
  await buyer.buyPro();
  await page.goto('/account/payment');
  await page.getByRole('button', { name: 'Open the customer portal' }).click();
  await expect(page).toHaveURL(new RegExp(`^${stripe.url}/p/session/`));
  await page.goBack();
  await page.goto('/account/back?to=/account/payment');
  await expect(page).toHaveURL(/\/account\/payment$/);
  await expect(fact(page, 'Card')).toHaveText('Visa ending in 4242');
});

test('the pages of a subscriber, looked at', async ({ buyer, page }) => {
  test.slow();
  await buyer.buyPro();
  for (const part of ['plan', 'payment', 'invoices', 'cancel']) {
    await page.goto(`/account/${part}`, { waitUntil: 'networkidle' });
    await look(page, `part-${part}`);
  }
  await page.goto('/account/plan/confirm?plan=team&interval=month');
  await look(page, 'part-confirm-up');
  await page.getByRole('button', { name: /^Pay / }).click();
  await expect(buyer.heading).toHaveText(ACTIVE_TEAM);
  await page.goto('/account/plan/confirm?plan=pro&interval=month');
  await look(page, 'part-confirm-down');
  await page.getByRole('button', { name: /^Change to Pro on / }).click();
  await expect(buyer.heading).toHaveText(/^Team until /);
  await look(page, 'account-changing');
  await page.goto('/account/plan');
  await look(page, 'part-plan-changing');
  await page.goto('/account/invoices');
  const href = await page.getByRole('link', { name: /^PDF/ }).first().getAttribute('href');
  const pdf = await page.request.get(href ?? '');
  expect(pdf.headers()['content-type']).toBe('application/pdf');
  await look(page, 'part-invoices-two');
});
