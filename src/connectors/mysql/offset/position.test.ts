import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePositions, offsetFromJson, offsetToJson } from './position.ts';

void test('files are ordered by their number, not by their text', () => {
  assert.ok(comparePositions({ file: 'binlog.999999', position: 9 }, { file: 'binlog.1000000', position: 4 }) < 0);
  assert.ok(comparePositions({ file: 'binlog.000002', position: 9 }, { file: 'binlog.000002', position: 10 }) < 0);
  assert.equal(comparePositions({ file: 'a.b.000002', position: 9 }, { file: 'a.b.000002', position: 9 }), 0);
});

void test('a checkpoint of before there were ids in it is read as one without', () => {
  assert.deepEqual(offsetFromJson({ server: 's', file: 'binlog.000001', position: 4 }), {
    server: 's',
    file: 'binlog.000001',
    position: 4,
    epoch: 0,
    fileBegun: 0,
    skipEvents: 0,
    notBefore: null,
    readFrom: null,
    gtids: null,
    last: null,
    onlyGtids: false,
  });
});

void test('an offset comes back from JSON as it was', () => {
  const offset = {
    server: 's',
    file: 'binlog.000001',
    position: 2 ** 33,
    epoch: 2,
    fileBegun: 1,
    skipEvents: 3,
    notBefore: null,
    readFrom: { file: 'binlog.000000', position: 4, gtids: '0-1-7' },
    gtids: '0-1-8',
    last: { gtid: 'u:8', originMicros: 1_700_000_000_000_001 },
    onlyGtids: true,
  };
  assert.deepEqual(offsetFromJson(offsetToJson(offset)), offset);
  assert.deepEqual(offsetFromJson(offsetToJson({ ...offset, readFrom: null })), { ...offset, readFrom: null });
  const bare = { ...offset, readFrom: { ...offset.readFrom, gtids: null }, gtids: null, last: null, onlyGtids: false };
  assert.deepEqual(offsetFromJson(offsetToJson(bare)), bare);
  assert.throws(() => offsetFromJson({ topic: 'x' }), /not one of a MySQL source/);
});
