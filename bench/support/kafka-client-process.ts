// A process with one client in it, so that its memory is that client's alone. It writes records of one size, in turn to
// all partitions of a topic, and says how long the brokers took to acknowledge them.
import { Producer as LibraryProducer, type MessageToProduce } from '@platformatic/kafka';
import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import { CommitRecords } from '../../src/connectors/kafka/encode/commit-records.ts';
import { Cluster } from '../../src/connectors/kafka/protocol/cluster.ts';
import { Producer } from '../../src/connectors/kafka/protocol/producer.ts';
import { silentLog } from '../../src/lib/log.ts';

export type ClientWay = 'ours' | 'library';

export interface ClientOrder {
  readonly way: ClientWay;
  readonly port: number;
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
  readonly valueBytes: number;
  /** Records that are handed over together. */
  readonly together: number;
}

export interface ClientResult {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const KEPT_BYTES = 32 * 1024 * 1024;

process.on('message', (order: ClientOrder) => {
  void measure(order).then((result) => {
    process.send?.(result);
  });
});

async function measure(order: ClientOrder): Promise<ClientResult> {
  const write = await WAYS[order.way](order);
  const before = process.cpuUsage();
  const begun = performance.now();
  for (let first = 0; first < order.records; first += order.together) {
    await write(first, Math.min(order.together, order.records - first));
  }
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

type Write = (first: number, count: number) => Promise<void>;

const WAYS: Readonly<Record<ClientWay, (order: ClientOrder) => Promise<Write>>> = {
  async ours({ port, topic, partitions, valueBytes }) {
    const { signal } = new AbortController();
    const settings = { brokers: [{ host: '127.0.0.1', port }], sasl: null, ssl: null, hosts: DEFAULT_HOST_POLICY };
    const options = { clientId: 'bench', requestTimeoutMs: 15_000, log: silentLog, signal };
    const cluster = await Cluster.open(settings, options);
    const producer = await Producer.open(cluster, {
      mode: 'idempotent',
      transactionalId: null,
      transactionTimeoutMs: 60_000,
      requestBytesMax: 4 * 1024 * 1024,
      inFlightMax: 5,
    });
    const records = new CommitRecords(KEPT_BYTES);
    const value = valueOf(valueBytes);
    return async (first, count) => {
      const time = Date.now();
      for (let at = first; at < first + count; at += 1) {
        records.add({ topic, partition: at % partitions, key: Buffer.from(String(at)), value, time });
      }
      await producer.send(records.finish());
      records.reset(true);
    };
  },
  async library({ port, topic, partitions, valueBytes }) {
    const producer = new LibraryProducer<Buffer, Buffer, Buffer, Buffer>({
      clientId: 'bench',
      bootstrapBrokers: [`127.0.0.1:${port}`],
      idempotent: true,
      acks: -1,
    });
    const value = valueOf(valueBytes);
    return async (first, count) => {
      const timestamp = BigInt(Date.now());
      const messages: MessageToProduce<Buffer, Buffer, Buffer, Buffer>[] = [];
      for (let at = first; at < first + count; at += 1) {
        messages.push({ topic, partition: at % partitions, key: Buffer.from(String(at)), value, timestamp });
      }
      await producer.send({ messages });
    };
  },
};

function valueOf(bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, at) => 32 + ((at * 31) % 95)));
}
