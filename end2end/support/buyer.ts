// Someone who buys: one browser page, one e-mail address of their own, and what they do.

import { randomBytes } from 'node:crypto';
import { expect, type Page } from '@playwright/test';

/** Stripe's published test cards. */
export const CARDS = {
  good: '4242 4242 4242 4242',
  declined: '4000 0000 0000 0002',
  insufficientFunds: '4000 0000 0000 9995',
  expired: '4000 0000 0000 0069',
  asks3ds: '4000 0025 0000 3155',
} as const;

export const PRO = 'Subscribe to Pro, $12 a month';
export const ACTIVE_PRO = /^Pro, renews on \d{1,2} [A-Z][a-z]+ \d{4} for \$12$/;

export class Buyer {
  readonly page: Page;
  readonly password = 'four words in a row';
  email = `buyer-${randomBytes(6).toString('hex')}@example.com`;

  constructor(page: Page) {
    this.page = page;
  }

  /** The page's one heading of the first rank. */
  get heading() {
    return this.page.getByRole('heading', { level: 1 });
  }

  async subscribe(button = PRO): Promise<void> {
    await this.page.getByRole('button', { name: button, exact: true }).click();
  }

  async fillIn(email: string, password: string): Promise<void> {
    await this.page.getByLabel('Email', { exact: true }).fill(email);
    await this.page.getByLabel('Password', { exact: true }).fill(password);
  }

  async signUp(password = this.password): Promise<void> {
    await this.fillIn(this.email, password);
    await this.page.getByRole('button', { name: 'Create account' }).click();
  }

  async logIn(password = this.password): Promise<void> {
    await this.fillIn(this.email, password);
    await this.page.getByRole('main').getByRole('button', { name: 'Log in' }).click();
  }

  async logOut(): Promise<void> {
    await this.page.getByRole('button', { name: 'Log out' }).click();
  }

  /** A new account, seen from its page. */
  async arrive(): Promise<void> {
    await this.page.goto('/signup');
    await this.signUp();
    await expect(this.heading).toHaveText("You're on Free");
  }

  /** A new account that stands at the hosted checkout page of Pro. */
  async arriveAtCheckout(): Promise<void> {
    await this.page.goto('/pricing');
    await this.subscribe();
    await expect(this.heading).toHaveText('Create your account');
    await this.signUp();
    await this.seeCheckout();
  }

  async seeCheckout(): Promise<void> {
    await expect(this.heading).toHaveText('Subscribe to Pro');
    await expect(this.page.getByText('Total due today')).toBeVisible();
  }

  /** At the hosted checkout page: fills in a card and presses the button. */
  async pay(card: string = CARDS.good): Promise<void> {
    await this.page.getByLabel('Card number').fill(card);
    await this.page.getByLabel('Expiry date').fill('12/34');
    await this.page.getByLabel('CVC').fill('123');
    await this.page.getByLabel('Name on card').fill('Ada Lovelace');
    await this.page.getByRole('button', { name: 'Subscribe' }).click();
  }

  async seeThanks(): Promise<void> {
    await expect(this.heading).toHaveText("Thank you. You're on Pro");
  }

  async seeProInAccount(): Promise<void> {
    await this.page.goto('/account');
    await expect(this.heading).toHaveText(ACTIVE_PRO);
  }

  /** For what comes about in the background: loads the account page until it says so. */
  async awaitInAccount(headline: string | RegExp): Promise<void> {
    await expect(async () => {
      await this.page.goto('/account');
      await expect(this.heading).toHaveText(headline, { timeout: 100 });
    }).toPass({ intervals: [100, 200, 400], timeout: 20_000 });
  }

  /** A new account with a paid plan. */
  async buyPro(): Promise<void> {
    await this.arriveAtCheckout();
    await this.pay();
    await this.seeThanks();
  }
}
