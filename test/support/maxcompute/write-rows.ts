import { compress, type Compression } from '../../../src/connectors/maxcompute/protocol/compression.ts';
import { bucketOf, hashOfInteger } from '../../../src/connectors/maxcompute/protocol/key-hash.ts';
import { RowStream } from '../../../src/connectors/maxcompute/protocol/row-stream.ts';
import { type RowValue, writeRow } from '../../../src/connectors/maxcompute/protocol/row-value.ts';
import type { SessionColumn } from '../../../src/connectors/maxcompute/protocol/tunnel-target.ts';
import {
  UPSERT_COLUMNS,
  UPSERT_OPERATION,
  type UpsertSession,
} from '../../../src/connectors/maxcompute/protocol/upsert-session.ts';

/** A whole row stream. */
export function packRows(
  columns: readonly SessionColumn[],
  rows: readonly (readonly RowValue[])[],
  compression: Compression,
): Promise<Uint8Array> {
  const stream = new RowStream();
  const types = columns.map(({ type }) => type);
  for (const row of rows) writeRow(stream, types, row);
  return compress(stream.finish(), compression);
}

/** A change of a row whose key is its first column, a number; null deletes it. */
export interface KeyedChange {
  readonly id: number;
  readonly rest: readonly RowValue[] | null;
}

/** Writes changes, in their order, each into its bucket. */
export async function writeChanges(
  session: UpsertSession,
  changes: readonly KeyedChange[],
  compression: Compression,
): Promise<void> {
  const byBucket = Map.groupBy(changes, ({ id }) => bucketOf(hashOfInteger(session.hasher, id), session.buckets));
  for (const [bucket, of] of byBucket) {
    const rows = of.map((change) => rowOf(session, change));
    const packed = await packRows(session.columns, rows, compression);
    await session.write(bucket, { rows: rows.length, packed, compression });
  }
}

/** The columns of the table, and behind them those of an upsert. */
function rowOf({ columns }: UpsertSession, { id, rest }: KeyedChange): RowValue[] {
  const own = columns.length - UPSERT_COLUMNS.length;
  const values = Array.from({ length: own }, (_, index) => (index === 0 ? BigInt(id) : (rest?.[index - 1] ?? null)));
  const operation = rest === null ? UPSERT_OPERATION.DELETE : UPSERT_OPERATION.UPSERT;
  return [...values, null, null, BigInt(operation), null, []];
}
