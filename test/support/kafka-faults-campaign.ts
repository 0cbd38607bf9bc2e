import { setTimeout as sleep } from 'node:timers/promises';
import { randomOf } from '../../bench/workload.ts';
import { freePort } from '../../scripts/servers/free-port.ts';
import type { KafkaOptions } from '../../scripts/servers/kafka.ts';
import { type Server, startServer } from '../../scripts/servers/servers.ts';
import { stringifyJson } from '../../src/lib/json.ts';
import type { Info } from './api-task.ts';
import { CountedTopic } from './counted-topic.ts';
import { COUNTED_COLUMNS, CountingWriter } from './counting-writer.ts';
import { drawFaults, FAULTS, type Scene, TRANSACTION_TIMEOUT_MS } from './kafka-faults.ts';
import { KafkaTask } from './kafka-task.ts';
import { privateKafka } from './kafka-under-test.ts';
import { PeakMemory } from './peak-memory.ts';
import { type Family, freshMysqlDatabase, mysqlClient } from './servers.ts';
import { Service } from './service.ts';
import { StallingProxy } from './stalling-proxy.ts';

export interface KafkaCampaignOptions {
  readonly family: Family;
  readonly brokers: number;
  readonly version?: KafkaOptions['version'] | undefined;
  readonly delivery: 'exactlyOnce' | 'atLeastOnce';
  readonly compression: 'none' | 'zstd';
  /** Answers that take longer are given up. With more than a freeze takes, what was frozen goes on, and meets what has ended meanwhile. */
  readonly requestTimeoutMs: number;
  /** All tables in one. */
  readonly oneTopic: boolean;
  readonly faults: number;
  /** At the end no broker is there for so long, while the writers go on; 0: none. */
  readonly outageSeconds: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface KafkaCampaignResult {
  /** What is wrong; empty when nothing is. */
  readonly findings: readonly string[];
  /** By kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Row changes at the source, those that readers saw, and those that they saw again as they were. */
  readonly changes: number;
  readonly seen: number;
  readonly repeats: number;
  /** Rows compared, at all pauses together. */
  readonly compared: number;
  readonly tableChanges: number;
  /** Changes of the list of tables that were refused or cut, by code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** What the run was interrupted by, by code. */
  readonly interruptions: Readonly<Record<string, number>>;
  /** Longest time from a pause to all being equal. */
  readonly slowestMs: number;
  /** The most memory that the service took, where there was an outage. */
  readonly rssMiB: number | null;
}

const TABLES = ['t0', 't1', 't2', 't3'] as const;
const WRITERS = 3;
const KEYS = 150;
const PARTITIONS = 2;
/** A run that failed often waits for up to 30 s. */
const SETTLE_MS = 90_000;

/**
 * Breaks the way from a source to readers of Kafka in many ways while rows are written and tables join and leave. At pauses all
 * that committed readers see must be what was written: each change once, in order, and the last row of each key the source's.
 */
export async function kafkaFaultsCampaign(options: KafkaCampaignOptions): Promise<KafkaCampaignResult> {
  const source = await startServer(options.family);
  const ports = await Promise.all(Array.from({ length: options.brokers }, () => freePort()));
  const kafka = await privateKafka({
    brokers: options.brokers,
    advertised: ports,
    properties: BROKER_PROPERTIES,
    ...(options.version === undefined ? {} : { version: options.version }),
  });
  const proxies = await Promise.all(
    kafka.brokers.map(({ port }, index) => StallingProxy.open(port, ports[index] ?? 0)),
  );
  const service = await Service.start();
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
    const address = ports.map((port) => `127.0.0.1:${port}`).join(',');
    const task = new KafkaTask(
      service,
      { source, database, mysql, kafka, content: { address } },
      {
        delivery: options.delivery,
        compression: options.compression,
        partitions: PARTITIONS,
        replication: options.brokers,
        requestTimeoutMs: options.requestTimeoutMs,
        transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
        transactionBytesMax: 300_000,
        heartbeatSeconds: 1,
        ...(options.oneTopic ? { topic: database } : {}),
      },
    );
    const scene: Scene = { random: randomOf(options.seed), service, kafka, proxies, writers };
    return await new Campaign(task, scene, options).run();
  } finally {
    await Promise.allSettled(writers.map((writer) => writer.stop()));
    await service.dispose();
    for (const proxy of proxies) proxy.close();
    await Promise.allSettled(connections.map((connection) => connection.end()));
    await Promise.all(([source, kafka] as Server[]).map((server) => server.stop()));
  }
}

/** Quotas take effect at once, and leave at once; leaders come home; what timed out is aborted soon. */
const BROKER_PROPERTIES = {
  'quota.window.num': '2',
  'quota.window.size.seconds': '1',
  'leader.imbalance.check.interval.seconds': '2',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
};

class Campaign {
  readonly #task: KafkaTask;
  readonly #scene: Scene;
  readonly #options: KafkaCampaignOptions;
  readonly #topics: ReadonlyMap<string, CountedTopic>;
  readonly #counts: Record<string, number> = {};
  readonly #refusals: Record<string, number> = {};
  readonly #findings: string[] = [];
  #wanted: readonly string[] = ['t0', 't1'];
  /** At most one from pause to pause: a table that left and came back meanwhile would be loaded afresh unseen. */
  #changing: Promise<void> | null = null;
  #tableChanges = 0;
  #marks = 0;
  #compared = 0;
  #slowestMs = 0;

  constructor(task: KafkaTask, scene: Scene, options: KafkaCampaignOptions) {
    this.#task = task;
    this.#scene = scene;
    this.#options = options;
    const mayRepeat = options.delivery === 'atLeastOnce';
    const topicOf = (table: string) => (options.oneTopic ? task.ends.database : task.topic(table));
    this.#topics = new Map(
      TABLES.map((table) => [
        table,
        new CountedTopic({ topic: topicOf(table), table, partitions: PARTITIONS, mayRepeat }),
      ]),
    );
  }

  async run(): Promise<KafkaCampaignResult> {
    const { mysql } = this.#task.ends;
    const { random, writers } = this.#scene;
    const { faults, seed, outageSeconds, say } = this.#options;
    const begun = Date.now();
    for (const table of TABLES) await mysql.query(`CREATE TABLE ${table} (${COUNTED_COLUMNS})`);
    for (const writer of writers) await writer.fill();
    await this.#task.run({ table: this.#wanted });
    const drawn = drawFaults(random, faults);
    let rssMiB: number | null = null;
    for (const [index, name] of drawn.entries()) {
      for (const writer of writers) writer.start();
      if (this.#changing === null && random() < 0.6) this.#changing = this.#changeTables();
      await sleep(random() * 1000);
      say(`fault ${index + 1} of ${faults}: ${name}`);
      this.#counts[name] = (this.#counts[name] ?? 0) + 1;
      await FAULTS[name].make(this.#scene);
      await Promise.all(writers.map((writer) => writer.stop()));
      if (random() < 0.6 || index === drawn.length - 1) await this.#settle();
      if (this.#findings.length > 0) break;
    }
    if (outageSeconds > 0 && this.#findings.length === 0) rssMiB = await this.#outage(outageSeconds);
    const { interruptions, errors } = readLog(this.#scene.service.errors);
    this.#findings.push(...errors);
    const topics = [...this.#topics.values()];
    const sum = (of: (topic: CountedTopic) => number) => topics.reduce((all, topic) => all + of(topic), 0);
    if (this.#findings.length > 0) this.#findings.push(`seed ${seed}`, this.#scene.service.errors.slice(-3000));
    return {
      findings: this.#findings,
      faults: this.#counts,
      seconds: Math.round((Date.now() - begun) / 1000),
      changes: writers.reduce((all, { changes }) => all + changes, 0),
      seen: sum(({ changes }) => changes),
      repeats: sum(({ repeats }) => repeats),
      compared: this.#compared,
      tableChanges: this.#tableChanges,
      refusals: this.#refusals,
      interruptions,
      slowestMs: this.#slowestMs,
      rssMiB,
    };
  }

  /** Wants another list of tables; what comes of it is seen at the next pause. */
  async #changeTables(): Promise<void> {
    const { random } = this.#scene;
    const next = TABLES.filter(() => random() < 0.6);
    const tables = next.length === 0 ? ['t0'] : [...next];
    this.#tableChanges += 1;
    await this.#task.change({ table: tables }).catch((error: unknown) => {
      const code = /[A-Z]\w+\.[A-Z]\w+/.exec(String(error))?.[0] ?? 'cut';
      this.#refusals[code] = (this.#refusals[code] ?? 0) + 1;
    });
  }

  /** No broker is there, and the source's log grows. Gives the most memory that the service took until all was equal again. */
  async #outage(seconds: number): Promise<number> {
    const { kafka, service, writers } = this.#scene;
    const { say } = this.#options;
    say(`no broker for ${seconds} s`);
    const memory = new PeakMemory(service.pid);
    const { pid } = service;
    memory.reset();
    for (const writer of writers) writer.start();
    await sleep(500);
    await kafka.kill();
    for (const until = Date.now() + seconds * 1000; Date.now() < until; await sleep(10_000))
      await Promise.all(writers.map((writer) => writer.changeAll()));
    await kafka.restart();
    await Promise.all(writers.map((writer) => writer.stop()));
    await this.#settle();
    if (service.isOver || service.pid !== pid) this.#findings.push('the service ended in the outage');
    return memory.mib;
  }

  /** With no one writing: all that is wanted streams, and is what readers have. */
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
    this.#findings.push(...[...this.#topics.values()].flatMap(({ faults }) => faults).slice(0, 10));
    this.#slowestMs = Math.max(this.#slowestMs, Date.now() - begun);
  }

  /** What was wanted last may have been deployed or not when its call was cut: the service says which tables it has. */
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

  /** A last row tells that all before it is there, but for the ends of transactions, which come to each partition by itself. */
  async #untilEqual(): Promise<void> {
    const { mysql, kafka } = this.#task.ends;
    this.#marks += 1;
    const mark = 900_000 + this.#marks;
    for (const table of TABLES) await mysql.query(`INSERT INTO ${table} VALUES (${mark}, 1, 'mark')`);
    for (const table of this.#wanted) {
      const topic = this.#topicOf(table);
      await within(SETTLE_MS, async () => {
        await topic.read(kafka);
        return topic.has(String(mark)) ? true : `${table} does not stream: ${JSON.stringify(await this.#task.info())}`;
      });
      await within(5000, async () => {
        await topic.read(kafka);
        return this.#differences(table);
      });
    }
    for (const [table, topic] of this.#topics) {
      if (this.#wanted.includes(table)) continue;
      await topic.read(kafka);
      topic.leave();
    }
  }

  /** True, or what differs. */
  async #differences(table: string): Promise<true | string> {
    const [found] = await this.#task.ends.mysql.query(`SELECT id, n, v FROM ${table}`);
    const expected = new Map((found as { id: number }[]).map((row) => [String(row.id), stringifyJson({ ...row })]));
    const { rows } = this.#topicOf(table);
    const keys = new Set([...expected.keys(), ...rows.keys()]);
    const differences = [...keys].filter((key) => rows.get(key) !== expected.get(key));
    if (differences.length === 0) {
      this.#compared += expected.size;
      return true;
    }
    const [key = ''] = differences;
    return `${table}: ${differences.length} of ${keys.size} rows differ, such as ${key}: ${rows.get(key)} is ${expected.get(key)}`;
  }

  #topicOf(table: string): CountedTopic {
    const topic = this.#topics.get(table);
    if (topic === undefined) throw new Error(`no table ${table}`);
    return topic;
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
async function within<T extends object | true>(ms: number, ask: () => Promise<T | string>): Promise<T> {
  for (const deadline = Date.now() + ms; ; await sleep(100)) {
    const answer = await ask();
    if (typeof answer !== 'string') return answer;
    if (Date.now() > deadline) throw new Error(answer);
  }
}
