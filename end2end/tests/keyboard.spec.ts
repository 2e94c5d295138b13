// A purchase with the keyboard alone: everything can be reached in order, and is seen to have the focus.

import { expect, type Locator } from '@playwright/test';
import { Buyer, CARDS, PRO } from '../support/buyer.ts';
import { test } from '../support/test.ts';

/** Presses Tab until `target` has the focus. Throws where it takes longer than a page is. */
async function tabTo(buyer: Buyer, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < 30; presses += 1) {
    await buyer.page.keyboard.press('Tab');
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`Tab never reaches ${target}`);
}

async function press(buyer: Buyer, target: Locator): Promise<void> {
  await tabTo(buyer, target);
  await buyer.page.keyboard.press('Enter');
}

async function type(buyer: Buyer, label: string, text: string): Promise<void> {
  const field = buyer.page.getByLabel(label, { exact: true });
  if (!(await field.evaluate((element) => element === document.activeElement))) await tabTo(buyer, field);
  await buyer.page.keyboard.type(text);
}

test('a purchase with the keyboard alone', async ({ buyer, page }) => {
  await page.goto('/');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await press(buyer, page.getByRole('main').getByRole('link', { name: 'See plans' }));
  await press(buyer, page.getByRole('button', { name: PRO }));
  await expect(buyer.heading).toHaveText('Create your account');
  await type(buyer, 'Email', buyer.email);
  await type(buyer, 'Password', buyer.password);
  await page.keyboard.press('Enter');
  await buyer.seeCheckout();
  await type(buyer, 'Card number', CARDS.good);
  await type(buyer, 'Expiry date (MM/YY)', '12/34');
  await type(buyer, 'CVC (security code)', '123');
  await type(buyer, 'Name on card', 'Ada Lovelace');
  await page.keyboard.press('Enter');
  await buyer.seeThanks();
  await press(buyer, page.getByRole('link', { name: 'Go to your account' }));
  await expect(page).toHaveURL('/account');
});

for (const path of ['/', '/pricing', '/signup', '/login']) {
  test(`${path}: whatever has the focus is seen to have it`, async ({ page }) => {
    await page.goto(path, { waitUntil: 'networkidle' });
    const unseen = new Set<string>();
    for (let presses = 0; presses < 12; presses += 1) {
      await page.keyboard.press('Tab');
      const lacking = await page.evaluate(() => {
        const focused = document.activeElement;
        if (!focused || focused === document.body) return null;
        // A field shows it on the box around it.
        const boxes = [focused, focused.closest('.input')].filter((box) => box !== null);
        const outlined = boxes.some((box) => {
          const { outlineStyle, outlineWidth } = getComputedStyle(box);
          return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
        });
        return outlined ? null : focused.outerHTML;
      });
      if (lacking) unseen.add(lacking);
    }
    expect([...unseen]).toEqual([]);
  });
}
