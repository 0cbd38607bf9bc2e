import { describeLogDirsV4, fetchV12, listOffsetsV5 } from '@platformatic/kafka';
import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import { Cluster } from '../../src/connectors/kafka/protocol/cluster.ts';
import { parseKafkaSettings } from '../../src/connectors/kafka/settings.ts';
import { silentLog } from '../../src/lib/log.ts';

const COMMITTED = 1;
const LATEST = -1n;
const WAIT_MS = 20;
const FETCH_BYTES = 1 << 20;
const CONTROL = 1 << 5;
const NO_SESSION = { id: 0, epoch: -1 };

/** The brokers of a bench, asked beside what is measured. */
export function openCluster(port: number, signal: AbortSignal): Promise<Cluster> {
  const settings = parseKafkaSettings({ address: `127.0.0.1:${port}` }, DEFAULT_HOST_POLICY);
  return Cluster.open(settings, { clientId: 'bench', requestTimeoutMs: 60_000, log: silentLog, signal });
}

/** Where committed records of a topic end, by partition; empty before it is there. */
export function committedEnds(cluster: Cluster, topic: string): Promise<readonly bigint[]> {
  return cluster.patiently(() => endsNow(cluster, topic));
}

async function endsNow(cluster: Cluster, topic: string): Promise<readonly bigint[]> {
  const found = (await cluster.topics([topic])).get(topic);
  const broker = cluster.facts.brokers[0];
  if (found === undefined || broker === undefined) return [];
  const partitions = Array.from({ length: found.partitions }, (_, partitionIndex) => ({
    partitionIndex,
    currentLeaderEpoch: -1,
    timestamp: LATEST,
  }));
  const question = [{ name: topic, partitions }];
  const answer = await cluster.ask(broker, [listOffsetsV5.api], { doing: 'asking for ends' }, -1, COMMITTED, question);
  const ends = new Map(answer.topics[0]?.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset]));
  return partitions.map(({ partitionIndex }) => ends.get(partitionIndex) ?? 0n);
}

/** Bytes of a topic on the disks of a cluster of one broker. */
export async function topicBytes(cluster: Cluster, topic: string): Promise<number> {
  const broker = cluster.facts.brokers[0];
  if (broker === undefined) throw new Error('no broker');
  const partitions = Array.from({ length: (await committedEnds(cluster, topic)).length }, (_, index) => index);
  const answer = await cluster.ask(broker, [describeLogDirsV4.api], { doing: 'asking for sizes' }, [
    { name: topic, partitions },
  ]);
  return answer.results
    .flatMap(({ topics }) => topics)
    .flatMap((one) => one.partitions)
    .reduce((sum, { partitionSize }) => sum + Number(partitionSize), 0);
}

/** Reads committed records as they appear, of topics that one broker leads, from their present ends on. */
export async function tailTopics(
  cluster: Cluster,
  topics: readonly string[],
  onValue: (value: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  const broker = cluster.facts.brokers[0];
  if (broker === undefined) throw new Error('no broker');
  const places = new Map<string, bigint[]>();
  for (const topic of topics) places.set(topic, [...(await committedEnds(cluster, topic))]);
  while (!signal.aborted) {
    const question = [...places].map(([topicId, offsets]) => ({
      topicId,
      partitions: offsets.map((fetchOffset, partition) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset,
        lastFetchedEpoch: -1,
        partitionMaxBytes: FETCH_BYTES,
      })),
    }));
    const { id, epoch } = NO_SESSION;
    const limits = [WAIT_MS, 1, 16 * FETCH_BYTES] as const;
    const answer = await cluster.ask(
      broker,
      [fetchV12.api],
      { doing: 'tailing' },
      ...limits,
      COMMITTED,
      id,
      epoch,
      question,
      [],
      '',
    );
    for (const { topicId, partitions } of answer.responses) {
      const offsets = places.get(topicId);
      if (offsets === undefined) continue;
      for (const { partitionIndex, records } of partitions) {
        for (const batch of records ?? []) {
          offsets[partitionIndex] = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
          if ((batch.attributes & CONTROL) === 0)
            for (const { value } of batch.records) if (value !== null) onValue(value);
        }
      }
    }
  }
}
