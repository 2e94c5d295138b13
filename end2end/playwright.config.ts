// One Chromium, two ways: with scripts, and without them for what must work as plain forms.
// Each worker runs an app of its own (support/unsplit.ts), so a test may stop it or kill it.

import { defineConfig, devices } from '@playwright/test';
import { chromiumPath } from './support/chromium.ts';

const desktop = { ...devices['Desktop Chrome'], viewport: { width: 1280, height: 800 } };

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  // A test that passes the second time has found something.
  retries: 0,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['html', { open: 'never', outputFolder: 'playwright-report' }]],
  use: {
    ...desktop,
    locale: 'en-GB',
    colorScheme: 'light',
    actionTimeout: 10_000,
    navigationTimeout: 20_000,
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: chromiumPath(),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-default-apps',
        '--disable-sync',
        '--metrics-recording-only',
        '--no-first-run',
      ],
    },
  },
  projects: [
    { name: 'scripts on' },
    { name: 'scripts off', grep: /@scripts-off/, use: { javaScriptEnabled: false } },
  ],
});
