import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isShared, topicName, topicProblem } from './topic-name.ts';

const ORDERS = { database: 'shop', table: 'orders' };

void test('a pattern is filled with what the table is called, in the vendor’s spellings and in short', () => {
  const names = [
    '${srcDatabaseName}_${srcTableName}',
    '${srcDatasourceName}.${db}.${table}',
    '${srcDatasoureName}-x',
    'all',
  ].map((pattern) => topicName(pattern, ORDERS, 'shop_mysql').topic);
  assert.deepEqual(names, ['shop_orders', 'shop_mysql.shop.orders', 'shop_mysql-x', 'all']);
});

void test('characters that Kafka does not take become _, one each, and what was wanted is told (G10)', () => {
  assert.deepEqual(topicName('${db}.${table}', { database: 'a b', table: 'ü$💥' }, ''), {
    topic: 'a_b.___',
    wanted: 'a b.ü$💥',
  });
  assert.deepEqual(topicName('${db}.${table}', { database: 'a', table: '${db}' }, '').topic, 'a.__db_');
});

void test('a name that is too long, or only dots, is none', () => {
  assert.deepEqual([topicProblem('a'.repeat(249)), topicProblem('a.b')], [null, null]);
  assert.match(topicProblem('a'.repeat(250)) ?? '', /has 250 characters; Kafka takes 249/);
  for (const name of ['', '.', '..']) assert.match(topicProblem(name) ?? '', /is no name of a topic/);
});

void test('topics that the brokers or we keep for other things are not written', () => {
  assert.match(topicProblem('__consumer_offsets') ?? '', /is kept by the brokers/);
  assert.match(topicProblem('__disync_checkpoint') ?? '', /is kept by us/);
  assert.equal(topicProblem('__other'), null);
});

void test('a pattern without the table’s name is one topic for several tables', () => {
  assert.deepEqual(['all', '${db}', '${db}_${srcTableName}', '${table}'].map(isShared), [true, true, false, false]);
});
