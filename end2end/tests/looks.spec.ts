// Every page in every state that a person can meet: no violation by axe in light or dark, nothing
// cut off on a narrow screen, and a picture of each in screenshots/.

import type { Page } from '@playwright/test';
import { type Buyer, CARDS } from '../support/buyer.ts';
import { look } from '../support/look.ts';
import { pauseRedis } from '../support/redis.ts';
import { DOWN, type StripeEmulator } from '../support/stripe.ts';
import { expect, test } from '../support/test.ts';

const DAY = 24 * 3600;
const NOW = Math.floor(Date.now() / 1000);

/** Unix seconds as the pages write a day. */
function day(unix: number): string {
  const style = { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat('en-GB', style).format(unix * 1000);
}

async function lookAt(page: Page, path: string, name: string): Promise<void> {
  await page.goto(path, { waitUntil: 'networkidle' });
  await look(page, name);
}

test('a stranger', async ({ page }) => {
  await lookAt(page, '/', 'home');
  await lookAt(page, '/pricing', 'pricing');
  await lookAt(page, '/pricing?interval=year', 'pricing-yearly');
  await lookAt(page, '/no/such/page', 'not-found');
});

test('the doors: sign up and log in', async ({ buyer, page }) => {
  await lookAt(page, '/signup', 'sign-up');
  await buyer.fillIn('nobody', 'short');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByText('Use at least 10 characters.')).toBeVisible();
  await look(page, 'sign-up-errors');
  await lookAt(page, '/login', 'log-in');
  await buyer.logIn();
  await expect(page.getByText(/don't match/)).toBeVisible();
  await page.getByLabel('Password', { exact: true }).fill(buyer.password);
  await page.getByRole('button', { name: 'Show password' }).click();
  await look(page, 'log-in-wrong-password');
});

test('an account without a plan', async ({ buyer, page, stripe, unsplit }) => {
  await buyer.arrive();
  await look(page, 'account-free');
  await lookAt(page, '/app', 'gate-locked');
  await page.goto('/pricing');
  await stripe.fail(DOWN);
  await buyer.subscribe();
  await expect(page.getByText("The payment page can't be reached")).toBeVisible();
  await look(page, 'pricing-stripe-down');
  await stripe.heal();
  await pauseRedis(unsplit.redisPort, 4000);
  const answer = await page.goto('/account');
  expect(answer?.status()).toBe(503);
  await look(page, 'outage');
  await page.goto('/account');
  await buyer.logOut();
  await expect(page.getByText('You are logged out')).toBeVisible();
  await look(page, 'logged-out');
});

test('the hosted checkout page', async ({ buyer, page }) => {
  await buyer.arriveAtCheckout();
  const checkout = page.url();
  await look(page, 'checkout');
  await buyer.pay(CARDS.declined);
  await expect(page.getByText('Your card was declined.')).toBeVisible();
  await look(page, 'checkout-declined');
  await buyer.pay(CARDS.asks3ds);
  await expect(buyer.heading).toHaveText("Confirm it's you");
  await look(page, 'checkout-3ds');
  await page.goto('/pricing');
  await buyer.subscribe('Subscribe to Team, $40 a month');
  await expect(buyer.heading).toHaveText('Subscribe to Team');
  await page.goto(checkout);
  await look(page, 'checkout-expired');
});

test('the page after checkout', async ({ buyer, page, stripe }) => {
  await stripe.deliver('dropped');
  await buyer.arriveAtCheckout();
  await page.goto('/checkout/success');
  await expect(buyer.heading).toHaveText("You haven't been charged");
  await look(page, 'success-not-paid');
  await page.goto('/pricing');
  await buyer.subscribe();
  await stripe.fail(DOWN);
  await buyer.pay();
  await expect(buyer.heading).toHaveText('Your payment is safe');
  await look(page, 'success-unreachable');
  await stripe.heal();
  await page.goto('/checkout/success');
  await buyer.seeThanks();
  await look(page, 'success-active');
  const [receipt] = await Promise.all([
    page.getByRole('link', { name: 'See the receipt' }).getAttribute('href'),
    page.getByRole('link', { name: 'See the receipt' }).click(),
  ]);
  await expect(page).toHaveURL(receipt ?? '');
  await look(page, 'receipt');
  const { id, latest_invoice } = await stripe.onlySubscription(buyer.email);
  await stripe.change('invoices', latest_invoice, { status: 'open' }, 'invoice.payment_failed');
  await lookAtOutcome(buyer, stripe, id, { status: 'past_due' }, 'Pro needs your attention', 'needs-payment');
  await lookAtOutcome(buyer, stripe, id, { status: 'incomplete' }, 'Your payment has arrived', 'arrived');
  const [session] = await stripe.checkouts((await stripe.onlyCustomer(buyer.email)).id);
  const unpaid = { payment_status: 'unpaid' };
  await stripe.change('checkout_sessions', session?.id ?? '', unpaid, 'checkout.session.completed');
  await lookAtOutcome(buyer, stripe, id, {}, 'Your payment is on its way', 'processing');
  await lookAtOutcome(buyer, stripe, id, { status: 'canceled', ended_at: NOW }, 'This plan has ended', 'ended');
});

async function lookAtOutcome(
  buyer: Buyer,
  stripe: StripeEmulator,
  subscription: string,
  change: object,
  heading: string | RegExp,
  name: string,
): Promise<void> {
  await stripe.change('subscriptions', subscription, change, 'customer.subscription.updated');
  // A value that a worker has fetched a moment before the change is shown for three seconds, and no webhook comes.
  await expect(async () => {
    await buyer.page.goto('/checkout/success');
    await expect(buyer.heading).toHaveText(heading, { timeout: 2000 });
  }).toPass();
  await look(buyer.page, `success-${name}`);
}

test('a subscriber', async ({ buyer, page, context }) => {
  await buyer.arrive();
  await page.goto('/pricing');
  const stale = await context.newPage();
  await stale.goto('/pricing');
  await buyer.subscribe();
  await buyer.pay();
  await buyer.seeThanks();
  await lookAt(page, '/account', 'account-active');
  await lookAt(page, '/app', 'gate-open');
  await lookAt(page, '/pricing', 'pricing-subscribed');
  await stale.getByRole('button', { name: /^Subscribe to Team/ }).click();
  await expect(stale.getByText('You already have a plan')).toBeVisible();
  await look(stale, 'account-already-subscribed');
});

/** What Stripe says of a subscription, and the headline that the account page makes of it. */
type Status = { name: string; change: object; headline: string | RegExp };

const STATUSES: Status[] = [
  {
    name: 'trial',
    change: { status: 'trialing', trial_end: NOW + 9 * DAY },
    headline: `Pro, free for 9 more days, until ${day(NOW + 9 * DAY)}, then $12 a month`,
  },
  {
    name: 'ending',
    change: { status: 'active', trial_end: null, cancel_at_period_end: true },
    headline: /^Pro until \d{1,2} [A-Z][a-z]+ \d{4}$/,
  },
  {
    name: 'cancel-at',
    change: { cancel_at_period_end: false, cancel_at: NOW + 5 * DAY },
    headline: `Pro until ${day(NOW + 5 * DAY)}`,
  },
  { name: 'past-due', change: { status: 'past_due', cancel_at: null }, headline: 'Pro, payment overdue' },
  { name: 'unpaid', change: { status: 'unpaid' }, headline: 'Pro is switched off' },
  { name: 'incomplete', change: { status: 'incomplete' }, headline: 'Pro is waiting for your payment' },
  { name: 'paused', change: { status: 'paused' }, headline: 'Pro is paused' },
  { name: 'lapsed', change: { status: 'incomplete_expired' }, headline: "You don't have a plan yet" },
  { name: 'unknown', change: { status: 'on_the_moon' }, headline: "We're checking your plan" },
  { name: 'ended', change: { status: 'canceled', ended_at: NOW }, headline: 'Pro ended today' },
];

/** Stripe's own names for what a person reads about in words. */
const JARGON = /past_due|incomplete|trialing|unpaid|canceled|cancel_at|on_the_moon|undefined|null/i;

async function seeEveryStatus(buyer: Buyer, stripe: StripeEmulator, statuses: Status[]): Promise<void> {
  await buyer.buyPro();
  const { id, latest_invoice } = await stripe.onlySubscription(buyer.email);
  await stripe.change('invoices', latest_invoice, { status: 'open' }, 'invoice.payment_failed');
  for (const { name, change, headline } of statuses) {
    await stripe.change('subscriptions', id, change, 'customer.subscription.updated');
    await buyer.awaitInAccount(headline);
    await expect.soft(buyer.page.getByRole('main')).not.toContainText(JARGON);
    await look(buyer.page, `account-${name}`);
  }
}

test('the account page in every status', async ({ buyer, stripe }) => {
  test.slow();
  await seeEveryStatus(buyer, stripe, STATUSES.slice(0, 5));
});

test('the account page in every other status', async ({ buyer, stripe }) => {
  test.slow();
  await seeEveryStatus(buyer, stripe, STATUSES.slice(5));
});

for (const [name, local, domain] of [
  ['long', 'hubert-blaine-wolfeschlegelsteinhausenbergerdorff-senior'.padEnd(64, 'x'), 'a'.repeat(63)],
  ['right-to-left', 'عنوان.بريد.طويل', 'مثال'],
] as const) {
  test(`an email that is ${name}`, async ({ buyer, page }) => {
    const unique = buyer.email.replace(/\D/g, '').slice(0, 6);
    buyer.email = `${local.slice(0, 58)}${unique}@${domain}.example.com`;
    await buyer.arriveAtCheckout();
    await look(page, `checkout-email-${name}`);
    await buyer.pay();
    await buyer.seeThanks();
    await lookAt(page, '/account', `account-email-${name}`);
    await expect(page.getByText('Signed in as')).toContainText(local.slice(0, 12));
    await page.goto('/account');
    await buyer.logOut();
    await page.goto('/signup');
    await buyer.signUp('somebody else entirely');
    await expect(page.getByText(/has an account already/)).toBeVisible();
    await look(page, `sign-up-email-${name}`);
  });
}
