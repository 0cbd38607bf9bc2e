import { randomOf } from '../../bench/workload.ts';
import { connectForQueries } from '../../src/connectors/mysql/connect.ts';
import { applyAlter } from '../../src/connectors/mysql/ddl/apply-alter.ts';
import { readDdl } from '../../src/connectors/mysql/ddl/statement.ts';
import { asMysqlSettings } from '../../src/connectors/mysql/options.ts';
import { readSchema } from '../../src/connectors/mysql/schema.ts';
import { readServerFacts } from '../../src/connectors/mysql/server-facts.ts';
import { isSameColumn, logColumns, type MysqlColumn, type MysqlTable } from '../../src/connectors/mysql/types.ts';
import { pick } from './log-grammar.ts';
import { randomColumn, whole } from './random-columns.ts';
import { type Family, freshMysqlDatabase, mysqlClient, type TestServer } from './servers.ts';
import { settingsOf } from './source-under-test.ts';

type Random = () => number;

export interface AlterResult {
  /** Statements that the server took. */
  readonly altered: number;
  /** Those of them that we left in doubt, so that the server is asked. */
  readonly doubted: number;
  readonly findings: readonly string[];
}

const COLUMNS_MAX = 12;

/** Random ALTER TABLEs on a real server: what we make of the columns is compared with what the server says that they are then. */
export async function alterCampaign(options: {
  family: Family;
  server: TestServer;
  statements: number;
  seed: number;
}): Promise<AlterResult> {
  const { family, server, statements, seed } = options;
  const database = await freshMysqlDatabase(server);
  const client = await mysqlClient(server, database);
  const questions = await connectForQueries(asMysqlSettings(settingsOf(server, database)));
  const random = randomOf(seed);
  const findings: string[] = [];
  let altered = 0;
  let doubted = 0;
  try {
    await client.query("SET sql_mode = 'ALLOW_INVALID_DATES'");
    const facts = await readServerFacts(questions);
    const described = async () => {
      const [entry] = await readSchema(questions, facts, [{ database, table: 't' }]);
      return entry?.kind === 'table' ? entry.table : null;
    };
    let before: MysqlTable | null = null;
    while (altered < statements && findings.length < 10) {
      if (before === null || random() < 0.02) {
        await client.query(
          `DROP TABLE IF EXISTS t; CREATE TABLE t (id INT PRIMARY KEY, k BIGINT, s VARCHAR(20)) CHARACTER SET ${pick(random, CHARSETS)}`,
        );
        before = await described();
        if (before === null) throw new Error('a new table is not described');
      }
      const sql = alterOf(random, family, before);
      try {
        await client.query(sql);
      } catch {
        continue; // what the server does not take is not in a log
      }
      altered += 1;
      const after: MysqlTable | null = await described();
      if (after === null) {
        before = null; // its key is gone
        continue;
      }
      const statement = readDdl(sql, database);
      const ours =
        statement?.kind !== 'alter' || statement.actions === null
          ? null
          : applyAlter({ columns: logColumns(before), family, charset: before.charset ?? null }, statement.actions);
      if (ours === null) doubted += 1;
      else {
        const finding = difference(ours.columns, after);
        if (finding !== null) findings.push(`statement ${altered} of seed ${seed}: ${sql}\n  ${finding}`);
      }
      before = after;
    }
    await client.query(`DROP DATABASE ${database}`);
  } finally {
    questions.close();
    await client.end();
  }
  return { altered, doubted, findings };
}

function difference(ours: readonly MysqlColumn[], after: MysqlTable): string | null {
  const theirs = logColumns(after);
  const names = (columns: readonly MysqlColumn[]) => columns.map(({ column }) => column.name).join(', ');
  if (names(ours) !== names(theirs)) return `we have (${names(ours)}), the server (${names(theirs)})`;
  for (const [index, column] of ours.entries()) {
    const other = theirs[index];
    if (other === undefined || isSameColumn(column, other)) continue;
    const facts = ({ column: { name, type }, log, charset }: MysqlColumn) =>
      JSON.stringify({ name, type, log, charset });
    return `we have ${facts(column)}, the server ${facts(other)}`;
  }
  return null;
}

const CHARSETS = ['utf8mb4', 'latin1', 'utf8mb3', 'gbk', 'utf16', 'binary'];

function alterOf(random: Random, family: Family, table: MysqlTable): string {
  const columns = logColumns(table).map(({ column }) => column.name);
  const actions = Array.from({ length: 1 + whole(random, 3) }, () => actionOf(random, family, columns));
  const verb = pick(random, ['ALTER TABLE', 'alter table', 'ALTER /* a, b */ TABLE', 'ALTER TABLE -- ADD x INT\n']);
  const name = pick(random, ['t', '`t`']);
  return `${verb} ${name} ${actions.join(pick(random, [', ', ',', ' , /* c */ ']))}`;
}

function actionOf(random: Random, family: Family, columns: readonly string[]): string {
  const some = quoteName(random, pick(random, columns));
  const maria = family === 'mariadb';
  const column = pick(random, ['', 'COLUMN ']);
  return pick(random, [
    () => `ADD ${column}${newName(random)} ${definition(random)}${place(random, columns)}`,
    () => `ADD ${column}${newName(random)} ${definition(random)}${place(random, columns)}`,
    () => `ADD ${column}(${newName(random)} ${definition(random)}, ${newName(random)} ${definition(random)})`,
    () => `DROP ${column}${columns.length > 3 ? some : 'nothing'}`,
    () => `DROP ${column}${columns.length > COLUMNS_MAX ? some : 'nothing'}`,
    () => `DROP ${column}${maria ? `IF EXISTS ${quoteName(random, 'nothing')}` : some}`,
    () => `MODIFY ${column}${some} ${definition(random)}${place(random, columns)}`,
    () => `CHANGE ${column}${some} ${newName(random)} ${definition(random)}${place(random, columns)}`,
    () => `CHANGE ${column}${maria ? 'IF EXISTS ' : ''}${some} ${newName(random)} ${definition(random)}`,
    () => `RENAME COLUMN ${some} TO ${newName(random)}`,
    () => `ADD INDEX ${newName(random)} (${some})`,
    () => `ALTER ${column}${some} SET DEFAULT ${pick(random, ['1', "'a, b'", 'NULL'])}`,
    () => `ALTER ${column}${some} DROP DEFAULT`,
    () => `COMMENT = 'ADD COLUMN x INT, DROP y'`,
    () => `ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=${pick(random, CHARSETS)}`,
    () => `${pick(random, ['', 'DEFAULT '])}${pick(random, ['CHARACTER SET', 'CHARSET'])} ${pick(random, CHARSETS)}`,
    () => `CONVERT TO CHARACTER SET ${pick(random, CHARSETS)}`,
    () =>
      pick(random, [
        'ALGORITHM=INPLACE',
        'LOCK=NONE',
        'ORDER BY id',
        'AUTO_INCREMENT=100',
        'FORCE',
        'STATS_PERSISTENT=1',
      ]),
    () => `ADD CONSTRAINT ${newName(random)} CHECK (id <> -5)`,
    ...(maria ? [() => `ADD COLUMN IF NOT EXISTS ${some} ${definition(random)}`, () => `RENAME INDEX a TO b`] : []),
    ...(maria ? [] : [() => `ALTER COLUMN ${some} SET ${pick(random, ['VISIBLE', 'INVISIBLE'])}`]),
  ])();
}

function newName(random: Random): string {
  return quoteName(
    random,
    pick(random, ['a', 'b', 'c', 'D', 'e', 'first', 'comment', 'charset', 'date', 'x y', 'tick`', 'é']),
  );
}

/** Bare where that is possible, at random. */
function quoteName(random: Random, name: string): string {
  return /^[a-z]\w*$/i.test(name) && random() < 0.5 ? name : `\`${name.replaceAll('`', '``')}\``;
}

const MORE_TYPES = [
  'bool',
  'INTEGER(5) unsigned zerofill',
  'int2',
  'DEC',
  'numeric(7)',
  'fixed(9, 3)',
  'double precision',
  'float(30)',
  'float(7,3)',
  'REAL',
  'char',
  'char(5) binary',
  'character varying(9)',
  'varchar(300)',
  'LONG',
  'LONG VARBINARY',
  'long varchar',
  'TEXT(50)',
  'text(70000)',
  'BLOB(300)',
  'varbinary(20)',
  'binary',
  'bit',
  'json',
  'POINT',
  'geometry',
  'nchar(4)',
  'national varchar(5)',
  'timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)',
  "enum('a,b','c''d',\"e\\\\f\")",
  "set('x','y') CHARACTER SET latin1",
  'varchar(10) ASCII',
  'varchar(10) UNICODE',
  'varchar(10) COLLATE latin1_bin',
  'char(3) CHARSET binary',
  'int GENERATED ALWAYS AS (id + 1) VIRTUAL',
  "varchar(20) AS (concat(id, 'a, b')) STORED",
] as const;

function definition(random: Random): string {
  const type = random() < 0.5 ? pick(random, MORE_TYPES) : randomColumn(random, 'any').sql.replace('k * 3', 'id * 3');
  const attributes = Array.from({ length: whole(random, 3) }, () =>
    pick(random, [
      'NULL',
      'NOT NULL',
      "COMMENT 'a, b) FIRST'",
      'DEFAULT NULL',
      'CHECK (id < 1000000)',
      '/* , FIRST */',
    ]),
  );
  return [type, ...attributes].join(' ');
}

function place(random: Random, columns: readonly string[]): string {
  return pick(random, ['', '', ' FIRST', ` AFTER ${quoteName(random, pick(random, columns))}`]);
}
