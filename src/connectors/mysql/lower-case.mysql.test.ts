import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Server, startServer } from '../../../scripts/servers/servers.ts';
import { mysqlClient } from '../../../test/support/servers.ts';
import { Follower, joining, openSource, settingsOf } from '../../../test/support/source-under-test.ts';
import { mysqlConnector } from './connector.ts';

void describe('a server that keeps names in lower case', () => {
  let server: Server;

  before(async () => {
    server = await startServer('mariadb', {
      lower_case_table_names: '1',
      autocommit: '0',
      transaction_isolation: 'READ-UNCOMMITTED',
      sql_mode: 'PAD_CHAR_TO_FULL_LENGTH',
    });
  });
  after(() => server.stop());

  void it('streams tables whose names were given in another case, whatever its globals are (A21)', async () => {
    const client = await mysqlClient(server);
    await client.query(
      "SET autocommit = 1; CREATE DATABASE Shop; USE Shop; CREATE TABLE Orders (id CHAR(5) PRIMARY KEY, n INT); INSERT INTO Orders VALUES ('a', 1)",
    );
    const source = openSource(server, 'SHOP');
    const follower = new Follower(source);
    follower.start(1, [await joining(source, 'SHOP', 'ORDERS')]);
    await follower.until(() => follower.state('shop', 'orders') === 'STREAMING');
    await client.query("INSERT INTO oRDERS VALUES ('b', 2); UPDATE Orders SET n = 5 WHERE id = 'a'");
    const rows = () =>
      follower
        .rows('shop', 'orders')
        .map(({ id, n }) => `${id}:${n}`)
        .toSorted();
    await follower.until(() => rows().join() === 'a:5,b:2').catch(() => {});
    assert.deepEqual(rows(), ['a:5', 'b:2']);
    await follower.stop();
    await client.end();
  });

  void it('lists its tables as it keeps them, says that it ignores case, and leaves out views and its own', async () => {
    const client = await mysqlClient(server);
    await client.query(
      'CREATE DATABASE Listed; CREATE TABLE Listed.B (id INT); CREATE TABLE Listed.`a.b` (id INT); CREATE VIEW Listed.V AS SELECT 1',
    );
    const settings = settingsOf(server, 'shop');
    const { tables, ignoresCase } = await mysqlConnector.listTables({ settings, signal: AbortSignal.timeout(20_000) });
    assert.deepEqual(
      [tables.filter(({ database }) => database !== 'shop'), ignoresCase],
      [['a.b', 'b'].map((table) => ({ database: 'listed', table })), true],
    );
    await client.end();
  });
});
