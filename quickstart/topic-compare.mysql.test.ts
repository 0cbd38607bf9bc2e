import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshMysqlDatabase, mysqlClient, sharedServer } from '../test/support/servers.ts';
import { compareTopic } from './topic-compare.ts';
import type { TopicChange } from './topic-fold.ts';

const ROW = {
  k: 1,
  part: 2,
  price: 1.5,
  weight: 0.33333334,
  state: 'new',
  born: 1_704_153_600_000,
  placed: 1_704_164_645_123,
  seen: 1_704_164_645_500,
  note: null,
};

function inserted(row: Readonly<Record<string, string | number | null>>): TopicChange {
  return { table: 't', op: 'INSERT', key: `${row['k']},${row['part']}`, sequenceId: '', before: null, after: row };
}

void test('a topic is compared with its table key for key and column for column', async () => {
  const server = await sharedServer('mariadb');
  const database = await freshMysqlDatabase(server);
  const client = await mysqlClient(server, database);
  await client.query(
    `SET time_zone = '+00:00'; CREATE TABLE t (k INT, part INT, price DECIMAL(8,3), weight FLOAT, state ENUM('new','gone'), born DATE,
      placed DATETIME(3), seen TIMESTAMP(3), note TEXT, PRIMARY KEY (k, part));
    INSERT INTO t VALUES (1, 2, 1.5, 1/3, 'new', '2024-01-02', '2024-01-02 03:04:05.123', '2024-01-02 03:04:05.5', NULL)`,
  );
  const differences = async (...rows: (typeof ROW | object)[]) => {
    const changes = rows.map((row) => inserted(row as typeof ROW));
    const compared = await compareTopic(client, changes, { database, table: 't' });
    assert.equal(compared.rows, 1);
    return compared.differences;
  };
  assert.equal(await differences(ROW), 0);
  assert.equal(await differences(), 1, 'a row that is missing');
  assert.equal(await differences(ROW, { ...ROW, k: 9 }), 1, 'a row too many');
  const others = {
    price: 1.501,
    weight: 0.3333333,
    state: 'gone',
    born: 0,
    placed: 1,
    seen: 1_704_164_645_501,
    note: '',
  };
  for (const [column, value] of Object.entries(others))
    assert.equal(await differences({ ...ROW, [column]: value }), 1, `another ${column}`);
  await client.end();
});
