import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { startHologresUnderTest, type HologresUnderTest } from '../../../test/support/hologres-under-test.ts';
import { batchOf, inserts, type ScriptedRow, type ScriptedValue } from '../../../test/support/scripted-rows.ts';
import { checkpoint, newOwner, newTable, POLICIES } from '../../../test/support/sink-contract.ts';
import type { TableVersion, ValueType } from '../../pipeline/table.ts';

const INT: ValueType = { kind: 'integer', bytes: 4, unsigned: false };
/** Enough rows that they are copied. */
const COPIED = 600;

interface Case {
  readonly type: ValueType;
  /** Values, and the text that PostgreSQL prints of what arrived. */
  readonly values: readonly (readonly [ScriptedValue, string | null])[];
}

const int = (bytes: number, unsigned = false): ValueType => ({ kind: 'integer', bytes, unsigned });
const decimal = (precision: number, scale: number): ValueType => ({ kind: 'decimal', precision, scale });
const same = (...values: readonly string[]) => values.map((value) => [value, value] as const);

const CASES: Readonly<Record<string, Case>> = {
  tiny: {
    type: int(1),
    values: [
      [-128, '-128'],
      [127, '127'],
    ],
  },
  tinyUnsigned: { type: int(1, true), values: [[255, '255']] },
  smallUnsigned: { type: int(2, true), values: [[65535, '65535']] },
  medium: { type: int(3), values: [[-8388608, '-8388608']] },
  int: {
    type: int(4),
    values: [
      [-2147483648, '-2147483648'],
      [2147483647, '2147483647'],
    ],
  },
  intUnsigned: { type: int(4, true), values: [[4294967295, '4294967295']] },
  big: {
    type: int(8),
    values: [
      [-(2n ** 63n), '-9223372036854775808'],
      [2n ** 63n - 1n, '9223372036854775807'],
      [2n ** 53n + 1n, '9007199254740993'],
      [-1, '-1'],
      [-(2n ** 53n) - 1n, '-9007199254740993'],
    ],
  },
  bigUnsigned: {
    type: int(8, true),
    values: [
      [2n ** 64n - 1n, '18446744073709551615'],
      [0, '0'],
      [10000, '10000'],
      [1234567890123, '1234567890123'],
      [2n ** 63n, '9223372036854775808'],
    ],
  },
  decimal: {
    type: decimal(12, 2),
    values: [...same('0.00', '-0.01', '9999999999.99', '-9999999999.99', '100.00', '10000.00'), ['-0.00', '0.00']],
  },
  decimalWide: {
    type: decimal(38, 30),
    values: same(
      '12345678.123456789012345678901234567890',
      '0.000000000000000000000000000001',
      '-99999999.999999999999999999999999999999',
    ),
  },
  decimalWhole: { type: decimal(20, 0), values: same('99999999999999999999', '10000', '-1', '0') },
  decimalBeyond: { type: decimal(65, 30), values: same(`${'9'.repeat(35)}.${'9'.repeat(30)}`) },
  float: {
    type: { kind: 'float' },
    values: [
      [0.1, '0.1'],
      [16777217, '1.6777216e+07'],
      [-3.4028234663852886e38, '-3.4028235e+38'],
      [1e-45, '1e-45'],
    ],
  },
  double: {
    type: { kind: 'double' },
    values: [
      [0.1, '0.1'],
      [1.7976931348623157e308, '1.7976931348623157e+308'],
      [5e-324, '5e-324'],
      [-0, '-0'],
    ],
  },
  text: {
    type: { kind: 'text' },
    values: [
      ...same('', 'Ünïcödé 🐟 漢字', 'a\tb\nc\\N\\.', 'x'.repeat(511), 'y'.repeat(70_000)),
      ['nul\0in\0text', 'nulintext'],
      [`${'z'.repeat(600)}\0`, 'z'.repeat(600)],
    ],
  },
  bytes: {
    type: { kind: 'bytes' },
    values: [
      [new Uint8Array(0), '\\x'],
      [new Uint8Array([0, 255, 92, 10]), '\\x00ff5c0a'],
    ],
  },
  bytesFixed: {
    type: { kind: 'bytes', length: 4 },
    values: [
      [new Uint8Array([97]), '\\x61000000'],
      [new Uint8Array([1, 2, 3, 4]), '\\x01020304'],
    ],
  },
  date: {
    type: { kind: 'date' },
    values: [
      ...same('0001-01-01', '9999-12-31', '1969-12-31', '2000-02-29', '1582-10-10'),
      ['0000-00-00', null],
      ['2023-02-00', null],
      ['2023-02-29', null],
      ['1900-02-29', null],
    ],
  },
  datetime: {
    type: { kind: 'datetime', fraction: 6 },
    values: [
      ...same(
        '0001-01-01 00:00:00',
        '9999-12-31 23:59:59.999999',
        '1969-12-31 23:59:59.999999',
        '1000-01-01 12:34:56.000001',
        '1999-12-31 23:59:59.5',
      ),
      ['0000-00-00 00:00:00', null],
    ],
  },
  instant: {
    type: { kind: 'instant', fraction: 6 },
    values: [
      ['1970-01-01 00:00:01', '1970-01-01 00:00:01+00'],
      ['2038-01-19 03:14:07.999999', '2038-01-19 03:14:07.999999+00'],
      ['2106-02-07 06:28:15', '2106-02-07 06:28:15+00'],
      ['0', null],
    ],
  },
  time: {
    type: { kind: 'time', fraction: 3 },
    values: [
      [-3_600_000_000, '-01:00:00.000'],
      [3_020_399_999_000, '838:59:59.999'],
      [0, '00:00:00.000'],
    ],
  },
  timeWhole: {
    type: { kind: 'time', fraction: 0 },
    values: [
      [-3_020_399_000_000, '-838:59:59'],
      [45_296_000_000, '12:34:56'],
    ],
  },
  year: {
    type: { kind: 'year' },
    values: [
      [0, '0'],
      [2155, '2155'],
    ],
  },
  bit: {
    type: { kind: 'bits', width: 1 },
    values: [
      [new Uint8Array([1]), 'true'],
      [new Uint8Array([0]), 'false'],
    ],
  },
  bits: {
    type: { kind: 'bits', width: 10 },
    values: [
      [new Uint8Array([2, 3]), '1000000011'],
      [new Uint8Array([0, 1]), '0000000001'],
    ],
  },
  bitsWide: { type: { kind: 'bits', width: 64 }, values: [[new Uint8Array(8).fill(255), '1'.repeat(64)]] },
  label: { type: { kind: 'label', labels: ['a', 'ü'], set: false }, values: same('a', 'ü', '') },
  set: { type: { kind: 'label', labels: ['a', 'b'], set: true }, values: same('', 'a,b') },
  json: {
    type: { kind: 'json' },
    values: [
      [
        '{"a": [1, "\\u0000x\\\\u0000"], "n": 12345678901234567890.5}',
        '{"a": [1, "x\\\\u0000"], "n": 12345678901234567890.5}',
      ],
      ['null', 'null'],
      ['"\\\\\\u0000"', '"\\\\"'],
    ],
  },
  geometry: { type: { kind: 'geometry' }, values: [[new Uint8Array([1, 1, 0, 0, 0]), '\\x0101000000']] },
  vector: { type: { kind: 'vector' }, values: [[[0.1, -2, 3.5e10], '[0.1,-2,35000000000]']] },
};

for (const writePath of ['staging', 'fixed']) {
  void describe(`values by the ${writePath} path`, () => {
    let system: HologresUnderTest;
    before(async () => {
      system = await startHologresUnderTest({ options: { writePath } });
    });
    after(() => system.stop());

    async function arrive(table: TableVersion, rows: readonly ScriptedRow[], op: 'insert' | 'read' = 'insert') {
      const sink = system.open(newOwner(), POLICIES);
      await sink.recover();
      const target = system.target(table.id);
      assert.deepEqual(await sink.prepare([{ table, target }]), []);
      await sink.write(batchOf(inserts(table, rows, op)));
      const { failed } = await sink.commit(checkpoint(1));
      assert.deepEqual(failed, []);
      await sink.close();
      return system.read(
        target,
        table.columns.map(({ name }) => name),
      );
    }

    void it('every edge value of every kind arrives exactly, as do nulls', async () => {
      const columns = { k: INT, ...Object.fromEntries(Object.entries(CASES).map(([name, { type }]) => [name, type])) };
      const table = newTable(columns, ['k']);
      const cases = Object.values(CASES);
      const height = Math.max(...cases.map(({ values }) => values.length)) + 1;
      const rows = Array.from({ length: COPIED }, (_, row) => [
        row + 100_000,
        ...cases.map(({ values }) => values[row % height]?.[0] ?? null),
      ]);
      const wanted = rows.map((row, index) => [
        String(row[0]),
        ...cases.map(({ values }) => values[index % height]?.[1] ?? null),
      ]);
      assert.deepEqual(await arrive(table, rows), wanted);
      // Once more over what is there: merged instead of copied.
      assert.deepEqual(await arrive(table, rows, 'read'), wanted);
      const few = newTable(columns, ['k']);
      assert.deepEqual(await arrive(few, rows.slice(0, height)), wanted.slice(0, height));
    });

    void it('any decimal and any 64-bit integer arrive digit by digit', async () => {
      const table = newTable({ k: INT, d: decimal(38, 12), u: int(8, true), s: int(8) }, ['k']);
      const rows = fc
        .sample(
          fc.record({
            whole: fc.bigInt({ min: 0n, max: 10n ** 26n - 1n }),
            cut: fc.integer({ min: 0, max: 26 }),
            part: fc.bigInt({ min: 0n, max: 10n ** 12n - 1n }),
            zeros: fc.integer({ min: 0, max: 12 }),
            minus: fc.boolean(),
            u: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
            s: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
          }),
          2000,
        )
        .map(({ whole, cut, part, zeros, minus, u, s }, k) => {
          const decimals = String(part).padStart(12, '0').slice(zeros).padStart(12, '0');
          const digits = `${whole / 10n ** BigInt(cut)}.${decimals}`;
          return [k, minus && /[1-9]/.test(digits) ? `-${digits}` : digits, u, s] as const;
        });
      const arrived = await arrive(table, rows);
      const wanted = rows.map((row) => row.map(String));
      assert.deepEqual([...arrived].sort(byFirst), [...wanted].sort(byFirst));
    });

    void it('keys of every kind that can be one find their row again', async () => {
      const kinds: Readonly<Record<string, readonly [ValueType, ScriptedValue, ScriptedValue]>> = {
        unsigned: [int(8, true), 2n ** 64n - 1n, 2n ** 63n],
        decimal: [decimal(10, 2), '0.00', '1000000.10'],
        double: [{ kind: 'double' }, 0, 0.1],
        datetime: [{ kind: 'datetime', fraction: 6 }, '1969-12-31 23:59:59.999999', '2020-01-01 00:00:00'],
        instant: [{ kind: 'instant', fraction: 6 }, '2020-01-01 00:00:00.000001', '2020-01-01 00:00:00'],
        binary: [{ kind: 'bytes', length: 4 }, new Uint8Array([97]), new Uint8Array([97, 1])],
        label: [{ kind: 'label', labels: ['a', 'b'], set: false }, 'a', 'b'],
        bits: [{ kind: 'bits', width: 9 }, new Uint8Array([1, 0]), new Uint8Array([0, 1])],
        text: [{ kind: 'text' }, 'a ', 'A '],
      };
      for (const [name, [type, one, two]] of Object.entries(kinds)) {
        const table = newTable({ [name]: type, v: INT }, [name]);
        await arrive(table, [
          [one, 1],
          [two, 2],
        ]);
        const rows = await arrive(table, [[one, 11]], 'read');
        assert.deepEqual(new Set(rows.map((row) => row[1])), new Set(['11', '2']), name);
      }
    });
  });
}

function byFirst(a: readonly unknown[], b: readonly unknown[]): number {
  return Number(a[0]) - Number(b[0]);
}
