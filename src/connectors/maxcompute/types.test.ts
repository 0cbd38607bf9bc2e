import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ValueType } from '../../pipeline/table.ts';
import { columnTypeText, parseColumnType } from './protocol/column-type.ts';
import { acceptedKinds, holdsAll, plannedType } from './types.ts';

const integer = (bytes: number, unsigned = false): ValueType => ({ kind: 'integer', bytes, unsigned });
const decimal = (precision: number, scale: number): ValueType => ({ kind: 'decimal', precision, scale });

const ROWS: readonly (readonly [source: string, ValueType, target: string])[] = [
  ['TINYINT', integer(1), 'tinyint'],
  ['TINYINT UNSIGNED', integer(1, true), 'smallint'],
  ['SMALLINT', integer(2), 'smallint'],
  ['SMALLINT UNSIGNED', integer(2, true), 'int'],
  ['MEDIUMINT', integer(3), 'int'],
  ['MEDIUMINT UNSIGNED', integer(3, true), 'int'],
  ['INT', integer(4), 'int'],
  ['INT UNSIGNED', integer(4, true), 'bigint'],
  ['BIGINT', integer(8), 'bigint'],
  ['BIGINT UNSIGNED', integer(8, true), 'decimal(20,0)'],
  ['DECIMAL(38,18)', decimal(38, 18), 'decimal(38,18)'],
  ['DECIMAL(12,2)', decimal(12, 2), 'decimal(12,2)'],
  ['DECIMAL(39,2)', decimal(39, 2), 'string'],
  ['DECIMAL(30,19)', decimal(30, 19), 'string'],
  ['FLOAT', { kind: 'float' }, 'float'],
  ['DOUBLE', { kind: 'double' }, 'double'],
  ['CHAR, VARCHAR, TEXT', { kind: 'text' }, 'string'],
  ['ENUM', { kind: 'label', labels: ['a'], set: false }, 'string'],
  ['SET', { kind: 'label', labels: ['a'], set: true }, 'string'],
  ['JSON', { kind: 'json' }, 'string'],
  ['VECTOR', { kind: 'vector' }, 'string'],
  ['TIME(6)', { kind: 'time', fraction: 6 }, 'string'],
  ['BINARY, BLOB', { kind: 'bytes' }, 'binary'],
  ['GEOMETRY', { kind: 'geometry' }, 'binary'],
  ['BIT(1)', { kind: 'bits', width: 1 }, 'boolean'],
  ['BIT(63)', { kind: 'bits', width: 63 }, 'bigint'],
  ['BIT(64)', { kind: 'bits', width: 64 }, 'decimal(20,0)'],
  ['DATE', { kind: 'date' }, 'date'],
  ['DATETIME(3)', { kind: 'datetime', fraction: 3 }, 'datetime'],
  ['DATETIME(4)', { kind: 'datetime', fraction: 4 }, 'timestamp_ntz'],
  ['TIMESTAMP', { kind: 'instant', fraction: 0 }, 'timestamp'],
  ['YEAR', { kind: 'year' }, 'int'],
];

void test('every kind of column gets the type that the table in TYPES.md says, and that holds all its values', () => {
  assert.deepEqual(
    ROWS.map(([source, type]) => [source, columnTypeText(plannedType(type, false))]),
    ROWS.map(([source, , target]) => [source, target]),
  );
  for (const [source, type, target] of ROWS) {
    const planned = parseColumnType(target);
    assert.ok(acceptedKinds(type).includes(planned.kind), source);
    assert.ok(holdsAll(type, planned), source);
  }
  const documented = readFileSync(join(import.meta.dirname, 'TYPES.md'), 'utf8');
  for (const [, , target] of ROWS) {
    const [kind = ''] = target.split('(');
    assert.ok(documented.includes(`\`${kind}`), `${kind} is in TYPES.md`);
  }
});

void test('a binary key becomes text, as nobody agrees on the bucket of a binary key', () => {
  assert.deepEqual(plannedType({ kind: 'bytes', length: 16 }, true), { kind: 'string' });
});

void test('an existing column that is too narrow is said to be', () => {
  const narrow: readonly (readonly [ValueType, string])[] = [
    [integer(8), 'int'],
    [integer(8, true), 'bigint'],
    [integer(8, true), 'decimal(20,1)'],
    [integer(1), 'boolean'],
    [integer(2, true), 'smallint'],
    [decimal(12, 2), 'decimal(12,1)'],
    [decimal(12, 2), 'decimal(11,2)'],
    [{ kind: 'datetime', fraction: 4 }, 'datetime'],
    [{ kind: 'bits', width: 64 }, 'bigint'],
  ];
  for (const [type, target] of narrow) {
    const there = parseColumnType(target);
    assert.ok(acceptedKinds(type).includes(there.kind), target);
    assert.equal(holdsAll(type, there), false, `${JSON.stringify(type)} in ${target}`);
  }
});
