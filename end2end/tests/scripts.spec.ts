// A page loads code only where a part of it comes alive.

import { gzipSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';

/** The files of code that opening `path` asks for. */
async function codeOf(page: Page, path: string, until: 'networkidle' | 'load' = 'networkidle'): Promise<string[]> {
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    const isCode = request.resourceType() === 'script' || /\.(m?js|wasm)$/.test(pathname);
    if (isCode) asked.push(pathname);
  });
  await page.goto(path, { waitUntil: until });
  return asked;
}

test('a page without an island has no script', async ({ buyer, page }) => {
  const everybody = ['/', '/pricing', '/pricing?interval=year', '/no-such-page'];
  for (const path of everybody) {
    expect(await codeOf(page, path), path).toEqual([]);
    await expect(page.locator('script, link[rel=modulepreload]'), path).toHaveCount(0);
  }
  await buyer.buyPro();
  for (const path of ['/app', '/checkout/success']) {
    expect(await codeOf(page, path), path).toEqual([]);
    await expect(page.locator('script, link[rel=modulepreload]'), path).toHaveCount(0);
  }
});

test('a page of the account loads three kilobytes that keep it up to date, and no client', async ({ buyer, page }) => {
  await buyer.arrive();
  for (const path of ['/account', '/account/payment']) {
    // Its stream goes on, so the network is never idle.
    expect(await codeOf(page, path, 'load'), path).toEqual(['/live.js']);
  }
  const script = await page.request.get('/live.js');
  expect(gzipSync(await script.body()).length).toBeLessThan(3 * 1024);
});

test('a page with an island loads the client once, and nothing from elsewhere', async ({ page, baseURL }) => {
  for (const path of ['/signup', '/login']) {
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).origin));
    const code = await codeOf(page, path);
    expect(new Set(code), path).toEqual(new Set(['/pkg/unsplit.js', '/pkg/unsplit_bg.wasm']));
    expect([...hosts], path).toEqual([baseURL]);
    page.removeAllListeners('request');
  }
});
