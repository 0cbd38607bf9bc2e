import fc from 'fast-check';
import { type ColumnType, parseColumnType } from '../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../src/connectors/maxcompute/protocol/row-value.ts';
import type { ValueType } from '../../../src/pipeline/table.ts';
import type { ScriptedValue } from '../scripted-rows.ts';

/** A column of a source, the type of the target's, values for it, and what each is there: said a second time, and plainly. */
export interface RandomColumn {
  readonly type: ValueType;
  readonly target: ColumnType;
  readonly values: fc.Arbitrary<ScriptedValue>;
  /** `DIRTY` for what the target cannot hold. */
  expected(value: ScriptedValue): RowValue | typeof DIRTY;
}

export const DIRTY: unique symbol = Symbol('dirty');

const EDGES = [0n, 1n, -1n, 2n ** 31n - 1n, -(2n ** 31n), 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n];
const TEXTS = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', '中文', '😀', "it's", 'x'.repeat(300)),
);
const RANGES: Readonly<Record<string, bigint>> = { tinyint: 7n, smallint: 15n, int: 31n, bigint: 63n };
const STRINGS = ['string', 'varchar(5)', 'char(5)'];

function integers(bytes: number, unsigned: boolean): fc.Arbitrary<RandomColumn> {
  const width = BigInt(bytes * 8);
  const [least, most] = unsigned ? [0n, 2n ** width - 1n] : [-(2n ** (width - 1n)), 2n ** (width - 1n) - 1n];
  const edges = EDGES.filter((edge) => edge >= least && edge <= most);
  const targets = ['tinyint', 'smallint', 'int', 'bigint', 'decimal(20,0)', 'decimal(5,2)', 'boolean', ...STRINGS];
  return column({ kind: 'integer', bytes, unsigned }, targets, {
    values: fc.oneof(fc.bigInt(least, most), fc.constantFrom(...edges)),
    expected: (value, target) => asNumber(BigInt(value as bigint), target),
  });
}

/** A whole number in a target for numbers or texts. */
function asNumber(value: bigint, target: ColumnType): RowValue | typeof DIRTY {
  const bits = RANGES[target.kind];
  if (bits !== undefined) {
    // -2^63 is what MaxCompute has for no value at all.
    const least = bits === 63n ? -(2n ** 63n) + 1n : -(2n ** bits);
    return value >= least && value < 2n ** bits ? value : DIRTY;
  }
  if (target.kind === 'boolean') return value === 0n || value === 1n ? value === 1n : DIRTY;
  if (target.kind === 'decimal') {
    const size = value < 0n ? -value : value;
    return size < 10n ** BigInt(target.precision - target.scale) ? String(value) : DIRTY;
  }
  return asText(String(value), target);
}

function asText(text: string, target: ColumnType): string | typeof DIRTY {
  return 'length' in target && Array.from(text).length > target.length ? DIRTY : text;
}

function decimals(): fc.Arbitrary<RandomColumn> {
  const scale = 3;
  const values = fc
    .tuple(fc.bigInt(-(10n ** 11n), 10n ** 11n), fc.constantFrom(1n, 1000n, 10n ** 6n))
    .map(([n, by]) => {
      const whole = n / by;
      const digits = String(whole < 0n ? -whole : whole).padStart(scale + 1, '0');
      return `${whole < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    });
  return column(
    { kind: 'decimal', precision: 12, scale },
    ['decimal(12,3)', 'decimal(10,2)', 'decimal(38,18)', 'decimal(6,4)', ...STRINGS],
    {
      values,
      expected: (value, target) => {
        const text = String(value);
        if (target.kind !== 'decimal') return asText(text, target);
        const [whole = '', fraction = ''] = text.replace('-', '').split('.');
        const wholes = whole.replace(/^0+/, '').length;
        const fits = wholes <= target.precision - target.scale && fraction.replace(/0+$/, '').length <= target.scale;
        return fits ? text : DIRTY;
      },
    },
  );
}

function floats(): fc.Arbitrary<RandomColumn> {
  return fc.oneof(
    column({ kind: 'float' }, ['float', 'double'], {
      values: fc.float({ noNaN: true, noDefaultInfinity: true }),
      expected: (value) => Math.fround(Number(value)),
    }),
    column({ kind: 'double' }, ['double', 'string'], {
      values: fc.double({ noNaN: true, noDefaultInfinity: true }),
      expected: (value, target) => (target.kind === 'double' ? Number(value) : String(Number(value))),
    }),
  );
}

function texts(): fc.Arbitrary<RandomColumn> {
  const expected = (value: ScriptedValue, target: ColumnType) => asText(String(value), target);
  return fc.oneof(
    column({ kind: 'text' }, STRINGS, { values: TEXTS, expected }),
    column({ kind: 'json' }, ['json', 'string'], { values: TEXTS, expected }),
    column({ kind: 'label', labels: ['a', '四'], set: false }, STRINGS, {
      values: fc.constantFrom('a', '四'),
      expected,
    }),
  );
}

function blobs(): fc.Arbitrary<RandomColumn> {
  const fixed = 6;
  const padded = (value: ScriptedValue) => {
    const whole = new Uint8Array(fixed);
    whole.set(value as Uint8Array);
    return whole;
  };
  const asBinary = (bytes: Uint8Array, target: ColumnType) =>
    target.kind === 'binary'
      ? Uint8Array.from(bytes)
      : asText(Buffer.from(bytes).toString('hex').toUpperCase(), target);
  return fc.oneof(
    column({ kind: 'bytes' }, ['binary', ...STRINGS], {
      values: fc.uint8Array({ maxLength: 300 }),
      expected: (value, target) => asBinary(value as Uint8Array, target),
    }),
    column({ kind: 'bytes', length: fixed }, ['binary', 'string'], {
      values: fc.uint8Array({ maxLength: fixed }),
      expected: (value, target) => asBinary(padded(value), target),
    }),
    column({ kind: 'geometry' }, ['binary'], {
      values: fc.uint8Array({ maxLength: 30 }),
      expected: (value) => Uint8Array.from(value as Uint8Array),
    }),
    column({ kind: 'vector' }, ['string'], {
      values: fc.constantFrom<(readonly number[])[]>([0.5, -2], [], [0.1]),
      expected: (value) => JSON.stringify(value).replaceAll(' ', ''),
    }),
  );
}

const DAY_TEXTS = fc.oneof(
  fc
    .date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  fc.constantFrom('1899-01-01', '9999-12-31', '0000-00-00', '2024-02-30', '2024-00-10', '1970-01-01'),
);
const DAY_MS = 86_400_000;

/** Milliseconds of a day that is one; null of others. */
function midnight(day: string): number | null {
  const ms = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== day || day < '0001' ? null : ms;
}

function dates(): fc.Arbitrary<RandomColumn> {
  return column({ kind: 'date' }, ['date', 'string'], {
    values: DAY_TEXTS,
    expected: (value, target) => {
      if (target.kind === 'string') return String(value);
      const ms = midnight(String(value));
      return ms === null ? null : BigInt(ms / DAY_MS);
    },
  });
}

const CLOCKS = fc
  .tuple(fc.nat(86_399), fc.oneof(fc.nat(999_999), fc.constantFrom(0, 999_999)))
  .map(([second, micros]) => ({ second, micros }));
/** The clock of the tests is eight hours ahead, all the year and in all years. */
export const ZONE_NAME = '+08:00';
const AHEAD_SECONDS = 8 * 3600;

function clockText({ second, micros }: { second: number; micros: number }): string {
  const clock = new Date(second * 1000).toISOString().slice(11, 19);
  return `${clock}.${String(micros).padStart(6, '0')}`;
}

function asTime(seconds: bigint, micros: number, { kind }: ColumnType): RowValue {
  if (kind === 'datetime') return seconds * 1000n + BigInt(Math.floor(micros / 1000));
  return { seconds, nanos: micros * 1000 };
}

function datetimes(): fc.Arbitrary<RandomColumn> {
  return column({ kind: 'datetime', fraction: 6 }, ['datetime', 'timestamp', 'timestamp_ntz', 'string'], {
    values: fc.tuple(DAY_TEXTS, CLOCKS).map(([day, clock]) => `${day} ${clockText(clock)}`),
    expected: (value, target) => {
      const text = String(value);
      if (target.kind === 'string') return text;
      const ms = midnight(text.slice(0, 10));
      if (ms === null) return null;
      const [hour = 0, minute = 0, second = 0] = text.slice(11, 19).split(':').map(Number);
      const civil = BigInt(ms / 1000 + hour * 3600 + minute * 60 + second);
      return asTime(
        target.kind === 'timestamp_ntz' ? civil : civil - BigInt(AHEAD_SECONDS),
        Number(text.slice(20)),
        target,
      );
    },
  });
}

function instants(): fc.Arbitrary<RandomColumn> {
  const values = fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat(999_999))
      .map(
        ([second, micros]) =>
          `${new Date(second * 1000).toISOString().slice(0, 19).replace('T', ' ')}.${String(micros).padStart(6, '0')}`,
      ),
    fc.constant('0'),
  );
  return column({ kind: 'instant', fraction: 6 }, ['datetime', 'timestamp', 'timestamp_ntz', 'string'], {
    values,
    expected: (value, target) => {
      const text = String(value);
      if (text === '0') return target.kind === 'string' ? '1970-01-01T00:00:00.000000Z' : null;
      if (target.kind === 'string') return `${text.replace(' ', 'T')}Z`;
      const seconds = BigInt(Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`) / 1000);
      return asTime(
        target.kind === 'timestamp_ntz' ? seconds + BigInt(AHEAD_SECONDS) : seconds,
        Number(text.slice(20)),
        target,
      );
    },
  });
}

function times(): fc.Arbitrary<RandomColumn> {
  return column({ kind: 'time', fraction: 0 }, ['string', 'varchar(8)'], {
    values: fc.integer({ min: -3_020_399, max: 3_020_399 }).map((second) => second * 1e6),
    expected: (value, target) => {
      const size = Math.abs(Number(value)) / 1e6;
      const two = (number: number) => String(Math.floor(number)).padStart(2, '0');
      return asText(
        `${Number(value) < 0 ? '-' : ''}${two(size / 3600)}:${two((size / 60) % 60)}:${two(size % 60)}`,
        target,
      );
    },
  });
}

function bits(): fc.Arbitrary<RandomColumn> {
  const number = (value: ScriptedValue) => BigInt(`0x${Buffer.from(value as Uint8Array).toString('hex') || '0'}`);
  return fc.oneof(
    column({ kind: 'bits', width: 1 }, ['boolean', 'bigint'], {
      values: fc.constantFrom(Uint8Array.of(0), Uint8Array.of(1)),
      expected: (value, target) => asNumber(number(value), target),
    }),
    column({ kind: 'bits', width: 64 }, ['bigint', 'decimal(20,0)', 'binary'], {
      values: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      expected: (value, target) =>
        target.kind === 'binary' ? Uint8Array.from(value as Uint8Array) : asNumber(number(value), target),
    }),
  );
}

function column(
  type: ValueType,
  targets: readonly string[],
  of: {
    values: fc.Arbitrary<ScriptedValue>;
    expected: (value: ScriptedValue, target: ColumnType) => RowValue | typeof DIRTY;
  },
): fc.Arbitrary<RandomColumn> {
  return fc.constantFrom(...targets).map((text) => {
    const target = parseColumnType(text);
    return {
      type,
      target,
      values: fc.option(of.values, { freq: 8 }),
      expected: (value: ScriptedValue) => (value === null ? null : of.expected(value, target)),
    };
  });
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
  decimals(),
  floats(),
  texts(),
  blobs(),
  dates(),
  datetimes(),
  instants(),
  times(),
  bits(),
);
