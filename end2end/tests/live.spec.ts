// The account page follows what changes, in all tabs, over one connection, and none while nobody looks.

import type { BrowserContext, Page } from '@playwright/test';
import { ACTIVE_PRO, type Buyer } from '../support/buyer.ts';
import type { StripeEmulator } from '../support/stripe.ts';
import { expect, test } from '../support/test.ts';

const FAILED = /last payment failed|payment failed/i;

/** How many streams are open now in all tabs, and how many have been opened. */
class Streams {
  opened = 0;
  #open = new Set<unknown>();

  constructor(context: BrowserContext) {
    context.on('request', (request) => {
      if (!request.url().endsWith('/api/live')) return;
      this.opened += 1;
      this.#open.add(request);
    });
    context.on('requestfinished', (request) => this.#open.delete(request));
    context.on('requestfailed', (request) => this.#open.delete(request));
  }

  get open(): number {
    return this.#open.size;
  }
}

/** As if another tab or window stood before it. */
async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    Object.defineProperty(document, 'visibilityState', {
      configurable: true,
      get: () => (hidden ? 'hidden' : 'visible'),
    });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

async function changeStatus(stripe: StripeEmulator, buyer: Buyer, status: string): Promise<void> {
  const { id } = await stripe.onlySubscription(buyer.email);
  await stripe.change('subscriptions', id, { status }, 'customer.subscription.updated');
}

async function newTab(context: BrowserContext, path = '/account'): Promise<Page> {
  const tab = await context.newPage();
  await tab.goto(path);
  return tab;
}

test.beforeEach(({ complaints }) => {
  // A page that is left takes its stream along.
  complaints.forgive(/net::ERR_/);
});

test('two tabs follow over one connection, and nothing flickers', async ({ buyer, page, context, stripe }) => {
  const streams = new Streams(context);
  await buyer.buyPro();
  await buyer.seeProInAccount();
  const second = await newTab(context);
  await expect.poll(() => streams.open).toBe(1);
  const kept = await page.evaluateHandle(() => document.querySelector('main nav'));
  await page.getByRole('link', { name: 'Payment' }).first().focus();
  await changeStatus(stripe, buyer, 'past_due');
  for (const tab of [page, second]) await expect(tab.getByRole('main')).toContainText(FAILED);
  expect(await kept.evaluate((nav) => nav?.isConnected), 'what is the same stays').toBe(true);
  expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Payment');
  await expect(page.getByRole('status')).toContainText('This page has changed.');
  expect(streams.open).toBe(1);
  await changeStatus(stripe, buyer, 'active');
  for (const tab of [page, second]) {
    await expect(tab.getByRole('heading', { level: 1 })).toHaveText(ACTIVE_PRO);
  }
});

test('when the leading tab is closed another one takes over', async ({ buyer, page, context, stripe }) => {
  const streams = new Streams(context);
  await buyer.buyPro();
  await buyer.seeProInAccount();
  const second = await newTab(context);
  await expect.poll(() => streams.open).toBe(1);
  const opened = streams.opened;
  await page.close();
  await expect.poll(() => streams.opened).toBe(opened + 1);
  await changeStatus(stripe, buyer, 'past_due');
  await expect(second.getByRole('main')).toContainText(FAILED);
});

test('no connection while hidden, and a look when seen again', async ({ buyer, page, context, stripe }) => {
  const streams = new Streams(context);
  await buyer.buyPro();
  await buyer.seeProInAccount();
  await expect.poll(() => streams.open).toBe(1);
  await hide(page, true);
  await expect.poll(() => streams.open).toBe(0);
  const before = await page.request.get('/api/subscription');
  expect(await before.json()).toMatchObject({ status: 'active' });
  await changeStatus(stripe, buyer, 'past_due');
  await expect
    .poll(async () => (await (await page.request.get('/api/subscription')).json()).status)
    .toBe('past_due');
  await expect(buyer.heading, 'nobody looks').toHaveText(ACTIVE_PRO);
  expect(streams.open).toBe(0);
  await hide(page, false);
  await expect(page.getByRole('main')).toContainText(FAILED);
});

test('a form that somebody fills in is left alone until they are done', async ({ buyer, page, stripe }) => {
  await buyer.buyPro();
  await page.goto('/account/cancel');
  const why = page.getByRole('combobox');
  await why.focus();
  await why.selectOption('unused');
  await changeStatus(stripe, buyer, 'past_due');
  const loaded = page.waitForResponse((response) => new URL(response.url()).pathname === '/account/cancel');
  await expect
    .poll(async () => (await (await page.request.get('/api/subscription')).json()).status)
    .toBe('past_due');
  await expect(why).toHaveValue('unused');
  await why.selectOption('');
  await why.blur();
  await loaded;
});

test('logging out ends it in every tab, and nothing of the account stays', async ({ buyer, page, context }) => {
  const streams = new Streams(context);
  await buyer.buyPro();
  await buyer.seeProInAccount();
  const others = [await newTab(context), await newTab(context, '/account/payment')];
  await expect.poll(() => streams.open).toBe(1);
  await buyer.logOut();
  await expect(page).toHaveURL('/');
  await expect(page.getByText('You are logged out')).toBeVisible();
  for (const tab of others) await expect(tab).toHaveURL('/login');
  await expect.poll(() => streams.open).toBe(0);
});

test('a restart of everything is survived', async ({ buyer, unsplit, page, stripe, complaints }) => {
  complaints.forgive(/net::ERR_|503/);
  await buyer.buyPro();
  await buyer.seeProInAccount();
  await unsplit.kill();
  await unsplit.start();
  await changeStatus(stripe, buyer, 'past_due');
  await expect(page.getByRole('main')).toContainText(FAILED, { timeout: 30_000 });
});
