// The emulator's program on a free port, Stripe's own library pointed at it, a shop to buy in, and an endpoint that
// hears webhooks. A new subject is a new file in tests/; it needs nothing but this one.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import Stripe from 'stripe';

export const API_VERSION = '2026-09-30.endive';
export const KEY = 'sk_test_emulator';
export const GOOD = '4242424242424242';

const root = path.join(import.meta.dirname, '../../../../..');
const program =
  process.env.STRIPE_EMULATOR ?? path.join(root, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/stripe-emulator');

export class Emulator {
  #process;

  constructor(url, child) {
    this.url = url;
    this.#process = child;
    this.stripe = this.client();
  }

  /** A running emulator that stops when the file's tests are over. */
  static async start() {
    const child = spawn(program, ['serve', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      once(child, 'error').then(([error]) => Promise.reject(error)),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`${program} ended with ${code}`))),
    ]);
    const emulator = new Emulator(/http:\/\/[\d.]+:\d+/.exec(line)[0], child);
    after(() => emulator.stop());
    return emulator;
  }

  stop() {
    this.#process.kill('SIGINT');
    return once(this.#process, 'exit');
  }

  /** Stripe's library as an app would have it, but for the address. */
  client({ key = KEY, ...options } = {}) {
    const { hostname: host, port } = new URL(this.url);
    return new Stripe(key, { host, port, protocol: 'http', apiVersion: API_VERSION, maxNetworkRetries: 0, ...options });
  }

  async control(name, body) {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: JSON_BODY };
    const response = await fetch(`${this.url}/_emulator/${name}`, request);
    const answer = await response.json();
    if (!response.ok) throw new Error(`${name}: ${answer.error}`);
    return answer;
  }

  /** A customer with a card. */
  async customer(card = 'pm_card_visa') {
    const customer = await this.stripe.customers.create({ email: 'ada@example.com', metadata: { userId: 'u1' } });
    const { id } = await this.stripe.paymentMethods.attach(card, { customer: customer.id });
    return this.stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: id } });
  }

  /** A product's price of 12 dollars a month. */
  async price(more = {}) {
    const product = await this.stripe.products.create({ name: 'Pro' });
    const recurring = { interval: 'month' };
    return this.stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: 1200, recurring, ...more });
  }

  /** Sends the hosted page's form as a browser does, and says where it leads. */
  async pay(session, card = GOOD) {
    const form = { card_number: card, expiry: '12/34', cvc: '123', name: 'Ada Lovelace', email: 'ada@example.com' };
    const response = await fetch(session.url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
    return { status: response.status, location: response.headers.get('location'), page: await response.text() };
  }

  /** How often the path was asked for with this method. */
  async asked(method, path) {
    const { data } = await this.control('requests');
    return data.filter((one) => one.method === method && one.path === path).length;
  }
}

const JSON_BODY = { 'content-type': 'application/json' };

/** An endpoint for webhooks; `next()` is the one that comes next, with its raw body and its signature. */
export class Hook {
  #heard = [];
  #waiting = [];

  static async start() {
    const hook = new Hook();
    const server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      hook.#hear({ body: Buffer.concat(chunks).toString(), signature: request.headers['stripe-signature'] });
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    hook.url = `http://127.0.0.1:${server.address().port}/hook`;
    after(() => server.closeAllConnections() ?? server.close());
    return hook;
  }

  #hear(one) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(one);
    else this.#heard.push(one);
  }

  next() {
    if (this.#heard.length > 0) return Promise.resolve(this.#heard.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
