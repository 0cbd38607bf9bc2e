import { createRecordsBatch } from '@platformatic/kafka';
import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import { Cluster, type ClusterOptions } from '../../src/connectors/kafka/protocol/cluster.ts';
import type { ProducerBatch } from '../../src/connectors/kafka/protocol/produce.ts';
import { Producer, type ProducerMode, type ProducerOptions } from '../../src/connectors/kafka/protocol/producer.ts';
import { readNewest } from '../../src/connectors/kafka/protocol/topic-reader.ts';
import type { KafkaSettings } from '../../src/connectors/kafka/settings.ts';
import { pause } from '../../src/lib/retry.ts';
import { silentLog } from '../../src/lib/log.ts';
import { readTopic } from '../../scripts/servers/kafka-reader.ts';
import type { TestKafka } from './kafka-under-test.ts';
import { uniqueName } from './servers.ts';

/** A cluster of one broker, until `signal` aborts. */
export function openCluster(
  port: number,
  signal: AbortSignal,
  options: Partial<ClusterOptions> & Partial<KafkaSettings> = {},
): Promise<Cluster> {
  const { brokers = [{ host: '127.0.0.1', port }], sasl = null, ssl = null, ...others } = options;
  const settings = { brokers, sasl, ssl, hosts: DEFAULT_HOST_POLICY };
  return Cluster.open(settings, {
    clientId: 'disync-test',
    requestTimeoutMs: 10_000,
    log: silentLog,
    signal,
    ...others,
  });
}

export function openProducer(
  cluster: Cluster,
  mode: ProducerMode,
  transactionalId: string,
  options: Partial<ProducerOptions> = {},
): Promise<Producer> {
  return Producer.open(cluster, {
    mode,
    transactionalId: mode === 'transactional' ? transactionalId : null,
    transactionTimeoutMs: 60_000,
    requestBytesMax: 4 * 1024 * 1024,
    inFlightMax: 5,
    ...options,
  });
}

/** Makes a topic; returns its name. */
export async function newTopic(cluster: Cluster, partitions: number): Promise<string> {
  const name = uniqueName('topic');
  await cluster.createTopics([{ name, partitions, replication: 1, configs: {} }]);
  return name;
}

/** A batch as the library builds it; a null value is a tombstone. */
export function batchOf(
  topic: string,
  partition: number,
  pairs: readonly (readonly [key: string, value: string | null])[],
): ProducerBatch {
  const messages = pairs.map(([key, value]) => ({
    topic,
    key: Buffer.from(key),
    ...(value === null ? {} : { value: Buffer.from(value) }),
  }));
  return { topic, partition, count: pairs.length, records: createRecordsBatch(messages as never).buffer };
}

/**
 * What a client sees that is not ours, committed only: partition, key and value. Waits a moment for `count` records: an end
 * is acknowledged before the brokers have written the markers that readers go by.
 */
export async function recordsSeen(kafka: TestKafka, topic: string, count: number): Promise<string[]> {
  for (const until = performance.now() + 5000; ; await pause(20)) {
    const records = await readTopic(kafka, { topic });
    if (records.length < count && performance.now() < until) continue;
    return records.map(({ partition, key, value }) => textOf(partition, key, value));
  }
}

/** What our own reader finds: key and newest value. */
export async function newestIn(
  cluster: Cluster,
  topic: string,
  partition: number,
): Promise<Record<string, string | null>> {
  const records = await readNewest(cluster, { topic, partition, isWanted: () => true });
  return Object.fromEntries([...records].map(([key, { value }]) => [key, value === null ? null : value.toString()]));
}

function textOf(partition: number, key: Buffer | null, value: Buffer | null): string {
  return `${partition} ${key?.toString()}=${value === null ? null : value.toString()}`;
}
