import type { RecordsBatch } from '@platformatic/kafka';
import { pause } from '../../../lib/retry.ts';
import { brokerRefusal } from '../errors.ts';
import { FETCH, LIST_OFFSETS } from './api-ranges.ts';
import type { Cluster } from './cluster.ts';
import type { Address } from './connections.ts';

export interface ReadRecord {
  readonly offset: bigint;
  readonly key: string;
  /** Null: a tombstone. */
  readonly value: Buffer | null;
}

interface Place {
  readonly leader: Address;
  readonly topic: string;
  readonly partition: number;
}

const LATEST = -1n;
const EARLIEST = -2n;
const UNCOMMITTED = 0;
const COMMITTED = 1;
const FETCH_BYTES = 4 * 1024 * 1024;
const WAIT_MS = 500;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;
const MARKER_COMMIT = 1;
/** Where compaction took the last records before the end, a broker says that there are none. */
const EMPTY_ANSWERS_MAX = 3;

export interface Wanted {
  readonly topic: string;
  readonly partition: number;
  /** Of which keys the records are wanted: a topic may be shared by many. */
  readonly isWanted: (key: Buffer) => boolean;
}

/**
 * The newest committed record of each key, as a partition has them when this is called; null values are tombstones.
 *
 * It reads beyond the last stable offset and settles transactions by their markers: the last stable offset stands where
 * the oldest open transaction of *anybody* begins, and what another one has committed since would be missed. Records of
 * transactions that are still open are left out, and a transaction counts as open for a moment after its end was
 * acknowledged: opening a producer of its id waits for that.
 * Shape:  by key, as latin1 text. Memory: what is wanted, and 4 MiB of the log at a time.
 * Errors: KafkaError; `Kafka.TopicMissing` without the topic.
 */
export function readNewest(cluster: Cluster, wanted: Wanted): Promise<Map<string, ReadRecord>> {
  return cluster.patiently(async () => {
    const { topic, partition } = wanted;
    const leader = await leaderOf(cluster, topic, partition);
    return readFrom(cluster, { leader, topic, partition }, wanted);
  });
}

async function readFrom(cluster: Cluster, place: Place, { isWanted }: Wanted): Promise<Map<string, ReadRecord>> {
  const begin = await offsetAt(cluster, place, UNCOMMITTED, EARLIEST);
  // Before the end, so that the markers of all that is stable are before it.
  const stable = await offsetAt(cluster, place, COMMITTED, LATEST);
  const end = await offsetAt(cluster, place, UNCOMMITTED, LATEST);
  const taken: Taken = { newest: new Map(), open: new Map(), isWanted };
  let emptyAnswers = 0;
  for (let position = begin; position < end && emptyAnswers < EMPTY_ANSWERS_MAX; ) {
    const batches = await fetchFrom(cluster, place, position);
    if (batches === null) continue;
    emptyAnswers = batches.length === 0 ? emptyAnswers + 1 : 0;
    for (const batch of batches) {
      if (batch.firstOffset < end) take(batch, taken);
      position = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    }
  }
  // Before the last stable offset no transaction is open: compaction took the marker. It takes aborted records first.
  for (const records of taken.open.values())
    keep(
      taken,
      [...records.values()].filter(({ offset }) => offset < stable),
    );
  return taken.newest;
}

interface Taken extends Pick<Wanted, 'isWanted'> {
  readonly newest: Map<string, ReadRecord>;
  /** By producer id: what waits for a marker, the newest of each key. */
  readonly open: Map<bigint, Map<string, ReadRecord>>;
}

function take(batch: RecordsBatch, taken: Taken): void {
  const { open, isWanted } = taken;
  if ((batch.attributes & CONTROL) !== 0) {
    // A marker's key: int16 version, int16 type.
    const isCommit = batch.records[0]?.key?.readInt16BE(2) === MARKER_COMMIT;
    if (isCommit) keep(taken, open.get(batch.producerId)?.values() ?? []);
    open.delete(batch.producerId);
    return;
  }
  const records: ReadRecord[] = [];
  for (const { offsetDelta, key, value } of batch.records) {
    if (key === null || !isWanted(key)) continue;
    // The bytes are a part of the whole answer, which must not stay in memory for them.
    const own = value === null ? null : Buffer.from(value);
    records.push({ offset: batch.firstOffset + BigInt(offsetDelta), key: key.toString('latin1'), value: own });
  }
  if ((batch.attributes & TRANSACTIONAL) === 0) {
    keep(taken, records);
    return;
  }
  const waiting = open.get(batch.producerId) ?? new Map<string, ReadRecord>();
  for (const record of records) waiting.set(record.key, record);
  if (waiting.size > 0) open.set(batch.producerId, waiting);
}

function keep({ newest }: Taken, records: Iterable<ReadRecord>): void {
  for (const record of records) {
    const known = newest.get(record.key);
    if (known === undefined || known.offset < record.offset) newest.set(record.key, record);
  }
}

async function leaderOf(cluster: Cluster, topic: string, partition: number): Promise<Address> {
  const found = await cluster.topics([topic]);
  if (!found.has(topic)) throw brokerRefusal(UNKNOWN_TOPIC, { doing: 'reading', topic });
  const leader = cluster.leaderOf(topic, partition);
  if (leader === null) throw brokerRefusal(LEADER_NOT_AVAILABLE, { doing: 'reading', topic });
  return leader;
}

const UNKNOWN_TOPIC = 3;
const LEADER_NOT_AVAILABLE = 5;

async function offsetAt(cluster: Cluster, place: Place, isolation: 0 | 1, timestamp: bigint): Promise<bigint> {
  const { leader, topic, partition } = place;
  const question = [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }] }];
  const about = { doing: 'asking for offsets', topic };
  const answer = await cluster.ask(leader, LIST_OFFSETS, about, -1, isolation, question);
  return answer.topics[0]?.partitions[0]?.offset ?? 0n;
}

/** Null, after a wait, when a broker that throttles has not looked. */
async function fetchFrom(cluster: Cluster, place: Place, position: bigint): Promise<readonly RecordsBatch[] | null> {
  const { leader, topic, partition } = place;
  const at = {
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: position,
    lastFetchedEpoch: -1,
    partitionMaxBytes: FETCH_BYTES,
  };
  const question = [{ topicId: topic, partitions: [at] }];
  const about = { doing: 'reading', topic };
  const answer = await cluster.ask(
    leader,
    FETCH,
    about,
    WAIT_MS,
    1,
    FETCH_BYTES,
    UNCOMMITTED,
    NO_SESSION.id,
    NO_SESSION.epoch,
    question,
    [],
    '',
  );
  const found = answer.responses[0]?.partitions[0];
  if (found !== undefined) return found.records ?? [];
  await pause(Math.max(answer.throttleTimeMs, 1), cluster.signal);
  cluster.signal.throwIfAborted();
  return null;
}

const NO_SESSION = { id: 0, epoch: -1 };
