import type { Client } from 'pg';
import type { TargetId } from '../../pipeline/route.ts';
import { quoteTarget, targetKey } from './names.ts';

/** A column of a target as it is. */
export interface ExistingColumn {
  readonly name: string;
  /** The base type's catalogue name, such as `int8`. */
  readonly baseType: string;
  /** The type with its modifiers, such as `numeric(12,2)`. */
  readonly sql: string;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
  /** GENERATED ALWAYS: it cannot be written. */
  readonly generated: boolean;
}

/** A target table as it is. */
export interface ExistingTarget {
  readonly target: TargetId;
  /** An ordinary or partitioned table; a view is none. */
  readonly isTable: boolean;
  readonly columns: readonly ExistingColumn[];
  /** The columns of each primary key or unique index without a condition. */
  readonly keys: readonly (readonly string[])[];
  /** The server's estimate; -1 when it has none. */
  readonly rowsEstimated: number;
  readonly bytes: number;
}

/*
 * Two questions for any number of tables: names are joined, never matched with LIKE (an underscore would match more), and
 * every text is a parameter.
 */
const WANTED = `FROM unnest($1::text[], $2::text[]) AS w(schema_name, table_name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema_name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.table_name
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`;

const TABLES = `SELECT w.schema_name AS schema, w.table_name AS "table", c.relkind AS kind, c.reltuples::float8 AS rows,
  (CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END)::float8 AS bytes,
  (SELECT pg_catalog.json_agg(k.names) FROM (
    SELECT (SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[])) AS names
    FROM pg_catalog.pg_index i
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND NOT (0 = ANY (i.indkey::int2[]))) k) AS keys
  ${WANTED}`;

const COLUMNS = `SELECT w.schema_name AS schema, w.table_name AS "table", a.attname AS name, t.typname AS "baseType",
  pg_catalog.format_type(a.atttypid, a.atttypmod) AS sql, NOT a.attnotnull AS nullable,
  a.atthasdef AS "hasDefault", pg_catalog.to_jsonb(a) ->> 'attgenerated' AS generated,
  pg_catalog.to_jsonb(a) ->> 'attidentity' AS identity
  ${WANTED}
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  ORDER BY a.attnum`;

interface TableRow extends TargetId {
  readonly kind: string;
  readonly rows: number;
  readonly bytes: number;
  readonly keys: readonly (readonly string[])[] | null;
}
interface ColumnRow extends TargetId {
  readonly name: string;
  readonly baseType: string;
  readonly sql: string;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
  readonly generated: string | null;
  readonly identity: string | null;
}

/** Those of `targets` that exist, by targetKey. */
export async function readTargets(
  client: Client,
  targets: readonly TargetId[],
): Promise<ReadonlyMap<string, ExistingTarget>> {
  const values = [targets.map(({ schema }) => schema), targets.map(({ table }) => table)];
  const tables = await client.query<TableRow>(TABLES, values);
  const columns = await client.query<ColumnRow>(COLUMNS, values);
  const columnsOf = Map.groupBy(columns.rows, targetKey);
  return new Map(
    tables.rows.map((row) => [
      targetKey(row),
      {
        target: { schema: row.schema, table: row.table },
        isTable: row.kind === 'r' || row.kind === 'p' || row.kind === 'f',
        columns: (columnsOf.get(targetKey(row)) ?? []).map(existingColumn),
        keys: row.keys ?? [],
        rowsEstimated: row.rows,
        bytes: row.bytes,
      },
    ]),
  );
}

/** Which of the schemas are missing. */
export async function missingSchemas(client: Client, schemas: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT w.name FROM unnest($1::text[]) AS w(name) LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.name WHERE n.oid IS NULL',
    [schemas],
  );
  return rows.map(({ name }) => name);
}

const COUNT_MAX = 10_000;
const COUNTS_PER_QUERY = 100;

/**
 * How many rows the targets hold: the server's estimate, or, where it has none, counted up to 10,000.
 * Shape: by targetKey.
 */
export async function estimateRows(
  client: Client,
  targets: readonly ExistingTarget[],
): Promise<ReadonlyMap<string, number>> {
  const estimates = new Map(
    targets.map(({ target, rowsEstimated }) => [targetKey(target), Math.max(0, rowsEstimated)]),
  );
  const unknown = targets.filter(({ isTable, rowsEstimated }) => isTable && rowsEstimated < 1);
  for (let from = 0; from < unknown.length; from += COUNTS_PER_QUERY) {
    const some = unknown.slice(from, from + COUNTS_PER_QUERY);
    const counts = some.map(
      ({ target }, index) =>
        `SELECT ${index} AS "index", (SELECT count(*) FROM (SELECT 1 FROM ${quoteTarget(target)} LIMIT ${COUNT_MAX}) r)::float8 AS rows`,
    );
    const { rows } = await client.query<{ index: number; rows: number }>(counts.join(' UNION ALL '));
    for (const row of rows) {
      const counted = some[row.index];
      if (counted !== undefined) estimates.set(targetKey(counted.target), row.rows);
    }
  }
  return estimates;
}

function existingColumn(row: ColumnRow): ExistingColumn {
  const { name, baseType, sql, nullable, hasDefault } = row;
  // Identity columns take their own numbers unless told otherwise: ALWAYS ones cannot be written.
  return {
    name,
    baseType,
    sql,
    nullable,
    hasDefault: hasDefault || isSet(row.identity),
    generated: isSet(row.generated) || row.identity === 'a',
  };
}

function isSet(flag: string | null): boolean {
  return flag !== null && flag !== '';
}
