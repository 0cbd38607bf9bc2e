// npm run test:long -- mysql56 [--n N] --seed S: the oldest MySQL that is served, whose log tells no names: types and DDL through
// the stream, and N random ALTER TABLEs against its own description of its tables.
import assert from 'node:assert/strict';
import { numberAfter } from '../../scripts/run-named.ts';
import type { RunOptions } from '../../scripts/run-named.ts';
import { startMysql56 } from '../../scripts/servers/mysql.ts';
import type { Server } from '../../scripts/servers/servers.ts';
import { alterCampaign } from '../support/alter-campaign.ts';
import { freshMysqlDatabase, mysqlClient } from '../support/servers.ts';
import { Follower, joining, openSource } from '../support/source-under-test.ts';

const TABLE = `CREATE TABLE t (id INT PRIMARY KEY, m INT, s VARCHAR(20) CHARACTER SET gbk, d DATETIME(3), e ENUM('a','b'), ts TIMESTAMP NULL,
  dd DECIMAL(20,5), ti TIME(1), b BIT(9), bl BLOB) CHARACTER SET latin1`;
const ROW = `(1, 1, '中', '2020-01-01 00:00:00.123', 'b', '2020-01-01 00:00:00', -1.5, '-01:00:00.5', b'11', 'x')`;
const VALUES = {
  m: '1',
  s: '中',
  d: '2020-1-1 0:0:0+123000us',
  e: 'b#2',
  ts: '@1577836800+0us',
  dd: '-1.50000',
  ti: '-3600500000us',
  b: 'x0003',
  bl: 'x78',
};

export async function run({ seed, args }: RunOptions): Promise<void> {
  const server = await startMysql56();
  try {
    await streams(server);
    const statements = numberAfter(args, '--n') ?? 2000;
    const result = await alterCampaign({ family: 'mysql', server, statements, seed });
    console.log(server.version, JSON.stringify(result, null, 1));
    if (result.findings.length > 0) process.exitCode = 1;
  } finally {
    await server.stop();
  }
}

/** A load, the same row through the log, and a row of another shape. */
async function streams(server: Server): Promise<void> {
  const database = await freshMysqlDatabase(server);
  const client = await mysqlClient(server, database);
  await client.query(`SET time_zone = '+00:00'; ${TABLE}; INSERT INTO t VALUES ${ROW}`);
  const source = openSource(server, database);
  const follower = new Follower(source);
  follower.start(1, [await joining(source, database, 't')]);
  await follower.until(() => follower.state(database, 't') === 'STREAMING');
  await client.query(
    `INSERT INTO t SELECT 2, m, s, d, e, ts, dd, ti, b, bl FROM t;
     ALTER TABLE t ADD COLUMN n BIGINT FIRST, DROP COLUMN e, MODIFY s VARCHAR(40); INSERT INTO t (id, n, s) VALUES (3, 4, 'é')`,
  );
  await follower.until(() => follower.rows(database, 't').length === 3);
  const nothing = { m: null, d: null, ts: null, dd: null, ti: null, b: null, bl: null };
  assert.deepEqual(follower.rows(database, 't'), [
    { id: '1', ...VALUES },
    { id: '2', ...VALUES },
    { n: '4', id: '3', s: 'é', ...nothing },
  ]);
  assert.deepEqual(follower.events, ['added n, dropped e']);
  await follower.stop();
  await client.end();
}
