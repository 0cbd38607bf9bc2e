import type { Connection } from 'mysql2/promise';
import { ApiTask } from './api-task.ts';
import { readTopic } from '../../scripts/servers/kafka-reader.ts';
import { sharedKafka, type TestKafka } from './kafka-under-test.ts';
import { type Family, freshMysqlDatabase, mysqlClient, sharedServer, type TestServer } from './servers.ts';
import type { Service } from './service.ts';
import { changesOf, foldTopic, type TopicChange } from '../../quickstart/topic-fold.ts';

/** Where a task reads and writes: a database of its own, and topics named after it. */
export interface KafkaEnds {
  readonly source: TestServer;
  readonly database: string;
  readonly mysql: Connection;
  readonly kafka: TestKafka;
  /** The sink's `Content`, such as proxies before the brokers; default: the broker's port. */
  readonly content?: object;
}

export async function openKafkaEnds(family: Family, kafka?: TestKafka): Promise<KafkaEnds> {
  const source = await sharedServer(family);
  const database = await freshMysqlDatabase(source);
  return { source, database, mysql: await mysqlClient(source, database), kafka: kafka ?? (await sharedKafka()) };
}

/** One task from MySQL to Kafka, driven through the API with the vendor's client. */
export class KafkaTask extends ApiTask {
  readonly ends: KafkaEnds;

  constructor(service: Service, ends: KafkaEnds, options: object = {}) {
    const content = ends.content ?? { address: `127.0.0.1:${ends.kafka.port}` };
    super(service, ends, { type: 'kafka', content, options: { partitions: 3, replication: 1, ...options } });
    this.ends = ends;
  }

  topic(table: string): string {
    return `${this.ends.database}_${table}`;
  }

  /** What committed readers see of a table's topic. */
  async changes(table: string): Promise<TopicChange[]> {
    return changesOf(await readTopic(this.ends.kafka, { topic: this.topic(table) }));
  }

  /** Waits until the last row of each key is the source's, for a table (id, n). Errors: Error with what is left. */
  async untilFolded(table: string): Promise<readonly TopicChange[]> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const changes = await this.changes(table).catch(() => []);
      const differences = await this.#differences(table, changes);
      if (differences.length === 0) return changes;
      if (Date.now() > deadline)
        throw new Error(
          `${table}: ${differences.length} rows differ, such as ${differences[0]}: ${JSON.stringify(await this.info())}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #differences(table: string, changes: readonly TopicChange[]): Promise<string[]> {
    const rows = foldTopic(changes);
    const [found] = await this.ends.mysql.query(`SELECT id, n FROM ${table}`);
    const expected = new Map((found as { id: number; n: number }[]).map(({ id, n }) => [String(id), n]));
    const keys = new Set([...expected.keys(), ...rows.keys()]);
    return [...keys].flatMap((key) => {
      const [here, there] = [rows.get(key)?.['n'], expected.get(key)];
      return here === there ? [] : [`${key}: ${JSON.stringify(here ?? null)} and not ${there}`];
    });
  }
}
