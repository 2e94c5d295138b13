// What every test has: an app of its worker's own that is well, a buyer, and a browser whose
// complaints fail the test.

import { expect, test as base } from '@playwright/test';
import { Buyer } from './buyer.ts';
import { Complaints } from './complaints.ts';
import type { StripeEmulator } from './stripe.ts';
import { Unsplit } from './unsplit.ts';

type ForEachTest = { buyer: Buyer; stripe: StripeEmulator; complaints: Complaints; well: void };
type ForEachWorker = { unsplit: Unsplit };

export const test = base.extend<ForEachTest, ForEachWorker>({
  unsplit: [
    async ({}, use, worker) => {
      const unsplit = new Unsplit(worker.parallelIndex);
      await unsplit.start();
      await use(unsplit);
      await unsplit.dispose();
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ unsplit }, use) => use(unsplit.url),
  stripe: async ({ unsplit }, use) => use(unsplit.stripe),
  complaints: [
    async ({ context }, use) => {
      const complaints = new Complaints(context);
      await use(complaints);
      expect(complaints.heard, 'complaints of the browser').toEqual([]);
    },
    { auto: true },
  ],
  well: [
    async ({ unsplit }, use, info) => {
      if (!unsplit.isRunning) await unsplit.start();
      await unsplit.stripe.calm();
      const before = unsplit.log.length;
      await use();
      if (info.status !== info.expectedStatus) {
        await info.attach('log of the app', { body: unsplit.log.slice(before), contentType: 'text/plain' });
      }
    },
    { auto: true },
  ],
  buyer: async ({ page }, use) => use(new Buyer(page)),
});

/** For tests of what must also work as plain forms and links. */
export const scriptsOffToo = { tag: '@scripts-off' };

export { expect };
