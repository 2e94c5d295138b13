// The Stripe emulator from outside: its API, as a Dashboard would ask it, and its controls.

/** An object of Stripe's API, read for a few fields. */
export type StripeObject = { id: string; [field: string]: any };

export type Fault = {
  path?: string;
  method?: string;
  status?: number;
  latency_ms?: number;
  cut?: 'before' | 'after';
  times?: number;
};

type Changeable = 'subscriptions' | 'invoices' | 'checkout_sessions';

/** A way the buyer can lose Stripe: every call of the API fails. Its hosted pages go on. */
export const DOWN: Fault = { status: 503 };

const KEY = Buffer.from('sk_test_emulator:').toString('base64');

export class StripeEmulator {
  readonly address: string;
  readonly url: string;

  constructor(address: string) {
    this.address = address;
    this.url = `http://${address}`;
  }

  /** What all tests begin with: it answers, and webhooks are sent. */
  async calm(): Promise<void> {
    await this.heal();
    await this.deliver('normal');
    await this.#ask('DELETE', '/_emulator/requests');
  }

  async fail(fault: Fault): Promise<void> {
    await this.#ask('POST', '/_emulator/faults', fault);
  }

  async heal(): Promise<void> {
    await this.#ask('DELETE', '/_emulator/faults');
  }

  /** What happens to webhooks; `normal` also sends what was held. */
  async deliver(mode: 'normal' | 'held' | 'dropped'): Promise<void> {
    await this.#ask('POST', '/_emulator/deliveries', { mode });
  }

  /** Changes an object as time or the Dashboard would, and tells the app by a webhook. */
  async change(kind: Changeable, id: string, change: object, event: string): Promise<void> {
    await this.#ask('POST', `/_emulator/objects/${kind}/${id}`, { ...change, _event: event });
  }

  async customers(email: string): Promise<StripeObject[]> {
    return this.#list(`/v1/customers?limit=100&email=${encodeURIComponent(email)}`);
  }

  async subscriptions(customer: string): Promise<StripeObject[]> {
    return this.#list(`/v1/subscriptions?status=all&limit=100&customer=${customer}`);
  }

  async checkouts(customer: string): Promise<StripeObject[]> {
    return this.#list(`/v1/checkout/sessions?limit=100&customer=${customer}`);
  }

  /** The one customer of an e-mail address. Throws where there are more or fewer. */
  async onlyCustomer(email: string): Promise<StripeObject> {
    const all = await this.customers(email);
    const [customer] = all;
    if (!customer || all.length > 1) throw new Error(`${all.length} customers instead of one`);
    return customer;
  }

  async onlySubscription(email: string): Promise<StripeObject> {
    const all = await this.subscriptions((await this.onlyCustomer(email)).id);
    const [subscription] = all;
    if (!subscription || all.length > 1) throw new Error(`${all.length} subscriptions instead of one`);
    return subscription;
  }

  async #list(path: string): Promise<StripeObject[]> {
    const { data } = await this.#ask('GET', path);
    return data;
  }

  async #ask(method: string, path: string, body?: object): Promise<any> {
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Basic ${KEY}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }
}
