import { setTimeout as sleep } from 'node:timers/promises';
import { randomOf } from '../../bench/workload.ts';
import { startServer } from '../../scripts/servers/servers.ts';
import type { Connection } from 'mysql2/promise';
import { ApiTask, type Info } from './api-task.ts';
import { COUNTED_COLUMNS, CountingWriter } from './counting-writer.ts';
import { drawFaults, FAULTS, type Scene, type TableType } from './maxcompute-faults.ts';
import { judgeAppend, judgeDelta, judgeLog, type Verdict } from './maxcompute-judge.ts';
import { DoubleProcess } from './maxcompute-process.ts';
import { odpsSink } from './maxcompute-task.ts';
import { type Family, freshMysqlDatabase, mysqlClient } from './servers.ts';
import { Service } from './service.ts';

export interface MaxComputeCampaignOptions {
  readonly family: Family;
  readonly tableType: TableType;
  readonly faults: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface MaxComputeCampaignResult {
  /** What is wrong; empty when nothing is. */
  readonly findings: readonly string[];
  /** By kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Row changes at the source, and rows that the targets have of them. */
  readonly changes: number;
  readonly seen: number;
  /** Rows compared, at all pauses together. */
  readonly compared: number;
  readonly tableChanges: number;
  /** What the run was interrupted by, by code. */
  readonly interruptions: Readonly<Record<string, number>>;
  /** Longest time from a pause to all being equal. */
  readonly slowestMs: number;
}

const TABLES = ['t0', 't1', 't2'] as const;
const WRITERS = 2;
const KEYS = 150;
/** A run that failed often waits for up to 30 s. */
const SETTLE_MS = 120_000;
const JUDGES: Readonly<Record<TableType, (rows: (string | null)[][]) => Verdict>> = {
  delta: judgeDelta,
  log: judgeLog,
  append: judgeAppend,
};

/**
 * Breaks the way from a source to MaxCompute in many ways while rows are written and tables join and leave. At pauses the double,
 * which lives through all of it, must have every change of the source once.
 */
export async function maxComputeFaultsCampaign(options: MaxComputeCampaignOptions): Promise<MaxComputeCampaignResult> {
  const [source, double, service] = await Promise.all([
    startServer(options.family),
    DoubleProcess.start(),
    Service.start(),
  ]);
  const database = await freshMysqlDatabase(source);
  const connections = await Promise.all(Array.from({ length: WRITERS + 1 }, () => mysqlClient(source, database)));
  const [mysql, ...others] = connections;
  if (mysql === undefined) throw new Error('no connection');
  const writers = others.map(
    (connection, index) =>
      new CountingWriter(connection, {
        tables: TABLES,
        seed: options.seed + index,
        firstKey: 1000 * index,
        keys: KEYS,
        pauseMs: 60,
      }),
  );
  try {
    const sink = odpsSink(double, { tableType: options.tableType, blockBytesMax: 4096 });
    const task = new ApiTask(service, { source, database }, sink);
    return await new Campaign({ task, mysql, database }, { double, service, writers }, options).run();
  } finally {
    await Promise.allSettled(writers.map((writer) => writer.stop()));
    await service.dispose();
    await Promise.allSettled(connections.map((connection) => connection.end()));
    double.stop();
    await source.stop();
  }
}

class Campaign {
  readonly #task: ApiTask;
  readonly #mysql: Connection;
  readonly #database: string;
  readonly #double: DoubleProcess;
  readonly #scene: Scene;
  readonly #options: MaxComputeCampaignOptions;
  readonly #counts: Record<string, number> = {};
  readonly #findings: string[] = [];
  readonly #seen = new Map<string, number>();
  /** Appended rows of a table that comes back would be there twice: it stays. */
  readonly #mayChange: boolean;
  #wanted: readonly string[] = ['t0', 't1'];
  #changing: Promise<void> | null = null;
  #tableChanges = 0;
  #marks = 0;
  #compared = 0;
  #slowestMs = 0;

  constructor(
    { task, mysql, database }: { task: ApiTask; mysql: Connection; database: string },
    { double, service, writers }: Pick<Scene, 'double' | 'service' | 'writers'>,
    options: MaxComputeCampaignOptions,
  ) {
    this.#task = task;
    this.#mysql = mysql;
    this.#database = database;
    this.#double = double;
    this.#options = options;
    this.#mayChange = options.tableType !== 'append';
    this.#scene = {
      random: randomOf(options.seed),
      service,
      double,
      writers,
      tableType: options.tableType,
      settle: () => this.#settle(),
    };
  }

  async run(): Promise<MaxComputeCampaignResult> {
    const mysql = this.#mysql;
    const { random, writers } = this.#scene;
    const { faults, seed, say } = this.#options;
    const begun = Date.now();
    for (const table of TABLES) await mysql.query(`CREATE TABLE ${table} (${COUNTED_COLUMNS})`);
    if (this.#mayChange) for (const writer of writers) await writer.fill();
    await this.#task.run({ table: this.#wanted }, this.#mayChange ? {} : { initialLoad: 'none' });
    await this.#untilStreaming();
    const drawn = drawFaults(random, faults);
    for (const [index, name] of drawn.entries()) {
      for (const writer of writers) writer.start();
      if (this.#mayChange && this.#changing === null && random() < 0.5) this.#changing = this.#changeTables();
      await sleep(random() * 1500);
      say(`fault ${index + 1} of ${faults}: ${name}`);
      this.#counts[name] = (this.#counts[name] ?? 0) + 1;
      await FAULTS[name].make(this.#scene);
      await Promise.all(writers.map((writer) => writer.stop()));
      if (random() < 0.5 || index === drawn.length - 1) await this.#settle();
      if (this.#findings.length > 0) break;
    }
    const { interruptions, errors } = readLog(this.#scene.service.errors);
    this.#findings.push(...errors);
    if (this.#findings.length > 0) this.#findings.push(`seed ${seed}`, this.#scene.service.errors.slice(-3000));
    return {
      findings: this.#findings,
      faults: this.#counts,
      seconds: Math.round((Date.now() - begun) / 1000),
      changes: writers.reduce((all, { changes }) => all + changes, 0),
      seen: [...this.#seen.values()].reduce((all, rows) => all + rows, 0),
      compared: this.#compared,
      tableChanges: this.#tableChanges,
      interruptions,
      slowestMs: this.#slowestMs,
    };
  }

  /** Wants another list of tables; what comes of it is seen at the next pause. */
  async #changeTables(): Promise<void> {
    const { random } = this.#scene;
    const next = TABLES.filter(() => random() < 0.6);
    this.#tableChanges += 1;
    // What was cut may have been deployed or not.
    await this.#task.change({ table: next.length === 0 ? ['t0'] : [...next] }).catch(() => {});
  }

  /** With no one writing: all that is wanted streams, and is what the double has. */
  async #settle(): Promise<void> {
    const begun = Date.now();
    try {
      await this.#changing;
      this.#changing = null;
      await this.#untilStreaming();
      await this.#untilEqual();
    } catch (error) {
      this.#findings.push(String(error));
    }
    this.#slowestMs = Math.max(this.#slowestMs, Date.now() - begun);
  }

  async #untilStreaming(): Promise<void> {
    const info = await within(SETTLE_MS, async () => {
      const now = await this.#task.info();
      if (!['RUN', 'WAIT'].includes(now.Status)) throw new Error(`the task does not run: ${JSON.stringify(now)}`);
      return isSettled(now) ? now : `it does not come to stream: ${JSON.stringify(now)}`;
    });
    const failed = info.extend.tables.filter(({ state }) => state === 'FAILED');
    if (failed.length > 0) throw new Error(`tables failed: ${JSON.stringify(failed)}`);
    this.#wanted = info.extend.tables.filter(({ state }) => state === 'STREAMING').map(({ table }) => table);
  }

  /** A last row tells that all before it is there. */
  async #untilEqual(): Promise<void> {
    const mysql = this.#mysql;
    this.#marks += 1;
    const mark = String(900_000 + this.#marks);
    for (const table of TABLES) await mysql.query(`INSERT INTO ${table} VALUES (${mark}, 1, 'mark')`);
    for (const table of this.#wanted) {
      const { faults, rows, changes } = await within(SETTLE_MS, async () => {
        const verdict = await this.#judge(table);
        return verdict.rows.has(mark)
          ? verdict
          : `${table} does not stream: ${JSON.stringify(await this.#task.info())}`;
      });
      this.#seen.set(table, changes);
      this.#findings.push(...faults.slice(0, 5).map((fault) => `${table}: ${fault}`));
      this.#findings.push(...(await this.#differences(table, rows)));
    }
  }

  async #judge(table: string): Promise<Verdict> {
    const { tableType } = this.#options;
    const database = this.#database;
    return JUDGES[tableType](await this.#double.rows(`${database}_${table}${tableType === 'log' ? '_log' : ''}`));
  }

  async #differences(table: string, rows: Verdict['rows']): Promise<string[]> {
    const [found] = await this.#mysql.query(`SELECT id, n, v FROM ${table}`);
    const expected = new Map(
      (found as { id: number; n: number; v: string }[]).map(({ id, n, v }) => [
        String(id),
        JSON.stringify([String(id), String(n), v]),
      ]),
    );
    // What was deleted at the source stays where rows are appended.
    const keys = this.#options.tableType === 'append' ? expected.keys() : new Set([...expected.keys(), ...rows.keys()]);
    const differences = [...keys].filter((key) => rows.get(key) !== expected.get(key));
    this.#compared += expected.size;
    const [key = ''] = differences;
    return differences.length === 0
      ? []
      : [`${table}: ${differences.length} rows differ, such as ${key}: ${rows.get(key)} is ${expected.get(key)}`];
  }
}

/** From the service's log: nothing that breaks outside is an error of ours. */
function readLog(text: string): { interruptions: Record<string, number>; errors: string[] } {
  const interruptions: Record<string, number> = {};
  const errors: string[] = [];
  for (const line of text.split('\n')) {
    const { level, msg, code } = parsed(line);
    if (level === undefined ? line !== '' : level === 'error') errors.push(line);
    if (msg === 'the run was interrupted and tries again')
      interruptions[`${code}`] = (interruptions[`${code}`] ?? 0) + 1;
  }
  return { interruptions, errors };
}

function parsed(line: string): { readonly level?: string; readonly msg?: string; readonly code?: string } {
  try {
    return JSON.parse(line) as object;
  } catch {
    return {};
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

/** Asks until the answer is no text, which says what is missing. Errors: Error with the last text. */
async function within<T extends object>(ms: number, ask: () => Promise<T | string>): Promise<T> {
  for (const deadline = Date.now() + ms; ; await sleep(100)) {
    const answer = await ask();
    if (typeof answer !== 'string') return answer;
    if (Date.now() > deadline) throw new Error(answer);
  }
}
