import { daysFromCivil, isRealDate } from '../../../lib/civil.ts';
import type { Column, ValueType } from '../../../pipeline/table.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import { JsonWriter, Names } from './json-writer.ts';
import type { Memory } from './memory.ts';
import { fractionOf } from './key-layout.ts';
import type { TimeZone } from './time-zone.ts';

const DAY = 86_400;

/** The type that `schema.dataColumn` says of a column: of the column, never of a value. */
export function dataWorksType(type: ValueType): string {
  switch (type.kind) {
    case 'integer':
    case 'year':
      return 'LONG';
    case 'decimal':
    case 'float':
    case 'double':
      return 'DOUBLE';
    case 'date':
    case 'datetime':
    case 'instant':
      return 'DATE';
    case 'bits':
      return type.width === 1 ? 'BOOLEAN' : 'BYTES';
    case 'bytes':
    case 'geometry':
    case 'vector':
      return 'BYTES';
    case 'text':
    case 'time':
    case 'label':
    case 'json':
      return 'STRING';
  }
}

/** How the values of one table version are written. */
export interface DataWorksLayout {
  readonly names: Names;
  readonly fractions: Uint8Array;
  /** 1 for BIT(1). */
  readonly booleans: Uint8Array;
}

export function layDataWorks(columns: readonly Column[]): DataWorksLayout {
  return {
    names: new Names(columns.map(({ name }) => name)),
    fractions: Uint8Array.from(columns, ({ type }) => fractionOf(type)),
    booleans: Uint8Array.from(columns, ({ type }) => (type.kind === 'bits' && type.width === 1 ? 1 : 0)),
  };
}

/** Values as DataWorks has them: dates as milliseconds of the zone's clock, cut to the millisecond; no date is null. */
export class DataWorksValues extends JsonWriter implements ValueVisitor {
  readonly #zone: TimeZone;
  #fractions: Uint8Array = new Uint8Array(0);
  #booleans: Uint8Array = new Uint8Array(0);

  constructor(memory: Memory, zone: TimeZone) {
    super(memory);
    this.#zone = zone;
  }

  /** The values visited next are an image's. */
  start({ names, fractions, booleans }: DataWorksLayout): void {
    this.startImage(names);
    this.#fractions = fractions;
    this.#booleans = booleans;
  }

  null(): void {
    this.open();
    this.nullText();
  }

  integer(value: number): void {
    this.open();
    this.integerText(value);
  }

  bigInteger(high: number, low: number, _unsigned: boolean): void {
    this.open();
    this.bigIntegerText(high, low);
  }

  decimal(buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.copyShort(buffer, start, end);
  }

  float(value: number): void {
    this.open();
    this.floatText(value);
  }

  double(value: number): void {
    this.open();
    this.doubleText(value);
  }

  text(buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.string(buffer, start, end);
  }

  bytes(buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.base64String(buffer, start, end);
  }

  date(year: number, month: number, day: number): void {
    this.open();
    if (isRealDate(year, month, day)) this.#civil(daysFromCivil(year, month, day) * DAY, 0);
    else this.nullText();
  }

  time(micros: number): void {
    const digits = this.#fractions[this.column]!;
    this.open();
    this.quote();
    this.timeText(micros, digits);
    this.quote();
  }

  datetime(
    year: number,
    month: number,
    day: number,
    hour: number,
    minute: number,
    second: number,
    micros: number,
  ): void {
    this.open();
    if (isRealDate(year, month, day)) {
      this.#civil(daysFromCivil(year, month, day) * DAY + hour * 3600 + minute * 60 + second, micros);
    } else this.nullText();
  }

  instant(seconds: number, micros: number): void {
    this.open();
    if (seconds === 0 && micros === 0) this.nullText();
    else this.integerText(seconds * 1000 + ((micros / 1000) | 0));
  }

  bits(buffer: Uint8Array, start: number, end: number): void {
    const isBoolean = this.#booleans[this.column] === 1;
    this.open();
    if (isBoolean) this.ascii((buffer[end - 1]! & 1) === 1 ? 'true' : 'false');
    else this.base64String(buffer, start, end);
  }

  label(buffer: Uint8Array, start: number, end: number, _ordinal: number | bigint): void {
    this.text(buffer, start, end);
  }

  json(buffer: Uint8Array, start: number, end: number): void {
    this.text(buffer, start, end);
  }

  geometry(_srid: number, buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }

  vector(buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }

  #civil(seconds: number, micros: number): void {
    this.integerText(this.#zone.toInstant(seconds) * 1000 + ((micros / 1000) | 0));
  }
}
