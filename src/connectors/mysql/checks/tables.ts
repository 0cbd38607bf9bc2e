import type { Finding } from '../../../pipeline/connector.ts';
import { describeTable, type TableId, tableKey } from '../../../pipeline/table.ts';
import type { Questions } from '../connect.ts';
import { isDenied } from '../errors.ts';
import { quoteName, quoteTable } from '../quote.ts';
import { readSchema } from '../schema.ts';
import { atLeast, type ServerFacts } from '../server-facts.ts';
import { fine, grantStatement, problem, warning } from './finding.ts';

const TABLES = `SELECT TABLE_NAME t FROM information_schema.tables WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE'
  ORDER BY TABLE_NAME`;
const CHILDREN = `SELECT DISTINCT TABLE_NAME t FROM information_schema.key_column_usage
  WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?) AND REFERENCED_TABLE_NAME IS NOT NULL`;
/** So many names in one question. */
const NAMES_AT_ONCE = 200;

/** Every table of a database: what stands in its way, and what its changes would lack. */
export async function checkDatabase(connection: Questions, facts: ServerFacts, database: string): Promise<Finding[]> {
  const ids = (await connection.query(TABLES, [database])).map(({ t }): TableId => ({ database, table: t ?? '' }));
  if (ids.length === 0)
    return [
      problem('Table.Unknown', database, {
        found: `the account sees no table of the database ${database}`,
        consequence: 'none can be captured',
        remedy: grantStatement(facts, 'SELECT', `${quoteName(database)}.*`),
      }),
    ];
  const entries = await readSchema(connection, facts, ids);
  const troubled = entries.flatMap((entry) =>
    entry.kind === 'problems' ? entry.problems : entry.keyless === null ? [] : [entry.keyless],
  );
  const usable = entries.filter((entry) => entry.kind === 'table' && entry.keyless === null).length;
  const about = { found: `${usable} of ${ids.length} tables of ${database} can be captured` };
  return [
    usable > 0
      ? fine(database, about.found)
      : problem(troubled[0]?.code ?? 'Table.Unreadable', database, {
          ...about,
          consequence: 'each has something in its way',
          remedy: 'See the tables below.',
        }),
    ...troubled.map(({ table, message, remedy }) =>
      warning(table === undefined ? database : describeTable(table), {
        found: message,
        consequence: 'a task that names this table is refused at planning',
        remedy,
      }),
    ),
    ...(await unloggedCascades(connection, facts, ids)).values(),
  ];
}

/**
 * By tableKey, the tables whose rows a foreign key deletes or changes without a trace in the log: before MySQL 9.6, and
 * in MariaDB, the storage engine does that by itself.
 */
export async function unloggedCascades(
  connection: Questions,
  facts: ServerFacts,
  ids: readonly TableId[],
): Promise<Map<string, Finding>> {
  const found = new Map<string, Finding>();
  if (logsCascades(facts)) return found;
  for (const [database, tables] of Map.groupBy(ids, (id) => id.database)) {
    for (let from = 0; from < tables.length; from += NAMES_AT_ONCE) {
      const names = tables.slice(from, from + NAMES_AT_ONCE).map(({ table }) => table);
      for (const { t } of await connection.query(CHILDREN, [database, names])) {
        const id = { database, table: t ?? '' };
        const actions = await cascadesOf(connection, id);
        if (actions.length > 0) found.set(tableKey(id), describeCascades(id, actions, facts));
      }
    }
  }
  return found;
}

/** From 9.6 on the server itself follows foreign keys, unless it is told to leave that to the storage engine. */
function logsCascades({ family, version, variables }: ServerFacts): boolean {
  return family === 'mysql' && atLeast(version, [9, 6, 0]) && variables.get('innodb_native_foreign_keys') !== 'ON';
}

/** Such as `ON DELETE CASCADE`. The catalogue of rules shows nothing to an account with SELECT alone on MariaDB. */
async function cascadesOf(connection: Questions, id: TableId): Promise<string[]> {
  try {
    const [row] = await connection.query(`SHOW CREATE TABLE ${quoteTable(id)}`);
    const keys = (row?.['Create Table'] ?? '').split('\n').filter((line) => /^ *CONSTRAINT .* FOREIGN KEY /.test(line));
    const actions = keys.flatMap((line) => {
      const [rules = ''] =
        /(?: ON (?:DELETE|UPDATE) (?:CASCADE|RESTRICT|SET NULL|SET DEFAULT|NO ACTION))*,?$/.exec(line) ?? [];
      return rules.match(/ON (?:DELETE|UPDATE) (?:CASCADE|SET NULL|SET DEFAULT)/g) ?? [];
    });
    return [...new Set(actions)];
  } catch (error) {
    if (isDenied(error)) return []; // what cannot be read is a finding of its own
    throw error;
  }
}

function describeCascades(id: TableId, actions: readonly string[], { title, family }: ServerFacts): Finding {
  const cure = family === 'mariadb' ? '' : ', or use MySQL 9.6 or later';
  return warning(describeTable(id), {
    found: `${describeTable(id)} has a foreign key with ${actions.join(' and ')}`,
    consequence: `${title} does not log the rows that it deletes or changes so: they stay as they were at the target`,
    remedy: `Let the application change these rows itself${cure}.`,
  });
}
