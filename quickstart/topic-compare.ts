import type { Connection } from 'mysql2/promise';
import { stringifyJson } from '../src/lib/json.ts';
import type { Json } from '../src/lib/json-value.ts';
import type { Comparison } from './compare.ts';
import { foldTopic, type TopicChange } from './topic-fold.ts';

interface Column {
  readonly name: string;
  readonly type: string;
}

/** Holds the last record of each key of a topic against the rows of its table, every column of every row. */
export async function compareTopic(
  source: Connection,
  changes: readonly TopicChange[],
  { database, table }: { readonly database: string; readonly table: string },
): Promise<Comparison> {
  const [columnRows] = await source.query(
    'SELECT COLUMN_NAME name, COLUMN_TYPE type, COLUMN_KEY = ? isKey FROM information_schema.columns WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION',
    ['PRI', database, table],
  );
  const columns = columnRows as (Column & { isKey: number })[];
  await source.query("SET time_zone = '+00:00'");
  const [rows] = await source.query({
    sql: `SELECT ${columns.map(selected).join(', ')} FROM \`${database}\`.\`${table}\``,
    rowsAsArray: true,
  });
  const expected = new Map<string, string>();
  for (const row of rows as (string | null)[][]) {
    const key = row.filter((_, index) => columns[index]?.isKey === 1).join(',');
    expected.set(key, stringifyJson(row.map((value, index) => canonical(value, columns[index]?.type))));
  }
  let differences = 0;
  const found = foldTopic(changes);
  for (const [key, row] of found) {
    const values = columns.map(({ name, type }) => canonical(row[name] ?? null, type));
    if (expected.get(key) !== stringifyJson(values)) differences += 1;
  }
  for (const key of expected.keys()) if (!found.has(key)) differences += 1;
  return { table, rows: expected.size, differences };
}

/** As text; times, which are epoch milliseconds in the records, as such. */
function selected({ name, type }: Column): string {
  if (/^(?:date|timestamp)/.test(type))
    return `CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', \`${name}\`) DIV 1000 AS CHAR)`;
  return type.startsWith('float') ? `CAST(\`${name}\` + 0e0 AS CHAR)` : `CAST(\`${name}\` AS CHAR)`;
}

/** A value of either side as text that is the same for the same value. */
function canonical(value: Json, type = ''): Json {
  if (value === null || (typeof value === 'string' && !/^(?:float|decimal)/.test(type))) return value;
  if (type.startsWith('float')) return String(Math.fround(Number(value)));
  return type.startsWith('decimal') ? String(Number(value)) : String(value as number | bigint);
}
