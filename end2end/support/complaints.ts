// What a browser complains about while a test runs: console errors (a broken
// Content-Security-Policy is one), exceptions, and files that did not load.

import type { BrowserContext } from '@playwright/test';

export class Complaints {
  readonly #heard: string[] = [];
  #forgiven: RegExp | undefined;

  constructor(context: BrowserContext) {
    context.on('console', (message) => {
      if (message.type() !== 'error') return;
      // A page that says 404 or 503 with its status is news only if it was not asked for as a page.
      const status = message.text().startsWith('Failed to load resource: the server responded with a status');
      if (!status) this.#hear(`console: ${message.text()} (${message.location().url})`);
    });
    context.on('weberror', (error) => this.#hear(`exception: ${error.error().message}`));
    context.on('response', (response) => {
      if (response.status() >= 400 && response.request().resourceType() !== 'document') {
        this.#hear(`file: ${response.status()} ${response.url()}`);
      }
    });
  }

  get heard(): readonly string[] {
    return this.#heard.filter((text) => !this.#forgiven?.test(text));
  }

  /** For what a test brings about on purpose. */
  forgive(pattern: RegExp): void {
    this.#forgiven = pattern;
  }

  #hear(text: string): void {
    this.#heard.push(text);
  }
}
