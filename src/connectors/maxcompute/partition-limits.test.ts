import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEW_PARTITIONS_PER_DAY_MAX, PartitionLimits, PARTITIONS_MAX } from './partition-limits.ts';

const table = { database: 'shop', table: 'orders' };
const NOON = Date.UTC(2024, 0, 1, 12);
const partition = (spec: string) => ({ spec, levels: [] });

void test('a partition is new once, and none where there are none', () => {
  const limits = new PartitionLimits(table, ['PT=A,r=x']);
  assert.equal(limits.admit(partition('pt=A,R=x'), NOON), false);
  assert.equal(limits.admit(partition('pt=a,r=x'), NOON), true);
  assert.equal(limits.admit(partition('pt=a,r=x'), NOON), false);
  assert.equal(limits.admit(partition(''), NOON), false);
});

void test('H13: a table that would make too many new partitions in a day fails alone, before the service refuses them', () => {
  const limits = new PartitionLimits(table, ['pt=old']);
  for (let value = 0; value < NEW_PARTITIONS_PER_DAY_MAX; value += 1) limits.admit(partition(`pt=${value}`), NOON);
  assert.throws(() => limits.admit(partition('pt=x'), NOON), {
    kind: 'table',
    code: 'Sink.TooManyPartitions',
    table,
    message: '`shop`.`orders`: its rows would make more than 1000 new partitions in one day',
  });
  assert.equal(limits.admit(partition('pt=old'), NOON), false, 'rows of those that are there are taken');
  assert.equal(limits.admit(partition('pt=x'), NOON + 12 * 3_600_000), true, 'on the next day');
});

void test('a table with all the partitions that MaxCompute takes gets no more', () => {
  const limits = new PartitionLimits(
    table,
    Array.from({ length: PARTITIONS_MAX }, (_, value) => `pt=${value}`),
  );
  assert.throws(() => limits.admit(partition('pt=x'), NOON), /has 60000 partitions, and MaxCompute takes no more/);
});
