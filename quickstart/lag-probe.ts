import type { Client } from 'pg';
import { type Lag, type LagWatch, lagOf } from './far-end.ts';

const EVERY_MS = 20;

/** Looks at the newest row of an untouched table at the target: how long ago its writer wrote it. */
export class LagProbe implements LagWatch {
  readonly #client: Client;
  readonly #samples: number[] = [];
  #running = true;
  #done: Promise<void> = Promise.resolve();

  constructor(client: Client) {
    this.#client = client;
  }

  start(): void {
    this.#done = this.#loop();
  }

  async stop(): Promise<Lag> {
    this.#running = false;
    await this.#done;
    return lagOf(this.#samples);
  }

  async #loop(): Promise<void> {
    let seen = '';
    while (this.#running) {
      const { rows } = await this.#client.query(
        'SELECT max(written_us)::text AS us FROM shop.orders WHERE id > (SELECT max(id) - 200 FROM shop.orders)',
      );
      const us = (rows[0] as { us: string | null }).us ?? '';
      // A row that was not there at the last look: its age is what it took, and at most one interval more.
      if (us !== seen && seen !== '') this.#samples.push(Math.round(Date.now() - Number(us) / 1000));
      seen = us;
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }
}
