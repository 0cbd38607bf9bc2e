import type { KafkaBroker } from './kafka.ts';
import { kcat } from './kcat.ts';

/** Where a reader finds the brokers. */
export type KafkaAddress = Pick<KafkaBroker, 'adminPort'>;

/** One record as a reader that is not ours sees it. */
export interface KafkaRecord {
  readonly partition: number;
  readonly offset: number;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface ReadOptions {
  readonly topic: string;
  /** Default: what a careful reader asks for, `read_committed`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted';
  /** Default: all. */
  readonly partition?: number;
  /** Default: the first. */
  readonly from?: number;
  /** At most so many records; default: to the end that the topic has now. */
  readonly max?: number;
}

/**
 * Reads a topic to its present end by kcat (librdkafka), checksums checked. Records of a partition come in its order.
 * Errors: Error with what kcat said, such as of a topic that does not exist.
 */
export async function readTopic(kafka: KafkaAddress, options: ReadOptions): Promise<KafkaRecord[]> {
  const records = parse(await kcat(kafka.adminPort, [...consume(options), '-f', FORMAT]));
  if (records.every(({ headers }) => headers.length === 0)) return records;
  return withHeaders(records, await kcat(kafka.adminPort, [...consume(options), '-J']));
}

/** Writes one record per element by kcat: the value, or key and value. All in one transaction when `transactionalId` is given. */
export async function writeTopic(
  kafka: KafkaAddress,
  topic: string,
  records: readonly (string | readonly [key: string, value: string])[],
  { partition, transactionalId }: { readonly partition?: number; readonly transactionalId?: string } = {},
): Promise<void> {
  const keyed = records.some((record) => typeof record !== 'string');
  const args = ['-P', '-t', topic, '-D', RECORD_END, ...(keyed ? ['-K', KEY_END] : [])];
  if (partition !== undefined) args.push('-p', String(partition));
  if (transactionalId !== undefined) args.push('-X', `transactional.id=${transactionalId}`);
  const input = records.map((record) => (typeof record === 'string' ? record : record.join(KEY_END)) + RECORD_END);
  await kcat(kafka.adminPort, args, input.join(''));
}

const RECORD_END = '\u001e';
const KEY_END = '\u001f';

/** Lengths come before what they measure; the end of the headers, which have none, is checked by what follows. */
const FORMAT = '%p %o %T %K %S\\n%k%s%h\\x1e\\n';

function consume({ topic, isolation = 'read_committed', partition, from, max }: ReadOptions): string[] {
  const args = ['-C', '-q', '-e', '-t', topic, '-o', from === undefined ? 'beginning' : String(from)];
  if (partition !== undefined) args.push('-p', String(partition));
  if (max !== undefined) args.push('-c', String(max));
  return [...args, '-X', `isolation.level=${isolation}`, '-X', 'check.crcs=true', '-X', 'fetch.wait.max.ms=10'];
}

function parse(bytes: Buffer): KafkaRecord[] {
  const records: KafkaRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\n', at);
    const line = bytes.toString('latin1', at, lineEnd);
    if (!/^\d+ \d+ -?\d+ -?\d+ -?\d+$/.test(line)) throw new Error(`kcat wrote no record where one begins: ${line}`);
    const [partition = 0, offset = 0, timestamp = 0, keyLength = 0, valueLength = 0] = line.split(' ').map(Number);
    const keyAt = lineEnd + 1;
    const valueAt = keyAt + Math.max(keyLength, 0);
    const headersAt = valueAt + Math.max(valueLength, 0);
    const end = bytes.indexOf(`${RECORD_END}\n`, headersAt);
    const slice = (from: number, length: number): Buffer | null =>
      length < 0 ? null : bytes.subarray(from, from + length);
    records.push({
      partition,
      offset,
      timestamp,
      key: slice(keyAt, keyLength),
      value: slice(valueAt, valueLength),
      headers: headersAt === end ? [] : [['', bytes.toString('utf8', headersAt, end)]],
    });
    at = end + 2;
  }
  return records;
}

/** kcat's own format joins headers by commas, which their values may hold too; its JSON keeps them apart. */
function withHeaders(records: readonly KafkaRecord[], json: Buffer): KafkaRecord[] {
  const headers = new Map<string, KafkaRecord['headers']>();
  for (const line of json.toString('utf8').split('\n').filter(Boolean)) {
    const record = JSON.parse(line) as { partition: number; offset: number; headers?: string[] };
    const flat = record.headers ?? [];
    const pairs = flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? ''] as const] : []));
    headers.set(`${record.partition} ${record.offset}`, pairs);
  }
  return records.map((record) => ({ ...record, headers: headers.get(`${record.partition} ${record.offset}`) ?? [] }));
}
