import type { CataloguePage, ReadCatalogueOptions } from '../../pipeline/catalogue.ts';
import { CHECKPOINT_SCHEMA } from './checkpoint-table.ts';
import { quoteText, SYSTEM_SCHEMAS } from './names.ts';
import { asHologresSettings } from './options.ts';
import { withClient } from './with-client.ts';

/** Neither the server's own, nor ours. */
const OPEN = `n.nspname !~ '${SYSTEM_SCHEMAS}' AND n.nspname <> ${quoteText(CHECKPOINT_SCHEMA)}`;
const SCHEMAS = `SELECT n.nspname AS schema FROM pg_namespace n WHERE ${OPEN} ORDER BY 1`;
const TABLES = `FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND ${OPEN}`;
const COLUMNS = `SELECT a.attrelid::bigint::text AS id, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
  FROM pg_attribute a WHERE a.attrelid::bigint = ANY($1::bigint[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`;

/** The schemas of the data source's database, and a page of their tables. */
export async function readCatalogue({ settings, offset, limit, signal }: ReadCatalogueOptions): Promise<CataloguePage> {
  const hologres = asHologresSettings(settings);
  const { host, port, database } = hologres;
  return withClient(hologres, { signal, doing: `asking ${host}:${port}` }, async ({ client }) => {
    const schemas = await client.query<{ schema: string }>(SCHEMAS);
    const counted = await client.query<{ n: string }>(`SELECT count(*) AS n ${TABLES}`);
    const tables = await client.query<{ id: string; schema: string; name: string }>(
      `SELECT c.oid::bigint::text AS id, n.nspname AS schema, c.relname AS name ${TABLES} ORDER BY 2, 3 LIMIT $1 OFFSET $2`,
      [limit, offset],
    );
    const ids = tables.rows.map(({ id }) => id);
    const columns = await client.query<{ id: string; name: string; type: string }>(COLUMNS, [ids]);
    const byTable = Map.groupBy(columns.rows, ({ id }) => id);
    return {
      schemas: schemas.rows.map(({ schema }) => ({ database, schema })),
      tables: tables.rows.map(({ id, schema, name }) => ({
        database,
        schema,
        table: name,
        columns: (byTable.get(id) ?? []).map((column) => ({ name: column.name, type: column.type })),
      })),
      total: Number(counted.rows[0]?.n ?? 0),
    };
  });
}
