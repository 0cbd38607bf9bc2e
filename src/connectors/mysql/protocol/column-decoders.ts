import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import { decoderOf } from '../charset/charset.ts';
import type { MysqlColumn } from '../types.ts';
import { ADDRESS_TEXTS } from './address-text.ts';
import { expandValue } from './compressed-value.ts';
import { CorruptEvent } from './corrupt-event.ts';
import type { Decode } from './decode.ts';
import { decimalBytes, visitDecimal } from './decimal.ts';
import { visitGeometry } from './geometry.ts';
import { JsonDocument } from './json-document.ts';
import { decodeOldDatetime, decodeOldTime, decodeOldTimestamp, oldTemporalBytes } from './old-temporal.ts';
import type { LogType } from './table-map.ts';

export interface ColumnDecoder {
  readonly decode: Decode;
  /** Bytes of each value; negative: its length stands before it, in so many bytes. */
  readonly size: number;
}

/** 10^6, 10^5 … by digits of a fraction: what its stored number is multiplied with to give microseconds. */
const FRACTION_UNIT = [0, 10_000, 10_000, 100, 100, 1, 1];

/**
 * The decoder of one column in a row image; of a column that the shape leaves out it can only tell the size. Closures, one per column: no code is generated at run time.
 * Source: MySQL Server source documentation, "Binary log: column types"; semantics checked by values.mysql.test.ts.
 */
export function columnDecoder(type: LogType, column: MysqlColumn | undefined): ColumnDecoder {
  // The log does not tell the fraction of old temporal types.
  const known = column !== undefined && OLD_TEMPORAL.has(type.code) ? { code: type.code, meta: column.log.meta } : type;
  return { decode: column === undefined ? () => fail(type) : decodeOf(known, column), size: sizeOf(known) };
}

/** BLOB, and what is stored like it: JSON, geometry, vector, compressed BLOB. Their metadata is the size of their length. */
const LENGTH_IN_META = new Set([252, 245, 255, 242, 140]);
/** TIMESTAMP, TIME, DATETIME of tables made before 5.6. */
const OLD_TEMPORAL = new Set([7, 11, 12]);
/** What is read is at once copied elsewhere, so that all columns share it. */
const JSON_DOCUMENT = new JsonDocument();

function decodeOf(type: LogType, { column, charset }: MysqlColumn): Decode {
  const unsigned = column.type.kind === 'integer' && column.type.unsigned;
  switch (type.code) {
    case 1:
      return unsigned
        ? (b, at, v) => (v.integer(b[at]!), at + 1)
        : (b, at, v) => (v.integer((b[at]! << 24) >> 24), at + 1);
    case 2:
      return unsigned
        ? (b, at, v) => (v.integer(b[at]! | (b[at + 1]! << 8)), at + 2)
        : (b, at, v) => (v.integer(((b[at]! | (b[at + 1]! << 8)) << 16) >> 16), at + 2);
    case 9:
      return unsigned
        ? (b, at, v) => (v.integer(b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16)), at + 3)
        : (b, at, v) => (v.integer(((b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16)) << 8) >> 8), at + 3);
    case 3:
      return unsigned
        ? (b, at, v) => (v.integer(int32(b, at) >>> 0), at + 4)
        : (b, at, v) => (v.integer(int32(b, at)), at + 4);
    case 8:
      return (b, at, v) => decodeBigint(b, at, v, unsigned);
    case 13:
      return (b, at, v) => (v.integer(b[at] === 0 ? 0 : 1900 + b[at]!), at + 1);
    case 4:
      return (b, at, v) => (v.float(b.readFloatLE(at)), at + 4);
    case 5:
      return (b, at, v) => (v.double(b.readDoubleLE(at)), at + 8);
    case 246:
      return visitDecimal(type.meta >> 8, type.meta & 0xff);
    case 16: {
      const bytes = (type.meta + 7) >> 3;
      return (b, at, v) => (v.bits(b, at, at + bytes), at + bytes);
    }
    case 10:
      return decodeDate;
    case 19:
      return decodeTime(type.meta);
    case 18:
      return decodeDatetime(type.meta);
    case 17:
      return decodeTimestamp(type.meta);
    case 11:
      return decodeOldTime(type.meta);
    case 12:
      return decodeOldDatetime(type.meta);
    case 7:
      return decodeOldTimestamp(type.meta);
    case 245:
      return (b, at, v) => {
        const start = at + type.meta;
        const end = start + readLength(b, at, type.meta);
        const text = JSON_DOCUMENT.read(b, start, end);
        v.json(text.bytes, 0, text.length);
        return end;
      };
    case 255:
      return (b, at, v) => {
        const start = at + type.meta;
        const end = start + readLength(b, at, type.meta);
        visitGeometry(b, start, end, v);
        return end;
      };
    case 242:
      return (b, at, v) => {
        const start = at + type.meta;
        const end = start + readLength(b, at, type.meta);
        v.vector(b, start, end);
        return end;
      };
    case 140:
    case 141:
      return decodeCompressed(
        type.code === 140 ? type.meta : type.meta < 256 ? 1 : 2,
        column.type.kind === 'text',
        charset,
      );
    case 247:
    case 248:
      return column.type.kind === 'label' ? decodeLabel(type, column.type.labels) : fail(type);
    case 15:
    case 253:
      return decodeText(
        type.meta < 256 ? 1 : 2,
        column.type.kind === 'text' ? charset : null,
        column.type.kind === 'text',
      );
    case 254:
      if (column.type.kind === 'bytes') return decodeBinary(type.meta);
      if (charset === null) return decodeAddress(column.sourceType);
      return decodeText(type.meta < 256 ? 1 : 2, charset, true);
    case 252:
      return decodeText(type.meta, column.type.kind === 'text' ? charset : null, column.type.kind === 'text');
    default:
      return fail(type);
  }
}

function sizeOf(type: LogType): number {
  const fixed = fixedBytes(type);
  if (fixed !== undefined) return fixed;
  return -(LENGTH_IN_META.has(type.code) ? type.meta : type.meta < 256 ? 1 : 2);
}

/** Bytes of a value of a type whose values all have as many; undefined for the others. */
function fixedBytes({ code, meta }: LogType): number | undefined {
  const fraction = (meta + 1) >> 1;
  switch (code) {
    case 1:
    case 13:
      return 1;
    case 2:
      return 2;
    case 9:
    case 10:
      return 3;
    case 3:
    case 4:
      return 4;
    case 5:
    case 8:
      return 8;
    case 7:
    case 11:
    case 12:
      return oldTemporalBytes(code, meta);
    case 246:
      return decimalBytes(meta >> 8, meta & 0xff);
    case 16:
      return (meta + 7) >> 3;
    case 17:
      return 4 + fraction;
    case 18:
      return 5 + fraction;
    case 19:
      return 3 + fraction;
    case 247:
    case 248:
      return meta;
    default:
      return undefined;
  }
}

function fail(type: LogType): never {
  throw new Error(`no decoder for column type ${type.code}`);
}

function int32(b: Buffer, at: number): number {
  return b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24);
}

function decodeBigint(b: Buffer, at: number, v: ValueVisitor, unsigned: boolean): number {
  const low = int32(b, at) >>> 0;
  const high = int32(b, at + 4);
  // Within ±2^53 a double is exact; 0x200000 is 2^53 / 2^32.
  if (high < 0x200000 && high >= (unsigned ? 0 : -0x200000)) v.integer(high * 4294967296 + low);
  else v.bigInteger(unsigned ? high >>> 0 : high, low, unsigned);
  return at + 8;
}

/** [ day 5 bits, month 4, year 15 ], little-endian. */
function decodeDate(b: Buffer, at: number, v: ValueVisitor): number {
  const packed = b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16);
  v.date(packed >> 9, (packed >> 5) & 15, packed & 31);
  return at + 3;
}

function fractionMicros(b: Buffer, at: number, digits: number): number {
  switch ((digits + 1) >> 1) {
    case 0:
      return 0;
    case 1:
      return b[at]! * FRACTION_UNIT[digits]!;
    case 2:
      return ((b[at]! << 8) | b[at + 1]!) * FRACTION_UNIT[digits]!;
    default:
      return (b[at]! << 16) | (b[at + 1]! << 8) | b[at + 2]!;
  }
}

/** Big-endian, offset by 0x800000 with the fraction behind it: one number, so that a negative fraction borrows. */
function decodeTime(digits: number): Decode {
  const bytes = (digits + 1) >> 1;
  const unit = bytes === 0 ? 1 : 256 ** bytes;
  return (b, at, v) => {
    const packed = b.readUIntBE(at, 3 + bytes) - 0x800000 * unit;
    const positive = Math.abs(packed);
    const whole = Math.floor(positive / unit);
    const seconds = ((whole >> 12) & 1023) * 3600 + ((whole >> 6) & 63) * 60 + (whole & 63);
    const micros = seconds * 1e6 + (positive % unit) * (FRACTION_UNIT[digits] || 1) * (bytes === 0 ? 0 : 1);
    v.time(packed < 0 ? -micros : micros);
    return at + 3 + bytes;
  };
}

/** [ sign 1 bit, year*13+month 17, day 5, hour 5, minute 6, second 6 ], big-endian, then the fraction. */
function decodeDatetime(digits: number): Decode {
  const bytes = (digits + 1) >> 1;
  return (b, at, v) => {
    const high = ((b[at]! & 0x7f) << 10) | (b[at + 1]! << 2) | (b[at + 2]! >> 6);
    const low = ((b[at + 2]! & 0x3f) << 16) | (b[at + 3]! << 8) | b[at + 4]!;
    const year = Math.floor(high / 13);
    v.datetime(
      year,
      high - year * 13,
      low >> 17,
      (low >> 12) & 31,
      (low >> 6) & 63,
      low & 63,
      fractionMicros(b, at + 5, digits),
    );
    return at + 5 + bytes;
  };
}

function decodeTimestamp(digits: number): Decode {
  const bytes = (digits + 1) >> 1;
  return (b, at, v) => {
    const seconds = b[at]! * 16777216 + ((b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!);
    v.instant(seconds, fractionMicros(b, at + 4, digits));
    return at + 4 + bytes;
  };
}

function decodeLabel({ code, meta }: LogType, labels: readonly string[]): Decode {
  if (code === 247) {
    // Ordinal 0 is the error value, the empty text.
    const texts = ['', ...labels].map((label) => Buffer.from(label, 'utf8'));
    return (b, at, v) => {
      const ordinal = meta === 1 ? b[at]! : b[at]! | (b[at + 1]! << 8);
      const text = texts[ordinal];
      if (text === undefined) throw new CorruptEvent(`an enum of ${labels.length} members has a value beyond them`);
      v.label(text, 0, text.length, ordinal);
      return at + meta;
    };
  }
  return (b, at, v) => {
    const chosen = labels.filter((_, bit) => (b[at + (bit >> 3)]! & (1 << (bit & 7))) !== 0);
    const text = Buffer.from(chosen.join(','), 'utf8');
    const mask = readSet(b, at, meta);
    v.label(text, 0, text.length, mask <= 9007199254740991n ? Number(mask) : mask);
    return at + meta;
  };
}

function readSet(b: Buffer, at: number, bytes: number): bigint {
  let mask = 0n;
  for (let index = bytes - 1; index >= 0; index -= 1) mask = (mask << 8n) | BigInt(b[at + index]!);
  return mask;
}

function decodeText(lengthBytes: number, charset: string | null, isText: boolean): Decode {
  const toUtf8 = charset === null ? null : decoderOf(charset);
  if (toUtf8 === undefined) throw new Error(`no decoder for character set ${charset}`);
  if (!isText) {
    return (b, at, v) => {
      const start = at + lengthBytes;
      const end = start + readLength(b, at, lengthBytes);
      v.bytes(b, start, end);
      return end;
    };
  }
  if (toUtf8 === null) {
    return (b, at, v) => {
      const start = at + lengthBytes;
      const end = start + readLength(b, at, lengthBytes);
      v.text(b, start, end);
      return end;
    };
  }
  return (b, at, v) => {
    const start = at + lengthBytes;
    const end = start + readLength(b, at, lengthBytes);
    const text = toUtf8(b.subarray(start, end));
    v.text(text, 0, text.length);
    return end;
  };
}

function decodeCompressed(lengthBytes: number, isText: boolean, charset: string | null): Decode {
  const toUtf8 = charset === null ? null : decoderOf(charset);
  return (b, at, v) => {
    const start = at + lengthBytes;
    const end = start + readLength(b, at, lengthBytes);
    const plain = expandValue(b, start, end);
    const value = toUtf8 ? toUtf8(plain) : plain;
    if (isText) v.text(value, 0, value.length);
    else v.bytes(value, 0, value.length);
    return end;
  };
}

/** Trailing zeros are left out, as of BINARY(n). */
function decodeAddress(sourceType: string): Decode {
  const address = ADDRESS_TEXTS[sourceType];
  if (address === undefined) throw new Error(`no decoder for column type ${sourceType}`);
  return (b, at, v) => {
    const start = at + 1;
    const length = b[at]!;
    const bytes = new Uint8Array(address.bytes);
    bytes.set(b.subarray(start, start + Math.min(length, address.bytes)));
    const text = Buffer.from(address.text(bytes), 'latin1');
    v.text(text, 0, text.length);
    return start + length;
  };
}

/** The length that stands at `at`; nothing is thrown behind the end of the buffer, as a position there is never within an event. */
export function readLength(b: Buffer, at: number, lengthBytes: number): number {
  switch (lengthBytes) {
    case 1:
      return b[at]!;
    case 2:
      return b[at]! | (b[at + 1]! << 8);
    case 3:
      return b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16);
    default:
      return int32(b, at) >>> 0;
  }
}

/** BINARY(n): the log leaves out trailing zeros, the column has them. */
function decodeBinary(width: number): Decode {
  const lengthBytes = width < 256 ? 1 : 2;
  return (b, at, v) => {
    const start = at + lengthBytes;
    const length = readLength(b, at, lengthBytes);
    if (length === width) v.bytes(b, start, start + length);
    else {
      const padded = Buffer.alloc(width);
      b.copy(padded, 0, start, start + length);
      v.bytes(padded, 0, width);
    }
    return start + length;
  };
}
