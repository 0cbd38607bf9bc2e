import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readVectors, type StreamCase, typesOf, vectorValue } from '../../../../test/support/maxcompute/vectors.ts';
import { type ColumnType, columnTypeText, parseColumnType, type PlainKind } from './column-type.ts';
import { CRC_START, crcOfBytes, crcValue } from './crc32c.ts';
import { MalformedRows, readRows } from '../../../../test/support/maxcompute/read-rows.ts';
import { RowStream, WIRE_TYPE } from './row-stream.ts';
import { type RowValue, writeRow } from './row-value.ts';

interface Vectors {
  readonly crc32c: readonly { readonly input_hex: string; readonly crc32c: number }[];
  readonly cases: readonly StreamCase[];
  readonly upsert_cases: readonly StreamCase[];
  readonly sdk_divergences: {
    readonly payloads: readonly (Omit<StreamCase, 'payload_hex'> & { readonly java_payload_hex: string })[];
  };
  readonly must_accept: readonly { readonly same_rows_as: string; readonly payload_hex: string }[];
  readonly must_reject: readonly (Omit<StreamCase, 'rows'> & { readonly expect: string })[];
}

const vectors = readVectors<Vectors>('maxcompute-tunnel.json');
const cases: readonly StreamCase[] = [
  ...vectors.cases,
  ...vectors.upsert_cases,
  ...vectors.sdk_divergences.payloads.map((each) => ({ ...each, payload_hex: each.java_payload_hex })),
];

void test('wherever its memory has to grow, a stream keeps all of a row', () => {
  const type = parseColumnType('string');
  for (let length = 65_400; length < 65_600; length += 1) {
    const aside = new RowStream();
    const stream = new RowStream();
    const text = Buffer.alloc(2 * length, 'x');
    for (const size of [length, 2 * length]) {
      for (const into of [aside, stream]) {
        into.field(1, WIRE_TYPE.BYTES);
        into.blob(text, 0, size);
      }
      stream.endRow();
      const kept = new RowStream();
      const crc = kept.keepCopy(aside);
      stream.resumeRow(kept.bytes, 0, kept.at, crc);
      stream.endRow();
      aside.reset();
    }
    const read = readRows(stream.finish(), [type]).map(([value]) => String(value as string).length);
    assert.deepEqual(read, [length, length, 2 * length, 2 * length]);
  }
});

void test('the CRC-32C of bytes is that of the vectors', () => {
  const found = vectors.crc32c.map(({ input_hex }) => {
    const bytes = Uint8Array.from(Buffer.from(input_hex, 'hex'));
    return crcValue(crcOfBytes(CRC_START, new DataView(bytes.buffer), 0, bytes.length));
  });
  assert.deepEqual(
    found,
    vectors.crc32c.map((each) => each.crc32c),
  );
});

for (const each of cases) {
  void test(`rows of ${each.name} are written as the vector has them, and read again`, () => {
    const types = typesOf(each);
    const rows = rowsOf(each, types);
    const bytes = written(types, rows);
    assert.equal(Buffer.from(bytes).toString('hex'), each.payload_hex);
    assert.deepEqual(readRows(bytes, types), rows);
  });
}

void test('CRCs that are sign-extended to ten bytes are read', () => {
  for (const { same_rows_as, payload_hex } of vectors.must_accept) {
    const types: ColumnType[] = [{ kind: 'bigint' }];
    const rows = readRows(Buffer.from(payload_hex, 'hex'), types);
    assert.equal(rows.length, 12, same_rows_as);
    assert.deepEqual(readRows(written(types, rows), types), rows);
  }
});

for (const { name, expect, payload_hex, schema } of vectors.must_reject) {
  void test(`a stream is refused: ${name} (${expect})`, () => {
    assert.throws(() => readRows(Buffer.from(payload_hex, 'hex'), typesOf({ schema })), MalformedRows);
  });
}

void test('any rows of any types are read as they were written, and a changed byte is noticed', () => {
  fc.assert(
    fc.property(tables, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ types, rows }, place, change) => {
      const bytes = Uint8Array.from(written(types, rows));
      assert.deepEqual(readRows(bytes, types), rows);
      const at = place % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ change;
      let read: RowValue[][];
      try {
        read = readRows(bytes, types);
      } catch (error) {
        assert.ok(error instanceof MalformedRows);
        return;
      }
      // Counts and null flags of nested values are in no CRC; all that is must have been noticed.
      if (!types.some(({ kind }) => ['array', 'map', 'struct'].includes(kind))) assert.deepEqual(read, rows);
    }),
    { numRuns: 300 },
  );
});

void test('a type is read from its text and written back', () => {
  fc.assert(
    fc.property(columnTypes, (type) => {
      assert.deepEqual(parseColumnType(columnTypeText(type)), type);
    }),
  );
  assert.deepEqual(parseColumnType('STRUCT< `a b` : ARRAY<INT> , c:DECIMAL >'), {
    kind: 'struct',
    fields: [
      { name: 'a b', type: { kind: 'array', element: { kind: 'int' } } },
      { name: 'c', type: { kind: 'decimal', precision: 38, scale: 18 } },
    ],
  });
  for (const text of ['', 'number', 'array<int', 'int)', 'map<int>', 'varchar()x'])
    assert.throws(() => parseColumnType(text), /is no type of MaxCompute/);
});

function rowsOf({ rows }: StreamCase, types: readonly ColumnType[]): RowValue[][] {
  return rows.map((row) => types.map((type, index) => vectorValue(type, row[index])));
}

function written(types: readonly ColumnType[], rows: readonly (readonly RowValue[])[]): Uint8Array {
  const stream = new RowStream();
  for (const row of rows) writeRow(stream, types, row);
  return stream.finish();
}

const plainTypes = fc
  .constantFrom<PlainKind>(
    'tinyint',
    'smallint',
    'int',
    'bigint',
    'float',
    'double',
    'boolean',
    'string',
    'binary',
    'date',
    'datetime',
    'timestamp',
    'timestamp_ntz',
    'interval_day_time',
    'interval_year_month',
    'json',
  )
  .map((kind): ColumnType => ({ kind }));
const columnTypes: fc.Arbitrary<ColumnType> = fc.letrec<{ type: ColumnType }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    plainTypes,
    fc.nat(100).map((length): ColumnType => ({ kind: 'varchar', length: length + 1 })),
    fc.constant<ColumnType>({ kind: 'decimal', precision: 20, scale: 4 }),
    tie('type').map((element): ColumnType => ({ kind: 'array', element })),
    fc.tuple(tie('type'), tie('type')).map(([key, value]): ColumnType => ({ kind: 'map', key, value })),
    fc.array(tie('type'), { minLength: 1, maxLength: 3 }).map(
      (fields): ColumnType => ({
        kind: 'struct',
        fields: fields.map((type, index) => ({ name: `f${index}`, type })),
      }),
    ),
  ),
})).type;

const tables = fc.array(columnTypes, { minLength: 1, maxLength: 20 }).chain((types) =>
  fc.record({
    types: fc.constant(types),
    rows: fc.array(fc.tuple(...types.map((type) => fc.option(valuesOf(type)))), { maxLength: 5 }),
  }),
);

function valuesOf(type: ColumnType): fc.Arbitrary<RowValue> {
  switch (type.kind) {
    case 'float':
      return fc.float().map((value) => value);
    case 'double':
      return fc.double();
    case 'boolean':
      return fc.boolean();
    case 'string':
    case 'char':
    case 'varchar':
    case 'json':
      return fc.string({ unit: 'grapheme', maxLength: 400, size: 'max' });
    case 'decimal':
      return fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n }).map((value) => `${value}.0001`);
    case 'binary':
      return fc.uint8Array();
    case 'timestamp':
    case 'timestamp_ntz':
    case 'interval_day_time':
      return fc.record(
        { seconds: fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }), nanos: fc.nat(999_999_999) },
        { noNullPrototype: true },
      );
    case 'array':
      return fc.array(fc.option(valuesOf(type.element)), { maxLength: 4 });
    case 'map':
      return fc.array(fc.tuple<RowValue[]>(fc.option(valuesOf(type.key)), fc.option(valuesOf(type.value))), {
        maxLength: 3,
      });
    case 'struct':
      return fc.tuple(...type.fields.map((field) => fc.option(valuesOf(field.type))));
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'date':
    case 'datetime':
    case 'interval_year_month':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  }
}
