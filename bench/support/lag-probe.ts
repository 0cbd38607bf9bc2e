import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { micros } from './steady-load.ts';

const EVERY_MS = 5;

export interface Lag {
  readonly rows: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function percentiles(samples: readonly number[]): Lag {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { rows: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/**
 * Looks for rows of the steady load at the target: how long before they are seen there their writer wrote them. So the
 * commit at the source is part of it, and at most one interval too much.
 */
export class LagProbe {
  readonly #client: Client;
  readonly #tables: readonly string[];
  readonly #last: number[];
  readonly #samples: number[] = [];
  #running = true;
  readonly #done: Promise<void>;

  constructor(client: Client, tables: readonly string[]) {
    this.#client = client;
    this.#tables = tables;
    this.#last = tables.map(() => 0);
    this.#done = this.#run();
  }

  /** Milliseconds, of the rows since it was asked last. */
  take(): Lag {
    return percentiles(this.#samples.splice(0));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    const sql = this.#tables
      .map((table, index) => `SELECT ${index} AS t, id, written_us FROM ${table} WHERE id > $${index + 1}`)
      .join(' UNION ALL ');
    while (this.#running) {
      const { rows } = await this.#client.query<{ t: number; id: string; written_us: string }>({
        name: 'probe',
        text: sql,
        values: this.#last,
      });
      const now = micros();
      for (const { t, id, written_us } of rows) {
        this.#samples.push((now - Number(written_us)) / 1000);
        this.#last[t] = Math.max(this.#last[t] ?? 0, Number(id));
      }
      await sleep(EVERY_MS);
    }
  }
}
