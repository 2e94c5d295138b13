// The path of a purchase, and the ways it bends. With scripts, and again without them.

import { ACTIVE_PRO, Buyer, CARDS, PRO } from '../support/buyer.ts';
import { expect, scriptsOffToo, test } from '../support/test.ts';

test.describe('buying', () => {
  test('a stranger finds the prices, signs up, pays, and has the plan', scriptsOffToo, async ({
    buyer,
    page,
    stripe,
  }) => {
    await page.goto('/');
    await page.getByRole('main').getByRole('link', { name: 'See plans' }).click();
    await expect(buyer.heading).toHaveText('Plans and prices');
    await buyer.subscribe();
    await expect(page).toHaveURL('/signup');
    await buyer.signUp();
    await buyer.seeCheckout();
    await expect(page.getByText(buyer.email)).toBeVisible();
    await buyer.pay();
    await buyer.seeThanks();
    await expect(page).toHaveURL('/checkout/success');
    await expect(page.getByRole('region', { name: 'What you bought' })).toContainText('Visa ending in 4242');
    await page.getByRole('link', { name: 'Go to your account' }).click();
    await expect(buyer.heading).toHaveText(ACTIVE_PRO);
    const details = page.getByRole('region', { name: 'Your plan in detail' });
    await expect(details).toContainText('$12 a month');
    await expect(details).toContainText('Visa ending in 4242');
    await page.goto('/pricing');
    const pro = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Pro' }) });
    await expect(pro.getByText('Your plan')).toBeVisible();
    await expect(page.getByRole('button', { name: PRO })).toHaveCount(0);
    const customer = await stripe.onlyCustomer(buyer.email);
    expect(await stripe.subscriptions(customer.id)).toMatchObject([{ status: 'active' }]);
  });

  test('by the year, what is shown is what is charged', async ({ buyer, page, stripe }) => {
    await buyer.arrive();
    await page.goto('/pricing');
    await page.getByRole('link', { name: /^Yearly, save up to \$80$/ }).click();
    await buyer.subscribe('Subscribe to Pro, $120 a year');
    await buyer.seeCheckout();
    await expect(page.getByText('Total due today').locator('..')).toContainText('$120.00');
    await buyer.pay();
    await buyer.seeThanks();
    await page.goto('/account');
    await expect(buyer.heading).toHaveText(/^Pro, renews on .* for \$120$/);
    const { items } = await stripe.onlySubscription(buyer.email);
    expect(items.data[0].price).toMatchObject({ unit_amount: 12_000, recurring: { interval: 'year' } });
  });

  test('a declined card, then a good one', scriptsOffToo, async ({ buyer, page, stripe }) => {
    await buyer.arriveAtCheckout();
    await buyer.pay(CARDS.declined);
    await expect(page.getByLabel('Card number')).toHaveAccessibleDescription('Your card was declined.');
    await buyer.pay(CARDS.insufficientFunds);
    await expect(page.getByLabel('Card number')).toHaveAccessibleDescription('Your card has insufficient funds.');
    await buyer.pay(CARDS.expired);
    await expect(page.getByLabel('Expiry date')).toHaveAccessibleDescription('Your card has expired.');
    await buyer.pay();
    await buyer.seeThanks();
    await buyer.seeProInAccount();
    await stripe.onlySubscription(buyer.email);
  });

  test('a bank that asks and gets its answer (3-D Secure)', scriptsOffToo, async ({ buyer, page }) => {
    await buyer.arriveAtCheckout();
    await buyer.pay(CARDS.asks3ds);
    await expect(buyer.heading).toHaveText("Confirm it's you");
    await page.getByRole('button', { name: 'Complete' }).click();
    await buyer.seeThanks();
    await buyer.seeProInAccount();
  });

  test('a bank that says no (3-D Secure), then another card', scriptsOffToo, async ({ buyer, page, stripe }) => {
    await buyer.arriveAtCheckout();
    await buyer.pay(CARDS.asks3ds);
    await page.getByRole('button', { name: 'Fail' }).click();
    await expect(page.getByLabel('Card number')).toHaveAccessibleDescription(/unable to authenticate/);
    await page.goto('/account');
    await expect(buyer.heading).toHaveText("You're on Free");
    await page.goto('/pricing');
    await buyer.subscribe();
    await buyer.seeCheckout();
    await buyer.pay();
    await buyer.seeThanks();
    await stripe.onlySubscription(buyer.email);
  });

  test('turning back at the checkout costs nothing, and the way on is open', scriptsOffToo, async ({
    buyer,
    page,
    stripe,
  }) => {
    await buyer.arriveAtCheckout();
    const checkout = page.url();
    await page.getByRole('link', { name: 'Back' }).click();
    await expect(page).toHaveURL('/pricing');
    await page.goto('/checkout/success');
    await expect(buyer.heading).toHaveText("You haven't been charged");
    await page.goto('/account');
    await expect(buyer.heading).toHaveText("You're on Free");
    const customer = await stripe.onlyCustomer(buyer.email);
    expect(await stripe.subscriptions(customer.id)).toEqual([]);
    await page.goto('/pricing');
    await buyer.subscribe();
    await expect(page, 'the session that is open is used again').toHaveURL(checkout);
  });

  test('another plan closes the checkout of the first', async ({ buyer, page, stripe }) => {
    await buyer.arriveAtCheckout();
    const first = page.url();
    await page.goto('/pricing');
    await buyer.subscribe('Subscribe to Team, $40 a month');
    await expect(buyer.heading).toHaveText('Subscribe to Team');
    const customer = await stripe.onlyCustomer(buyer.email);
    const open = (await stripe.checkouts(customer.id)).filter(({ status }) => status === 'open');
    expect(open).toHaveLength(1);
    await page.goto(first);
    await expect(buyer.heading).toHaveText('This page has expired');
  });

  test('who has an account logs in on the way, and goes on to the checkout', scriptsOffToo, async ({ buyer, page }) => {
    await buyer.arrive();
    await buyer.logOut();
    await expect(page.getByText('You are logged out')).toBeVisible();
    await page.goto('/pricing');
    await buyer.subscribe();
    await expect(buyer.heading).toHaveText('Create your account');
    await page.getByRole('main').getByRole('link', { name: 'Log in' }).click();
    await buyer.logIn();
    await buyer.seeCheckout();
    await buyer.pay();
    await buyer.seeThanks();
  });

  test('a choice that was made once is not made again at the next log-in', async ({ buyer, page }) => {
    await buyer.arriveAtCheckout();
    await page.goto('/account');
    await buyer.logOut();
    await page.goto('/login');
    await buyer.logIn();
    await expect(page).toHaveURL('/account');
  });

  test('a second plan is never sold beside the first', async ({ buyer, page, context, stripe }) => {
    await buyer.arrive();
    await page.goto('/pricing');
    const stale = new Buyer(await context.newPage());
    await stale.page.goto('/pricing');
    await buyer.subscribe();
    await buyer.seeCheckout();
    await buyer.pay();
    await buyer.seeThanks();
    await stale.subscribe();
    await expect(stale.page).toHaveURL('/account');
    await expect(stale.page.getByText('You already have a plan')).toBeVisible();
    await stripe.onlySubscription(buyer.email);
  });

  test('going back to a checkout that is paid for charges nothing again', async ({ buyer, page, stripe }) => {
    await buyer.arriveAtCheckout();
    const checkout = page.url();
    await buyer.pay();
    await buyer.seeThanks();
    await page.goto(checkout);
    await expect(page.getByText('You have already paid. You will not be charged again.')).toBeVisible();
    await page.getByRole('link', { name: 'Continue' }).click();
    await buyer.seeThanks();
    await stripe.onlySubscription(buyer.email);
  });

  test('a double click makes one customer and one checkout', scriptsOffToo, async ({ buyer, page, stripe }) => {
    await buyer.arrive();
    await page.goto('/pricing');
    await page.getByRole('button', { name: PRO }).dblclick();
    await buyer.seeCheckout();
    const customer = await stripe.onlyCustomer(buyer.email);
    expect(await stripe.checkouts(customer.id)).toHaveLength(1);
  });

  test('a second, impatient click while Stripe is slow does not either', scriptsOffToo, async ({
    buyer,
    page,
    stripe,
  }) => {
    await buyer.arrive();
    await page.goto('/pricing');
    await stripe.fail({ path: '/v1/customers', method: 'POST', latency_ms: 1000 });
    const box = await page.getByRole('button', { name: PRO }).boundingBox();
    if (!box) throw new Error('the button has no place on the page');
    // By the mouse alone: a locator would wait for the first click's page.
    for (const click of ['first', 'second']) {
      const sent = page.waitForRequest('**/api/start_checkout');
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      expect((await sent).method(), `the ${click} click is sent`).toBe('POST');
    }
    await buyer.seeCheckout();
    const customer = await stripe.onlyCustomer(buyer.email);
    expect(await stripe.checkouts(customer.id)).toHaveLength(1);
  });
});

test('Subscribe in five tabs at once leads to one checkout of one customer', async ({ buyer, context, stripe }) => {
  await buyer.arrive();
  const tabs = await Promise.all(Array.from({ length: 5 }, async () => new Buyer(await context.newPage())));
  await Promise.all(tabs.map(({ page }) => page.goto('/pricing')));
  await Promise.all(tabs.map((tab) => tab.subscribe()));
  await Promise.all(tabs.map((tab) => tab.seeCheckout()));
  expect(new Set(tabs.map(({ page }) => page.url())).size).toBe(1);
  const customer = await stripe.onlyCustomer(buyer.email);
  expect(await stripe.checkouts(customer.id)).toHaveLength(1);
});
