import type { ListTablesOptions, TableList } from '../../pipeline/connector.ts';
import { asMysqlSettings } from './options.ts';
import { readServerFacts } from './server-facts.ts';
import { SYSTEM_DATABASES } from './system-databases.ts';
import { withQuestions } from './with-questions.ts';

const TABLES = `SELECT TABLE_SCHEMA db, TABLE_NAME t FROM information_schema.tables
  WHERE TABLE_TYPE = 'BASE TABLE' AND LOWER(TABLE_SCHEMA) NOT IN (?) ORDER BY TABLE_SCHEMA, TABLE_NAME`;

/** The names of all tables that the account sees; no views, and nothing of the server's own. */
export async function listTables({ settings, signal }: ListTablesOptions): Promise<TableList> {
  const mysql = asMysqlSettings(settings);
  return withQuestions(mysql, signal, async (connection) => {
    const { lowerCaseTableNames } = await readServerFacts(connection);
    const rows = await connection.query(TABLES, [SYSTEM_DATABASES]);
    const tables = rows.map(({ db, t }) => ({ database: db ?? '', table: t ?? '' }));
    return { tables, ignoresCase: lowerCaseTableNames !== 0 };
  });
}
