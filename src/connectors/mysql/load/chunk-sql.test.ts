import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkSql, keyLiteral } from './chunk-sql.ts';
import type { MysqlTable } from '../types.ts';

const column = (name: string, type: MysqlTable['version']['columns'][number]['type']) => ({
  column: { name, type, nullable: false, sourceType: '', comment: '', generated: false },
  log: { code: 0, meta: 0 },
  charset: null,
});
const columns = [
  column('a`b', { kind: 'text' }),
  column('n', { kind: 'integer', bytes: 8, unsigned: true }),
  column('f', { kind: 'float' }),
];
const table: MysqlTable = {
  version: { id: { database: 'd', table: "t'.x" }, columns: columns.map((c) => c.column), key: [1, 0] },
  columns,
};

void test('the first chunk is open below, a later one starts behind the whole key', () => {
  assert.equal(
    chunkSql(table, null, 10, ''),
    "SELECT `a``b`, `n`, `f`+0e0 FROM `d`.`t'.x` ORDER BY `n`, `a``b` LIMIT 10",
  );
  assert.equal(
    chunkSql(table, ['18446744073709551615', "_utf8mb4 X'27'"], 10, ' FOR SHARE'),
    "SELECT `a``b`, `n`, `f`+0e0 FROM `d`.`t'.x` WHERE (`n` > 18446744073709551615) OR (`n` = 18446744073709551615 AND `a``b` > _utf8mb4 X'27') ORDER BY `n`, `a``b` LIMIT 10 FOR SHARE",
  );
});

void test('literals of keys hold any value, and nothing of it is read as SQL', () => {
  assert.equal(
    keyLiteral({ kind: 'text' }, "'; DROP TABLE x; --"),
    "_utf8mb4 X'273b2044524f50205441424c4520783b202d2d'",
  );
  assert.equal(keyLiteral({ kind: 'bytes' }, '00ff'), "X'00ff'");
  assert.equal(
    keyLiteral({ kind: 'integer', bytes: 8, unsigned: true }, '18446744073709551615'),
    '18446744073709551615',
  );
  assert.equal(keyLiteral({ kind: 'label', labels: ['x', 'y'], set: false }, '2'), '2');
  assert.equal(keyLiteral({ kind: 'label', labels: ['x', 'y', 'z'], set: true }, 'x,z'), '5');
  assert.equal(keyLiteral({ kind: 'bits', width: 9 }, '01ff'), '511');
  assert.equal(keyLiteral({ kind: 'datetime', fraction: 3 }, '2024-01-01 00:00:00.123'), "'2024-01-01 00:00:00.123'");
});
