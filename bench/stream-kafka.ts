// How many row changes a second go from the binary log into committed records, when a backlog waits at the source; beside
// Kafka's own producer with the same messages, on the same broker.
// npm run bench -- stream-kafka [--n CHANGES] [--family mariadb|mysql] [--envelope json|debezium|debezium-schema|canal]
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { DEFAULT_HOST_POLICY } from '../src/lib/host-policy.ts';
import type { RunOptions } from '../scripts/run-named.ts';
import { type KafkaServer, startKafka } from '../scripts/servers/kafka.ts';
import { type Server, startServer } from '../scripts/servers/servers.ts';
import { kafkaConnector } from '../src/connectors/kafka/connector.ts';
import type { Cluster } from '../src/connectors/kafka/protocol/cluster.ts';
import { readTopic } from '../scripts/servers/kafka-reader.ts';
import { connectSource, createDatabase, logEnd, relaxed } from './support/connections.ts';
import { runJavaProducer } from './support/java-producer.ts';
import { type Lag, percentiles } from './support/lag-probe.ts';
import { describeConditions, familiesOf, printFigures, SOURCE_SETTINGS } from './support/report.ts';
import { type PipelineTarget, runPipeline } from './support/run-pipeline.ts';
import { createSteadyTableSql, micros, SteadyLoad } from './support/steady-load.ts';
import { committedEnds, openCluster, tailTopics, topicBytes } from './support/topic-tail.ts';
import { createTableSql, runWorkload, USUAL } from './workload.ts';

const DATABASE = 'bench';
const TABLE = 'usual';
/** A row of it comes last. */
const END = 'usual_end';
const PARTITIONS = 12;
const CHANGES = USUAL.inserts + USUAL.updates + USUAL.deletes;
const LATENCY_WARM_UP_MS = 3000;
const LATENCY_MS = 12_000;
const STEADY = ['steady1', 'steady2', 'steady3'];
const PAYLOADS = 2000;

const ENVELOPES = {
  json: { writeMode: 'json' },
  debezium: { writeMode: 'debezium' },
  'debezium-schema': { writeMode: 'debezium', debeziumSchema: true },
  canal: { writeMode: 'canal' },
} as const;
type EnvelopeName = keyof typeof ENVELOPES;
const COMPRESSIONS = ['none', 'zstd'] as const;

const TARGETS = {
  rowsPerSecond: { atLeast: 250_000 },
  vsJavaProducer: { atLeast: 0.5 },
  rssMiB: { atMost: 400 },
  p50Ms: { atMost: 30 },
  p99Ms: { atMost: 150 },
};

interface Stack {
  readonly source: Server;
  readonly client: Connection;
  readonly kafka: KafkaServer;
  readonly cluster: Cluster;
}

interface Backlog {
  readonly changes: number;
  readonly from: { readonly file: string; readonly position: number };
}

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const figures: Record<string, unknown> = {};
  for (const family of familiesOf(args)) {
    const [source, kafka] = await Promise.all([
      startServer(family, SOURCE_SETTINGS),
      startKafka({ jvm: ['-Xmx1g'], properties: { 'log.retention.check.interval.ms': '5000' } }),
    ]);
    console.log(describeConditions(source, kafka));
    const end = new AbortController();
    const stack = {
      source,
      kafka,
      client: await connectSource(source),
      cluster: await openCluster(kafka.port, end.signal),
    };
    try {
      figures[family] = await measure(stack, (n ?? CHANGES) / CHANGES, seed, envelopesOf(args));
    } finally {
      end.abort();
      await stack.client.end();
      await Promise.allSettled([source.stop(), kafka.stop()]);
    }
  }
  printFigures('stream-kafka', figures, TARGETS);
}

function envelopesOf(args: readonly string[]): readonly EnvelopeName[] {
  const all = Object.keys(ENVELOPES) as EnvelopeName[];
  const name = args.includes('--envelope') ? args[args.indexOf('--envelope') + 1] : undefined;
  return name === undefined ? all : all.filter((each) => each === name);
}

async function measure(stack: Stack, scale: number, seed: number, envelopes: readonly EnvelopeName[]) {
  const { client } = stack;
  await createDatabase(client, DATABASE);
  const backlog = await makeBacklog(client, scale, seed);
  const figures: Record<string, unknown> = {};
  for (const envelope of envelopes) {
    let bytes = 0;
    for (const compression of COMPRESSIONS) {
      const topic = await stream(stack, backlog, { envelope, compression });
      // What is compressed is measured as what it is before.
      if (compression === 'none') bytes = await topicBytes(stack.cluster, topic.name);
      const java = await reference(stack, topic.name, { compression, envelope });
      const rowsPerSecond = Math.round(backlog.changes / topic.seconds);
      const bytesPerSecond = Math.round(bytes / topic.seconds);
      const vsJavaProducer = Number((bytesPerSecond / java.bytesPerSecond).toFixed(2));
      console.log(
        `  ${envelope}, ${compression}: ${rowsPerSecond.toLocaleString('en')} row changes/s, ${(bytesPerSecond / 2 ** 20).toFixed(0)} MiB/s; ` +
          `Java's producer ${(java.bytesPerSecond / 2 ** 20).toFixed(0)} MiB/s; ${topic.seconds.toFixed(1)} s; peak RSS ${topic.rssMiB} MiB; ` +
          `CPU s ours ${topic.cpu.ours.toFixed(1)}, source ${topic.cpu.source.toFixed(1)}, broker ${topic.cpu.target.toFixed(1)}`,
      );
      figures[`${envelope}, ${compression}`] = { rowsPerSecond, bytesPerSecond, vsJavaProducer, rssMiB: topic.rssMiB };
    }
  }
  for (const partitions of [PARTITIONS, 300]) {
    const { p50, p99, rows } = await latency(stack, partitions);
    console.log(
      `  latency at 1,000 row changes/s, ${partitions} partitions: p50 ${p50} ms, p99 ${p99} ms, of ${rows} records`,
    );
    figures[`latency, ${partitions} partitions`] = { p50Ms: p50, p99Ms: p99 };
  }
  return figures;
}

async function makeBacklog(client: Connection, scale: number, seed: number): Promise<Backlog> {
  await relaxed(client, true);
  await client.query(createTableSql(TABLE));
  await client.query(`CREATE TABLE ${END} (id INT PRIMARY KEY)`);
  const from = await logEnd(client);
  const size = {
    inserts: Math.round(USUAL.inserts * scale),
    updates: Math.round(USUAL.updates * scale),
    deletes: Math.round(USUAL.deletes * scale),
  };
  const changes = await runWorkload(client, TABLE, size, seed);
  await client.query(`INSERT INTO ${END} VALUES (1)`);
  await relaxed(client, false);
  console.log(`  backlog: ${changes.toLocaleString('en')} row changes`);
  return { changes: changes + 1, from };
}

let runs = 0;

function targetOf({ kafka }: Stack, options: object, name: string): PipelineTarget {
  return {
    pid: kafka.pid,
    sink: {
      name: 'target',
      type: kafkaConnector.type,
      settings: kafkaConnector.parseSettings({ address: `127.0.0.1:${kafka.port}` }, DEFAULT_HOST_POLICY),
      options: kafkaConnector.parseOptions({ replication: 1, ...options }),
    },
    targetOf: ({ table }) => ({ schema: '', table: `${name}_${table}` }),
  };
}

async function stream(stack: Stack, { from }: Backlog, how: { envelope: EnvelopeName; compression: string }) {
  const { source, cluster } = stack;
  runs += 1;
  const name = `run${runs}`;
  const options = {
    heartbeatSeconds: 0,
    partitions: PARTITIONS,
    compression: how.compression,
    ...ENVELOPES[how.envelope],
  };
  const figures = await runPipeline({
    source,
    database: DATABASE,
    tables: [TABLE, END],
    from,
    target: targetOf(stack, options, name),
    until: async () => {
      while ((await committedEnds(cluster, `${name}_${END}`)).every((end) => end === 0n)) await sleep(20);
    },
  });
  return { name: `${name}_${TABLE}`, ...figures };
}

/** Java's producer with messages of ours: as many bytes as are sent in some seconds. */
async function reference({ kafka, cluster }: Stack, topic: string, how: { compression: string; envelope: string }) {
  const sample = await readTopic({ ...kafka }, { topic, partition: 0, max: PAYLOADS });
  const values = sample.flatMap(({ value }) => (value === null ? [] : [value.toString()]));
  const name = `java_${how.envelope}_${how.compression}_${runs}`;
  await cluster.createTopics([{ name, partitions: PARTITIONS, replication: 1, configs: {} }]);
  const properties = { 'compression.type': how.compression, 'batch.size': '524288', 'linger.ms': '10' };
  const records = { warmUp: 200_000, records: 1_000_000 };
  return runJavaProducer({ port: kafka.port, topic: name, ...records, values, transactionMs: null, properties });
}

/** From a row's clock at its writer, so with the commit at the source, until committed readers have it. */
async function latency(stack: Stack, partitions: number): Promise<Lag> {
  const { source, client, cluster } = stack;
  runs += 1;
  const name = `run${runs}`;
  for (const table of STEADY) {
    await client.query(`DROP TABLE IF EXISTS ${table}`);
    await client.query(createSteadyTableSql(table));
  }
  const from = await logEnd(client);
  const connections = await Promise.all(STEADY.map(() => connectSource(source)));
  const samples: number[] = [];
  const options = { partitions: partitions / STEADY.length, heartbeatSeconds: 0 };
  let lag: Lag | undefined;
  await runPipeline({
    source,
    database: DATABASE,
    tables: STEADY,
    from,
    target: targetOf(stack, options, name),
    until: async () => {
      for (const connection of connections) await connection.query(`USE ${DATABASE}`);
      const loads = STEADY.map((table, index) => new SteadyLoad(connections[index] ?? client, table));
      const topics = STEADY.map((table) => `${name}_${table}`);
      for (const topic of topics)
        while ((await committedEnds(cluster, topic)).every((end) => end === 0n)) await sleep(20);
      const end = new AbortController();
      const onValue = (value: Buffer) => {
        const written = /"after":\{"dataColumn":\{.*"written_us":(\d+)/.exec(value.toString('latin1'))?.[1];
        if (written !== undefined) samples.push((micros() - Number(written)) / 1000);
      };
      const tail = tailTopics(cluster, topics, onValue, end.signal);
      await sleep(LATENCY_WARM_UP_MS);
      samples.length = 0;
      await sleep(LATENCY_MS);
      lag = percentiles(samples);
      end.abort();
      await tail;
      for (const load of loads) await load.stop();
    },
  });
  for (const connection of connections) await connection.end();
  if (lag === undefined) throw new Error('no record was seen');
  return lag;
}
