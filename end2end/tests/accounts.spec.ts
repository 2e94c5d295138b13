// Accounts, as a person meets them: errors beside the fields, and the way back to where one was.

import { Buyer } from '../support/buyer.ts';
import { expect, scriptsOffToo, test } from '../support/test.ts';

test.describe('accounts', () => {
  test('sign-up says what is missing, beside each field', scriptsOffToo, async ({ buyer, page }) => {
    await page.goto('/signup');
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page).toHaveTitle('Error: Sign up · Unsplit');
    const [email, password] = [page.getByLabel('Email'), page.getByLabel('Password', { exact: true })];
    await expect(email).toHaveAccessibleDescription('Enter your email address.');
    await expect(password).toHaveAccessibleDescription(/Enter your password\.$/);
    await expect(email).toHaveAttribute('aria-invalid', 'true');
    await buyer.fillIn('nobody', 'short');
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(email).toHaveAccessibleDescription('Enter an email address like name@example.com.');
    await expect(password).toHaveAccessibleDescription(/Use at least 10 characters\.$/);
    await expect(email, 'nobody types it twice').toHaveValue('nobody');
    await expect(password, 'a password is never sent back').toHaveValue('');
    await buyer.signUp();
    await expect(page).toHaveURL('/account');
  });

  test('an error is shown once', async ({ page }) => {
    await page.goto('/signup');
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page.getByText('Enter your email address.')).toBeVisible();
    await page.reload();
    await expect(page.getByText('Enter your email address.')).toBeHidden();
  });

  test('an email that has an account is told so, and the account keeps its password', async ({ buyer, page }) => {
    await buyer.arrive();
    await buyer.logOut();
    await page.goto('/signup');
    const { email } = buyer;
    buyer.email = email.toUpperCase();
    await buyer.signUp('somebody else entirely');
    await expect(page.getByLabel('Email')).toHaveAccessibleDescription(/has an account already/);
    await page.getByRole('main').getByRole('link', { name: 'Log in' }).click();
    buyer.email = email;
    await buyer.logIn('somebody else entirely');
    await expect(page.getByText(/don't match/)).toBeVisible();
    await buyer.logIn();
    await expect(page).toHaveURL('/account');
  });

  test('a wrong password and an unknown email get the same answer', scriptsOffToo, async ({ buyer, page }) => {
    await buyer.arrive();
    await buyer.logOut();
    await page.goto('/login');
    const [email, password] = [page.getByLabel('Email'), page.getByLabel('Password', { exact: true })];
    const stranger = new Buyer(page);
    for (const [typed, secret] of [
      [buyer.email, 'not the password'],
      [stranger.email, stranger.password],
    ] as const) {
      await buyer.fillIn(typed, secret);
      await page.getByRole('main').getByRole('button', { name: 'Log in' }).click();
      await expect(email).toHaveValue(typed);
      await expect(email).toHaveAccessibleDescription('');
      await expect(password).toHaveAccessibleDescription("Email and password don't match. Check both and try again.");
    }
    await buyer.logIn();
    await expect(page).toHaveURL('/account');
  });

  test('logging out ends it, also in the other tab', async ({ buyer, page, context }) => {
    await buyer.arrive();
    const other = await context.newPage();
    await other.goto('/account');
    await buyer.logOut();
    await expect(page).toHaveURL('/');
    await expect(page.getByText('You are logged out')).toBeVisible();
    await other.reload();
    await expect(other).toHaveURL('/login');
    const stored = await page.request.get('/api/subscription');
    expect(stored.status()).toBe(401);
  });

  for (const path of ['/account', '/app?from=a%20link']) {
    test(`${path} asks for a log-in and is where one ends up`, scriptsOffToo, async ({ buyer, page }) => {
      await buyer.arrive();
      await buyer.logOut();
      await page.goto(path);
      await expect(page).toHaveURL('/login');
      await buyer.logIn();
      await expect(page).toHaveURL(path);
    });
  }

  test('back from Stripe without a log-in: log in, then the outcome', scriptsOffToo, async ({
    buyer,
    page,
    context,
  }) => {
    await buyer.arriveAtCheckout();
    await context.clearCookies();
    await buyer.pay();
    await expect(page).toHaveURL('/login');
    await buyer.logIn();
    await buyer.seeThanks();
  });

  test('who never went to a checkout has no outcome to see', async ({ buyer, page }) => {
    await buyer.arrive();
    await page.goto('/checkout/success');
    await expect(page, 'no customer, so nothing was bought').toHaveURL('/pricing');
  });
});

test('after ten wrong passwords even the right one has to wait', async ({ buyer, page }) => {
  await buyer.arrive();
  await buyer.logOut();
  await page.goto('/login');
  for (let tries = 0; tries < 10; tries += 1) {
    await buyer.logIn(`not the password ${tries}`);
    await expect(page.getByText(/don't match/)).toBeVisible();
  }
  await buyer.logIn();
  await expect(page.getByText('Too many attempts')).toBeVisible();
  await expect(page.getByText(/next try is possible in \d+ minutes/)).toBeVisible();
  await page.goto('/account');
  await expect(page).toHaveURL('/login');
});

test('what was typed as a password can be shown, and hidden again', async ({ buyer, page }) => {
  await page.goto('/signup');
  const password = page.getByLabel('Password', { exact: true });
  await password.fill(buyer.password);
  await page.getByRole('button', { name: 'Show password' }).click();
  await expect(password).toHaveAttribute('type', 'text');
  await page.getByRole('button', { name: 'Hide password' }).click();
  await expect(password).toHaveAttribute('type', 'password');
  await expect(password).toHaveValue(buyer.password);
});

test('a form from another site does nothing', async ({ buyer, page, context, unsplit }) => {
  await buyer.arrive();
  const evil = await context.newPage();
  await evil.route('http://evil.test/', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<form method="post" action="${unsplit.url}/api/log_out"><button>Win a prize</button></form>`,
    }),
  );
  await evil.goto('http://evil.test/');
  await evil.getByRole('button').click();
  await expect(evil.getByRole('heading', { level: 1 })).toHaveText('Nothing was done');
  await page.goto('/account');
  await expect(page).toHaveURL('/account');
});
