import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import { outcomes, probeStages } from '../../../test/support/probe-stages.ts';
import {
  FAMILIES,
  freshMysqlDatabase,
  mysqlClient,
  sharedServer,
  type TestServer,
} from '../../../test/support/servers.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import { mysqlConnector } from './connector.ts';

const probe = (content: JsonObject) => probeStages(mysqlConnector, content);

for (const family of FAMILIES) {
  void describe(`a probe of ${family}`, () => {
    let server: TestServer;
    let database: string;
    let content: JsonObject;
    before(async () => {
      server = await sharedServer(family);
      database = await freshMysqlDatabase(server);
      content = { host: '127.0.0.1', port: server.port, username: server.user, password: server.password, database };
    });

    void it('passes every stage of a server that is fit, and says what it found', async () => {
      const stages = await probe(content);
      assert.deepEqual(outcomes(stages), [
        'name resolution: passed',
        'TCP: passed',
        'TLS: skipped',
        'login: passed',
        'grants: passed',
        'binlog settings: passed',
      ]);
      assert.match(stages[3]?.found ?? '', new RegExp(`^${server.version}, as '${server.user}'@`));
      assert.match(stages[4]?.found ?? '', new RegExp(`the account sees the database ${database}; .*REPLICATION`));
    });

    void it('ends where the way ends, with the code and what to do', async () => {
      const nowhere = await probe({ ...content, port: 1 });
      assert.deepEqual(outcomes(nowhere), ['name resolution: passed', 'TCP: failed']);
      assert.match(nowhere[1]?.found ?? '', /ECONNREFUSED/);
      assert.match(nowhere[1]?.remedy ?? '', /listens on port 1/);
      const unknown = await probe({ ...content, host: 'none.invalid' });
      assert.deepEqual(outcomes(unknown), ['name resolution: failed']);
      const [refused] = await probe({ ...content, host: '169.254.169.254' });
      assert.equal(refused?.code, 'Network.HostRefused');
      const denied = await probe({ ...content, password: 'the wrong one' });
      assert.deepEqual(outcomes(denied), ['name resolution: passed', 'TCP: passed', 'TLS: skipped', 'login: failed']);
      assert.deepEqual([denied[3]?.code, /the wrong one/.test(JSON.stringify(denied))], ['MySQL.Denied', false]);
      const tls = await probe({ ...content, ssl: { mode: 'verify-identity' } });
      assert.deepEqual(outcomes(tls), ['name resolution: passed', 'TCP: passed', 'TLS: failed']);
      assert.equal(tls[2]?.code, 'MySQL.TlsFailed');
    });

    void it('names the right that is missing, and the statement that gives it', async () => {
      const user = database.slice(-20);
      const root = await mysqlClient(server);
      await root.query(
        `CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY 'p'; GRANT SELECT ON \`${database}\`.* TO '${user}'@'127.0.0.1'`,
      );
      await root.end();
      const stages = await probe({ ...content, username: user, password: 'p' });
      const grants = stages.find(({ stage }) => stage === 'grants');
      assert.deepEqual([grants?.outcome, grants?.code], ['failed', 'MySQL.Denied']);
      assert.match(
        grants?.remedy ?? '',
        new RegExp(`GRANT REPLICATION SLAVE ON \\*\\.\\* TO '${user}'@'127\\.0\\.0\\.1';`),
      );
      assert.equal(stages.at(-1)?.stage, 'binlog settings');
      const blind = await probe({ ...content, username: user, password: 'p', database: 'mysql' });
      assert.match(blind.find(({ stage }) => stage === 'grants')?.found ?? '', /^there is no database mysql, or/);
    });

    void it('is beside a catalogue of databases, tables and columns, page by page', async () => {
      const root = await mysqlClient(server, database);
      await root.query(
        'CREATE TABLE b (id INT PRIMARY KEY, `a"b` VARCHAR(7)); CREATE TABLE a (x DATE); CREATE TABLE c (y INT); CREATE VIEW v AS SELECT 1',
      );
      const user = `c${database.slice(-19)}`;
      await root.query(
        `CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY 'p'; GRANT SELECT ON \`${database}\`.* TO '${user}'@'127.0.0.1'`,
      );
      await root.end();
      const settings = mysqlConnector.parseSettings({ ...content, username: user, password: 'p' }, DEFAULT_HOST_POLICY);
      const page = (offset: number, limit: number) =>
        mysqlConnector.readCatalogue({ settings, offset, limit, signal: AbortSignal.timeout(20_000) });
      const { schemas, tables, total } = await page(0, 2);
      assert.deepEqual([schemas.filter((one) => one.database === database), total], [[{ database, schema: '' }], 3]);
      const typeOf = (type: string) => type.replace(/^int\(11\)$/, 'int');
      assert.deepEqual(
        tables.map((table) => ({
          ...table,
          columns: table.columns.map(({ name, type }) => [name, typeOf(type)]),
        })),
        [
          { database, schema: '', table: 'a', columns: [['x', 'date']] },
          {
            database,
            schema: '',
            table: 'b',
            columns: [
              ['id', 'int'],
              ['a"b', 'varchar(7)'],
            ],
          },
        ],
      );
      assert.deepEqual(
        (await page(2, 2)).tables.map(({ table }) => table),
        ['c'],
      );
      assert.deepEqual((await page(3, 2)).tables, []);
    });
  });
}
