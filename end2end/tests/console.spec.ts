// The emulator's own page in a browser: what happens shows without reloading, and its buttons do what they say.
// Needs the emulator's program and nothing of the app.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test as base } from '@playwright/test';
import { StripeEmulator } from '../support/stripe.ts';

const root = path.resolve(import.meta.dirname, '../..');
const program = path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/stripe-emulator');

async function start(): Promise<[ChildProcess, StripeEmulator]> {
  const child = spawn(program, ['serve', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${program} ended with ${code}`))),
  ]);
  const address = /http:\/\/([\d.]+:\d+)/.exec(line)?.[1];
  if (!address) throw new Error(`no address in: ${line}`);
  return [child, new StripeEmulator(address)];
}

const test = base.extend<{ emulator: StripeEmulator }>({
  emulator: async ({}, use) => {
    const [child, emulator] = await start();
    await use(emulator);
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  },
});

async function makeCustomer(emulator: StripeEmulator, email: string): Promise<Response> {
  return fetch(`${emulator.url}/v1/customers`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_emulator' },
    body: new URLSearchParams({ email }),
  });
}

test('an event shows while the page is open, and the page is not loaded again', async ({ page, emulator }) => {
  await page.goto(`${emulator.url}/_emulator/timeline`);
  await expect(page.locator('#events')).toContainText('No event happened yet');
  await page.evaluate(() => Object.assign(window, { still: 'here' }));
  await makeCustomer(emulator, 'ada@example.com');
  await expect(page.locator('#events')).toContainText('customer.created');
  await expect(page.locator('#pulse')).toHaveText('Live');
  expect(await page.evaluate(() => (window as unknown as { still?: string }).still)).toBe('here');
});

test('a part in which somebody is stays as it is until they leave it', async ({ page, emulator }) => {
  await makeCustomer(emulator, 'ada@example.com');
  await page.goto(`${emulator.url}/_emulator/timeline`);
  await page.locator('#events a').first().focus();
  await makeCustomer(emulator, 'bob@example.com');
  const looks = page.waitForResponse((response) => response.url().endsWith('/timeline'));
  await looks;
  await page.waitForResponse((response) => response.url().endsWith('/timeline'));
  await expect(page.locator('#events li')).toHaveCount(1);
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await expect(page.locator('#events li')).toHaveCount(2);
});

test('a fault that is ordered by its form strikes, and its list goes with it', async ({ page, emulator }) => {
  await page.goto(`${emulator.url}/_emulator/panel`);
  await page.getByLabel('What happens').selectOption('503');
  await page.getByRole('button', { name: 'Order this fault' }).click();
  await expect(page.locator('#faults')).toContainText('503 for /v1, once');
  expect((await makeCustomer(emulator, 'ada@example.com')).status).toBe(503);
  await expect(page.locator('#faults')).toContainText('No fault waits');
  expect((await makeCustomer(emulator, 'ada@example.com')).status).toBe(200);
});

test('a button moves the clock by a month', async ({ page, emulator }) => {
  const now = async () => (await (await fetch(`${emulator.url}/_emulator/clock`)).json()).now as number;
  const before = await now();
  await page.goto(`${emulator.url}/_emulator`);
  await page.getByRole('button', { name: '1 month on' }).click();
  await expect(page.locator('#now')).toContainText(/\d\d days ahead/);
  expect((await now()) - before).toBeGreaterThan(27 * 86_400);
});

test('an emulator that is gone is told of', async ({ page }) => {
  const [child, emulator] = await start();
  await page.goto(`${emulator.url}/_emulator/timeline`);
  await expect(page.locator('#pulse')).toHaveText('Live');
  child.kill();
  await once(child, 'exit');
  await expect(page.locator('#pulse')).toHaveText('No answer: is the emulator still running?');
});
