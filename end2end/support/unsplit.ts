// What `make run` starts, on ports of its own and with data that is thrown away. It may be killed
// and started again, and keeps its data until it is disposed of.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { StripeEmulator } from './stripe.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const BINARY = process.env.UNSPLIT_BIN ?? join(ROOT, 'target/debug/unsplit');
/** Below the ports that Linux hands out, and none that a developer's own instance has. */
const FIRST_PORT = Number(process.env.END2END_PORT ?? 24_600);
/** A machine's `.env` must not reach the app under test; an empty variable counts as unset. */
const UNSET = ['REDIS_URL', 'STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET', 'STRIPE_API_BASE', 'PUBLIC_URL'];

export class Unsplit {
  readonly url: string;
  readonly stripe: StripeEmulator;
  readonly redisPort: number;
  readonly #address: string;
  readonly #data = mkdtempSync(join(tmpdir(), 'unsplit-end2end-'));
  #child: ChildProcess | undefined;
  #log = '';

  /** `lane` is the worker's number: each has its own ports. */
  constructor(lane: number) {
    const port = FIRST_PORT + 10 * lane;
    this.#address = `127.0.0.1:${port}`;
    this.redisPort = port + 1;
    this.url = `http://${this.#address}`;
    this.stripe = new StripeEmulator(`127.0.0.1:${port + 2}`);
  }

  /** Everything it has said since it was first started. */
  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts it and waits until it answers. Throws, with what it said, where it ends instead. */
  async start(): Promise<void> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run \`cargo xtask build\`.`);
    const options = ['--with-parent', '--data-dir', this.#data, '--redis-port', String(this.redisPort)];
    const env = { ...process.env, ...Object.fromEntries(UNSET.map((name) => [name, ''])) };
    const child = spawn(BINARY, ['dev', ...options, '--emulator', this.stripe.address], {
      cwd: ROOT,
      env: { ...env, LEPTOS_SITE_ADDR: this.#address, RUST_LOG: 'warn,unsplit=info,unsplit_billing=info' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const ready = new Promise<void>((done, failed) => {
      const read = (text: string) => {
        this.#log += text;
        if (this.#log.includes('Unsplit is running')) done();
      };
      // A log from before a restart says so too.
      this.#log += this.#log && '\n--- started again ---\n';
      this.#log = this.#log.replaceAll('Unsplit is running', 'Unsplit was running');
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', read);
      child.once('error', failed);
      child.once('exit', (code) => failed(new Error(`unsplit dev ended with ${code}:\n${this.#log}`)));
    });
    await ready;
  }

  /** kill -9: nothing is told, nothing is put away. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it, as Ctrl-C does, and throws its data away. */
  async dispose(): Promise<void> {
    await this.#end('SIGINT');
    rmSync(this.#data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || !this.isRunning) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
