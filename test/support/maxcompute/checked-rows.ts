import type { RowValue } from '../../../src/connectors/maxcompute/protocol/row-value.ts';
import { whyNot } from './check-value.ts';
import { MalformedRows, readRows } from './read-rows.ts';
import { Refusal } from './refusal.ts';
import type { DoubleColumn } from './tables.ts';

/** The rows of a body, each value one that its column takes. Refuses any other. */
export function checkedRows(body: Uint8Array, columns: readonly DoubleColumn[]): RowValue[][] {
  const rows = readOrRefuse(body, columns);
  for (const row of rows)
    for (const [index, { name, type, notNull }] of columns.entries()) {
      const value = row[index] ?? null;
      if (value === null && notNull === true) throw new Refusal(400, 'MalformedDataStream', `${name} is NOT NULL`);
      const why = whyNot(type, value);
      if (why !== null) throw new Refusal(400, 'MalformedDataStream', `${name}: ${why}`);
    }
  return rows;
}

function readOrRefuse(body: Uint8Array, columns: readonly DoubleColumn[]): RowValue[][] {
  try {
    return readRows(
      body,
      columns.map(({ type }) => type),
    );
  } catch (error) {
    if (error instanceof MalformedRows) throw new Refusal(400, 'MalformedDataStream', error.message);
    throw error;
  }
}
