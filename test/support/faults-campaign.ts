import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiTask, Info } from './api-task.ts';
import type { CountedSource, SourceRow } from './counted-source.ts';
import { drawFaults, type FaultDeck, type FaultScene } from './fault-deck.ts';
import { readInterruptions } from './interruptions.ts';
import { within } from './within.ts';

export interface FaultsCampaignOptions<S extends FaultScene> {
  readonly task: ApiTask;
  readonly source: CountedSource;
  readonly deck: FaultDeck<S>;
  /** How many. */
  readonly faults: number;
  readonly seed: number;
  readonly say: (line: string) => void;
  /** Rows are there before the task is, and tables join and leave; otherwise the tables stay as they are, and only changes come. */
  readonly tablesChange: boolean;
  /** Whether the first fault waits until all streams. */
  readonly streamsFirst: boolean;
  /** What was deleted at the source stays at the target. */
  readonly keepsDeleted: boolean;
  /** Before a fault, at most; and how likely a change of the tables is before it, and a pause behind it. */
  readonly pace: { readonly waitMs: number; readonly change: number; readonly pause: number };
  /** How long a pause may take until all is equal. */
  readonly settleMs: number;
}

export interface FaultsCampaignResult {
  /** What is wrong; empty when nothing is. */
  readonly findings: readonly string[];
  /** By kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Row changes at the source. */
  readonly changes: number;
  /** Rows compared, at all pauses together. */
  readonly compared: number;
  readonly tableChanges: number;
  /** Changes of the list of tables that were refused or cut, by code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** What the run was interrupted by, by code. */
  readonly interruptions: Readonly<Record<string, number>>;
  /** Longest time from a pause to all being equal. */
  readonly slowestMs: number;
}

/**
 * Breaks the way from a source to a target in many ways while rows are written and tables join and leave. At pauses the target
 * must have what was written; what that means for it, it says itself.
 */
export abstract class FaultsCampaign<S extends FaultScene> {
  protected abstract readonly scene: S;
  protected readonly findings: string[] = [];
  readonly #options: FaultsCampaignOptions<S>;
  readonly #counts: Record<string, number> = {};
  readonly #refusals: Record<string, number> = {};
  readonly #begun = Date.now();
  #wanted: readonly string[] = ['t0', 't1'];
  /** At most one from pause to pause: a table that left and came back meanwhile would be loaded afresh unseen. */
  #changing: Promise<void> | null = null;
  #tableChanges = 0;
  #marks = 0;
  #compared = 0;
  #slowestMs = 0;

  constructor(options: FaultsCampaignOptions<S>) {
    this.#options = options;
  }

  /** Waits until the target has all of the tables `wanted`; `mark` is the key of the last row of each. Errors: Error with what it lacks. */
  protected abstract untilEqual(wanted: readonly string[], mark: string): Promise<void>;

  /** A row of the source as the target's are told. */
  protected abstract textOf(row: SourceRow): string;

  protected async breakAll(): Promise<void> {
    const { task, source, deck, faults, say, tablesChange, streamsFirst, pace } = this.#options;
    const { random } = this.scene;
    await source.createTables();
    if (tablesChange) for (const writer of source.writers) await writer.fill();
    await task.run({ table: this.#wanted }, tablesChange ? {} : { initialLoad: 'none' });
    if (streamsFirst) await this.#untilStreaming();
    const drawn = drawFaults(deck, random, faults);
    for (const [index, { name, make }] of drawn.entries()) {
      source.startWriting();
      if (tablesChange && this.#changing === null && random() < pace.change) this.#changing = this.#changeTables();
      await sleep(random() * pace.waitMs);
      say(`fault ${index + 1} of ${faults}: ${name}`);
      this.#counts[name] = (this.#counts[name] ?? 0) + 1;
      await make(this.scene);
      await source.stopWriting();
      if (random() < pace.pause || index === drawn.length - 1) await this.settle();
      if (this.findings.length > 0) break;
    }
  }

  /** When nothing more is to come. */
  protected result(): FaultsCampaignResult {
    const { source, seed } = this.#options;
    const log = this.scene.service.errors;
    const { interruptions, errors } = readInterruptions(log);
    this.findings.push(...errors);
    if (this.findings.length > 0) this.findings.push(`seed ${seed}`, log.slice(-3000));
    return {
      findings: this.findings,
      faults: this.#counts,
      seconds: Math.round((Date.now() - this.#begun) / 1000),
      changes: source.writers.reduce((all, { changes }) => all + changes, 0),
      compared: this.#compared,
      tableChanges: this.#tableChanges,
      refusals: this.#refusals,
      interruptions,
      slowestMs: this.#slowestMs,
    };
  }

  /** With no one writing: all that is wanted streams, and is what the target has. */
  protected async settle(): Promise<void> {
    const begun = Date.now();
    try {
      await this.#changing;
      this.#changing = null;
      await this.#untilStreaming();
      // A last row tells that all before it is there.
      this.#marks += 1;
      const mark = String(900_000 + this.#marks);
      await this.#options.source.mark(mark);
      await this.untilEqual(this.#wanted, mark);
    } catch (error) {
      this.findings.push(String(error));
    }
    this.#slowestMs = Math.max(this.#slowestMs, Date.now() - begun);
  }

  /** Asks as long as a pause may take until `ask` gives the table's; `null`: its last row is not there. */
  protected untilMarked<T extends object | true>(table: string, ask: () => Promise<T | null>): Promise<T> {
    const { task, settleMs } = this.#options;
    return within(
      settleMs,
      async () => (await ask()) ?? `${table} does not stream: ${JSON.stringify(await task.info())}`,
    );
  }

  /** True, or how `rows` of the target, by key, differ from the source's. */
  protected async compare(table: string, rows: ReadonlyMap<string, string>): Promise<true | string> {
    const { source, keepsDeleted } = this.#options;
    const expected = new Map((await source.rows(table)).map((row) => [String(row.id), this.textOf(row)]));
    const keys = new Set(keepsDeleted ? expected.keys() : [...expected.keys(), ...rows.keys()]);
    const differences = [...keys].filter((key) => rows.get(key) !== expected.get(key));
    const [key] = differences;
    if (key !== undefined)
      return `${table}: ${differences.length} of ${keys.size} rows differ, such as ${key}: ${rows.get(key)} is ${expected.get(key)}`;
    this.#compared += expected.size;
    return true;
  }

  /** Wants another list of tables; what comes of it is seen at the next pause. */
  async #changeTables(): Promise<void> {
    const { task, source } = this.#options;
    const { random } = this.scene;
    const next = source.tables.filter(() => random() < 0.6);
    this.#tableChanges += 1;
    await task.change({ table: next.length === 0 ? ['t0'] : next }).catch((error: unknown) => {
      const code = /[A-Z]\w+\.[A-Z]\w+/.exec(String(error))?.[0] ?? 'cut';
      this.#refusals[code] = (this.#refusals[code] ?? 0) + 1;
    });
  }

  /** What was wanted last may have been deployed or not when its call was cut: the service says which tables it has. */
  async #untilStreaming(): Promise<void> {
    const { task, settleMs } = this.#options;
    const info = await within(settleMs, async () => {
      const now = await task.info();
      if (!['RUN', 'WAIT'].includes(now.Status)) throw new Error(`the task does not run: ${JSON.stringify(now)}`);
      return isSettled(now) ? now : `it does not come to stream: ${JSON.stringify(now)}`;
    });
    const failed = info.extend.tables.filter(({ state }) => state === 'FAILED');
    if (failed.length > 0) throw new Error(`tables failed: ${JSON.stringify(failed)}`);
    this.#wanted = info.extend.tables.filter(({ state }) => state === 'STREAMING').map(({ table }) => table);
  }
}

/** The list is applied, and each table of it streams, has failed or has left. */
function isSettled({ extend: { appliedVersion, deployedVersion, tables } }: Info): boolean {
  return (
    appliedVersion !== null &&
    appliedVersion === deployedVersion &&
    tables.some(({ state }) => state === 'STREAMING') &&
    tables.every(({ state }) => ['STREAMING', 'FAILED', 'REMOVED'].includes(state))
  );
}
