import type { CataloguePage, CatalogueTable, ReadCatalogueOptions } from '../../pipeline/catalogue.ts';
import type { Questions } from './connect.ts';
import { asMysqlSettings } from './options.ts';
import { SYSTEM_DATABASES } from './system-databases.ts';
import { withQuestions } from './with-questions.ts';

const SCHEMAS =
  'SELECT SCHEMA_NAME db FROM information_schema.schemata WHERE LOWER(SCHEMA_NAME) NOT IN (?) ORDER BY SCHEMA_NAME';
const TABLES = "FROM information_schema.tables WHERE TABLE_TYPE = 'BASE TABLE' AND LOWER(TABLE_SCHEMA) NOT IN (?)";
const COLUMNS = `SELECT TABLE_NAME t, COLUMN_NAME name, COLUMN_TYPE column_type FROM information_schema.columns
  WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?) ORDER BY TABLE_NAME, ORDINAL_POSITION`;

/** Databases, and a page of their base tables, as the account sees them. */
export async function readCatalogue({ settings, offset, limit, signal }: ReadCatalogueOptions): Promise<CataloguePage> {
  const mysql = asMysqlSettings(settings);
  return withQuestions(mysql, signal, async (connection) => {
    const schemas = await connection.query(SCHEMAS, [SYSTEM_DATABASES]);
    const [counted] = await connection.query(`SELECT COUNT(*) n ${TABLES}`, [SYSTEM_DATABASES]);
    const rows = await connection.query(
      `SELECT TABLE_SCHEMA db, TABLE_NAME t ${TABLES} ORDER BY TABLE_SCHEMA, TABLE_NAME LIMIT ${limit} OFFSET ${offset}`,
      [SYSTEM_DATABASES],
    );
    const tables = Map.groupBy(rows, ({ db }) => db ?? '');
    const described: CatalogueTable[] = [];
    for (const [database, list] of tables)
      described.push(
        ...(await describe(
          connection,
          database,
          list.map(({ t }) => t ?? ''),
        )),
      );
    return {
      schemas: schemas.map(({ db }) => ({ database: db ?? '', schema: '' })),
      tables: described,
      total: Number(counted?.['n'] ?? 0),
    };
  });
}

async function describe(connection: Questions, database: string, tables: readonly string[]): Promise<CatalogueTable[]> {
  const columns = Map.groupBy(await connection.query(COLUMNS, [database, tables]), ({ t }) => t ?? '');
  return tables.map((table) => ({
    database,
    schema: '',
    table,
    columns: (columns.get(table) ?? []).map((row) => ({ name: row['name'] ?? '', type: row['column_type'] ?? '' })),
  }));
}
