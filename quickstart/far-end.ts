import type { Connection } from 'mysql2/promise';
import type { Server } from '../scripts/servers/servers.ts';
import type { ShopTable } from './shop.ts';

/** Where the shop's tables go: a server of its own, and somebody who looks there as people would. */
export interface FarEnd {
  readonly server: Server;
  readonly sink: Sink;
  /** What there is of a table is counted in these. */
  readonly counted: 'rows' | 'records';
  count(table: ShopTable): Promise<number>;
  /** Begins to look how long changes of an untouched table take to be seen. */
  watchLag(): LagWatch;
  /** Holds what is there of a table against the source, row for row. */
  check(source: Connection, table: ShopTable): Promise<Checked>;
  /** What it means that all tables were checked and are good. */
  readonly proven: string;
  /** What else there is to see. */
  show(): void;
  /** How to look by hand: commands for a shell. */
  readonly commands: readonly string[];
  stop(): Promise<void>;
}

/** As the API is told of it. */
export interface Sink {
  readonly type: 'holo' | 'kafka';
  readonly dataSource: string;
  /** `Content` of the data source. */
  readonly content: object;
  /** The writer's options. */
  readonly options: object;
}

export interface LagWatch {
  /** Milliseconds. */
  stop(): Promise<Lag>;
}

export interface Lag {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Checked {
  readonly table: string;
  /** What is shown of it, by the title of a column. */
  readonly figures: Readonly<Record<string, number>>;
  readonly isGood: boolean;
}

export function lagOf(samples: readonly number[]): Lag {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
