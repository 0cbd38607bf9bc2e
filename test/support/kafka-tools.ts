import { setTimeout as sleep } from 'node:timers/promises';
import { installKafka } from '../../scripts/servers/kafka.ts';
import { runJava } from '../../scripts/servers/kafka-java.ts';
import type { TestKafka } from './kafka-under-test.ts';
import { kcat } from '../../scripts/servers/kcat.ts';

/** How long a broker may take to hear of a topic. */
const HEARD_OF_MS = 30_000;

/** Runs one of Kafka's own command-line tools, of the newest release, and gives what it said. Errors: Error with it. */
export async function kafkaTool(mainClass: string, args: readonly string[]): Promise<string> {
  return runJava(await installKafka(), mainClass, args);
}

/** How a tool finds the broker. */
export function bootstrap(kafka: TestKafka): ['--bootstrap-server', string] {
  return ['--bootstrap-server', `127.0.0.1:${kafka.adminPort}`];
}

export interface TopicOptions {
  readonly partitions?: number;
  readonly replication?: number;
  /** Such as `cleanup.policy`. */
  readonly config?: Readonly<Record<string, string>>;
}

export async function createTopic(kafka: TestKafka, name: string, options: TopicOptions = {}): Promise<void> {
  const { partitions = 1, replication = 1, config = {} } = options;
  await kafkaTool('org.apache.kafka.tools.TopicCommand', [
    ...bootstrap(kafka),
    '--create',
    '--topic',
    name,
    '--partitions',
    String(partitions),
    '--replication-factor',
    String(replication),
    ...Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`]),
  ]);
  // A controller answers before every broker has heard of it.
  const deadline = Date.now() + HEARD_OF_MS;
  while ((await leaderOf(kafka, name).catch(() => -1)) === -1) {
    if (Date.now() > deadline) throw new Error(`no broker leads ${name}`);
    await sleep(50);
  }
}

export async function deleteTopic(kafka: TestKafka, name: string): Promise<void> {
  await kafkaTool('org.apache.kafka.tools.TopicCommand', [...bootstrap(kafka), '--delete', '--topic', name]);
}

/** Raises the number of a topic's partitions. */
export async function addPartitions(kafka: TestKafka, name: string, partitions: number): Promise<void> {
  const change = ['--alter', '--topic', name, '--partitions', String(partitions)];
  await kafkaTool('org.apache.kafka.tools.TopicCommand', [...bootstrap(kafka), ...change]);
}

/** What `kafka-topics --describe` says of a topic, with its settings. */
export async function describeTopic(kafka: TestKafka, name: string): Promise<string> {
  return kafkaTool('org.apache.kafka.tools.TopicCommand', [...bootstrap(kafka), '--describe', '--topic', name]);
}

/** The number of the broker that leads a partition, as the brokers say now; -1 while none does. */
export async function leaderOf(kafka: TestKafka, topic: string, partition = 0): Promise<number> {
  const said = await kcat(kafka.adminPort, ['-L', '-J', '-t', topic]);
  const { topics } = JSON.parse(said.toString('utf8')) as {
    topics: { partitions: { partition: number; leader: number }[] }[];
  };
  const found = topics[0]?.partitions.find((each) => each.partition === partition);
  if (found === undefined) throw new Error(`${topic} has no partition ${partition}`);
  return found.leader;
}

/** Limits what all clients together may write, in bytes per second; null lifts the limit. */
export async function limitWrites(kafka: TestKafka, bytesPerSecond: number | null): Promise<void> {
  const name = 'producer_byte_rate';
  await kafkaTool('kafka.admin.ConfigCommand', [
    ...bootstrap(kafka),
    '--alter',
    '--entity-type',
    'clients',
    '--entity-default',
    ...(bytesPerSecond === null ? ['--delete-config', name] : ['--add-config', `${name}=${bytesPerSecond}`]),
  ]);
}
