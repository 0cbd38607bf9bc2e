import type { TableId } from '../../pipeline/table.ts';
import type { Problem } from '../../pipeline/problem.ts';
import { describeTable, tableKey } from '../../pipeline/table.ts';
import type { Questions, Row } from './connect.ts';
import { charsetOfCollation } from './ddl/column-type.ts';
import { quoteName, quoteTable } from './quote.ts';
import type { ServerFacts } from './server-facts.ts';
import { type ColumnRow, type MysqlTable, mysqlColumn } from './types.ts';

/** One table as the server describes it now, or why it cannot be captured. */
export type SchemaEntry =
  | {
      readonly kind: 'table';
      readonly table: MysqlTable;
      readonly rowsEstimated: number;
      readonly rowBytes: number;
      /** It has no primary key: for sinks that find rows by it. */
      readonly keyless: Problem | null;
    }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

const COLUMNS = `SELECT TABLE_NAME t, COLUMN_NAME name, DATA_TYPE data_type, COLUMN_TYPE column_type, IS_NULLABLE nullable,
  CHARACTER_OCTET_LENGTH octets, NUMERIC_PRECISION prec, NUMERIC_SCALE scale, DATETIME_PRECISION fraction,
  CHARACTER_SET_NAME charset, COLUMN_COMMENT comment, EXTRA extra
  FROM information_schema.columns WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?) ORDER BY TABLE_NAME, ORDINAL_POSITION`;
const KEYS = `SELECT TABLE_NAME t, INDEX_NAME index_name, COLUMN_NAME name, NULLABLE nullable, SUB_PART prefix
  FROM information_schema.statistics WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?) AND NON_UNIQUE = 0
  ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`;
const TABLES = `SELECT TABLE_SCHEMA db, TABLE_NAME t, TABLE_TYPE type, TABLE_ROWS table_rows, AVG_ROW_LENGTH row_bytes, TABLE_COLLATION collation
  FROM information_schema.tables WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?)`;

/**
 * Reads the shapes of tables, all problems of each at once.
 * Shape: parallel to `ids`. A name that differs in case only is found where the server compares names so.
 */
export async function readSchema(
  connection: Questions,
  facts: ServerFacts,
  ids: readonly TableId[],
): Promise<SchemaEntry[]> {
  const entries = new Map<string, SchemaEntry>();
  for (const [database, tables] of byDatabase(ids)) {
    for (let from = 0; from < tables.length; from += 200) {
      await readDatabase(connection, facts, database, tables.slice(from, from + 200), entries);
    }
  }
  return ids.map((id) => entries.get(tableKey(id)) ?? missing(id));
}

function byDatabase(ids: readonly TableId[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { database, table } of ids) {
    const tables = groups.get(database);
    if (tables === undefined) groups.set(database, [table]);
    else tables.push(table);
  }
  return groups;
}

async function readDatabase(
  connection: Questions,
  facts: ServerFacts,
  database: string,
  tables: readonly string[],
  entries: Map<string, SchemaEntry>,
): Promise<void> {
  const columns = Map.groupBy(await connection.query(COLUMNS, [database, tables]), nameOf);
  const keys = Map.groupBy(await connection.query(KEYS, [database, tables]), nameOf);
  for (const row of await connection.query(TABLES, [database, tables])) {
    const name = nameOf(row);
    const asked = tables.filter(
      (table) => table === name || (facts.lowerCaseTableNames !== 0 && table.toLowerCase() === name.toLowerCase()),
    );
    const id = { database: row['db'] ?? database, table: name };
    const entry = await describe(connection, id, row, columns.get(name) ?? [], keys.get(name) ?? []);
    for (const table of asked) entries.set(tableKey({ database, table }), entry);
  }
}

async function describe(
  connection: Questions,
  id: TableId,
  table: Row,
  columnRows: readonly Row[],
  uniqueRows: readonly Row[],
): Promise<SchemaEntry> {
  const keyRows = uniqueRows.filter((row) => row['index_name'] === 'PRIMARY');
  const problems: Problem[] = [];
  const add = (code: string, message: string, remedy: string) => problems.push({ code, message, remedy, table: id });
  if (table['type'] !== 'BASE TABLE')
    add('Table.NotATable', `${describeTable(id)} is a view`, 'Name the tables that the view reads.');
  const columns = columnRows.map((row) => ({ row, column: mysqlColumn(readColumn(row)) }));
  for (const { row, column } of columns) {
    if (column !== undefined) continue;
    const charset = row['charset'] === null ? '' : ` (${row['charset']})`;
    add(
      'Table.UnsupportedType',
      `${describeTable(id)}: column ${row['name']} is of type ${row['column_type']}${charset}, which is not served yet`,
      'Leave this table out for now.',
    );
  }
  await checkReadable(connection, id, add);
  if (problems.length > 0) return { kind: 'problems', problems };
  const known = columns.flatMap(({ column }) => (column === undefined ? [] : [column]));
  return {
    kind: 'table',
    table: {
      version: {
        id,
        columns: known.map(({ column }) => column),
        key: keyRows.map((row) => known.findIndex(({ column }) => column.name === row['name'])),
      },
      columns: known,
      charset: charsetOfCollation(table['collation'] ?? ''),
    },
    rowsEstimated: Number(table['table_rows'] ?? 0),
    rowBytes: Number(table['row_bytes'] ?? 0),
    keyless:
      keyRows.length > 0
        ? null
        : {
            code: 'Table.NoPrimaryKey',
            message: `${describeTable(id)} has no primary key`,
            remedy: proposeKey(id, uniqueRows),
            table: id,
          },
  };
}

/** A unique index that tells rows apart as a primary key does: over whole columns, none of which may be NULL. */
function proposeKey(id: TableId, uniqueRows: readonly Row[]): string {
  const indexes = Map.groupBy(uniqueRows, (row) => row['index_name'] ?? '');
  const fitting = [...indexes].filter(([, rows]) =>
    rows.every((row) => row['nullable'] !== 'YES' && row['prefix'] === null && row['name'] !== null),
  );
  const [best] = fitting.toSorted(([, a], [, b]) => a.length - b.length);
  if (best === undefined) return 'Add a primary key: rows at the sink are found by it.';
  const [name, rows] = best;
  const columns = rows.map((row) => quoteName(row['name'] ?? '')).join(', ');
  return `Rows at the sink are found by it. The unique index ${quoteName(name)} over (${columns}) would do: ALTER TABLE ${quoteTable(id)} ADD PRIMARY KEY (${columns}).`;
}

async function checkReadable(
  connection: Questions,
  id: TableId,
  add: (code: string, message: string, remedy: string) => void,
): Promise<void> {
  try {
    await connection.query(`SELECT 1 FROM ${quoteTable(id)} LIMIT 0`);
  } catch (error) {
    const { errno } = error as { errno?: number };
    if (errno === undefined) throw error;
    add(
      'Table.Unreadable',
      `${describeTable(id)} cannot be read: ${(error as Error).message}`,
      `GRANT SELECT ON ${quoteTable(id)} to the account of the data source.`,
    );
  }
}

function readColumn(row: Row): ColumnRow {
  return {
    name: row['name'] ?? '',
    dataType: (row['data_type'] ?? '').toLowerCase(),
    columnType: row['column_type'] ?? '',
    nullable: row['nullable'] === 'YES',
    octetLength: Number(row['octets'] ?? 0),
    precision: Number(row['prec'] ?? 0),
    scale: Number(row['scale'] ?? 0),
    fraction: Number(row['fraction'] ?? 0),
    charset: row['charset'] ?? null,
    comment: row['comment'] ?? '',
    extra: row['extra'] ?? '',
  };
}

function nameOf(row: Row): string {
  return row['t'] ?? '';
}

function missing(id: TableId): SchemaEntry {
  return {
    kind: 'problems',
    problems: [
      {
        code: 'Table.Unknown',
        message: `${describeTable(id)} does not exist, or the account cannot see it`,
        remedy: 'Check the spelling, and GRANT SELECT on it to the account of the data source.',
        table: id,
      },
    ],
  };
}
