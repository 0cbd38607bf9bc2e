import type { Connection } from 'mysql2/promise';
import type { Client } from 'pg';

export interface Comparison {
  readonly table: string;
  readonly rows: number;
  /** Rows that are at one side only, or differ. */
  readonly differences: number;
}

/** A column as text that is the same on both sides, by the type that the source gives it. */
function texts(name: string, atTarget: string, type: string): { mysql: string; postgres: string } {
  const quoted = { mysql: `\`${name}\``, postgres: `"${atTarget}"` };
  if (/^(?:datetime|timestamp)/.test(type)) {
    return {
      mysql: `DATE_FORMAT(${quoted.mysql}, '%Y-%m-%d %H:%i:%s.%f')`,
      postgres: `to_char(${quoted.postgres}, 'YYYY-MM-DD HH24:MI:SS.US')`,
    };
  }
  if (type.startsWith('float')) return { mysql: `${quoted.mysql}+0e0`, postgres: `${quoted.postgres}::float8::text` };
  return { mysql: `CAST(${quoted.mysql} AS CHAR)`, postgres: `${quoted.postgres}::text` };
}

/** Whether a column is compared, and under which name the target has it; null leaves it out. */
export type NameAtTarget = (column: string) => string | null;

/** Compares a table row for row, in the order of its key: every column of every row, or those that `atTarget` names. */
export async function compareTable(
  source: Connection,
  target: Client,
  database: string,
  table: string,
  atTarget: NameAtTarget = (column) => column,
): Promise<Comparison> {
  const [columnRows] = await source.query(
    'SELECT COLUMN_NAME name, COLUMN_TYPE type FROM information_schema.columns WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION',
    [database, table],
  );
  const columns = (columnRows as { name: string; type: string }[]).flatMap(({ name, type }) => {
    const named = atTarget(name);
    return named === null ? [] : [{ name, isFloat: type.startsWith('float'), ...texts(name, named, type) }];
  });
  const canonical = (row: readonly unknown[]) =>
    JSON.stringify(
      row.map((value, index) =>
        columns[index]?.isFloat === true && value !== null ? Math.fround(Number(value)) : value,
      ),
    );
  const [keyRows] = await source.query(
    "SELECT COLUMN_NAME name FROM information_schema.statistics WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX",
    [database, table],
  );
  const key = (keyRows as { name: string }[]).map(({ name }) => name);
  await source.query("SET time_zone = '+00:00'");
  await target.query("SET TIME ZONE 'UTC'");
  const [sourceRows] = await source.query({
    sql: `SELECT ${columns.map((column) => column.mysql).join(', ')} FROM \`${database}\`.\`${table}\` ORDER BY ${key.map((name) => `\`${name}\``).join(', ')}`,
    rowsAsArray: true,
  });
  const { rows: targetRows } = await target.query({
    text: `SELECT ${columns.map((column) => column.postgres).join(', ')} FROM "${database}"."${table}" ORDER BY ${key.map((name) => `"${name}"`).join(', ')}`,
    rowMode: 'array',
  });
  const expected = (sourceRows as unknown[][]).map((row) => canonical(row));
  const found = new Set((targetRows as unknown[][]).map((row) => canonical(row)));
  const missing = expected.filter((row) => !found.delete(row)).length;
  return { table, rows: expected.length, differences: Math.max(missing, found.size) };
}
