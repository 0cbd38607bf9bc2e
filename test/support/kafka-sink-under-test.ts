import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import { kafkaConnector } from '../../src/connectors/kafka/connector.ts';
import { KafkaSink } from '../../src/connectors/kafka/sink.ts';
import type { JsonObject } from '../../src/lib/json-value.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { Checkpoint, CheckpointOwner, TableProgress, TableState } from '../../src/pipeline/checkpoint.ts';
import type { SinkTable } from '../../src/pipeline/route.ts';
import type { TableVersion } from '../../src/pipeline/table.ts';
import type { TestKafka } from './kafka-under-test.ts';
import { newOwner, POLICIES } from './sink-contract.ts';
import { MemoryJournals } from './memory-journals.ts';

export interface OpenSinkUnderTest {
  readonly options?: JsonObject;
  readonly owner?: CheckpointOwner;
  readonly errorLimit?: number;
  readonly memoryBytes?: number;
  readonly clock?: Clock;
}

/** A sink that has not recovered yet; without heartbeats, and with topics of two partitions, unless `options` say otherwise. */
export function openKafkaSink(
  kafka: TestKafka,
  { options = {}, owner = newOwner(), errorLimit = 0, memoryBytes = 64 << 20, clock = systemClock }: OpenSinkUnderTest,
): KafkaSink {
  return new KafkaSink(
    {
      settings: kafkaConnector.parseSettings({ address: `127.0.0.1:${kafka.port}` }, DEFAULT_HOST_POLICY),
      options: kafkaConnector.parseOptions({ heartbeatSeconds: 0, partitions: 2, replication: 1, ...options }),
      sourceName: 'shop_mysql',
      owner,
      policies: { ...POLICIES, errorLimit },
      memoryBytes,
      journal: new MemoryJournals().of(owner),
      log: silentLog,
    },
    clock,
  );
}

/** A table on its way to `topic`. */
export function toTopic(table: TableVersion, topic: string): SinkTable {
  return { table, target: { schema: '', table: topic } };
}

export function progressOf({ id }: TableVersion, state: TableState = 'STREAMING'): TableProgress {
  return { table: id, state, chunksDone: 1, chunksAll: 2, rows: 7, failure: null, resume: { of: id.table } };
}

export function checkpointOf(sequence: number, ...tables: readonly TableVersion[]): Checkpoint {
  return { sequence, offset: { at: sequence }, version: 3, tables: tables.map((table) => progressOf(table)) };
}
