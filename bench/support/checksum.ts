import type { Connection } from 'mysql2/promise';
import type { Client } from 'pg';

/** Rows and a sum over a hash of every value of each row, which does not depend on their order. */
export interface Checksum {
  readonly rows: string;
  readonly sum: string;
}

/** Of a table as bench/workload.ts makes it. */
export async function sourceChecksum(source: Connection, table: string): Promise<Checksum> {
  const text = "CONCAT_WS('|', id, k, c, pad, DATE_FORMAT(updated_at, '%Y-%m-%d %H:%i:%s.%f'), amount)";
  const [rows] = await source.query(
    `SELECT CAST(COUNT(*) AS CHAR) AS n, CAST(SUM(CAST(CONV(LEFT(SHA2(${text}, 256), 8), 16, 10) AS UNSIGNED)) AS CHAR) AS s FROM ${table}`,
  );
  const [row] = rows as { n: string; s: string }[];
  return { rows: row?.n ?? '', sum: row?.s ?? '' };
}

export async function targetChecksum(target: Client, table: string): Promise<Checksum> {
  const text = "concat_ws('|', id, k, c, pad, to_char(updated_at, 'YYYY-MM-DD HH24:MI:SS.US'), amount)";
  const { rows } = await target.query<{ n: string; s: string }>(
    `SELECT count(*)::text AS n, sum(('x' || left(encode(sha256(convert_to(${text}, 'UTF8')), 'hex'), 8))::bit(32)::bigint)::text AS s FROM ${table}`,
  );
  const [row] = rows;
  return { rows: row?.n ?? '', sum: row?.s ?? '' };
}

/** Errors: Error when they differ: a figure of a wrong result is none. */
export async function assertEqualTables(
  source: Connection,
  target: Client,
  sourceTable: string,
  targetTable: string,
): Promise<void> {
  const [wanted, found] = await Promise.all([sourceChecksum(source, sourceTable), targetChecksum(target, targetTable)]);
  if (wanted.rows !== found.rows || wanted.sum !== found.sum)
    throw new Error(
      `${targetTable} is not what the source has: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`,
    );
}
