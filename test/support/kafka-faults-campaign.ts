import { setTimeout as sleep } from 'node:timers/promises';
import { randomOf } from '../../bench/workload.ts';
import { freePort } from '../../scripts/servers/free-port.ts';
import type { KafkaOptions } from '../../scripts/servers/kafka.ts';
import { stringifyJson } from '../../src/lib/json.ts';
import { CountedSource, type SourceRow } from './counted-source.ts';
import { CountedTopic } from './counted-topic.ts';
import { FaultsCampaign, type FaultsCampaignOptions, type FaultsCampaignResult } from './faults-campaign.ts';
import { FAULTS, type Scene, TRANSACTION_TIMEOUT_MS } from './kafka-faults.ts';
import { KafkaTask } from './kafka-task.ts';
import { privateKafka } from './kafka-under-test.ts';
import { PeakMemory } from './peak-memory.ts';
import type { Family } from './servers.ts';
import { Service } from './service.ts';
import { StallingProxy } from './stalling-proxy.ts';
import { within } from './within.ts';

export interface KafkaCampaignOptions extends Pick<FaultsCampaignOptions<Scene>, 'faults' | 'seed' | 'say'> {
  readonly family: Family;
  readonly brokers: number;
  readonly version?: KafkaOptions['version'] | undefined;
  readonly delivery: 'exactlyOnce' | 'atLeastOnce';
  readonly compression: 'none' | 'zstd';
  /** Answers that take longer are given up. With more than a freeze takes, what was frozen goes on, and meets what has ended meanwhile. */
  readonly requestTimeoutMs: number;
  /** All tables in one. */
  readonly oneTopic: boolean;
  /** At the end no broker is there for so long, while the writers go on; 0: none. */
  readonly outageSeconds: number;
}

export interface KafkaCampaignResult extends FaultsCampaignResult {
  /** Row changes that readers saw, and those that they saw again as they were. */
  readonly seen: number;
  readonly repeats: number;
  /** The most memory that the service took, where there was an outage. */
  readonly rssMiB: number | null;
}

const TABLES = ['t0', 't1', 't2', 't3'] as const;
const WRITERS = 3;
const PARTITIONS = 2;
/** A run that failed often waits for up to 30 s. */
const SETTLE_MS = 90_000;

/**
 * Breaks the way from a source to readers of Kafka in many ways while rows are written and tables join and leave. At pauses all
 * that committed readers see must be what was written: each change once, in order, and the last row of each key the source's.
 */
export async function kafkaFaultsCampaign(options: KafkaCampaignOptions): Promise<KafkaCampaignResult> {
  const { family, seed } = options;
  const source = await CountedSource.start(family, { tables: TABLES, writers: WRITERS, seed });
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
  try {
    const { server, database, mysql, writers } = source;
    const address = ports.map((port) => `127.0.0.1:${port}`).join(',');
    const task = new KafkaTask(
      service,
      { source: server, database, mysql, kafka, content: { address } },
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
    const scene: Scene = { random: randomOf(seed), service, kafka, proxies, writers };
    return await new Campaign({ task, source, scene }, options).run();
  } finally {
    await source.stopWriting().catch(() => {});
    await service.dispose();
    for (const proxy of proxies) proxy.close();
    await Promise.all([source.close(), kafka.stop()]);
  }
}

/** Quotas take effect at once, and leave at once; leaders come home; what timed out is aborted soon. */
const BROKER_PROPERTIES = {
  'quota.window.num': '2',
  'quota.window.size.seconds': '1',
  'leader.imbalance.check.interval.seconds': '2',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
};

class Campaign extends FaultsCampaign<Scene> {
  protected override readonly scene: Scene;
  readonly #options: KafkaCampaignOptions;
  readonly #topics: ReadonlyMap<string, CountedTopic>;

  constructor(
    { task, source, scene }: { task: KafkaTask; source: CountedSource; scene: Scene },
    options: KafkaCampaignOptions,
  ) {
    const { faults, seed, say } = options;
    super({
      task,
      source,
      deck: FAULTS,
      faults,
      seed,
      say,
      tablesChange: true,
      streamsFirst: false,
      keepsDeleted: false,
      pace: { waitMs: 1000, change: 0.6, pause: 0.6 },
      settleMs: SETTLE_MS,
    });
    this.scene = scene;
    this.#options = options;
    const mayRepeat = options.delivery === 'atLeastOnce';
    const topicOf = (table: string) => (options.oneTopic ? source.database : task.topic(table));
    this.#topics = new Map(
      TABLES.map((table) => [
        table,
        new CountedTopic({ topic: topicOf(table), table, partitions: PARTITIONS, mayRepeat }),
      ]),
    );
  }

  async run(): Promise<KafkaCampaignResult> {
    const { outageSeconds } = this.#options;
    await this.breakAll();
    const rssMiB = outageSeconds > 0 && this.findings.length === 0 ? await this.#outage(outageSeconds) : null;
    const topics = [...this.#topics.values()];
    const sum = (of: (topic: CountedTopic) => number) => topics.reduce((all, topic) => all + of(topic), 0);
    return {
      ...this.result(),
      seen: sum(({ changes }) => changes),
      repeats: sum(({ repeats }) => repeats),
      rssMiB,
    };
  }

  /** No broker is there, and the source's log grows. Gives the most memory that the service took until all was equal again. */
  async #outage(seconds: number): Promise<number> {
    const { kafka, service, writers } = this.scene;
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
    await this.settle();
    if (service.isOver || service.pid !== pid) this.findings.push('the service ended in the outage');
    return memory.mib;
  }

  protected override async untilEqual(wanted: readonly string[], mark: string): Promise<void> {
    try {
      for (const table of wanted) await this.#untilTableEqual(table, mark);
      for (const [table, topic] of this.#topics) {
        if (wanted.includes(table)) continue;
        await topic.read(this.scene.kafka);
        topic.leave();
      }
    } finally {
      this.findings.push(...[...this.#topics.values()].flatMap(({ faults }) => faults).slice(0, 10));
    }
  }

  protected override textOf(row: SourceRow): string {
    return stringifyJson({ ...row });
  }

  /** Its last row is there, and the ends of transactions, which come to each partition by itself. */
  async #untilTableEqual(table: string, mark: string): Promise<void> {
    const { kafka } = this.scene;
    const topic = this.#topicOf(table);
    await this.untilMarked(table, async () => {
      await topic.read(kafka);
      return topic.has(mark) ? true : null;
    });
    await within(5000, async () => {
      await topic.read(kafka);
      return this.compare(table, topic.rows);
    });
  }

  #topicOf(table: string): CountedTopic {
    const topic = this.#topics.get(table);
    if (topic === undefined) throw new Error(`no table ${table}`);
    return topic;
  }
}
