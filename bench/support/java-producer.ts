import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { javaCommand } from '../../scripts/servers/kafka-java.ts';
import { installKafka } from '../../scripts/servers/kafka.ts';
import { output } from '../../scripts/servers/packages.ts';

export interface JavaProducerOrder {
  /** Where clients find the broker. */
  readonly port: number;
  readonly topic: string;
  readonly records: number;
  /** Records before the ones that count: Java compiles while it runs. */
  readonly warmUp: number;
  /** Values that it picks from at random, UTF-8 without line breaks. */
  readonly values: readonly string[];
  /** Commits every so many milliseconds; null: idempotent, without transactions. */
  readonly transactionMs: number | null;
  /** Of the producer, such as `compression.type`. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface JavaProducerFigures {
  readonly recordsPerSecond: number;
  /** Of values, before compression. */
  readonly bytesPerSecond: number;
  /** From handing over a record to its acknowledgement. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** As Kafka's scripts start their tools. */
const JVM = ['-Xmx512m'];

/** Runs `kafka-producer-perf-test` as fast as it goes; the warm-up is not counted. Errors: Error with what it said. */
export async function runJavaProducer(order: JavaProducerOrder): Promise<JavaProducerFigures> {
  const { port, topic, records, warmUp, values, transactionMs, properties = {} } = order;
  const jars = await installKafka();
  const folder = mkdtempSync(join(tmpdir(), 'disync-java-producer-'));
  try {
    const payload = join(folder, 'values');
    writeFileSync(payload, values.join('\n'));
    const [java, ...tool] = javaCommand(jars, JVM, 'org.apache.kafka.tools.ProducerPerformance');
    const options = {
      '--bootstrap-server': `127.0.0.1:${port}`,
      '--topic': topic,
      '--num-records': String(warmUp + records),
      '--warmup-records': String(warmUp),
      '--throughput': '-1',
      '--payload-file': payload,
      ...(transactionMs === null ? {} : { '--transaction-duration-ms': String(transactionMs) }),
    };
    const settings = Object.entries({ acks: 'all', ...properties }).map(([name, value]) => `${name}=${value}`);
    const args = [...Object.entries(options).flat(), '--command-property', ...settings];
    return figuresIn(await output(java, [...tool, ...args]), values);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of its last line: `N records sent, N records/sec (N MB/sec), …, N ms 50th, N ms 95th, N ms 99th, …`. */
function figuresIn(said: string, values: readonly string[]): JavaProducerFigures {
  const match = [...said.matchAll(/([\d.]+) records\/sec .* (\d+) ms 50th, .* (\d+) ms 99th/g)].at(-1);
  if (match === undefined) throw new Error(`the Java producer gave no figures: ${said.slice(-300)}`);
  const recordsPerSecond = Number(match[1]);
  const valueBytes = values.reduce((sum, value) => sum + Buffer.byteLength(value), 0) / values.length;
  return {
    recordsPerSecond: Math.round(recordsPerSecond),
    bytesPerSecond: Math.round(recordsPerSecond * valueBytes),
    p50Ms: Number(match[2]),
    p99Ms: Number(match[3]),
  };
}
