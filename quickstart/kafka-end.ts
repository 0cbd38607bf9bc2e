import type { Connection } from 'mysql2/promise';
import { type KafkaServer, startKafka } from '../scripts/servers/kafka.ts';
import { readTopic } from '../scripts/servers/kafka-reader.ts';
import type { Checked, FarEnd, Sink } from './far-end.ts';
import { say } from './say.ts';
import { DATABASE, type ShopTable } from './shop.ts';
import { compareTopic } from './topic-compare.ts';
import { brokenChains, changesOf } from './topic-fold.ts';
import { TopicTail } from './topic-tail.ts';

/** A Kafka; its topics are read by kcat, as a committed reader sees them. */
export class KafkaEnd implements FarEnd {
  readonly server: KafkaServer;
  readonly counted = 'records';
  readonly #records = new Map<ShopTable, number>();
  #tail: TopicTail | null = null;

  private constructor(server: KafkaServer) {
    this.server = server;
  }

  static async start(): Promise<KafkaEnd> {
    return new KafkaEnd(await startKafka());
  }

  get sink(): Sink {
    return {
      type: 'kafka',
      dataSource: 'events',
      content: { address: `127.0.0.1:${this.server.port}` },
      options: { partitions: 3, replication: 1 },
    };
  }

  async count(table: ShopTable): Promise<number> {
    return changesOf(await readTopic(this.server, { topic: topicOf(table) })).length;
  }

  watchLag(): TopicTail {
    this.#tail = new TopicTail(this.server, topicOf('orders'));
    return this.#tail;
  }

  /** Each key's last record is its row, and each record continues the one before it of its key. */
  async check(source: Connection, table: ShopTable): Promise<Checked> {
    const changes = changesOf(await readTopic(this.server, { topic: topicOf(table) }));
    const { rows, differences } = await compareTopic(source, changes, { database: DATABASE, table });
    const broken = brokenChains(changes);
    this.#records.set(table, changes.length);
    return {
      table,
      figures: { records: changes.length, rows, differences, faults: broken },
      isGood: differences === 0 && broken === 0,
    };
  }

  get proven(): string {
    const records = this.#records.values().reduce((sum, count) => sum + count, 0);
    return `all rows are equal: the last record of each key is its row, and each of ${records.toLocaleString('en')} records continues the one before it of its key: none is missing, none comes twice`;
  }

  show(): void {
    say(`records of ${topicOf('orders')}, as kcat shows them:`);
    for (const line of this.#tail?.examples ?? []) console.log(`\n${line}`);
    console.log();
  }

  get commands(): readonly string[] {
    const { port } = this.server;
    const topic = topicOf('orders');
    return [
      `kcat -b 127.0.0.1:${port} -L`,
      `kcat -b 127.0.0.1:${port} -C -t ${topic} -o end -X isolation.level=read_committed -f '%k %s\\n'`,
      `kafka-console-consumer.sh --bootstrap-server 127.0.0.1:${port} --topic ${topic} --isolation-level read_committed`,
    ];
  }

  async stop(): Promise<void> {
    await this.#tail?.stop();
    await this.server.stop();
  }
}

function topicOf(table: ShopTable): string {
  return `${DATABASE}_${table}`;
}
