// Looks at a page as it stands: axe, how narrow it gets, and a picture of it for a person to see.

import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const PICTURES = 'screenshots';
const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 800 };
/** The narrowest that is promised, and a desktop at 200 % zoom. */
const NARROW = [320, 640];
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Checks the page in light and dark, and writes `screenshots/<name>-<width>-<scheme>.png`. */
export async function look(page: Page, name: string): Promise<void> {
  for (const [colorScheme, first, second] of [
    ['light', DESKTOP, PHONE],
    ['dark', PHONE, DESKTOP],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(first);
    await expectAccessible(page, `${name}, ${colorScheme}, ${first.width} px`);
    for (const size of [first, second]) {
      await page.setViewportSize(size);
      await page.screenshot({
        path: `${PICTURES}/${name}-${size.width}-${colorScheme}.png`,
        fullPage: true,
        animations: 'disabled',
      });
    }
  }
  for (const width of NARROW) await expectToFit(page, name, width);
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
}

async function expectAccessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  const found = violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html) }));
  expect.soft(found, `axe: ${what}`).toEqual([]);
}

/** Nothing reaches over the edge, so that nobody has to scroll sideways. */
async function expectToFit(page: Page, name: string, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 700 });
  const over = await page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const wide = [...document.body.querySelectorAll('*')].filter((element) => {
      const scrolls = element.closest('.visually-hidden, .skip-link, .scroll') !== null;
      return !scrolls && element.getBoundingClientRect().right > clientWidth + 0.5;
    });
    return { by: scrollWidth - clientWidth, wide: wide.map((element) => element.outerHTML.slice(0, 200)) };
  });
  expect.soft(over, `${name} at ${width} px`).toEqual({ by: 0, wide: [] });
}
