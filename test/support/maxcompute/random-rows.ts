import fc from 'fast-check';
import { type ColumnType, parseColumnType } from '../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { ValueType } from '../../../src/pipeline/table.ts';
import type { ScriptedValue } from '../scripted-rows.ts';

/** A column of a source, the type of the target's, and values for it. */
export interface RandomColumn {
  readonly type: ValueType;
  readonly target: ColumnType;
  readonly values: fc.Arbitrary<ScriptedValue>;
}

const EDGES = [0n, 1n, -1n, 2n ** 31n - 1n, -(2n ** 31n), 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n];
const STRINGS = ['string', 'varchar(5)', 'char(5)'];
const NUMBERS = ['tinyint', 'smallint', 'int', 'bigint', 'decimal(20,0)', 'decimal(5,2)', 'boolean', ...STRINGS];
const DECIMALS = ['decimal(12,3)', 'decimal(10,2)', 'decimal(38,18)', 'decimal(6,4)', ...STRINGS];
const TIMES = ['datetime', 'timestamp', 'timestamp_ntz', 'string'];

const TEXTS = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', '中文', '😀', "it's", 'x'.repeat(300)),
);
const DECIMAL_TEXTS = fc
  .tuple(fc.bigInt(-(10n ** 11n), 10n ** 11n), fc.constantFrom(1n, 1000n, 10n ** 6n))
  .map(([number, by]) => {
    const whole = number / by;
    const digits = String(whole < 0n ? -whole : whole).padStart(4, '0');
    return `${whole < 0n ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}`;
  });
const DAYS = fc.oneof(
  fc
    .date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  fc.constantFrom('1899-01-01', '9999-12-31', '0000-00-00', '2024-02-30', '2024-00-10', '1970-01-01'),
);
const MICROS = fc.oneof(fc.nat(999_999), fc.constantFrom(0, 999_999));
const CLOCKS = fc.tuple(fc.nat(86_399), MICROS).map(([second, micros]) => timeText(second, micros).slice(11));
const INSTANTS = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 2 ** 32 }), MICROS).map(([second, micros]) => timeText(second, micros)),
  fc.constant('0'),
);

function timeText(second: number, micros: number): string {
  const text = new Date(second * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return `${text}.${String(micros).padStart(6, '0')}`;
}

function integers(bytes: number, unsigned: boolean): fc.Arbitrary<RandomColumn> {
  const width = BigInt(bytes * 8);
  const [least, most] = unsigned ? [0n, 2n ** width - 1n] : [-(2n ** (width - 1n)), 2n ** (width - 1n) - 1n];
  const edges = EDGES.filter((edge) => edge >= least && edge <= most);
  const values = fc.oneof(fc.bigInt(least, most), fc.constantFrom(...edges));
  return column({ kind: 'integer', bytes, unsigned }, NUMBERS, values);
}

function column(
  type: ValueType,
  targets: readonly string[],
  values: fc.Arbitrary<ScriptedValue>,
): fc.Arbitrary<RandomColumn> {
  return fc
    .constantFrom(...targets)
    .map((text) => ({ type, target: parseColumnType(text), values: fc.option(values, { freq: 8 }) }));
}

export const randomColumn: fc.Arbitrary<RandomColumn> = fc.oneof(
  integers(1, false),
  integers(1, true),
  integers(2, true),
  integers(3, false),
  integers(4, false),
  integers(4, true),
  integers(8, false),
  integers(8, true),
  column({ kind: 'decimal', precision: 12, scale: 3 }, DECIMALS, DECIMAL_TEXTS),
  column({ kind: 'float' }, ['float', 'double'], fc.float({ noNaN: true, noDefaultInfinity: true })),
  column({ kind: 'double' }, ['double', 'string'], fc.double({ noNaN: true, noDefaultInfinity: true })),
  column({ kind: 'text' }, STRINGS, TEXTS),
  column({ kind: 'json' }, ['json', 'string'], TEXTS),
  column({ kind: 'label', labels: ['a', '四'], set: false }, STRINGS, fc.constantFrom('a', '四')),
  column({ kind: 'bytes' }, ['binary', ...STRINGS], fc.uint8Array({ maxLength: 300 })),
  column({ kind: 'bytes', length: 6 }, ['binary', 'string'], fc.uint8Array({ maxLength: 6 })),
  column({ kind: 'geometry' }, ['binary'], fc.uint8Array({ maxLength: 30 })),
  column({ kind: 'vector' }, ['string'], fc.constantFrom<(readonly number[])[]>([0.5, -2], [], [0.1])),
  column({ kind: 'date' }, ['date', 'string'], DAYS),
  column(
    { kind: 'datetime', fraction: 6 },
    TIMES,
    fc.tuple(DAYS, CLOCKS).map(([day, clock]) => `${day} ${clock}`),
  ),
  column({ kind: 'instant', fraction: 6 }, TIMES, INSTANTS),
  column(
    { kind: 'time', fraction: 0 },
    ['string', 'varchar(8)'],
    fc.integer({ min: -3_020_399, max: 3_020_399 }).map((second) => second * 1e6),
  ),
  column({ kind: 'bits', width: 1 }, ['boolean', 'bigint'], fc.constantFrom(Uint8Array.of(0), Uint8Array.of(1))),
  column(
    { kind: 'bits', width: 64 },
    ['bigint', 'decimal(20,0)', 'binary'],
    fc.uint8Array({ minLength: 8, maxLength: 8 }),
  ),
);
