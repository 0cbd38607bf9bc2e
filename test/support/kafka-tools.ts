import { installKafka } from '../../scripts/servers/kafka.ts';
import { javaCommand } from '../../scripts/servers/kafka-java.ts';
import { output } from '../../scripts/servers/packages.ts';
import type { TestKafka } from './kafka-under-test.ts';

/** Small machines: a tool starts, asks, and ends. */
export const TOOL_JVM = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Runs one of Kafka's own command-line tools, of the newest release, and gives what it said. Errors: Error with it. */
export async function kafkaTool(mainClass: string, args: readonly string[]): Promise<string> {
  const [java, ...before] = javaCommand(await installKafka(), TOOL_JVM, mainClass);
  return output(java, [...before, ...args]);
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
}

export async function deleteTopic(kafka: TestKafka, name: string): Promise<void> {
  await kafkaTool('org.apache.kafka.tools.TopicCommand', [...bootstrap(kafka), '--delete', '--topic', name]);
}

/** What `kafka-topics --describe` says of a topic, with its settings. */
export async function describeTopic(kafka: TestKafka, name: string): Promise<string> {
  return kafkaTool('org.apache.kafka.tools.TopicCommand', [...bootstrap(kafka), '--describe', '--topic', name]);
}
