import { assertNever } from '../../../src/lib/errors.ts';
import type { ColumnType } from '../../../src/connectors/maxcompute/protocol/column-type.ts';
import {
  CRC_START,
  crcOfByte,
  crcOfBytes,
  crcOfInt32,
  crcOfInt64,
  crcValue,
} from '../../../src/connectors/maxcompute/protocol/crc32c.ts';
import { FIELD } from '../../../src/connectors/maxcompute/protocol/row-stream.ts';
import { type RowValue, wireTypeOf } from '../../../src/connectors/maxcompute/protocol/row-value.ts';

/** Bytes that are no row stream of the columns that were said. */
export class MalformedRows extends Error {
  override readonly name = 'MalformedRows';
}

/**
 * Reads a whole row stream (row-stream.ts), checking all that can be checked: columns, wire types, lengths, the CRC of each
 * row, the count and the CRC of CRCs, and that nothing follows. Errors: MalformedRows.
 */
export function readRows(bytes: Uint8Array, types: readonly ColumnType[]): RowValue[][] {
  return new RowsReader(bytes, types).rows();
}

/** So many bytes of a varint make a number that is exact. */
const EXACT_BYTES = 7;

class RowsReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #types: readonly ColumnType[];
  #at = 0;
  #crc = CRC_START;

  constructor(bytes: Uint8Array, types: readonly ColumnType[]) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#types = types;
  }

  rows(): RowValue[][] {
    const rows: RowValue[][] = [];
    let row: RowValue[] | null = null;
    let checksum = CRC_START;
    for (;;) {
      const tag = this.#number();
      const column = Math.floor(tag / 8);
      if (column === FIELD.COUNT) break;
      if (column === FIELD.END_ROW) {
        const crc = this.#crcVarint();
        if (crc !== crcValue(this.#crc)) fail(`the CRC of row ${rows.length} is wrong`);
        checksum = crcOfInt32(checksum, crc);
        this.#crc = CRC_START;
        rows.push(row ?? this.#empty());
        row = null;
        continue;
      }
      const type = this.#types[column - 1] ?? fail(`there is no column ${column}`);
      if ((tag & 7) !== wireTypeOf(type)) fail(`column ${column} has wire type ${tag & 7}`);
      row ??= this.#empty();
      this.#crc = crcOfInt32(this.#crc, column);
      row[column - 1] = this.#value(type);
    }
    if (row !== null) fail('a row is not ended before the footer');
    const count = this.#zigzag();
    if (count !== rows.length) fail(`the footer counts ${count} rows, there are ${rows.length}`);
    if (Math.floor(this.#number() / 8) !== FIELD.CHECKSUM) fail('the footer has no checksum');
    if (this.#crcVarint() !== crcValue(checksum)) fail('the checksum of all rows is wrong');
    if (this.#at !== this.#bytes.length) fail('bytes follow the footer');
    return rows;
  }

  #empty(): RowValue[] {
    return this.#types.map(() => null);
  }

  #value(type: ColumnType): RowValue {
    switch (type.kind) {
      case 'tinyint':
      case 'smallint':
      case 'int':
      case 'bigint':
      case 'date':
      case 'datetime':
      case 'interval_year_month':
        return this.#int64();
      case 'boolean': {
        const byte = this.#number();
        if (byte > 1) fail('a boolean is neither 0 nor 1');
        this.#crc = crcOfByte(this.#crc, byte);
        return byte === 1;
      }
      case 'float': {
        const at = this.#raw(4);
        return this.#view.getFloat32(at, true);
      }
      case 'double': {
        const at = this.#raw(8);
        return this.#view.getFloat64(at, true);
      }
      case 'string':
      case 'char':
      case 'varchar':
      case 'decimal':
      case 'json':
        return this.#blob().toString();
      case 'binary':
        return Uint8Array.from(this.#blob());
      case 'timestamp':
      case 'timestamp_ntz':
      case 'interval_day_time': {
        const seconds = this.#int64();
        const nanos = Number(this.#zigzag());
        this.#crc = crcOfInt32(this.#crc, nanos);
        if (nanos < 0 || nanos > 999_999_999) fail('a timestamp has nanoseconds beyond a second');
        return { seconds, nanos };
      }
      case 'array':
        return this.#elements(type.element);
      case 'map': {
        const keys = this.#elements(type.key);
        const values = this.#elements(type.value);
        if (keys.length !== values.length) fail('a map has more keys than values, or fewer');
        return keys.map((key, index) => [key, values[index] ?? null]);
      }
      case 'struct':
        return type.fields.map((field) => this.#element(field.type));
      default:
        return assertNever(type);
    }
  }

  #elements(type: ColumnType): RowValue[] {
    const count = this.#number();
    if (count > this.#bytes.length - this.#at) fail('an array is longer than the stream');
    return Array.from({ length: count }, () => this.#element(type));
  }

  #element(type: ColumnType): RowValue {
    const flag = this.#number();
    if (flag > 1) fail('a null flag is neither 0 nor 1');
    return flag === 1 ? null : this.#value(type);
  }

  #int64(): bigint {
    const value = this.#zigzag();
    if (typeof value === 'number') {
      const high = Math.floor(value / 4294967296);
      this.#crc = crcOfInt64(this.#crc, value - high * 4294967296, high);
      return BigInt(value);
    }
    this.#crc = crcOfInt64(this.#crc, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
    return value;
  }

  #blob(): Buffer {
    const size = this.#number();
    const at = this.#raw(size);
    return this.#bytes.subarray(at, at + size);
  }

  #raw(size: number): number {
    const at = this.#at;
    if (size > this.#bytes.length - at) fail('the stream ends within a value');
    this.#at = at + size;
    this.#crc = crcOfBytes(this.#crc, this.#view, at, this.#at);
    return at;
  }

  /** One vendor's client writes CRCs with the top bit set as ten bytes, sign-extended. */
  #crcVarint(): number {
    return Number(BigInt.asUintN(32, this.#varint()));
  }

  /** A number where that is exact. */
  #zigzag(): number | bigint {
    const start = this.#at;
    const short = this.#short();
    if (short !== null) return short % 2 === 0 ? short / 2 : -(short + 1) / 2;
    this.#at = start;
    const raw = this.#varint();
    return (raw & 1n) === 0n ? raw >> 1n : -(raw >> 1n) - 1n;
  }

  /** A tag, a length or a flag. */
  #number(): number {
    return this.#short() ?? fail('a number is too large');
  }

  /** Null for a varint of more bytes, of which some were passed over. */
  #short(): number | null {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < EXACT_BYTES; count += 1) {
      const byte = this.#bytes[this.#at] ?? fail('the stream ends before its footer');
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return null;
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at] ?? fail('the stream ends before its footer');
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return fail('a number has more than ten bytes');
  }
}

function fail(what: string): never {
  throw new MalformedRows(what);
}
