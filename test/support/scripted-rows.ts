import { assertNever } from '../../src/lib/errors.ts';
import type { Batch, EmptyPart, LogPlace, Part, RowImage, RowOp, RowsPart } from '../../src/pipeline/batch.ts';
import type { Column, ColumnSet, TableVersion, ValueType } from '../../src/pipeline/table.ts';
import type { ValueVisitor } from '../../src/pipeline/value-visitor.ts';

/**
 * A value as a test writes it, by the column's kind: integers and years number or bigint; decimals, texts, labels and
 * JSON text; bytes, bits and geometry Uint8Array; dates `YYYY-MM-DD`; datetimes and instants `YYYY-MM-DD HH:MM:SS[.f]`
 * (instants in UTC; an instant of '0' is the zero date); times in microseconds; vectors arrays of numbers.
 */
export type ScriptedValue = null | number | bigint | string | Uint8Array | readonly number[];
export type ScriptedRow = readonly ScriptedValue[];

/** A table by its columns as `name: type`, all nullable but the key's. */
export function scriptedTable(
  database: string,
  table: string,
  columns: Readonly<Record<string, ValueType>>,
  key: readonly string[],
): TableVersion {
  const names = Object.keys(columns);
  return {
    id: { database, table },
    columns: Object.entries(columns).map(
      ([name, type]): Column => ({
        name,
        type,
        nullable: !key.includes(name),
        sourceType: type.kind,
        comment: '',
        generated: false,
      }),
    ),
    key: key.map((name) => names.indexOf(name)),
  };
}

/** Rows with an after-image. */
export function inserts(table: TableVersion, rows: readonly ScriptedRow[], op: 'insert' | 'read' = 'insert'): RowsPart {
  return rowsPart(table, op, [], rows);
}

export function deletes(table: TableVersion, rows: readonly ScriptedRow[]): RowsPart {
  return rowsPart(table, 'delete', rows, []);
}

/** Pairs of before and after. */
export function updates(table: TableVersion, rows: readonly (readonly [ScriptedRow, ScriptedRow])[]): RowsPart {
  return rowsPart(
    table,
    'update',
    rows.map(([before]) => before),
    rows.map(([, after]) => after),
  );
}

/** The table is emptied. */
export function empties(table: TableVersion): EmptyPart {
  return { kind: 'empty', table, timeMicros: 0, place: SCRIPTED_PLACE };
}

/** One batch with these parts, at the end of a transaction. */
export function batchOf(...parts: readonly Part[]): Batch {
  const rows = parts.reduce((sum, part) => sum + (part.kind === 'rows' ? part.count : 0), 0);
  return {
    parts,
    rows,
    bytes: rows,
    offset: {},
    transactionEnd: true,
    version: 1,
    timeMicros: null,
    caughtUp: true,
    heldSinceMicros: null,
  };
}

/** Where scripted parts come from. */
export const SCRIPTED_PLACE: LogPlace = {
  server: { system: 'mysql', version: '9.7.4', id: 1 },
  epoch: 0,
  file: 'binlog.000001',
  fileNumber: 1,
  position: 1000,
  within: 0,
  gtid: null,
};

function rowsPart(
  table: TableVersion,
  op: RowOp,
  before: readonly ScriptedRow[],
  after: readonly ScriptedRow[],
): RowsPart {
  return {
    kind: 'rows',
    op,
    table,
    count: Math.max(before.length, after.length),
    timeMicros: 0,
    place: SCRIPTED_PLACE,
    visit(row: number, image: RowImage, columns: ColumnSet, visitor: ValueVisitor) {
      const values = (image === 'before' ? before : after)[row];
      if (values === undefined) throw new Error(`row ${row} has no ${image} image`);
      for (const index of columns.indexes) visitValue(table.columns[index]?.type, values[index] ?? null, visitor);
    },
  };
}

/** Tells the visitor one value. */
export function visitValue(type: ValueType | undefined, value: ScriptedValue, visitor: ValueVisitor): void {
  if (type === undefined) throw new Error('no such column');
  if (value === null) return visitor.null();
  switch (type.kind) {
    case 'integer':
    case 'year':
      return visitInteger(value, type.kind === 'integer' && type.unsigned, visitor);
    case 'decimal':
      return withBytes(value, (bytes, start, end) => visitor.decimal(bytes, start, end));
    case 'float':
      return visitor.float(Math.fround(Number(value)));
    case 'double':
      return visitor.double(Number(value));
    case 'text':
      return withBytes(value, (bytes, start, end) => visitor.text(bytes, start, end));
    case 'bytes':
      return withBytes(value, (bytes, start, end) => visitor.bytes(bytes, start, end));
    case 'date': {
      const [year = 0, month = 0, day = 0] = numbersOf(value);
      return visitor.date(year, month, day);
    }
    case 'time':
      return visitor.time(Number(value));
    case 'datetime': {
      const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbersOf(value);
      return visitor.datetime(year, month, day, hour, minute, second, microsOf(value));
    }
    case 'instant': {
      if (value === '0') return visitor.instant(0, 0);
      const seconds = Date.parse(`${String(value).slice(0, 19).replace(' ', 'T')}Z`) / 1000;
      return visitor.instant(seconds, microsOf(value));
    }
    case 'bits':
      return withBytes(value, (bytes, start, end) => visitor.bits(bytes, start, end));
    case 'label': {
      const ordinal = type.set ? 0 : type.labels.indexOf(String(value)) + 1;
      return withBytes(value, (bytes, start, end) => visitor.label(bytes, start, end, ordinal));
    }
    case 'json':
      return withBytes(value, (bytes, start, end) => visitor.json(bytes, start, end));
    case 'geometry':
      return withBytes(value, (bytes, start, end) => visitor.geometry(0, bytes, start, end));
    case 'vector': {
      const floats = Buffer.from(new Float32Array(value as readonly number[]).buffer);
      return visitor.vector(floats, 0, floats.length);
    }
    default:
      return assertNever(type);
  }
}

function visitInteger(value: ScriptedValue, unsigned: boolean, visitor: ValueVisitor): void {
  if (typeof value === 'number') return visitor.integer(value);
  const number = BigInt(value as bigint);
  if (number <= BigInt(Number.MAX_SAFE_INTEGER) && number >= BigInt(Number.MIN_SAFE_INTEGER)) {
    return visitor.integer(Number(number));
  }
  visitor.bigInteger(Number(number >> 32n), Number(number & 0xffffffffn), unsigned);
}

/** The value stands in the middle of a buffer, as it does in a packet. */
function withBytes(value: ScriptedValue, tell: (bytes: Uint8Array, start: number, end: number) => void): void {
  const bytes = typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array);
  const packet = Buffer.alloc(bytes.length + 7, 0xee);
  packet.set(bytes, 3);
  tell(packet, 3, 3 + bytes.length);
}

function numbersOf(value: ScriptedValue): number[] {
  return (String(value).match(/\d+/g) ?? []).map(Number);
}

function microsOf(value: ScriptedValue): number {
  return Number((/\.(\d+)$/.exec(String(value))?.[1] ?? '').padEnd(6, '0'));
}
