import { type ColumnType, parseColumnType } from '../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../src/connectors/maxcompute/protocol/row-value.ts';
import { daysFromCivil } from '../../src/lib/civil.ts';

/** The columns of the tables that client and we write the same rows into (`python/maxcompute.py`). */
export const LOG_COLUMNS = {
  id: 'bigint',
  name: 'string',
  share: 'double',
  ok: 'boolean',
  tiny: 'tinyint',
  amount: 'decimal(20,4)',
  day: 'date',
  at: 'datetime',
  ts: 'timestamp',
  raw: 'binary',
  list: 'array<bigint>',
  pairs: 'map<string,bigint>',
  pair: 'struct<x:bigint,y:string>',
} as const;

export const LOG_TYPES: readonly ColumnType[] = Object.values(LOG_COLUMNS).map(parseColumnType);

/** As the wire has them. */
export const LOG_ROWS: readonly (readonly RowValue[])[] = [0, 1, 2].map((row) => {
  const whole = BigInt(row);
  const day = BigInt(daysFromCivil(1969 + row, 12, 31));
  const nextYear = BigInt(daysFromCivil(1970 + row, 12, 31));
  return [
    whole - 1n,
    `第 ${row}`,
    row / 4,
    row > 1,
    whole - 100n,
    ['-1', '-0.75', '-0.5'][row] ?? '',
    day,
    day * 86_400_000n + 86_399_123n,
    { seconds: nextYear * 86_400n + 86_399n, nanos: 123_456_789 },
    Uint8Array.of(row, 255),
    [whole, null, -whole],
    [['k', whole]],
    [whole, 'y'],
  ];
});

/** The same as the client prints them. */
export const LOG_PRINTED: readonly (readonly unknown[])[] = [0, 1, 2].map((row) => [
  row - 1,
  `第 ${row}`,
  row / 4,
  row > 1,
  row - 100,
  ['-1', '-0.75', '-0.5'][row],
  `${1969 + row}-12-31`,
  `${1969 + row}-12-31 23:59:59.123000`,
  `${1970 + row}-12-31 23:59:59.123456789`,
  `0${row}ff`,
  [row, null, 0 - row],
  { k: row },
  [row, 'y'],
]);
