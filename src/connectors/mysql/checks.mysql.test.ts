import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Connection } from 'mysql2/promise';
import { startMysql56 } from '../../../scripts/servers/mysql.ts';
import { type Server, startServer } from '../../../scripts/servers/servers.ts';
import { freshMysqlDatabase, mysqlClient, sharedServer, type TestServer } from '../../../test/support/servers.ts';
import { settingsOf } from '../../../test/support/source-under-test.ts';
import type { Finding } from '../../pipeline/connector.ts';
import { mysqlConnector } from './connector.ts';

const PASSWORD = 'known only here';

const TABLES = `CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE bare (id INT);
  CREATE TABLE c (id INT PRIMARY KEY, p INT, q INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE,
    FOREIGN KEY (q) REFERENCES p (id) ON UPDATE CASCADE ON DELETE SET NULL) COMMENT 'ON DELETE CASCADE';
  CREATE TABLE plain (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE RESTRICT)`;

async function examine(server: TestServer, user: string, database: string) {
  const settings = settingsOf({ ...server, user, password: PASSWORD }, database);
  return mysqlConnector.examine({ settings, databases: [database], signal: AbortSignal.timeout(20_000) });
}

/** What is not fine, as `level about (code)`. */
function troubles(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ level }) => level !== 'fine')
    .map(({ level, about, code }) => `${level} ${about}${code === null ? '' : ` (${code})`}`);
}

/** Does what the remedies say, as far as they are statements. */
async function obey(root: Connection, findings: readonly Finding[]): Promise<void> {
  for (const { remedy } of findings) {
    for (const [statement] of remedy.matchAll(/(?:SET (?:PERSIST|GLOBAL)|GRANT) [^;]+;/g)) await root.query(statement);
  }
}

async function account(root: Connection, user: string): Promise<void> {
  await root.query(`CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`);
}

const cascades = (database: string) => `\`${database}\`.\`c\``;

void describe('An examination of a MySQL that is set up badly', () => {
  let server: Server;
  let root: Connection;
  before(async () => {
    server = await startServer('mysql', {
      gtid_mode: 'OFF',
      enforce_gtid_consistency: 'OFF',
      binlog_format: 'MIXED',
      binlog_row_image: 'MINIMAL',
      binlog_row_metadata: 'MINIMAL',
      binlog_checksum: 'NONE',
      binlog_expire_logs_seconds: '60',
      binlog_ignore_db: 'unlogged',
      log_replica_updates: 'OFF',
      sync_binlog: '0',
      innodb_flush_log_at_trx_commit: '2',
    });
    root = await mysqlClient(server);
    // What an administrator may set for others is not to bound what we see.
    await root.query('SET GLOBAL max_execution_time = 1, GLOBAL sql_select_limit = 1');
  });
  after(async () => {
    await root.end();
    await server.stop();
  });

  void it('names every setting and right with its statement, and has nothing to say once all were run', async () => {
    const database = await freshMysqlDatabase(server);
    await root.query(`USE \`${database}\`; ${TABLES}`);
    await account(root, "o''d`d");
    const bad = await examine(server, "o'd`d", database);
    assert.deepEqual(
      [bad.server, bad.account, troubles(bad.findings)],
      [
        server.version,
        "'o''d`d'@'127.0.0.1'",
        [
          'problem binlog_format (MySQL.BinlogFormat)',
          'problem binlog_row_image (MySQL.RowImage)',
          'warning binlog_row_metadata',
          'warning gtid_mode',
          'problem binlog_expire_logs_seconds (MySQL.Retention)',
          'warning binlog_checksum',
          'warning sync_binlog',
          'warning innodb_flush_log_at_trx_commit',
          'problem REPLICATION CLIENT (MySQL.Denied)',
          'warning log_replica_updates',
          'problem REPLICATION SLAVE (MySQL.Denied)',
          'warning XA_RECOVER_ADMIN',
          `problem ${database} (Table.Unknown)`,
        ],
      ],
    );
    await obey(root, bad.findings);
    const good = await examine(server, "o'd`d", database);
    assert.deepEqual(troubles(good.findings), ['warning binlog_ignore_db', `warning \`${database}\`.\`bare\``]);
    assert.match(good.findings.find(({ about }) => about === 'load')?.found ?? '', /gtid_executed/);
  });

  void it('finds a database whose changes are left out of the log, also at planning', async () => {
    await root.query('CREATE DATABASE unlogged; CREATE TABLE unlogged.t (id INT PRIMARY KEY)');
    await account(root, 'reader');
    await root.query(
      "GRANT SELECT, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO 'reader'@'127.0.0.1'; SET GLOBAL binlog_format = ROW, GLOBAL binlog_row_image = FULL, GLOBAL binlog_expire_logs_seconds = 0",
    );
    const { findings } = await examine(server, 'reader', 'unlogged');
    assert.deepEqual(
      findings.filter(({ level }) => level === 'problem').map(({ code, consequence }) => [code, consequence]),
      [['MySQL.LogFiltered', 'changes of unlogged would be missed']],
    );
    const { problems } = await mysqlConnector.describe({
      settings: settingsOf({ ...server, user: 'reader', password: PASSWORD }, 'unlogged'),
      tables: [{ database: 'unlogged', table: 't' }],
      load: true,
      withoutKey: false,
      signal: AbortSignal.timeout(20_000),
    });
    assert.deepEqual(
      problems.map(({ code, message }) => [code, message]),
      [
        [
          'MySQL.LogFiltered',
          'the log leaves out changes of unlogged (binlog_ignore_db): changes of unlogged would be missed',
        ],
      ],
    );
  });

  void it('finds a replica that does not log what it has from its primary', async () => {
    const of = async (level: Finding['level']) =>
      (await examine(server, 'reader', 'mysql')).findings
        .filter((finding) => finding.level === level && finding.about === 'log_replica_updates')
        .map(({ code, found, consequence }) => [code, found, consequence]);
    assert.deepEqual(await of('fine'), [[null, 'log_replica_updates is OFF', 'the server is no replica']]);
    await root.query("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1");
    assert.deepEqual(await of('problem'), [
      [
        'MySQL.ReplicaLog',
        'the server is a replica, and log_replica_updates is OFF',
        'what it has from its primary is not in its log, and would be missed',
      ],
    ]);
    await root.query('RESET REPLICA ALL');
  });

  void it('warns of foreign keys only where the storage engine follows them by itself', async () => {
    const database = await freshMysqlDatabase(server);
    await root.query(`USE \`${database}\`; ${TABLES}`);
    const { findings } = await examine({ ...server, password: PASSWORD }, 'reader', database);
    assert.ok(!troubles(findings).includes(`warning ${cascades(database)}`));
  });
});

void it('An examination of MariaDB names what its account lacks, and has nothing to say once it was granted', async () => {
  const server = await sharedServer('mariadb');
  const root = await mysqlClient(server);
  const database = await freshMysqlDatabase(server);
  await root.query(`USE \`${database}\`; ${TABLES}`);
  const user = database.slice(-20);
  await account(root, user);
  const bad = await examine(server, user, database);
  assert.deepEqual(
    bad.findings.filter(({ level }) => level === 'problem').map(({ code, remedy }) => [code, remedy]),
    [
      ['MySQL.Denied', `GRANT BINLOG MONITOR ON *.* TO '${user}'@'127.0.0.1';`],
      ['MySQL.Denied', `GRANT REPLICATION SLAVE ON *.* TO '${user}'@'127.0.0.1';`],
      ['Table.Unknown', `GRANT SELECT ON \`${database}\`.* TO '${user}'@'127.0.0.1';`],
    ],
  );
  const updates = bad.findings.find(({ about }) => about === 'log_slave_updates');
  assert.deepEqual([updates?.level, updates?.consequence], ['fine', 'the server never was a replica']);
  await obey(root, bad.findings);
  const { findings } = await examine(server, user, database);
  const foreign = findings.find(({ about }) => about === cascades(database));
  assert.deepEqual(
    [troubles(findings).filter((trouble) => trouble.startsWith('problem')), foreign?.found, foreign?.consequence],
    [
      [],
      `${cascades(database)} has a foreign key with ON DELETE CASCADE and ON DELETE SET NULL and ON UPDATE CASCADE`,
      `${server.version} does not log the rows that it deletes or changes so: they stay as they were at the target`,
    ],
  );
  assert.deepEqual(
    troubles(findings).filter((trouble) => trouble.includes(database)),
    [`warning \`${database}\`.\`bare\``, `warning ${cascades(database)}`],
  );
  const { tables } = await mysqlConnector.describe({
    settings: settingsOf({ ...server, user, password: PASSWORD }, database),
    tables: ['c', 'plain'].map((table) => ({ database, table })),
    load: true,
    withoutKey: false,
    signal: AbortSignal.timeout(20_000),
  });
  assert.deepEqual(
    tables.map(({ table, warnings }) => [table.id.table, warnings]),
    [
      ['c', [`${foreign?.found}: ${foreign?.consequence}`]],
      ['plain', []],
    ],
  );
  await root.end();
});

void it('An examination of MySQL 5.6 says what this version cannot do, and how its account may load', async () => {
  const server = await startMysql56({ gtid_mode: 'OFF', enforce_gtid_consistency: 'OFF' });
  const root = await mysqlClient(server);
  try {
    const database = await freshMysqlDatabase(server);
    await root.query(`USE \`${database}\`; ${TABLES}`);
    await account(root, 'bare');
    const bad = await examine(server, 'bare', database);
    assert.deepEqual(troubles(bad.findings), [
      'warning binlog_row_metadata',
      'warning gtid_mode',
      'problem REPLICATION CLIENT (MySQL.Denied)',
      'problem load (MySQL.NoSafeLoad)',
      'problem REPLICATION SLAVE (MySQL.Denied)',
      `problem ${database} (Table.Unknown)`,
    ]);
    await obey(root, bad.findings);
    assert.deepEqual(troubles((await examine(server, 'bare', database)).findings), [
      'warning binlog_row_metadata',
      'warning gtid_mode',
      `warning \`${database}\`.\`bare\``,
      `warning ${cascades(database)}`,
    ]);
  } finally {
    await root.end();
    await server.stop();
  }
});
