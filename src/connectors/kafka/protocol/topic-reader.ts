import type { RecordsBatch } from '@platformatic/kafka';
import { brokerRefusal } from '../errors.ts';
import { FETCH, LIST_OFFSETS } from './api-ranges.ts';
import type { Cluster } from './cluster.ts';
import type { Address } from './connections.ts';

export interface ReadRecord {
  readonly offset: bigint;
  readonly key: Buffer | null;
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
/** Where compaction took the last records before the end, a broker has nothing to send. */
const EMPTY_ANSWERS_MAX = 3;

/**
 * All committed records of a partition, by offset, from its begin to where it ends when this is called.
 *
 * It reads beyond the last stable offset and settles transactions by their markers: the last stable offset stands where
 * the oldest open transaction of *anybody* begins, and what another one has committed since would be missed. Records of
 * transactions that are still open are left out.
 * Errors: KafkaError; `Kafka.TopicMissing` without the topic.
 */
export function readCommitted(cluster: Cluster, topic: string, partition: number): Promise<ReadRecord[]> {
  return cluster.patiently(async () => {
    const leader = await leaderOf(cluster, topic, partition);
    return readFrom(cluster, { leader, topic, partition });
  });
}

async function readFrom(cluster: Cluster, place: Place): Promise<ReadRecord[]> {
  const begin = await offsetAt(cluster, place, UNCOMMITTED, EARLIEST);
  const end = await offsetAt(cluster, place, UNCOMMITTED, LATEST);
  const stable = await offsetAt(cluster, place, COMMITTED, LATEST);
  const committed: ReadRecord[] = [];
  const open = new Map<bigint, ReadRecord[]>();
  let emptyAnswers = 0;
  for (let position = begin; position < end && emptyAnswers < EMPTY_ANSWERS_MAX; ) {
    const batches = await fetchFrom(cluster, place, position);
    emptyAnswers = batches.length === 0 ? emptyAnswers + 1 : 0;
    for (const batch of batches) {
      if (batch.firstOffset < end) take(batch, begin, { committed, open });
      position = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    }
  }
  // Before the last stable offset no transaction is open: compaction took the marker. It takes aborted records first.
  for (const records of open.values()) committed.push(...records.filter(({ offset }) => offset < stable));
  return committed.toSorted((a, b) => (a.offset < b.offset ? -1 : 1));
}

interface Taken {
  readonly committed: ReadRecord[];
  /** By producer id: what waits for a marker. */
  readonly open: Map<bigint, ReadRecord[]>;
}

function take(batch: RecordsBatch, begin: bigint, { committed, open }: Taken): void {
  const waiting = open.get(batch.producerId) ?? [];
  if ((batch.attributes & CONTROL) !== 0) {
    // A marker's key: int16 version, int16 type.
    if (batch.records[0]?.key?.readInt16BE(2) === MARKER_COMMIT) committed.push(...waiting);
    open.delete(batch.producerId);
    return;
  }
  const records = batch.records
    .map(({ offsetDelta, key, value }) => ({ offset: batch.firstOffset + BigInt(offsetDelta), key, value }))
    .filter(({ offset }) => offset >= begin);
  if ((batch.attributes & TRANSACTIONAL) === 0) committed.push(...records);
  else open.set(batch.producerId, [...waiting, ...records]);
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

async function fetchFrom(cluster: Cluster, place: Place, position: bigint): Promise<readonly RecordsBatch[]> {
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
  return answer.responses[0]?.partitions[0]?.records ?? [];
}

const NO_SESSION = { id: 0, epoch: -1 };
