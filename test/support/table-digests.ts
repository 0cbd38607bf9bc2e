import type { Connection } from 'mysql2/promise';
import type { Client } from 'pg';

const ROWS_PER_DIGEST = 1000;
const DIGITS = 15;

export interface DigestComparison {
  readonly rows: number;
  /** Groups of a thousand neighbouring keys that are not the same on both sides. */
  readonly differences: number;
}

/** Columns to compare beside the key, and what they hold. */
export type DigestColumns = Readonly<Record<string, 'text' | 'bytes'>>;

/**
 * Compares tables that are too large to be fetched: for every thousand keys of `id` their number and a sum over all rows,
 * made by the servers.
 */
export async function compareDigests(
  ends: { readonly mysql: Connection; readonly pg: Client; readonly database: string },
  table: string,
  columns: DigestColumns,
): Promise<DigestComparison> {
  const { mysql, pg, database } = ends;
  const names = Object.keys(columns);
  const sourceBytes = (name: string) => (columns[name] === 'bytes' ? name : `CONVERT(${name} USING utf8mb4)`);
  const sourceRow = `SHA2(CONCAT_WS(':', ${['id', ...names.map((name) => `SHA2(${sourceBytes(name)}, 256)`)].join()}), 256)`;
  const [sourceRows] = await mysql.query({
    sql: `SELECT CAST(id DIV ${ROWS_PER_DIGEST} AS CHAR), CAST(COUNT(*) AS CHAR),
      CAST(BIT_XOR(CAST(CONV(LEFT(${sourceRow}, ${DIGITS}), 16, 10) AS UNSIGNED)) AS CHAR)
      FROM \`${database}\`.\`${table}\` GROUP BY 1`,
    rowsAsArray: true,
  });
  const targetBytes = (name: string) => (columns[name] === 'bytes' ? name : `convert_to(${name}, 'UTF8')`);
  const sha256 = (bytes: string) => `encode(sha256(${bytes}), 'hex')`;
  const fields = ['id', ...names.map((name) => sha256(targetBytes(name)))];
  const targetRow = sha256(`convert_to(concat_ws(':', ${fields.join()}), 'UTF8')`);
  const { rows: targetRows } = await pg.query({
    // The rows themselves are not sorted.
    text: `SELECT part::text, count(*)::text, bit_xor(sum)::text
      FROM (SELECT id / ${ROWS_PER_DIGEST} AS part, ('x' || left(${targetRow}, ${DIGITS}))::bit(${DIGITS * 4})::bigint AS sum
        FROM "${database}"."${table}" OFFSET 0) AS digests GROUP BY part`,
    rowMode: 'array',
  });
  const source = sourceRows as [string, string, string][];
  const found = new Set((targetRows as string[][]).map((row) => row.join()));
  const missing = source.filter((row) => !found.delete(row.join())).length;
  return {
    rows: source.reduce((sum, [, count]) => sum + Number(count), 0),
    differences: Math.max(missing, found.size),
  };
}
