import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedTable } from '../../../test/support/scripted-rows.ts';
import type { SchemaPart } from '../../pipeline/batch.ts';
import { DEFAULT_DDL_POLICIES } from '../../pipeline/policies.ts';
import type { TableVersion, ValueType } from '../../pipeline/table.ts';
import { followSchema } from './follow-schema.ts';
import { PartitionRule } from './partition.ts';
import { PartitionLimits } from './partition-limits.ts';
import { Target } from './target.ts';
import { plannedColumn, wantedTable } from './wanted-table.ts';

const BIGINT: ValueType = { kind: 'integer', bytes: 8, unsigned: false };
const TEXT: ValueType = { kind: 'text' };
const before = scriptedTable('shop', 'users', { id: BIGINT, region: TEXT }, ['id']);

function follow(after: TableVersion, changed: Partial<SchemaPart>, partition = '') {
  const { columns } = wantedTable(before, 'delta', []);
  const facts = { columns, partitionColumns: [], primaryKey: ['id'], rows: 0 };
  const target = new Target({ table: before, target: { schema: '', table: 'users' } }, 'delta', {
    facts,
    limits: new PartitionLimits(before.id, []),
  });
  const part: SchemaPart = {
    kind: 'schema',
    table: after,
    added: [],
    renamed: [],
    dropped: [],
    modified: [],
    ...changed,
  };
  const policies = { ...DEFAULT_DDL_POLICIES, ADDCOLUMN: 'NORMAL' } as const;
  return { ...followSchema(part, target, { policies, partitions: PartitionRule.parse(partition) }), target };
}

void test('H16: a column added in the middle of the source is the last one of the target', () => {
  const after = scriptedTable('shop', 'users', { id: BIGINT, more: TEXT, region: TEXT }, ['id']);
  const { added, error, target } = follow(after, { added: ['more'] });
  const [, more] = after.columns;
  assert.ok(more !== undefined);
  assert.deepEqual([added, error], [[plannedColumn(more, false)], null]);
  assert.deepEqual(
    target.columns.map(({ name }) => name),
    ['id', 'region', 'more'],
  );
});

void test('a table that loses the column it is partitioned by fails alone, instead of filling the partition of nulls', () => {
  const after = scriptedTable('shop', 'users', { id: BIGINT }, ['id']);
  const { error } = follow(after, { dropped: ['region'] }, 'r=#{region}');
  assert.deepEqual([error?.kind, error?.code, error?.table], ['table', 'Sink.TargetMismatch', before.id]);
  assert.equal(error?.message, 'partition r is of the column region, which `shop`.`users` has not');
  assert.equal(follow(after, { dropped: ['region'] }).error, null, 'of others nothing is to be done');
});

void test('a column whose new type the target cannot hold fails its table', () => {
  const after = scriptedTable('shop', 'users', { id: BIGINT, region: { kind: 'bytes' } }, ['id']);
  assert.equal(follow(after, { modified: ['region'] }).error, null, 'bytes become their digits');
  const number = scriptedTable('shop', 'users', { id: { kind: 'decimal', precision: 20, scale: 0 }, region: TEXT }, [
    'id',
  ]);
  assert.match(
    follow(number, { modified: ['id'] }).error?.message ?? '',
    /column "id" is bigint, which cannot hold every decimal/,
  );
});
