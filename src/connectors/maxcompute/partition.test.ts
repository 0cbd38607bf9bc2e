import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inserts, type ScriptedRow, scriptedTable } from '../../../test/support/scripted-rows.ts';
import { TimeZone } from '../../lib/time-zone.ts';
import type { ValueType } from '../../pipeline/table.ts';
import { PartitionRule, valueProblem } from './partition.ts';

const SHANGHAI = new TimeZone('Asia/Shanghai');
const COLUMNS: Readonly<Record<string, ValueType>> = {
  id: { kind: 'integer', bytes: 8, unsigned: false },
  region: { kind: 'text' },
  born: { kind: 'date' },
  made: { kind: 'datetime', fraction: 3 },
  seen: { kind: 'instant', fraction: 0 },
  amount: { kind: 'decimal', precision: 12, scale: 2 },
  sort: { kind: 'label', labels: ['a'], set: false },
  blob: { kind: 'bytes' },
};
const table = scriptedTable('shop', 'orders', COLUMNS, ['id']);
const row = (values: Readonly<Record<string, ScriptedRow[number]>>): ScriptedRow =>
  Object.keys(COLUMNS).map((name) => values[name] ?? null);

/** The partitions of rows of one time; of a row that is refused, why. */
function partitionsOf(text: string, rows: readonly ScriptedRow[], time = '2024-02-29T16:30:05Z'): string[] {
  const partitions = PartitionRule.parse(text).of(table, SHANGHAI);
  const part = inserts(table, rows);
  partitions.start(Date.parse(time) * 1000);
  return rows.map((_, index) => partitions.of(part, index, 'after')?.spec ?? `refused: ${partitions.refused}`);
}

void test('a fixed partition is what stands there, and none is none', () => {
  assert.deepEqual(partitionsOf('pt=20240101, region = cn ', [row({})]), ['pt=20240101,region=cn']);
  assert.deepEqual(partitionsOf('', [row({})]), ['']);
  const rule = PartitionRule.parse('pt=20240101,region=cn');
  assert.deepEqual([rule.columns, rule.readsRows, rule.readsTime], [['pt', 'region'], false, false]);
});

void test('a time is that of the change, by the clock of the zone', () => {
  assert.deepEqual(partitionsOf('pt=${yyyyMMdd},h=${HH},m=d${yyyy-MM-dd HH:mm:ss}', [row({})]), [
    'pt=20240301,h=00,m=d2024-03-01 00:30:05',
  ]);
  const partitions = PartitionRule.parse('pt=${yyyyMMddHH}').of(table, SHANGHAI);
  const part = inserts(table, [row({})]);
  const seen = ['2023-12-31T15:59:59.999Z', '2023-12-31T16:00:00Z', '2023-12-31T16:59:59Z', '2023-12-31T17:00:00Z'].map(
    (time) => {
      partitions.start(Date.parse(time) * 1000);
      return partitions.of(part, 0, 'after');
    },
  );
  assert.deepEqual(
    seen.map((partition) => partition?.spec),
    ['pt=2023123123', 'pt=2024010100', 'pt=2024010100', 'pt=2024010101'],
  );
  assert.equal(seen[1], seen[2], 'one object for one partition');
});

void test('a column is the text that people read, of a point in time that of the zone', () => {
  const values = row({
    id: 2n ** 63n - 1n,
    region: 'cn east',
    born: '1999-12-31',
    made: '2024-01-02 03:04:05.678',
    seen: '2024-01-01 16:00:00',
    amount: '-12.50',
    sort: 'a',
  });
  const named = ['id', 'region', 'born', 'made', 'seen', 'amount', 'sort'];
  assert.deepEqual(
    named.map((name) => partitionsOf(`p=#{${name}}`, [values])),
    [
      ['p=9223372036854775807'],
      ['p=cn east'],
      ['p=1999-12-31'],
      ['p=2024-01-02 03:04:05.678'],
      ['p=2024-01-02 00:00:00'],
      ['p=-12.50'],
      ['p=a'],
    ],
  );
});

void test('each row has its own partition, however the values alternate', () => {
  const regions = ['cn', 'cn', 'us', null, 'us', 'cn', 'c', ''];
  assert.deepEqual(
    partitionsOf(
      'r=#{region}',
      regions.map((region) => row({ region })),
    ),
    ['r=cn', 'r=cn', 'r=us', 'r=null_pt', 'r=us', 'r=cn', 'r=c', 'refused: a partition value that is empty, for r'],
  );
});

void test('expressions: texts one behind the other, levels before, and functions in functions', () => {
  const values = row({ id: 1_700_000_000, region: 'Zürich-01', made: '2024-01-02 03:04:05.678', born: '0000-00-00' });
  const expected: readonly (readonly [string, string])[] = [
    ['p="y" + #{id} + "." + ${yyyy}', 'p=y1700000000.2024'],
    ['a=${yyyyMMdd},b=$a + "x"', 'a=20240301,b=20240301x'],
    ['p=CONCAT("d", SUBSTRING(#{made}, 0, 4), SUBSTRING(#{made},5,7))', 'p=d202401'],
    ['p=SUBSTRING(#{region}, 7)', 'p=01'],
    [
      'p=DATE_FORMAT(#{id}, "unix", "UTC", "yyyy/MM/dd")',
      'refused: a partition value with characters that MaxCompute does not take in one, for p',
    ],
    ['p=DATE_FORMAT(#{id}, "unix", "Asia/Shanghai", "yyyy-MM-dd HH")', 'p=2023-11-15 06'],
    ['p=DATE_FORMAT(#{id}, "millis", "UTC", "yyMMdd")', 'p=700120'],
    ['p=TO_TIMESTAMP(#{made}, "yyyy-MM-dd HH:mm:ss", "Asia/Shanghai", "unix")', 'p=1704135845'],
    ['p=TO_TIMESTAMP(SUBSTRING(#{made}, 0, 10), "yyyy-MM-dd", "UTC", "millis")', 'p=1704153600000'],
    ['p=DATE_CONVERT(#{made}, "yyyy-MM-dd HH:mm:ss", "UTC", "yyyyMMddHH", "Asia/Shanghai")', 'p=2024010211'],
    ['p=DATE_CONVERT(#{region}, "yyyy-MM-dd", "UTC", "yyyyMMdd", "UTC")', 'p=null_pt'],
    ['p=CONCAT("b", #{born})', 'p=null_pt'],
    ['p=x#{id}-#{id}', 'p=x1700000000-1700000000'],
  ];
  assert.deepEqual(
    expected.map(([text]) => [text, partitionsOf(text, [values])[0]]),
    expected,
  );
});

void test('a level is in the order of time if it is a time with its largest part first', () => {
  const ordered = PartitionRule.parse('r=#{region},pt=d${yyyy-MM-dd HH}').orderedLevel(SHANGHAI);
  assert.equal(ordered?.column, 'pt');
  assert.equal(ordered.valueAt(Date.parse('2024-02-29T16:30:05Z')), 'd2024-03-01 00');
  for (const text of [
    '',
    'pt=1',
    'pt=${ddMMyyyy}',
    'pt=${yyMMdd}',
    'pt=${HH}',
    'pt=${yyyyMM}',
    'pt="a" + ${yyyyMMdd}',
    'pt=#{id}${yyyyMMdd}',
    'pt=${yyyyMMdd}${HH}',
  ])
    assert.equal(PartitionRule.parse(text).orderedLevel(SHANGHAI), null, text);
});

void test('what cannot be read is refused, and says where and what there is', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['pt', /"pt" is no level; write one as column=value/],
    ['=1', /is no level/],
    ['p t=1', /is no level/],
    ['pt=', /a value is missing/],
    ['pt=1,PT=2', /names the column PT twice/],
    ['pt=中', /gives pt a partition value with characters/],
    [`pt=${'x'.repeat(256)}`, /longer than 255 bytes/],
    ['a=1,b=1,c=1,d=1,e=1,f=1,g=1', /7 levels; MaxCompute takes 6/],
    ['pt=${bizdate}', /"bizdate" is no format of a time/],
    ['pt=${}', /"" is no format of a time/],
    ['pt=${yyyy', /has no closing brace/],
    ['pt=#{}', /names no column/],
    ['pt="x', /has no closing quote/],
    ['pt="x" + y', /"y" is no quoted text, number, #\{column\}, \$\{time\} or function/],
    ['pt="x" "y"', /is not expected here/],
    [
      'pt=UPPER(#{id})',
      /there is no function UPPER; there are CONCAT, SUBSTRING, DATE_FORMAT, TO_TIMESTAMP, DATE_CONVERT/,
    ],
    ['pt=concat("x")', /there is no function concat/],
    ['pt=SUBSTRING(#{id})', /SUBSTRING takes \(value, start from 0/],
    ['pt=SUBSTRING(#{id}, #{region})', /SUBSTRING counts in whole numbers/],
    ['pt=CONCAT("x"', /does not close CONCAT\(/],
    ['pt=DATE_FORMAT(#{id}, "seconds", "UTC", "yyyy")', /"unix" or "millis", not "seconds"/],
    ['pt=DATE_FORMAT(#{id}, "unix", "Mars", "yyyy")', /"Mars" is no time zone/],
    ['pt=DATE_FORMAT(#{id}, "unix", "UTC", "year")', /is no format of a time/],
    ['a=$b + "x",b=1', /is no level before this one/],
  ];
  for (const [text, reason] of refused) assert.throws(() => PartitionRule.parse(text), reason, text);
  assert.throws(
    () => PartitionRule.parse('pt=#{id}', '中'),
    /the value for nulls is a partition value with characters/,
  );
});

void test('a table without the column, or with one that nobody can read, is refused', () => {
  assert.deepEqual(PartitionRule.parse('a=#{region},b=CONCAT(#{nothing}, #{blob})').problems(table), [
    'partition b is of the column nothing, which `shop`.`orders` has not',
    'partition b is of the column blob, which is bytes and makes no partition',
  ]);
  assert.deepEqual(PartitionRule.parse('a=#{ID}').problems(table).length, 1, 'names are case-sensitive');
});

void test('H13: values that the service refuses never reach it, and those that it takes do', () => {
  for (const value of ['a', '20240101', 'a b:c_d$e#f.g!h@i-j', 'x'.repeat(255)])
    assert.equal(valueProblem(value), null);
  for (const value of ['', '中', 'é', 'a/b', 'a,b', "a'b", 'a=b', 'a\tb', 'a\nb', 'a\\b', 'x'.repeat(256)])
    assert.notEqual(valueProblem(value), null, JSON.stringify(value));
});
