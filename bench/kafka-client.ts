// What the library's producer writes to a broker, and what our layer on its connections does: the same records, the same topic.
// npm run bench -- kafka-client [--n RECORDS]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DEFAULT_HOST_POLICY } from '../src/lib/host-policy.ts';
import type { RunOptions } from '../scripts/run-named.ts';
import { startKafka } from '../scripts/servers/kafka.ts';
import { Cluster } from '../src/connectors/kafka/protocol/cluster.ts';
import { silentLog } from '../src/lib/log.ts';
import type { ClientOrder, ClientResult, ClientWay } from './support/kafka-client-process.ts';
import { peakRssMiB } from './support/process-facts.ts';
import { describeConditions, printFigures } from './support/report.ts';

const PROCESS = join(import.meta.dirname, 'support/kafka-client-process.ts');
const RECORDS = 1_000_000;
const PARTITIONS = 12;
const VALUE_BYTES = 430;
const TOGETHER = 24_000;
const ROUNDS = 3;
const WAYS: readonly ClientWay[] = ['library', 'ours'];

const TARGETS = { oursVsLibrary: { atLeast: 2 } };

export async function run({ n }: RunOptions): Promise<void> {
  const kafka = await startKafka({ jvm: ['-Xmx1g'], properties: { 'log.retention.bytes': String(256 * 2 ** 20) } });
  console.log(describeConditions(kafka));
  const runs: Record<ClientWay, Figures[]> = { library: [], ours: [] };
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const way of WAYS) {
        const figures = await measure(way, kafka.port, { round, records: n ?? RECORDS });
        console.log(way, round === 0 ? 'warms the broker' : round, figures);
        // The broker's own compiler is busy in the first round.
        if (round > 0) runs[way].push(figures);
      }
    }
  } finally {
    await kafka.stop();
  }
  const library = middle(runs.library);
  const ours = middle(runs.ours);
  printFigures(
    'kafka-client',
    { library, ours, oursVsLibrary: Number((ours.recordsPerSecond / library.recordsPerSecond).toFixed(2)) },
    TARGETS,
  );
}

interface Figures {
  readonly recordsPerSecond: number;
  readonly mibPerSecond: number;
  /** Of the client, per million records. */
  readonly cpuSeconds: number;
  readonly rssMiB: number;
}

async function measure(
  way: ClientWay,
  port: number,
  { round, records }: { readonly round: number; readonly records: number },
): Promise<Figures> {
  const topic = `${way}-${round}`;
  await newTopic(port, topic);
  const order: ClientOrder = {
    way,
    port,
    topic,
    partitions: PARTITIONS,
    records,
    valueBytes: VALUE_BYTES,
    together: TOGETHER,
  };
  const child = fork(PROCESS, { execArgv: [] });
  try {
    child.send(order);
    const [result] = (await once(child, 'message')) as [ClientResult];
    return {
      recordsPerSecond: Math.round(records / result.seconds),
      mibPerSecond: Math.round((records * VALUE_BYTES) / result.seconds / 2 ** 20),
      cpuSeconds: Number(((result.cpuSeconds / records) * 1e6).toFixed(2)),
      rssMiB: peakRssMiB(child.pid ?? 0),
    };
  } finally {
    child.kill();
  }
}

async function newTopic(port: number, name: string): Promise<void> {
  const end = new AbortController();
  const settings = { brokers: [{ host: '127.0.0.1', port }], sasl: null, ssl: null, hosts: DEFAULT_HOST_POLICY };
  const options = { clientId: 'bench', requestTimeoutMs: 15_000, log: silentLog, signal: end.signal };
  const cluster = await Cluster.open(settings, options);
  await cluster.createTopics([{ name, partitions: PARTITIONS, replication: 1, configs: {} }]);
  cluster.close();
}

function middle(runs: readonly Figures[]): Figures {
  const sorted = runs.toSorted((a, b) => a.recordsPerSecond - b.recordsPerSecond);
  const [figures] = sorted.slice(Math.floor(sorted.length / 2));
  if (figures === undefined) throw new Error('nothing was measured');
  return figures;
}
