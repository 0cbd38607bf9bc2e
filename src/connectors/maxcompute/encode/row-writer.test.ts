import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainBucket, plainHash } from '../../../../test/support/maxcompute/plain-hash.ts';
import { DIRTY, type Expected, plainValue, ZONE_NAME } from '../../../../test/support/maxcompute/plain-value.ts';
import { type RandomColumn, randomColumn } from '../../../../test/support/maxcompute/random-rows.ts';
import {
  deletes,
  inserts,
  SCRIPTED_PLACE,
  type ScriptedRow,
  scriptedTable,
  updates,
} from '../../../../test/support/scripted-rows.ts';
import { TimeZone } from '../../../lib/time-zone.ts';
import type { RowsPart } from '../../../pipeline/batch.ts';
import type { TableVersion, ValueType } from '../../../pipeline/table.ts';
import { type Partition, PartitionRule } from '../partition.ts';
import { bucketOf } from '../protocol/key-hash.ts';
import { parseColumnType } from '../protocol/column-type.ts';
import { readRows } from '../../../../test/support/maxcompute/read-rows.ts';
import { RowStream, WIRE_TYPE } from '../protocol/row-stream.ts';
import type { RowValue } from '../protocol/row-value.ts';
import type { SessionColumn } from '../protocol/tunnel-target.ts';
import { UPSERT_COLUMNS, UPSERT_OPERATION } from '../protocol/upsert-session.ts';
import { wantedTable } from '../wanted-table.ts';
import type { AsideRow } from './row-encoder.ts';
import { type LayoutForm, layRows, type RowLayout } from './row-layout.ts';
import { RowWriter } from './row-writer.ts';
import { DIRTY_REASONS } from './wire.ts';

const ZONE = new TimeZone(ZONE_NAME);
const BIGINT: ValueType = { kind: 'integer', bytes: 8, unsigned: false };
const TEXT: ValueType = { kind: 'text' };

/** Rows as they went out, by partition and bucket, and what was dirty. */
class Written {
  readonly streams = new Map<string, RowStream>();
  readonly dirty: string[] = [];
  readonly writer = new RowWriter(ZONE);
  readonly #columns: readonly SessionColumn[];
  readonly #form: LayoutForm;
  readonly #buckets: number;
  readonly #rule: PartitionRule;
  readonly #key: readonly string[];

  constructor(
    form: LayoutForm,
    columns: readonly SessionColumn[],
    { buckets = 1, partition = '', key = [] as readonly string[] } = {},
  ) {
    this.#form = form;
    this.#columns = columns;
    this.#buckets = buckets;
    this.#rule = PartitionRule.parse(partition);
    this.#key = key;
  }

  write(part: RowsPart): this {
    this.writer.write(part, this.#target(part.table));
    return this;
  }

  writeVoid(table: TableVersion, timeMicros: number): void {
    this.writer.writeVoid({ place: SCRIPTED_PLACE, timeMicros }, this.#target(table));
  }

  /** By partition and bucket, such as `pt=1/0`. */
  rows(): Record<string, RowValue[][]> {
    const types = [...this.#columns, ...(this.#form === 'delta' ? UPSERT_COLUMNS : [])].map(({ type }) => type);
    return Object.fromEntries(Array.from(this.streams, ([name, stream]) => [name, readRows(stream.finish(), types)]));
  }

  #take({ spec }: Partition, row: AsideRow, isDelete: boolean): void {
    const name = `${spec}/${bucketOf(row.hash, this.#buckets)}`;
    const stream = this.streams.get(name) ?? new RowStream();
    this.streams.set(name, stream);
    const kept = new RowStream();
    const crc = kept.keepCopy(row.stream);
    stream.resumeRow(kept.bytes, 0, kept.at, crc);
    if (this.#form === 'delta') {
      stream.field(this.#columns.length + 3, WIRE_TYPE.VARINT);
      stream.integer(isDelete ? UPSERT_OPERATION.DELETE : UPSERT_OPERATION.UPSERT);
      stream.field(this.#columns.length + 5, WIRE_TYPE.BYTES);
      stream.uncounted(0);
    }
    stream.endRow();
  }

  #target(table: TableVersion) {
    return {
      layout: layRows(table, { form: this.#form, columns: this.#columns, hashKey: this.#key }),
      partitions: this.#rule.of(table, ZONE),
      rows: {
        take: (partition: Partition, row: AsideRow, _layout: RowLayout, isDelete: boolean) =>
          this.#take(partition, row, isDelete),
        onDirty: (reason: string) => void this.dirty.push(reason),
      },
    };
  }
}

function session(columns: Readonly<Record<string, string>>): SessionColumn[] {
  return Object.entries(columns).map(([name, type]) => ({ name, type: parseColumnType(type), nullable: true }));
}

const users = scriptedTable('shop', 'users', { id: BIGINT, name: TEXT }, ['id']);
const userColumns = session({ id: 'bigint', name: 'string' });

void test('a row is upserted with its operation behind the values, and deleted by its key alone', () => {
  const written = new Written('delta', userColumns, { key: ['id'] });
  written.write(inserts(users, [[1, 'a']], 'read')).write(
    updates(users, [
      [
        [1, 'a'],
        [1, 'b'],
      ],
    ]),
  );
  written.write(deletes(users, [[1, 'b']]));
  assert.deepEqual(written.rows(), {
    '/0': [
      [1n, 'a', null, null, 85n, null, []],
      [1n, 'b', null, null, 85n, null, []],
      [1n, null, null, null, 68n, null, []],
    ],
  });
  assert.deepEqual(written.dirty, []);
});

void test('an update of the key deletes the old one and upserts the new one, each in its bucket', () => {
  const written = new Written('delta', userColumns, { key: ['id'], buckets: 16 });
  written.write(
    updates(users, [
      [
        [1, 'a'],
        [2, 'a'],
      ],
    ]),
  );
  const bucket = (id: bigint) => plainBucket([plainHash('default', { kind: 'bigint' }, id)], 16);
  assert.notEqual(bucket(1n), bucket(2n));
  assert.deepEqual(written.rows(), {
    [`/${bucket(1n)}`]: [[1n, null, null, null, 68n, null, []]],
    [`/${bucket(2n)}`]: [[2n, 'a', null, null, 85n, null, []]],
  });
});

void test('an update that moves a row to another partition deletes it in the old one', () => {
  const written = new Written('delta', userColumns, { key: ['id'], partition: 'region=#{name}' });
  written.write(
    updates(users, [
      [
        [1, 'cn'],
        [1, 'us'],
      ],
      [
        [2, 'cn'],
        [2, null],
      ],
    ]),
  );
  assert.deepEqual(written.rows(), {
    'region=cn/0': [
      [1n, null, null, null, 68n, null, []],
      [2n, null, null, null, 68n, null, []],
    ],
    'region=us/0': [[1n, 'us', null, null, 85n, null, []]],
    'region=null_pt/0': [[2n, null, null, null, 85n, null, []]],
  });
});

const logColumns = wantedTable(users, 'log', []).columns.map((column) => ({ ...column, nullable: true }));
const at = (position: number) => ({ ...SCRIPTED_PLACE, epoch: 1, position });
const ID = '00100000010000000010000000000';

void test('a log has one row of an insert or delete, and two of an update with one sequence id', () => {
  const written = new Written('log', logColumns);
  const timeMicros = 1_700_000_000_123_456;
  written.write({
    ...inserts(users, [
      [1, 'a'],
      [2, null],
    ]),
    place: at(1000),
    timeMicros,
  });
  written.write({
    ...updates(users, [
      [
        [1, 'a'],
        [3, 'b'],
      ],
    ]),
    place: at(2000),
    timeMicros,
  });
  written.write({ ...deletes(users, [[3, 'b']]), place: at(3000), timeMicros });
  const ms = 1_700_000_000_123n;
  assert.deepEqual(written.rows(), {
    '/0': [
      [`${ID}000`, 'I', ms, 'N', 'Y', 1n, 'a'],
      [`${ID}001`, 'I', ms, 'N', 'Y', 2n, null],
      [`${ID.replace('1000000000', '2000000000')}000`, 'U', ms, 'Y', 'N', 1n, 'a'],
      [`${ID.replace('1000000000', '2000000000')}000`, 'U', ms, 'N', 'Y', 3n, 'b'],
      [`${ID.replace('1000000000', '3000000000')}000`, 'D', ms, 'Y', 'N', 3n, 'b'],
    ],
  });
});

void test('where rows before are void, a log says so', () => {
  const written = new Written('log', logColumns, { partition: 'pt=${yyyyMMdd},r=#{name}' });
  written.writeVoid(users, Date.parse('2024-02-29T16:00:00Z') * 1000);
  assert.deepEqual(written.rows(), {
    'pt=20240301,r=null_pt/0': [['00000000010000000010000000000000', 'T', 1_709_222_400_000n, 'N', 'N', null, null]],
  });
});

void test('what makes rows void is not older than the changes that it follows, whatever its statement says', () => {
  const written = new Written('log', logColumns);
  written.write({ ...inserts(users, [[1, 'a']]), timeMicros: 7_000_000 });
  written.write({ ...inserts(users, [[2, 'b']], 'read'), timeMicros: 9_000_000 });
  written.writeVoid(users, 5_000_000);
  written.writeVoid(users, 8_000_000);
  assert.deepEqual(
    written.rows()['/0']?.map(([, operation, ms]) => [operation, ms]),
    [
      ['I', 7000n],
      ['I', 9000n],
      ['T', 7000n],
      ['T', 8000n],
    ],
  );
});

void test('rows that are appended are the new values; deletes are left out, and counted', () => {
  const written = new Written('rows', userColumns);
  written.write(inserts(users, [[1, 'a']])).write(
    updates(users, [
      [
        [1, 'a'],
        [1, 'b'],
      ],
    ]),
  );
  written.write(
    deletes(users, [
      [1, 'b'],
      [2, 'c'],
    ]),
  );
  assert.deepEqual(written.rows(), {
    '/0': [
      [1n, 'a'],
      [1n, 'b'],
    ],
  });
  assert.equal(written.writer.deletesLeftOut, 2);
});

void test('H16: a column added in the middle of the source is at the end of the target, and values go by name', () => {
  const table = scriptedTable('shop', 'users', { ID: BIGINT, added: TEXT, name: TEXT, gone: TEXT }, ['ID']);
  const columns = session({ id: 'bigint', Name: 'string', old: 'string', added: 'string' });
  const written = new Written('rows', columns);
  written.write(
    inserts(table, [
      [1, 'new', 'a', 'x'],
      [2, null, null, 'x'],
    ]),
  );
  assert.deepEqual(written.rows(), {
    '/0': [
      [1n, 'a', null, 'new'],
      [2n, null, null, null],
    ],
  });
});

void test('H17: BIGINT -2^63, and decimals beyond what the target holds, are dirty; nothing of their rows is left', () => {
  const table = scriptedTable(
    'shop',
    't',
    { id: BIGINT, big: BIGINT, amount: { kind: 'decimal', precision: 65, scale: 30 } },
    ['id'],
  );
  const written = new Written('delta', session({ id: 'bigint', big: 'bigint', amount: 'decimal(38,18)' }), {
    key: ['id'],
  });
  written.write(
    inserts(table, [
      [1, -(2n ** 63n), null],
      [2, -(2n ** 63n) + 1n, `${'9'.repeat(20)}.${'9'.repeat(18)}${'0'.repeat(12)}`],
      [3, 0, `1${'0'.repeat(20)}.${'0'.repeat(30)}`],
      [4, 0, `0.${'0'.repeat(18)}1${'0'.repeat(11)}`],
    ]),
  );
  assert.deepEqual(
    written.rows()['/0']?.map((row) => row.slice(0, 3)),
    [[2n, -(2n ** 63n) + 1n, `${'9'.repeat(20)}.${'9'.repeat(18)}${'0'.repeat(12)}`]],
  );
  assert.deepEqual(written.dirty, [DIRTY_REASONS[3], DIRTY_REASONS[4], DIRTY_REASONS[4]]);
});

void test('H18: DATETIME of 1899 and of the year 9999 arrive exactly', () => {
  const table = scriptedTable('shop', 't', { id: BIGINT, at: { kind: 'datetime', fraction: 3 } }, ['id']);
  const written = new Written('rows', session({ id: 'bigint', at: 'datetime' }));
  written.write(
    inserts(table, [
      [1, '1899-01-01 00:00:00.001'],
      [2, '9999-12-31 23:59:59.999'],
      [3, '0000-00-00 00:00:00'],
    ]),
  );
  assert.deepEqual(written.rows(), {
    '/0': [
      [1n, BigInt(Date.parse('1899-01-01T00:00:00.001+08:00'))],
      [2n, BigInt(Date.parse('9999-12-31T23:59:59.999+08:00'))],
      [3n, null],
    ],
  });
});

void test('text of more than 8 MiB is dirty, and the row aside gives its memory back', () => {
  const written = new Written('rows', userColumns);
  const longest = 'x'.repeat(8 * 1024 * 1024);
  written.write(
    inserts(users, [
      [1, longest],
      [2, `${longest}y`],
      [3, 'z'],
    ]),
  );
  assert.deepEqual(
    written.rows()['/0']?.map(([id, name]) => [id, String(name as string).length]),
    [
      [1n, longest.length],
      [3n, 1],
    ],
  );
  assert.deepEqual(written.dirty, [DIRTY_REASONS[6]]);
});

void test('a null in the key, and a date that is none, are dirty', () => {
  const table = scriptedTable('shop', 't', { day: { kind: 'date' }, name: TEXT }, ['day']);
  const written = new Written('delta', session({ day: 'date', name: 'string' }), { key: ['day'] });
  written
    .write(
      inserts(table, [
        ['0000-00-00', 'a'],
        [null, 'b'],
      ]),
    )
    .write(deletes(table, [['0000-00-00', 'a']]));
  assert.deepEqual(written.rows(), {});
  assert.deepEqual(written.dirty, [DIRTY_REASONS[5], DIRTY_REASONS[1], DIRTY_REASONS[5]]);
});

void test('H13: a value that makes no partition is a dirty row, and a null goes where the default says', () => {
  const written = new Written('rows', userColumns, { partition: 'name=#{name}' });
  written.write(
    inserts(users, [
      [1, null],
      [2, '中文'],
      [3, 'x'.repeat(255)],
      [4, 'x'.repeat(256)],
      [5, ''],
      [6, 'a,b'],
    ]),
  );
  assert.deepEqual(Object.keys(written.rows()), ['name=null_pt/0', `name=${'x'.repeat(255)}/0`]);
  assert.deepEqual(written.dirty, [
    'a partition value with characters that MaxCompute does not take in one, for name',
    'a partition value longer than 255 bytes, for name',
    'a partition value that is empty, for name',
    'a partition value with characters that MaxCompute does not take in one, for name',
  ]);
});

function expected(column: RandomColumn | undefined, value: ScriptedRow[number]): Expected {
  return column === undefined ? null : plainValue(column.type, column.target, value);
}

interface Case {
  readonly columns: readonly RandomColumn[];
  readonly order: readonly number[];
  readonly rows: readonly ScriptedRow[];
}

const cases: fc.Arbitrary<Case> = fc.array(randomColumn, { minLength: 1, maxLength: 10 }).chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    order: fc.shuffledSubarray(columns.map((_, index) => index)),
    rows: fc.array(fc.tuple(...columns.map(({ values }) => values)), { maxLength: 8 }),
  }),
);

void test('random rows of random tables are read back as what they are, by another reader, whatever the columns’ places', () => {
  fc.assert(
    fc.property(cases, ({ columns, order, rows }) => {
      const table = scriptedTable(
        'd',
        't',
        Object.fromEntries(columns.map(({ type }, index) => [`c${index}`, type])),
        [],
      );
      const target = order.map((index) => ({
        name: `C${index}`,
        type: columns[index]?.target ?? parseColumnType('string'),
        nullable: true,
      }));
      const written = new Written('rows', target);
      written.write(inserts(table, rows));
      const wanted = rows.map((row) => order.map((index) => expected(columns[index], row[index] ?? null)));
      const clean = wanted.filter((row) => !row.includes(DIRTY as never));
      assert.deepEqual(written.rows()['/0'] ?? [], clean);
      assert.equal(written.dirty.length, rows.length - clean.length);
    }),
    { numRuns: 3000 },
  );
});

void test('random keys are in the bucket that a second hash says, and are deleted from there', () => {
  fc.assert(
    fc.property(cases, ({ columns, rows }) => {
      const keyable = columns.filter(({ target }) => !['json', 'binary'].includes(target.kind));
      const types = Object.fromEntries(keyable.map(({ type }, index) => [`c${index}`, type]));
      const table = scriptedTable('d', 't', types, Object.keys(types));
      const target = keyable.map((column, index) => ({ name: `c${index}`, type: column.target, nullable: false }));
      if (target.length === 0) return;
      const keys = rows.map((row) =>
        columns.flatMap((column, index) => (keyable.includes(column) ? [row[index] ?? null] : [])),
      );
      const written = new Written('delta', target, { key: Object.keys(types), buckets: 16 });
      written.write(inserts(table, keys)).write(deletes(table, keys));
      const found: string[] = [];
      for (const [name, inBucket] of Object.entries(written.rows()))
        for (const row of inBucket) {
          const hashes = target.map(({ type }, index) => plainHash('default', type, row[index] ?? null));
          assert.equal(`/${plainBucket(hashes, 16)}`, name);
          found.push(String(row[target.length + 2] as bigint));
        }
      assert.equal(
        found.filter((operation) => operation === '85').length,
        found.filter((operation) => operation === '68').length,
      );
      assert.equal(found.length + written.dirty.length, 2 * keys.length);
    }),
    { numRuns: 1000 },
  );
});
