import { MaxComputeSink } from '../../src/connectors/maxcompute/sink.ts';
import { maxComputeConnector } from '../../src/connectors/maxcompute/connector.ts';
import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import type { Json, JsonObject } from '../../src/lib/json-value.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { CheckpointOwner } from '../../src/pipeline/checkpoint.ts';
import type { Policies } from '../../src/pipeline/policies.ts';
import type { TargetId } from '../../src/pipeline/route.ts';
import type { TableId } from '../../src/pipeline/table.ts';
import { MaxComputeDouble } from './maxcompute/double.ts';
import { placeOf } from './maxcompute/catalog.ts';
import { valueText } from './maxcompute/sql/value-text.ts';
import type { DoubleTable } from './maxcompute/tables.ts';
import { MemoryJournals } from './memory-journals.ts';
import type { SinkUnderTest } from './sink-contract.ts';

export const PROJECT = 'shop';
const CREDENTIAL = { accessId: 'id', accessKey: 'secret' };
/** More calls than a commit tries again. */
const CALLS_CUT = 1000;

/** The `Content` of a data source that leads to a double. */
export function doubleContent({ url }: Pick<MaxComputeDouble, 'url'>): JsonObject {
  return { endpoint: `${url}/api`, project: PROJECT, ...CREDENTIAL };
}

export async function startDouble(port = 0): Promise<MaxComputeDouble> {
  const double = await MaxComputeDouble.start(CREDENTIAL, port);
  double.catalog.addProject(PROJECT);
  return double;
}

export interface OpenMaxComputeSink {
  readonly owner: CheckpointOwner;
  readonly policies: Policies;
  readonly journals: MemoryJournals;
  readonly options?: JsonObject;
  readonly memoryBytes?: number;
}

/** A sink that has not recovered yet; what fails is tried again at once. */
export function openMaxComputeSink(
  double: MaxComputeDouble,
  { owner, policies, journals, options = {}, memoryBytes = 96 << 20 }: OpenMaxComputeSink,
): MaxComputeSink {
  return new MaxComputeSink({
    settings: maxComputeConnector.parseSettings(doubleContent(double), DEFAULT_HOST_POLICY) as Json,
    options: maxComputeConnector.parseOptions({ commitIntervalSeconds: 1, retryFirstMs: 1, ...options }),
    sourceName: 'shop_mysql',
    owner,
    policies,
    memoryBytes,
    journal: journals.of(owner),
    log: silentLog,
  });
}

/** A name that MaxCompute takes, whatever the source's is. */
export function targetOf({ database, table }: TableId): TargetId {
  return { schema: '', table: `${database}_${table}`.replaceAll(/\W/g, '_') };
}

export function tableOf(double: MaxComputeDouble, { table }: TargetId): DoubleTable {
  return double.table(`projects/${PROJECT}/tables/${table}`);
}

/** The rows of a table as texts, of all its partitions, ordered by the columns given. */
export function rowsOf(table: DoubleTable, columns: readonly string[]): (string | null)[][] {
  const indexes = columns.map((name) =>
    table.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase()),
  );
  const rows = [...table.partitions.values()].flat().map((row) =>
    indexes.map((index) => {
      const column = table.columns[index];
      return column === undefined ? null : valueText(column.type, row[index] ?? null);
    }),
  );
  return rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** A double with sinks before it that are cut off until they recover. */
export async function startMaxComputeUnderTest({
  options = {},
}: {
  options?: JsonObject;
} = {}): Promise<SinkUnderTest> {
  const double = await startDouble();
  const journals = new MemoryJournals();
  return {
    open: (owner, policies) => {
      const sink = openMaxComputeSink(double, { owner, policies, journals, options });
      const recover = sink.recover.bind(sink);
      sink.recover = () => {
        double.faults.clear();
        return recover();
      };
      return sink;
    },
    target: targetOf,
    read: async (target, columns) => rowsOf(tableOf(double, target), columns),
    remove: async ({ table }) => double.catalog.drop(placeOf(`projects/${PROJECT}/tables/${table}`)),
    cut: async () => {
      const cut = { when: () => true, what: { kind: 'cut' } } as const;
      double.faults.push(...Array.from({ length: CALLS_CUT }, () => cut));
    },
    forget: async (owner) => journals.forget(owner),
    stop: () => double.stop(),
  };
}
